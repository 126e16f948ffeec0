"""JPEG: encoded again with the tables and the subsampling it came with.

A picture that was stored on its side is turned upright, and its tables and subsampling with it: what was a row of a
block is now a column. Subsampling that Pillow cannot write (4:4:0, 4:1:1) becomes 4:4:4, which loses nothing. YCCK
becomes CMYK for the same reason. Ink of CMYK is held as 0 for paper; files of Adobe's convention, inverted, are
read and written so. Of a file of several images (MPO, gain maps) the first is read.
"""

import io
import struct
from collections.abc import Sequence
from typing import Any

from PIL.JpegImagePlugin import JpegImageFile

from restora.core.errors import FileProblem
from restora.images.exif import orientation_of, upright, xmp_upright
from restora.images.limits import PixelLimit
from restora.images.metadata import JpegEncoding, Metadata, QuantisationTable
from restora.images.orientation import transposes, turned_upright
from restora.images.picture import Picture
from restora.images.pillow import decoded, dpi_of, image_of, opened

DEFAULT_QUALITY = 95
"""libjpeg quality of pictures that were no JPEG before; they are then written 4:4:4."""

_EXIF, _XMP, _ICC = b"Exif\0\0", b"http://ns.adobe.com/xap/1.0/\0", b"ICC_PROFILE\0"
_IPTC, _ADOBE = b"Photoshop 3.0\0", b"Adobe"
_APP1, _APP2, _APP13, _APP14, _COMMENT = 0xE1, 0xE2, 0xED, 0xEE, 0xFE
_DQT, _SOS, _EOI = 0xDB, 0xDA, 0xD9
_FRAMES = {0xC0, 0xC1, 0xC2, 0xC3, *range(0xC5, 0xC8), *range(0xC9, 0xCC), *range(0xCD, 0xD0)}
_PROGRESSIVE = {0xC2, 0xC6, 0xCA, 0xCE}
_LOSSLESS = {0xC3, 0xC7, 0xCB, 0xCF}
_MAX_BODY = 65533

