"""TIFF, reading: 1 to 64 bits, integers and floats, any number of bands, alpha straight or premultiplied.

Pillow decodes what it keeps whole: up to 8 bits, and one gray channel of 16 bits or float32. The rest needs tifffile
(extra ``io``). Which of the two reads a file depends on the file alone, not on what is installed.

A file of several pages is refused; reduced copies of the one page (thumbnails) do not count, and are not written again.
"""

import io
import struct
import zlib
from dataclasses import dataclass, replace

import numpy as np
from PIL.TiffImagePlugin import TiffImageFile

from restora.core.damage import damage
from restora.core.errors import FileProblem
from restora.images.exif import exif_from, xmp_orientation, xmp_upright
from restora.images.ifd import Directory, directories
from restora.images.limits import PixelLimit
from restora.images.metadata import Metadata, TiffEncoding
from restora.images.optional import optional_module
from restora.images.orientation import turned_upright
from restora.images.picture import Picture, Samples, split_alpha
from restora.images.pillow import PILLOW_ERRORS, Decoded, decoded, opened

SUBFILE, WIDTH, LENGTH, BITS, COMPRESSION, PHOTOMETRIC = 254, 256, 257, 258, 259, 262
ORIENTATION, CHANNELS, X_RESOLUTION, Y_RESOLUTION, PLANAR, RESOLUTION_UNIT = 274, 277, 282, 283, 284, 296
PREDICTOR, EXTRA_SAMPLES, SAMPLE_FORMAT, XMP, IPTC, ICC = 317, 338, 339, 700, 34377, 34675
_SUB_DIRECTORIES, _DNG_VERSION = 330, 50706

CARRIED = frozenset({269, 285, 33550, 33723, 33922, 34264, 34735, 34736, 34737, 42112, 42113, 50838, 50839})
"""Tags carried as they stand: names of document and page, IPTC, GeoTIFF, GDAL, ImageJ."""

_WHITE_IS_ZERO, _BLACK_IS_ZERO, _RGB, _PALETTE, _CMYK, _YCBCR, _CFA = 0, 1, 2, 3, 5, 6, 32803
_COLOURS = {_WHITE_IS_ZERO: 1, _BLACK_IS_ZERO: 1, _RGB: 3, _PALETTE: 1, _CMYK: 4, _YCBCR: 3}
_PREMULTIPLIED, _STRAIGHT = 1, 2
_UNSIGNED, _FLOAT = 1, 3

_TIFFFILE = (OSError, ValueError, TypeError, LookupError, ArithmeticError, RuntimeError, struct.error, zlib.error)
"""What tifffile and its codecs raise for tags and data that make no sense; RuntimeError is that of imagecodecs."""

PILLOW_COMPRESSIONS = frozenset({1, 2, 3, 4, 5, 6, 7, 8, 32773, 32946})
"""Those every build of Pillow has: none, CCITT, LZW, JPEG old and new, deflate, PackBits, deflate of old."""


@dataclass(frozen=True, slots=True)
class Layout:
    """How the samples of a TIFF page are laid out, from its tags."""

    height: int
    width: int
    bits: tuple[int, ...]
    photometric: int
    channels: int
    extra: tuple[int, ...]
    sample_format: int
    planar: bool
    compression: int

    @classmethod
    def of(cls, page: Directory) -> "Layout":
        channels = page.integer(CHANNELS, 1)
        photometric = page.integer(PHOTOMETRIC, _BLACK_IS_ZERO)
        if photometric not in _COLOURS:
            raise FileProblem(
                f"its colours are of the TIFF kind {photometric}, which restora does not read: save it as RGB"
            )
        return cls(
            height=page.integer(LENGTH, 0),
            width=page.integer(WIDTH, 0),
            bits=page.integers(BITS) or (1,),
            photometric=photometric,
            channels=channels,
            extra=page.integers(EXTRA_SAMPLES) or (0,) * (channels - _COLOURS[photometric]),
            sample_format=page.integer(SAMPLE_FORMAT, _UNSIGNED),
            planar=page.integer(PLANAR, 1) == 2 and channels > 1,
            compression=page.integer(COMPRESSION, 1),
        )

    @property
    def alpha(self) -> int | None:
        """The kind of opacity, where the one extra channel is that."""
        one = len(self.extra) == 1 and self.extra[0] in (_PREMULTIPLIED, _STRAIGHT)
        return self.extra[0] if one and self.channels == _COLOURS[self.photometric] + 1 else None

    @property
    def for_pillow(self) -> bool:
        """Whether Pillow decodes this without loss."""
        if self.compression not in PILLOW_COMPRESSIONS:
            return False
        if self.planar or (self.extra and not (self.alpha == _STRAIGHT and self.photometric in (_BLACK_IS_ZERO, _RGB))):
            return False
        if self.sample_format == _UNSIGNED and max(self.bits) <= 8:
            return len(set(self.bits)) == 1 and (self.bits[0] == 8 or self.channels == 1)
        one_gray = self.channels == 1 and self.photometric == _BLACK_IS_ZERO
        return one_gray and (self.bits, self.sample_format) in (((16,), _UNSIGNED), ((32,), _FLOAT))


