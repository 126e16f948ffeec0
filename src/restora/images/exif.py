"""EXIF blocks and XMP packets of a picture whose pixels have been turned upright, or have changed.

A block is changed in place, byte for byte of the same length, because makers' notes hold absolute places: whoever
writes a block anew breaks them.
"""

import re
import struct

from restora.core.errors import FileProblem
from restora.images.ifd import (
    EXIF,
    GPS,
    INTEROPERABILITY,
    LONG,
    SHORT,
    Directory,
    Field,
    Form,
    first_directory,
    pack,
    read_directory,
)

_ORIENTATION, _WIDTH, _HEIGHT = 0x0112, 0x0100, 0x0101
_PIXEL_X, _PIXEL_Y = 0xA002, 0xA003
_THUMBNAIL_AT, _THUMBNAIL_LENGTH = 0x0201, 0x0202

_XMP_ORIENTATION = re.compile(rb"(tiff:Orientation(?:\s*=\s*[\"']|>)\s*)([1-8])")

DESCRIPTION = frozenset({270, 271, 272, 305, 306, 315, 316, 18246, 18249, 33432, *range(40091, 40096)})
"""Tags of a first directory that describe the picture and not how it is stored: maker, model, date, copyright …"""


def orientation_of(exif: bytes | None, xmp: bytes | None) -> int:
    """The orientation, 1 to 8, that EXIF gives, or else XMP; 1 (upright) where neither does."""
    directory = _first(exif)
    if directory and _ORIENTATION in directory.fields:
        value = directory.integer(_ORIENTATION, 1)
        return value if 1 <= value <= 8 else 1
    return xmp_orientation(xmp)


def xmp_orientation(xmp: bytes | None) -> int:
    """The orientation, 1 to 8, that an XMP packet gives; 1 where it gives none."""
    match = _XMP_ORIENTATION.search(xmp or b"")
    return int(match[2]) if match else 1


def upright(exif: bytes | None) -> bytes | None:
    """The block with its orientation reset to 1; None where there is none, or an empty one."""
    directory = _first(exif)
    if not exif or not directory:
        return exif or None
    block = bytearray(exif)
    _set(block, directory, _ORIENTATION, 1)
    return bytes(block)


def for_size(exif: bytes, height: int, width: int) -> bytes:
    """The block of changed pixels: its sizes are set where it has them, its thumbnail (of the old pixels) is erased."""
    directory = _first(exif)
    if directory is None:
        return exif
    block = bytearray(exif)
    _set(block, directory, _WIDTH, width)
    _set(block, directory, _HEIGHT, height)
    camera = _child(exif, directory, EXIF)
    if camera:
        _set(block, camera, _PIXEL_X, width)
        _set(block, camera, _PIXEL_Y, height)
    _erase_thumbnail(block, directory)
    return bytes(block)


def xmp_upright(xmp: bytes | None) -> bytes | None:
    """The packet with its orientation reset to 1, where it has one; None where there is none, or an empty one."""
    return _XMP_ORIENTATION.sub(rb"\g<1>1", xmp) if xmp else None


def exif_from(data: bytes, directory: Directory) -> bytes | None:
    """A little-endian EXIF block with what a TIFF directory says of the picture; None where that is nothing."""
    fields, children = _described(data, directory, "<")
    if not fields and not children:
        return None
    return b"II*\0" + struct.pack("<I", 8) + pack(fields, children, 8, Form("<"))


def exif_fields(exif: bytes, order: str) -> tuple[dict[int, Field], dict[int, dict[int, Field]]]:
    """The describing fields of a block and its EXIF and GPS directories, in the byte order of the TIFF file to be."""
    directory = _first(exif)
    if directory is None:
        return {}, {}
    return _described(exif, directory, order)


def _described(data: bytes, directory: Directory, order: str) -> tuple[dict[int, Field], dict[int, dict[int, Field]]]:
    own = directory.form.order
    fields = {tag: field.to_order(own, order) for tag, field in directory.fields.items() if tag in DESCRIPTION}
    children: dict[int, dict[int, Field]] = {}
    for tag in (EXIF, GPS):
        child = _child(data, directory, tag)
        if child is not None:
            children[tag] = {t: f.to_order(own, order) for t, f in child.fields.items() if t != INTEROPERABILITY}
    return fields, children


def _first(exif: bytes | None) -> Directory | None:
    """The first directory; None where the block is damaged: it is then carried as it is."""
    try:
        return first_directory(exif) if exif else None
    except FileProblem:
        return None


def _child(data: bytes, directory: Directory, tag: int) -> Directory | None:
    at = directory.integer(tag, 0)
    try:
        return read_directory(data, at, directory.form) if at else None
    except FileProblem:
        return None


def _set(block: bytearray, directory: Directory, tag: int, value: int) -> None:
    """Write ``value`` over that of a SHORT or LONG field, where the directory has one and it is wide enough."""
    field = directory.fields.get(tag)
    code = {SHORT: "H", LONG: "I"}.get(field.type) if field else None
    if field and code and field.count >= 1 and value < 1 << 8 * struct.calcsize(code):
        struct.pack_into(directory.form.order + code, block, field.at, value)


def _erase_thumbnail(block: bytearray, directory: Directory) -> None:
    if not directory.next:
        return
    try:
        thumbnail = read_directory(bytes(block), directory.next, directory.form)
    except FileProblem:
        return
    at, length = thumbnail.integer(_THUMBNAIL_AT, 0), thumbnail.integer(_THUMBNAIL_LENGTH, 0)
    if at and length and at + length <= len(block):
        block[at : at + length] = bytes(length)
        if at + length == len(block):
            del block[at:]
    struct.pack_into(directory.form.order + "I", block, directory.next_at, 0)
