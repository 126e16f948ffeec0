"""TIFF, writing: samples as they are, compressed as they came, with every tag that was carried.

Pillow writes what it holds whole, tifffile (extra ``io``) the rest; both write the pixels alone. The tags beside them
are then put in here, the same way for both. Tiles become strips. Compressions that lose (JPEG, WebP) and those for
black and white, where grays have come up, become deflate.
"""

import io
import struct
from dataclasses import replace
from fractions import Fraction
from typing import Any

import numpy as np
from PIL.TiffImagePlugin import COMPRESSION_INFO

from restora.images.exif import exif_fields
from restora.images.ifd import RATIONAL, SHORT, UNDEFINED, Field, Form, first_directory, pack, read_form
from restora.images.metadata import Metadata, TiffEncoding
from restora.images.optional import optional_module
from restora.images.picture import Picture, joined_alpha
from restora.images.pillow import compact_image_of, saved
from restora.images.tiff import (
    ICC,
    IPTC,
    PILLOW_COMPRESSIONS,
    PREDICTOR,
    RESOLUTION_UNIT,
    X_RESOLUTION,
    XMP,
    Y_RESOLUTION,
)

_NONE, _DEFLATE = 1, 8
_BILEVEL = frozenset({2, 3, 4})  # CCITT, group 3, group 4
_LOSSLESS = frozenset({_NONE, 5, _DEFLATE, 32773, 32946, 34925, 50000})  # LZW 5, PackBits 32773, LZMA, ZSTD
_HORIZONTAL, _FLOATING = 2, 3
_BYTE = 1


def encode(picture: Picture) -> bytes:
    """The bytes of a TIFF file that holds the picture.

    Raises:
        MissingDependency: it needs tifffile.
    """
    encoding = picture.metadata.encoding
    encoding = encoding if isinstance(encoding, TiffEncoding) else TiffEncoding()
    if _for_pillow(picture, encoding):
        data = _with_pillow(picture, encoding)
    else:
        data = _with_tifffile(picture, encoding)
    return _with_fields(data, picture.metadata, encoding)


def _for_pillow(picture: Picture, encoding: TiffEncoding) -> bool:
    dtype, channels = picture.pixels.dtype, picture.pixels.shape[2]
    kept = _compression(encoding, bilevel=False) in PILLOW_COMPRESSIONS
    if picture.metadata.premultiplied or picture.kind == "multiband" or not kept:
        return False
    if dtype == np.uint8:
        return picture.alpha is None or channels in (1, 3)
    return dtype.name in ("uint16", "float32") and channels == 1 and picture.alpha is None


def _with_pillow(picture: Picture, encoding: TiffEncoding) -> bytes:
    if picture.alpha is not None:  # a palette of TIFF has no opacity
        picture = replace(picture, metadata=replace(picture.metadata, palette=None))
    image = compact_image_of(picture)
    compression = _compression(encoding, bilevel=image.mode == "1")
    predictor = None if image.mode in ("1", "P") else _predictor(encoding, compression, picture.pixels.dtype)
    tags = {PREDICTOR: predictor} if predictor else {}
    return saved(image, "TIFF", {"compression": COMPRESSION_INFO[compression], "tiffinfo": tags})


def _with_tifffile(picture: Picture, encoding: TiffEncoding) -> bytes:
    pixels, channels = joined_alpha(picture), picture.pixels.shape[2]
    tifffile = optional_module("tifffile", f"TIFF of {channels} channels of {pixels.dtype}")
    multiband = picture.kind == "multiband"
    rgb = channels >= 3 and encoding.rgb if multiband else channels == 3
    cmyk = picture.kind == "cmyk"
    extra: tuple[int, ...] = ()
    if picture.alpha is not None:
        extra = (1,) if picture.metadata.premultiplied else (2,)
    elif multiband:
        base = 3 if rgb else 1
        given = encoding.extra_samples
        extra = given if len(given) == channels - base else (0,) * (channels - base)
    compression = _compression(encoding, bilevel=False)
    stream = io.BytesIO()
    tifffile.imwrite(
        stream,
        pixels if pixels.shape[2] > 1 else pixels[..., 0],
        byteorder="<",
        photometric="rgb" if rgb else "separated" if cmyk else "minisblack",
        planarconfig="contig" if pixels.shape[2] > 1 else None,
        extrasamples=extra or None,
        compression=None if compression == _NONE else compression,
        predictor=_predictor(encoding, compression, pixels.dtype),
        metadata=None,
        software=False,
    )
    return stream.getvalue()


def _compression(encoding: TiffEncoding, bilevel: bool) -> int:
    code = encoding.compression
    return code if code in _LOSSLESS or (bilevel and code in _BILEVEL) else _DEFLATE


def _predictor(encoding: TiffEncoding, compression: int, dtype: np.dtype[Any]) -> int | None:
    """The predictor of the file, where it suits the compression and the samples."""
    suits = encoding.predictor == (_FLOATING if dtype.kind == "f" else _HORIZONTAL)
    return encoding.predictor if suits and compression in (5, _DEFLATE, 32946, 50000) else None


def _with_fields(data: bytes, metadata: Metadata, encoding: TiffEncoding) -> bytes:
    """The file with a first directory that also holds the tags of the metadata; it is written behind the pixels."""
    form, first = read_form(data), first_directory(data)
    fields, children = exif_fields(metadata.exif, form.order) if metadata.exif else ({}, {})
    fields |= {tag: field.to_order("<", form.order) for tag, field in encoding.fields}
    for tag, kind, value in (
        (ICC, UNDEFINED, metadata.icc),
        (XMP, _BYTE, metadata.xmp),
        (IPTC, UNDEFINED, metadata.iptc),
    ):
        if value:
            fields[tag] = Field(kind, len(value), value)
    if metadata.dpi:
        x, y = metadata.dpi
        fields |= {X_RESOLUTION: _rational(x, form), Y_RESOLUTION: _rational(y, form)}
        fields[RESOLUTION_UNIT] = Field(SHORT, 1, struct.pack(form.order + "H", 2))
    at = len(data) + len(data) % 2
    directory = pack({**first.fields, **fields}, children, at, form)
    head = bytearray(data[: form.first_pointer_at + form.pointer.size])
    form.pointer.pack_into(head, form.first_pointer_at, at)
    return b"".join((head, data[len(head) :], bytes(len(data) % 2), directory))


def _rational(value: float, form: Form) -> Field:
    fraction = Fraction(value).limit_denominator(10_000)
    return Field(RATIONAL, 1, struct.pack(form.order + "II", fraction.numerator, fraction.denominator))