_ZIGZAG = sorted(range(64), key=lambda i: (i // 8 + i % 8, i % 8 if (i // 8 + i % 8) % 2 == 0 else i // 8))
"""Place in a row-by-row table of the k-th entry in zigzag order (T.81, figure A.6)."""

_SUBSAMPLING: dict[tuple[tuple[int, int], ...], str] = {
    ((2, 1), (1, 1), (1, 1)): "4:2:2",
    ((2, 2), (1, 1), (1, 1)): "4:2:0",
}

Segment = tuple[int, bytes]


def decode(data: bytes, limit: PixelLimit) -> Picture:
    """The picture in the bytes of a JPEG file.

    Raises:
        FileProblem: it is damaged, cut short, of a kind libjpeg does not decode, or larger than the limit.
    """
    segments = _segments(data)
    height, width = _check_frame(segments)
    limit.check(height, width, len(data))
    image = opened(JpegImageFile, data)
    samples = decoded(image)
    exif, xmp = _after(segments, _APP1, _EXIF), _after(segments, _APP1, _XMP)
    orientation = orientation_of(exif, xmp)
    encoding = _encoding(segments)
    metadata = Metadata(
        icc=_profile(segments),
        exif=upright(exif) if exif else None,
        xmp=xmp_upright(xmp) if xmp else None,
        iptc=_after(segments, _APP13, _IPTC),
        comment=next((body for marker, body in segments if marker == _COMMENT), None),
        dpi=dpi_of(image) if "jfif_density" in image.info else None,
        encoding=encoding.transposed() if transposes(orientation) else encoding,
    )
    return Picture(turned_upright(samples.pixels, orientation), None, samples.kind, "JPEG", metadata)


def encode(picture: Picture) -> bytes:
    """The bytes of a JPEG file that holds the picture (uint8, without alpha; gray, RGB or CMYK).

    Raises:
        FileProblem: its EXIF or XMP are larger than a JPEG file can hold.
    """
    metadata, encoding = picture.metadata, picture.metadata.encoding
    if isinstance(encoding, JpegEncoding) and len(encoding.tables) == picture.pixels.shape[2]:
        data = _encoded(picture, encoding)
    else:
        data = _saved(picture, {"quality": DEFAULT_QUALITY, "subsampling": "4:4:4"})
    return _with_segments(data, _metadata_segments(metadata))


def _encoded(picture: Picture, encoding: JpegEncoding) -> bytes:
    options = {
        "qtables": _tables(encoding),
        "subsampling": _SUBSAMPLING.get(encoding.sampling, "4:4:4"),
        "keep_rgb": not encoding.transform,
    }
    try:
        return _saved(picture, {**options, "progressive": encoding.progressive})
    except OSError:
        # Pillow's buffer for progressive files is too small for pure noise; one scan holds the same coefficients.
        return _saved(picture, options)


def _saved(picture: Picture, options: dict[str, Any]) -> bytes:
    stream = io.BytesIO()
    image_of(picture).save(stream, "JPEG", dpi=picture.metadata.dpi or (0, 0), **options)
    return stream.getvalue()


def _segments(data: bytes) -> list[Segment]:
    """Markers and bodies up to the first scan."""
    segments: list[Segment] = []
    at = 2
    while True:
        if at + 4 > len(data):
            raise FileProblem("the file is cut short: it ends before its pixels begin")
        if data[at] != 0xFF:
            raise FileProblem("it is damaged: its segments do not follow one another")
        marker = data[at + 1]
        if marker == 0xFF:  # padding
            at += 1
            continue
        if marker in (_SOS, _EOI):
            return segments
        (length,) = struct.unpack_from(">H", data, at + 2)
        segments.append((marker, data[at + 4 : at + 2 + length]))
        at += 2 + length


def _frame(segments: Sequence[Segment]) -> Segment:
    frame = next((segment for segment in segments if segment[0] in _FRAMES), None)
    if frame is None or len(frame[1]) < 6:
        raise FileProblem("it is damaged: it does not say how large it is")
    return frame


def _check_frame(segments: Sequence[Segment]) -> tuple[int, int]:
    """Height and width, after refusing what libjpeg does not decode."""
    marker, body = _frame(segments)
    precision, height, width = struct.unpack_from(">BHH", body)
    if marker in _LOSSLESS:
        raise FileProblem("it is a lossless JPEG, which restora does not read: save it as TIFF first")
    if precision != 8:
        raise FileProblem(f"it is a JPEG of {precision} bits, which restora does not read: save it as TIFF first")
    return height, width


def _encoding(segments: Sequence[Segment]) -> JpegEncoding:
    tables: dict[int, QuantisationTable] = {}
    for marker, body in segments:
        if marker == _DQT:
            tables |= _quantisation(body)
    marker, body = _frame(segments)
    parts = [body[i : i + 3] for i in range(6, 6 + 3 * body[5], 3)]
    adobe = _after(segments, _APP14, _ADOBE)
    transform = (
        adobe[6] if adobe and len(adobe) > 6 else int(len(parts) == 3 and [part[0] for part in parts] != [*b"RGB"])
    )
    return JpegEncoding(
        tables=tuple(tables[part[2]] for part in parts if part[2] in tables),
        sampling=tuple((part[1] >> 4, part[1] & 15) for part in parts),
        progressive=marker in _PROGRESSIVE,
        transform=bool(transform),
    )


def _quantisation(body: bytes) -> dict[int, QuantisationTable]:
    """The tables of a DQT segment, brought from zigzag order to rows."""
    tables: dict[int, QuantisationTable] = {}
    at = 0
    while at < len(body):
        wide, number = body[at] >> 4, body[at] & 15
        zigzag = struct.unpack_from(">64H" if wide else ">64B", body, at + 1)
        natural = dict(zip(_ZIGZAG, zigzag))
        tables[number] = tuple(natural[i] for i in range(64))
        at += 129 if wide else 65
    return tables


def _tables(encoding: JpegEncoding) -> list[list[int]]:
    """Tables as Pillow takes them: the i-th for component i, the last one for all that follow."""
    if len(encoding.tables) == 4:  # YCCK is written as CMYK, whose inks all take the finest table, that of Y
        return [list(encoding.tables[0])]
    tables = [list(table) for table in encoding.tables]
    shared = 2 if encoding.transform else 1  # chroma shares a table, and so do R, G and B
    return tables[:shared] if all(table == tables[shared - 1] for table in tables[shared:]) else tables


def _after(segments: Sequence[Segment], marker: int, prefix: bytes) -> bytes | None:
    """What follows ``prefix`` in the segments of that marker which begin with it, joined; None where there are none."""
    found = [body[len(prefix) :] for m, body in segments if m == marker and body.startswith(prefix)]
    if marker == _APP1:  # only resources are continued in a second segment
        found = found[:1]
    return b"".join(found) or None


def _profile(segments: Sequence[Segment]) -> bytes | None:
    """The colour profile, whose parts are numbered."""
    parts = sorted(
        (body[12], body[14:])
        for marker, body in segments
        if marker == _APP2 and body.startswith(_ICC) and len(body) > 14
    )
    return b"".join(part for _, part in parts) or None


def _metadata_segments(metadata: Metadata) -> list[Segment]:
    segments: list[Segment] = []
    for what, prefix, body in (("EXIF", _EXIF, metadata.exif), ("XMP", _XMP, metadata.xmp)):
        if body and len(prefix + body) > _MAX_BODY:
            raise FileProblem(
                f"its {what} metadata has {len(body):,} bytes, more than a JPEG file holds: write .png or .tif"
            )
        if body:
            segments.append((_APP1, prefix + body))
    segments += _split(_APP13, _IPTC, metadata.iptc)
    room = _MAX_BODY - len(_ICC) - 2
    profile = metadata.icc or b""
    parts = [profile[i : i + room] for i in range(0, len(profile), room)]
    segments += [(_APP2, _ICC + bytes((i, len(parts))) + part) for i, part in enumerate(parts, 1)]
    if metadata.comment:
        segments.append((_COMMENT, metadata.comment[:_MAX_BODY]))
    return segments


def _split(marker: int, prefix: bytes, body: bytes | None) -> list[Segment]:
    room = _MAX_BODY - len(prefix)
    return [(marker, prefix + (body or b"")[i : i + room]) for i in range(0, len(body or b""), room)]


def _with_segments(data: bytes, segments: Sequence[Segment]) -> bytes:
    """The file with segments put in behind its JFIF header."""
    (length,) = struct.unpack_from(">H", data, 4)
    end = 4 + length if data[2:4] == b"\xff\xe0" else 2
    inserted = b"".join(struct.pack(">BBH", 0xFF, marker, len(body) + 2) + body for marker, body in segments)
    return data[:end] + inserted + data[end:]
