"""Metadata: what an image file holds beside its pixels, and how it was encoded."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from restora.images.ifd import Field

QuantisationTable = tuple[int, ...]
"""The 64 steps of a JPEG quantisation table, row by row (not in zigzag order)."""


@dataclass(frozen=True, slots=True)
class JpegEncoding:
    """How a JPEG file was encoded.

    Attributes:
        tables: quantisation table of each component, in order (Y, Cb, Cr of a colour file).
        sampling: horizontal and vertical sampling factor of each component, in the same order.
        progressive: scans from coarse to fine.
        transform: the colours were stored as YCbCr (or YCCK), not as RGB (or CMYK).
    """

    tables: tuple[QuantisationTable, ...]
    sampling: tuple[tuple[int, int], ...]
    progressive: bool = False
    transform: bool = True

    def transposed(self) -> "JpegEncoding":
        """The encoding that quantises the transposed picture as this one quantises the picture."""
        return replace(
            self,
            tables=tuple(tuple(table[8 * (i % 8) + i // 8] for i in range(64)) for table in self.tables),
            sampling=tuple((v, h) for h, v in self.sampling),
        )


@dataclass(frozen=True, slots=True)
class PngEncoding:
    """What a PNG file held that no other field of :class:`Metadata` says: (type, data) of colour and text chunks."""

    chunks: tuple[tuple[bytes, bytes], ...] = ()


@dataclass(frozen=True, slots=True)
class TiffEncoding:
    """How a TIFF file was encoded.

    Attributes:
        compression: the code of the Compression tag: 1 none, 5 LZW, 8 deflate …
        predictor: 1 none, 2 horizontal differences, 3 floating point.
        rgb: the photometric interpretation was RGB (a file of many bands may say so of its first three).
        extra_samples: the ExtraSamples tag of a file of many bands.
        fields: tags carried over as they are (geographic, ImageJ, IPTC …), with values in little-endian order.
    """

    compression: int = 8
    predictor: int = 1
    rgb: bool = False
    extra_samples: tuple[int, ...] = ()
    fields: tuple[tuple[int, Field], ...] = ()


@dataclass(frozen=True, slots=True)
class WebpEncoding:
    """How a WebP file was encoded: without loss or not."""

    lossless: bool = True


@dataclass(frozen=True, slots=True)
class PnmEncoding:
    """How a PNM file was encoded: as plain text or raw; ``scale`` is the magnitude that a PFM header gives."""

    plain: bool = False
    scale: float = 1.0


@dataclass(frozen=True, slots=True)
class HeifEncoding:
    """How a HEIC or AVIF file was encoded: bits per sample and chroma subsampling ("420", "422", "444")."""

    bits: int = 8
    chroma: Literal["420", "422", "444"] = "420"


@dataclass(frozen=True, slots=True)
class ExrEncoding:
    """How an OpenEXR file was encoded: the code of its compression, and its attributes by name, which are carried."""

    compression: int = 3
    attributes: Mapping[str, Any] = field(default_factory=dict, compare=False)


Encoding = JpegEncoding | PngEncoding | TiffEncoding | WebpEncoding | PnmEncoding | HeifEncoding | ExrEncoding


@dataclass(frozen=True, slots=True)
class Metadata:
    """What a file holds beside its pixels; every field is as it stands in the file, and survives into the next one.

    Attributes:
        icc: the colour profile.
        exif: the EXIF block (beginning with its TIFF header); its orientation is 1, as pixels are held upright.
        xmp: the XMP packet; its orientation, too, is 1.
        iptc: the Photoshop image resources, where captions and credits (IPTC) live.
        comment: the comment of a JPEG or PNM file.
        dpi: pixels per inch along x and y. It is kept when a picture is enlarged: the print grows, not the density.
        max_value: the sample value the file declares as white, where that is not the largest of the dtype (the maxval
            of a PGM, 4095 for a TIFF of 12 bits per sample).
        bit_depth: bits per sample or palette index in the file, where there are fewer than eight.
        palette: the palette, RGBA, four bytes an entry.
        premultiplied: the colours are multiplied by alpha.
        encoding: how the file was encoded, so that it can be encoded so again.
    """

    icc: bytes | None = None
    exif: bytes | None = None
    xmp: bytes | None = None
    iptc: bytes | None = None
    comment: bytes | None = None
    dpi: tuple[float, float] | None = None
    max_value: int | None = None
    bit_depth: int | None = None
    palette: bytes | None = None
    premultiplied: bool = False
    encoding: Encoding | None = None

    def resized(self) -> "Metadata":
        """What still holds of a picture that has got another size: not where its pixels lie on the earth."""
        if isinstance(self.encoding, TiffEncoding):
            return replace(self, encoding=replace(self.encoding, fields=()))
        return self
