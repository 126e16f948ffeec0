"""PNG: every depth and colour type; chunks beside the pixels are carried as they stand.

Interlaced files are read, and written without interlacing. Animations are refused.
"""

import struct
import zlib
from collections.abc import Iterable, Sequence

import numpy as np
from PIL.PngImagePlugin import PngImageFile

from restora.core.damage import damage
from restora.core.errors import FileProblem
from restora.images.exif import orientation_of, upright, xmp_upright
from restora.images.limits import PixelLimit
from restora.images.metadata import Metadata, PngEncoding
from restora.images.orientation import turned_upright
from restora.images.picture import Picture, Samples, joined_alpha, kind_of, split_alpha
from restora.images.pillow import Decoded, compact_image_of, decoded, fits_bit_depth, opened, saved
from restora.images.png16 import decode_16, encode_16, encode_packed

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_CARRIED = (b"gAMA", b"cHRM", b"sRGB", b"cICP", b"mDCV", b"cLLI", b"tEXt", b"zTXt", b"iTXt")
"""Chunks that stay true of restored pixels. Those that do not: tIME, sBIT, bKGD, hIST, sPLT."""

_PIXELS = (b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND")
_XMP = b"XML:com.adobe.xmp\0"
_METRE = 0.0254  # metres in an inch
_MAX_PROFILE = 2**26  # a colour profile of 64 MiB is none

Chunk = tuple[bytes, bytes]


def decode(data: bytes, limit: PixelLimit) -> Picture:
    """The picture in the bytes of a PNG file.

    Raises:
        FileProblem: it is damaged, cut short, animated, or larger than the limit.
    """
    chunks = _read_chunks(data)
    if not chunks or chunks[0][0] != b"IHDR" or len(chunks[0][1]) != 13:
        raise FileProblem("it is damaged: a PNG file begins with the chunk IHDR")
    if any(name == b"acTL" for name, _ in chunks):
        raise FileProblem("it is an animation: restora reads single images, so extract the frames first")
    width, height, depth = struct.unpack(">IIB", chunks[0][1][:9])
    limit.check(height, width, len(data))
    icc = _profile(chunks)
    samples = _decoded(chunks, depth, keep_colour=icc is not None)
    exif, xmp = _only(chunks, b"eXIf"), _xmp(chunks)
    orientation = orientation_of(exif, xmp)
    metadata = Metadata(
        icc=icc,
        exif=upright(exif),
        xmp=xmp_upright(xmp),
        dpi=_dpi(chunks),
        bit_depth=depth if depth < 8 else None,
        palette=samples.palette,
        encoding=PngEncoding(tuple(c for c in chunks if c[0] in _CARRIED and not c[1].startswith(_XMP))),
    )
    alpha = samples.alpha if samples.palette else _alpha(samples, _only(chunks, b"tRNS"), depth)
    if alpha is not None:
        alpha = turned_upright(alpha, orientation)
    return Picture(turned_upright(samples.pixels, orientation), alpha, samples.kind, "PNG", metadata)


def encode(picture: Picture) -> bytes:
    """The bytes of a PNG file that holds the picture (uint8 or uint16; gray or RGB; alpha or not)."""
    pixel_chunks = _encoded(picture)
    metadata = picture.metadata
    head: list[Chunk] = []
    if metadata.icc:
        head.append((b"iCCP", b"ICC profile\0\0" + zlib.compress(metadata.icc)))
    if metadata.dpi:
        head.append((b"pHYs", struct.pack(">IIB", *(round(d / _METRE) for d in metadata.dpi), 1)))
    if isinstance(metadata.encoding, PngEncoding):
        head += metadata.encoding.chunks
    if metadata.xmp:
        head.append((b"iTXt", _XMP + bytes(4) + metadata.xmp))
    if metadata.exif:
        head.append((b"eXIf", metadata.exif))
    return _assembled([pixel_chunks[0], *head, *pixel_chunks[1:]])


def _decoded(chunks: Sequence[Chunk], depth: int, keep_colour: bool) -> Decoded:
    if depth != 16:
        # Pillow sees only what makes the pixels: its limits on text and profiles need not concern us.
        bare = _assembled(chunk for chunk in chunks if chunk[0] in _PIXELS)
        return decoded(opened(PngImageFile, bare), keep_palette_colour=keep_colour)
    samples = decode_16(chunks[0][1], b"".join(body for name, body in chunks if name == b"IDAT"))
    pixels, alpha = split_alpha(samples, samples.shape[2] in (2, 4))
    return Decoded(pixels, alpha, kind_of(pixels.shape[2]))


def _encoded(picture: Picture) -> list[Chunk]:
    """IHDR first, IEND last."""
    pixels, alpha = picture.pixels, picture.alpha
    packed = next((depth for depth in (2, 4) if alpha is None and fits_bit_depth(picture, depth)), None)
    if packed:
        return list(encode_packed(pixels[..., 0] // np.uint8(255 // (2**packed - 1)), packed))
    if pixels.dtype == np.uint16:
        return list(encode_16(joined_alpha(picture)))
    image, options = compact_image_of(picture), {}
    if image.mode == "P":
        opacity = (picture.metadata.palette or b"")[3::4].rstrip(b"\xff")
        options = {"bits": picture.metadata.bit_depth or 8} | ({"transparency": opacity} if opacity else {})
    return [chunk for chunk in _read_chunks(saved(image, "PNG", options)) if chunk[0] in _PIXELS]


def _read_chunks(data: bytes) -> list[Chunk]:
    chunks: list[Chunk] = []
    at = len(_SIGNATURE)
    while not chunks or chunks[-1][0] != b"IEND":
        if at + 12 > len(data):
            raise FileProblem("the file is cut short")
        (length,) = struct.unpack_from(">I", data, at)
        name, body = data[at + 4 : at + 8], data[at + 8 : at + 8 + length]
        if at + 12 + length > len(data):
            raise FileProblem("the file is cut short")
        (check,) = struct.unpack_from(">I", data, at + 8 + length)
        if zlib.crc32(body, zlib.crc32(name)) != check:
            raise FileProblem(f"it is damaged: the check sum of its chunk {name.decode('latin-1')} is wrong")
        chunks.append((name, body))
        at += 12 + length
    return chunks


def _assembled(chunks: Iterable[Chunk]) -> bytes:
    """A file of these chunks."""
    parts = [_SIGNATURE]
    for name, body in chunks:
        parts += [struct.pack(">I", len(body)), name, body, struct.pack(">I", zlib.crc32(body, zlib.crc32(name)))]
    return b"".join(parts)


def _only(chunks: Iterable[Chunk], wanted: bytes) -> bytes | None:
    return next((body for name, body in chunks if name == wanted), None)


def _profile(chunks: Iterable[Chunk]) -> bytes | None:
    body = _only(chunks, b"iCCP")
    if body is None:
        return None
    _, _, compressed = body.partition(b"\0")
    return _inflated(compressed[1:])


def _xmp(chunks: Iterable[Chunk]) -> bytes | None:
    body = next((body for name, body in chunks if name == b"iTXt" and body.startswith(_XMP)), None)
    if body is None:
        return None
    is_compressed, rest = body[len(_XMP) : len(_XMP) + 1], body[len(_XMP) + 2 :]
    text = rest.split(b"\0", 2)[-1]
    return _inflated(text) if is_compressed == b"\1" else text


def _inflated(data: bytes) -> bytes:
    with damage(zlib.error):
        return zlib.decompressobj().decompress(data, _MAX_PROFILE)


def _dpi(chunks: Iterable[Chunk]) -> tuple[float, float] | None:
    body = _only(chunks, b"pHYs")
    if body is None or len(body) != 9:
        return None
    x, y, unit = struct.unpack(">IIB", body)
    return (x * _METRE, y * _METRE) if unit == 1 and x and y else None


def _alpha(samples: Decoded, key: bytes | None, depth: int) -> Samples | None:
    """Opacity: the file's own, or none where a pixel equals the one colour that tRNS declares transparent."""
    if samples.alpha is not None or key is None or len(key) != 2 * samples.pixels.shape[2]:
        return samples.alpha
    white = np.iinfo(samples.pixels.dtype).max
    colour = np.frombuffer(key, dtype=">u2").astype(np.int64) * (white // (2**depth - 1))
    opaque = (samples.pixels != colour).any(axis=2)
    return np.where(opaque, white, 0).astype(samples.pixels.dtype)
