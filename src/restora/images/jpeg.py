"""JPEG: encoded again with the tables and the subsampling it came with.

A picture that was stored on its side is turned upright, and its tables and subsampling with it: what was a row of a
block is now a column. Subsampling that Pillow cannot write (4:4:0, 4:1:1) becomes 4:4:4, which loses nothing. YCCK
becomes CMYK for the same reason. Ink of CMYK is held as 0 for paper; files of Adobe's convention, inverted, are
read and written so. Of a file of several images (MPO, gain maps) the first is read.
"""

import struct
from typing import Any

from PIL.JpegImagePlugin import JpegImageFile

from restora.core.errors import FileProblem
from restora.images.exif import orientation_of, upright, xmp_upright
from restora.images.limits import PixelLimit
from restora.images.metadata import JpegEncoding, Metadata
from restora.images.orientation import transposes, turned_upright
from restora.images.picture import Picture
from restora.images.pillow import decoded, dpi_of, image_of, opened, saved

DEFAULT_QUALITY = 95
"""libjpeg quality of pictures that were no JPEG before; they are then written 4:4:4."""

_EXIF, _XMP, _IPTC = b"Exif\0\0", b"http://ns.adobe.com/xap/1.0/\0", b"Photoshop 3.0\0"
_APP1, _APP13 = 0xE1, 0xED
_FRAMES = {0xC0, 0xC1, 0xC2, 0xC3, *range(0xC5, 0xC8), *range(0xC9, 0xCC), *range(0xCD, 0xD0)}
_LOSSLESS = {0xC3, 0xC7, 0xCB, 0xCF}
_MAX_BODY = 65533

_SUBSAMPLING: dict[tuple[tuple[int, int], ...], str] = {
    ((2, 1), (1, 1), (1, 1)): "4:2:2",
    ((2, 2), (1, 1), (1, 1)): "4:2:0",
}


def decode(data: bytes, limit: PixelLimit) -> Picture:
    """The picture in the bytes of a JPEG file.

    Raises:
        FileProblem: it is damaged, cut short, of a kind libjpeg does not decode, or larger than the limit.
    """
    _check_frame(data)
    image = opened(JpegImageFile, data)
    limit.check(image.height, image.width, len(data))
    samples = decoded(image)
    exif = image.info.get("exif", b"").removeprefix(_EXIF)
    xmp = next(iter(_after(image, "APP1", _XMP)), None)
    orientation = orientation_of(exif, xmp)
    encoding = _encoding(image)
    metadata = Metadata(
        icc=image.info.get("icc_profile"),
        exif=upright(exif),
        xmp=xmp_upright(xmp),
        iptc=b"".join(_after(image, "APP13", _IPTC)) or None,  # it is continued in further segments
        comment=next(iter(_after(image, "COM", b"")), None),
        dpi=dpi_of(image) if "jfif_density" in image.info else None,
        encoding=encoding.transposed() if transposes(orientation) else encoding,
    )
    return Picture(turned_upright(samples.pixels, orientation), None, samples.kind, "JPEG", metadata)


def encode(picture: Picture) -> bytes:
    """The bytes of a JPEG file that holds the picture (uint8, without alpha; gray, RGB or CMYK).

    Raises:
        FileProblem: its EXIF or XMP are larger than a JPEG file can hold.
    """
    image, encoding, common = image_of(picture), picture.metadata.encoding, _metadata_options(picture.metadata)
    if not isinstance(encoding, JpegEncoding) or len(encoding.tables) != picture.pixels.shape[2]:
        return saved(image, "JPEG", {**common, "quality": DEFAULT_QUALITY, "subsampling": "4:4:4"})
    options = {
        **common,
        "qtables": _tables(encoding),
        "subsampling": _SUBSAMPLING.get(encoding.sampling, "4:4:4"),
        "keep_rgb": not encoding.transform,
    }
    try:
        return saved(image, "JPEG", {**options, "progressive": encoding.progressive})
    except FileProblem:
        # Pillow's buffer for progressive files is too small for pure noise; one scan holds the same coefficients.
        return saved(image, "JPEG", options)


def _check_frame(data: bytes) -> None:
    """Refuse what libjpeg does not decode to 8 bits: Pillow would call it damaged, or round it."""
    at = 2
    while at + 5 <= len(data):
        marker, length, precision = struct.unpack_from(">xBHB", data, at)
        if marker in _LOSSLESS:
            raise FileProblem("it is a lossless JPEG, which restora does not read: save it as TIFF first")
        if marker in _FRAMES and precision != 8:
            raise FileProblem(f"it is a JPEG of {precision} bits, which restora does not read: save it as TIFF first")
        if marker in _FRAMES:
            return
        at += 1 if marker == 0xFF else 2 + length  # bytes of 255 may stand before a marker


def _encoding(image: Any) -> JpegEncoding:
    layers: list[tuple[int, int, int, int]] = image.layer  # identifier, sampling factors h and v, table
    is_ycc = len(layers) == 3 and [identifier for identifier, *_ in layers] != [*b"RGB"]
    tables = image.quantization
    return JpegEncoding(
        tables=tuple(tuple(tables[table]) for *_, table in layers if table in tables),
        sampling=tuple((h, v) for _, h, v, _ in layers),
        progressive=bool(image.info.get("progressive")),
        transform=bool(image.info.get("adobe_transform", is_ycc)),
    )


def _tables(encoding: JpegEncoding) -> list[list[int]]:
    """Tables as Pillow takes them: the i-th for component i, the last one for all that follow."""
    if len(encoding.tables) == 4:  # YCCK is written as CMYK, whose inks all take the finest table, that of Y
        return [list(encoding.tables[0])]
    tables = [list(table) for table in encoding.tables]
    shared = 2 if encoding.transform else 1  # chroma shares a table, and so do R, G and B
    return tables[:shared] if all(table == tables[shared - 1] for table in tables[shared:]) else tables


def _after(image: Any, name: str, prefix: bytes) -> list[bytes]:
    """What follows ``prefix`` in the segments of that name which begin with it."""
    return [body[len(prefix) :] for other, body in image.applist if other == name and body.startswith(prefix)]


def _metadata_options(metadata: Metadata) -> dict[str, Any]:
    """What Pillow writes before the pixels."""
    exif = _EXIF + metadata.exif if metadata.exif else b""
    xmp = _XMP + metadata.xmp if metadata.xmp else b""
    for what, body in (("EXIF", exif), ("XMP", xmp)):
        if len(body) > _MAX_BODY:
            raise FileProblem(
                f"its {what} metadata has {len(body):,} bytes, more than a JPEG file holds: write .png or .tif"
            )
    room, iptc = _MAX_BODY - len(_IPTC), metadata.iptc or b""
    segments = [(_APP13, _IPTC + iptc[i : i + room]) for i in range(0, len(iptc), room)]
    segments += [(_APP1, xmp)] if xmp else []
    return {
        "dpi": metadata.dpi or (0, 0),
        "exif": exif,
        "icc_profile": metadata.icc,
        "comment": (metadata.comment or b"")[:_MAX_BODY],
        "extra": b"".join(struct.pack(">BBH", 0xFF, marker, len(body) + 2) + body for marker, body in segments),
    }