def is_raw(data: bytes) -> bool:
    """Whether it is a camera's raw file: a DNG, or a TIFF structure whose first page is a preview or a mosaic."""
    return any(
        _DNG_VERSION in first.fields
        or first.integer(PHOTOMETRIC, 0) == _CFA
        or (first.integer(SUBFILE, 0) & 1 == 1 and _SUB_DIRECTORIES in first.fields)
        for first in directories(data)[:1]
    )


def decode(data: bytes, limit: PixelLimit) -> Picture:
    """The picture in the bytes of a TIFF file.

    Raises:
        FileProblem: it is damaged, cut short, holds several pages, or is larger than the limit.
        MissingDependency: it needs tifffile.
    """
    chain = directories(data)
    pages = [i for i, page in enumerate(chain) if WIDTH in page.fields and not page.integer(SUBFILE, 0) & 1]
    if len(pages) != 1:
        raise FileProblem(f"it holds {len(pages)} pages: restora reads single images, so split it first")
    page = chain[pages[0]]
    layout = Layout.of(page)
    limit.check(layout.height, layout.width, len(data))
    icc, xmp = page.raw(ICC), page.raw(XMP)
    if layout.for_pillow:
        samples = _with_pillow(data, pages[0], keep_colour=icc is not None)
    else:
        samples = _upright(_with_tifffile(data, pages[0], layout), page.integer(ORIENTATION, xmp_orientation(xmp)))
    bits, itemsize = max(layout.bits), samples.pixels.dtype.itemsize
    metadata = Metadata(
        icc=icc,
        exif=exif_from(data, page),
        xmp=xmp_upright(xmp),
        iptc=page.raw(IPTC),
        dpi=_dpi(page),
        max_value=2**bits - 1 if 8 < bits < 8 * itemsize and layout.sample_format == _UNSIGNED else None,
        bit_depth=bits if bits < 8 else None,
        palette=samples.palette,
        premultiplied=layout.alpha == _PREMULTIPLIED,
        encoding=_encoding(page, layout, samples),
    )
    return Picture(samples.pixels, samples.alpha, samples.kind, "TIFF", metadata)


def _upright(samples: Decoded, orientation: int) -> Decoded:
    alpha = None if samples.alpha is None else turned_upright(samples.alpha, orientation)
    return replace(samples, pixels=turned_upright(samples.pixels, orientation), alpha=alpha)


def _encoding(page: Directory, layout: Layout, samples: Decoded) -> TiffEncoding:
    carried = ((tag, field.to_order(page.form.order, "<")) for tag, field in page.fields.items() if tag in CARRIED)
    return TiffEncoding(
        compression=page.integer(COMPRESSION, 1),
        predictor=page.integer(PREDICTOR, 1),
        rgb=layout.photometric == _RGB,
        extra_samples=layout.extra if samples.kind == "multiband" else (),
        fields=tuple(carried),
    )


def _with_pillow(data: bytes, index: int, keep_colour: bool) -> Decoded:
    """Samples, which Pillow has already turned upright."""
    image = opened(TiffImageFile, data)
    with damage(*PILLOW_ERRORS):
        image.seek(index)
    return decoded(image, keep_palette_colour=keep_colour)


def _with_tifffile(data: bytes, index: int, layout: Layout) -> Decoded:
    tifffile = optional_module("tifffile", f"TIFF of {layout.channels} channels of {max(layout.bits)} bits")
    with damage(*_TIFFFILE), tifffile.TiffFile(io.BytesIO(data)) as file:
        samples: Samples = file.pages[index].asarray()
    if samples.size != layout.height * layout.width * layout.channels:
        raise FileProblem("it is damaged: its tags and its samples do not agree")
    if layout.planar:
        samples = np.moveaxis(samples.reshape(layout.channels, layout.height, layout.width), 0, -1)
    samples = samples.reshape(layout.height, layout.width, layout.channels)
    samples = samples.astype(samples.dtype.newbyteorder("="), copy=False)
    if samples.dtype.kind not in "uif":
        raise FileProblem(f"its samples are {samples.dtype}, which are no real numbers")
    if layout.photometric == _WHITE_IS_ZERO and samples.dtype.kind == "u":
        samples = samples.dtype.type(2 ** max(layout.bits) - 1) - samples
    pixels, alpha = split_alpha(samples, layout.alpha is not None)
    if layout.alpha is None and layout.extra:
        return Decoded(pixels, None, "multiband")
    return Decoded(pixels, alpha, "gray" if pixels.shape[2] == 1 else "cmyk" if layout.photometric == _CMYK else "rgb")


def _dpi(page: Directory) -> tuple[float, float] | None:
    x, y, unit = page.rational(X_RESOLUTION), page.rational(Y_RESOLUTION), page.integer(RESOLUTION_UNIT, 2)
    if not x or not y or unit not in (2, 3):
        return None
    return (x, y) if unit == 2 else (x * 2.54, y * 2.54)
