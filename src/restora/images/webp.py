"""WebP: lossless files stay lossless, with the colours under zero opacity; lossy ones are encoded at a quality of 95.

WebP has no gray: gray pictures are written as RGB.
"""

import struct
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
from PIL import Image
from PIL.WebPImagePlugin import WebPImageFile

from restora.core.damage import damage
from restora.core.errors import FileProblem
from restora.images.exif import orientation_of, upright, xmp_upright
from restora.images.limits import PixelLimit
from restora.images.metadata import Metadata, WebpEncoding
from restora.images.orientation import turned_upright
from restora.images.picture import Picture, joined_alpha
from restora.images.pillow import decoded, opened, saved

LOSSY_QUALITY = 95
"""libwebp quality of pictures that come from a lossy file; what that file was encoded with, it does not say."""

_MAX_SIDE = 16383


def decode(data: bytes, limit: PixelLimit) -> Picture:
    """The picture in the bytes of a WebP file.

    Raises:
        FileProblem: it is damaged, cut short, animated, or larger than the limit.
    """
    with damage(struct.error):
        chunks = dict(_chunks(data))
    if b"ANIM" in chunks:
        raise FileProblem("it is an animation: restora reads single images, so extract the frames first")
    with damage(struct.error):
        height, width = _size(chunks)
    limit.check(height, width, len(data))
    samples = decoded(opened(WebPImageFile, data))
    exif, xmp = chunks.get(b"EXIF"), chunks.get(b"XMP ")
    exif = exif.removeprefix(b"Exif\0\0") if exif else None
    orientation = orientation_of(exif, xmp)
    metadata = Metadata(
        icc=chunks.get(b"ICCP"),
        exif=upright(exif),
        xmp=xmp_upright(xmp),
        encoding=WebpEncoding(lossless=b"VP8 " not in chunks),
    )
    alpha = None if samples.alpha is None else turned_upright(samples.alpha, orientation)
    return Picture(turned_upright(samples.pixels, orientation), alpha, samples.kind, "WEBP", metadata)


def encode(picture: Picture) -> bytes:
    """The bytes of a WebP file that holds the picture (uint8, gray or RGB, alpha or not).

    Raises:
        FileProblem: it is larger than WebP allows.
    """
    height, width = picture.size
    if max(height, width) > _MAX_SIDE:
        raise FileProblem(f"WebP holds at most {_MAX_SIDE} pixels a side and the picture has {width} x {height}")
    metadata = picture.metadata
    encoding = metadata.encoding if isinstance(metadata.encoding, WebpEncoding) else WebpEncoding()
    samples = joined_alpha(replace(picture, pixels=np.broadcast_to(picture.pixels, (height, width, 3))))
    options = {
        "lossless": encoding.lossless,
        "quality": 100 if encoding.lossless else LOSSY_QUALITY,
        "exact": encoding.lossless,
        "icc_profile": metadata.icc or b"",
        "exif": metadata.exif or b"",
        "xmp": metadata.xmp or b"",
    }
    return saved(Image.fromarray(np.ascontiguousarray(samples)), "WEBP", options)


def _chunks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    (length,) = struct.unpack_from("<I", data, 4)
    if length + 8 > len(data) + length % 2:
        raise FileProblem("the file is cut short")
    at = 12
    while at + 8 <= len(data):
        name, size = struct.unpack_from("<4sI", data, at)
        yield name, data[at + 8 : at + 8 + size]
        at += 8 + size + size % 2


def _size(chunks: dict[bytes, bytes]) -> tuple[int, int]:
    """Height and width, before anything is decoded."""
    if b"VP8X" in chunks:
        w, h = (int.from_bytes(chunks[b"VP8X"][i : i + 3], "little") + 1 for i in (4, 7))
    elif b"VP8L" in chunks:
        bits = int.from_bytes(chunks[b"VP8L"][1:5], "little")
        w, h = (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    elif b"VP8 " in chunks:
        w, h = (side & 0x3FFF for side in struct.unpack_from("<HH", chunks[b"VP8 "], 6))
    else:
        raise FileProblem("it is damaged: it holds no pixels")
    return h, w
