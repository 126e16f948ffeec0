"""PNM: bitmaps (PBM), graymaps (PGM) and pixmaps (PPM), plain or raw, of any maxval; and float maps (PFM).

The maxval of a file is its white, and is kept. Its samples are uint8 up to 255 and uint16 above.
"""

import re
import sys

import numpy as np
from numpy.typing import NDArray

from restora.core.damage import damage
from restora.core.errors import FileProblem
from restora.images.limits import PixelLimit
from restora.images.metadata import Metadata, PnmEncoding
from restora.images.picture import Picture, Samples

_TOKEN = re.compile(rb"(?:\s|#[^\r\n]*[\r\n])*([^\s#]+)")
_COMMENT = re.compile(rb"#([^\r\n]*)")
_NAMES = {b"1": "PBM", b"4": "PBM", b"2": "PGM", b"5": "PGM", b"3": "PPM", b"6": "PPM"}


def decode(data: bytes, limit: PixelLimit) -> Picture:
    """The picture in the bytes of a PBM, PGM, PPM or PFM file.

    Raises:
        FileProblem: it is damaged, cut short, holds several images, or is larger than the limit.
    """
    if data[1:2] in (b"F", b"f"):
        return _decode_floats(data, limit)
    code = data[1:2]
    name, plain, channels = _NAMES[code], code in b"123", 3 if code in b"36" else 1
    (width, height, *rest), end = _header(data, 2 if name == "PBM" else 3)
    maxval = rest[0] if rest else 1
    limit.check(height, width, len(data))
    if not 0 < maxval < 65536:
        raise FileProblem(f"it is damaged: its maxval is {maxval}, not 1 to 65535")
    count, body = height * width * channels, data[end:]
    if name == "PBM":
        samples = _plain_bits(body, count) if plain else _packed_bits(body, height, width)
        samples = np.where(samples, 0, 255).astype(np.uint8)
    else:
        samples = _plain_samples(body, count, maxval) if plain else _raw_samples(body, count, maxval)
    if name != "PBM" and samples.max() > maxval:
        raise FileProblem(f"it is damaged: it holds the sample {samples.max()}, above its maxval of {maxval}")
    comments = b"\n".join(line.strip() for line in _COMMENT.findall(data[:end]))
    metadata = Metadata(
        comment=comments or None,
        max_value=None if name == "PBM" or maxval in (255, 65535) else maxval,
        bit_depth=1 if name == "PBM" else None,
        encoding=PnmEncoding(plain),
    )
    pixels = samples.reshape(height, width, channels)
    return Picture(pixels, None, "gray" if channels == 1 else "rgb", name, metadata)


def encode(picture: Picture, name: str) -> bytes:
    """The bytes of the picture as ``name``: PBM, PGM, PPM, PFM, or PNM for the one of them that fits.

    Raises:
        FileProblem: the picture is not black and white, and PBM holds nothing else.
    """
    pixels, metadata = picture.pixels, picture.metadata
    encoding = metadata.encoding if isinstance(metadata.encoding, PnmEncoding) else PnmEncoding()
    if name == "PFM":
        return _encode_floats(picture, encoding)
    bilevel = pixels.dtype == np.uint8 and metadata.bit_depth == 1 and pixels.shape[2] == 1 and _is_bilevel(pixels)
    if name == "PBM" and not _is_bilevel(pixels):
        raise FileProblem("the picture has shades of gray and PBM holds black and white only: write .pgm")
    lines = [b"# " + line for line in (metadata.comment or b"").splitlines()]
    height, width = picture.size
    size = b"%d %d" % (width, height)
    if name == "PBM" or (name == "PNM" and bilevel):
        head = [b"P1" if encoding.plain else b"P4", *lines, size]
        bits = (pixels[..., 0] == 0).astype(np.uint8)
        body = _plain(bits) if encoding.plain else np.packbits(bits, axis=1).tobytes()
    else:
        number = (2 if encoding.plain else 5) + (pixels.shape[2] == 3)
        head = [b"P%d" % number, *lines, size, b"%d" % picture.white]
        kind = np.uint8 if picture.white < 256 else ">u2"
        body = _plain(pixels.reshape(height, -1)) if encoding.plain else pixels.astype(kind).tobytes()
    return b"\n".join(head) + b"\n" + body


def _is_bilevel(pixels: Samples) -> bool:
    return bool(((pixels == 0) | (pixels == 255)).all())


def _header(data: bytes, count: int) -> tuple[list[int], int]:
    """The numbers of a header, and where the samples begin."""
    numbers, at = [], 2
    for _ in range(count):
        token = _TOKEN.match(data, at)
        if token is None or not token[1].isdigit() or len(token[1]) > 10:
            raise FileProblem("it is damaged: its header does not hold the numbers it should")
        numbers.append(int(token[1]))
        at = token.end()
    return numbers, at + 1


def _raw_samples(body: bytes, count: int, maxval: int) -> Samples:
    kind = np.dtype(np.uint8 if maxval < 256 else ">u2")
    needed = count * kind.itemsize
    if len(body) < needed:
        raise FileProblem(
            f"the file is cut short: {needed - len(body):,} of {needed:,} bytes of its pixels are missing"
        )
    if re.match(rb"\s*P[1-6]\s", body[needed : needed + 16]):
        raise FileProblem("it holds several images: restora reads single ones, so split it first")
    return np.frombuffer(body, kind, count).astype(np.uint8 if maxval < 256 else np.uint16)


def _packed_bits(body: bytes, height: int, width: int) -> NDArray[np.uint8]:
    stride = -(-width // 8)
    rows = _raw_samples(body, height * stride, 255).reshape(height, stride)
    return np.unpackbits(rows.astype(np.uint8), axis=1)[:, :width]


def _plain_samples(body: bytes, count: int, maxval: int) -> Samples:
    words = _COMMENT.sub(b"", body).split()
    if len(words) < count:
        raise FileProblem(f"the file is cut short: {count - len(words):,} of {count:,} samples are missing")
    with damage(ValueError, OverflowError):
        values = np.array(words[:count], dtype=np.int64)
    if values.min() < 0 or values.max() > maxval:
        raise FileProblem(f"it is damaged: it holds samples outside of 0 to {maxval}")
    return values.astype(np.uint8 if maxval < 256 else np.uint16)


def _plain_bits(body: bytes, count: int) -> NDArray[np.uint8]:
    """Bits may stand side by side without blanks."""
    digits = b"".join(_COMMENT.sub(b"", body).split())[:count]
    bits = np.frombuffer(digits, np.uint8) - np.uint8(ord("0"))
    if bits.size < count or bits.max() > 1:
        raise FileProblem("the file is cut short or damaged: its bits are too few, or are not 0 and 1")
    return bits


def _plain(samples: Samples) -> bytes:
    """Text with lines of at most twelve numbers (the format allows 70 characters)."""
    words = [b"%d" % value for value in samples.ravel().tolist()]
    return b"".join(b" ".join(words[i : i + 12]) + b"\n" for i in range(0, len(words), 12))


def _decode_floats(data: bytes, limit: PixelLimit) -> Picture:
    """PFM: rows from the bottom up; the sign of the scale is the byte order."""
    match = re.match(rb"P[Ff]\s+(\d{1,10})\s+(\d{1,10})\s+([-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)\s", data)
    scale = float(match[3]) if match else 0.0
    if match is None or not scale:
        raise FileProblem("it is damaged: its header does not hold the numbers it should")
    width, height, channels = int(match[1]), int(match[2]), 3 if data[1:2] == b"F" else 1
    limit.check(height, width, len(data))
    count, body = height * width * channels, data[match.end() :]
    if len(body) < 4 * count:
        raise FileProblem("the file is cut short: some of its rows are missing")
    values = np.frombuffer(body, "<f4" if scale < 0 else ">f4", count).reshape(height, width, channels)
    pixels = np.ascontiguousarray(values[::-1], dtype=np.float32)
    metadata = Metadata(encoding=PnmEncoding(scale=abs(scale)))
    return Picture(pixels, None, "gray" if channels == 1 else "rgb", "PFM", metadata)


def _encode_floats(picture: Picture, encoding: PnmEncoding) -> bytes:
    height, width = picture.size
    sign = "-" if sys.byteorder == "little" else ""
    kind = "Pf" if picture.pixels.shape[2] == 1 else "PF"
    return f"{kind}\n{width} {height}\n{sign}{encoding.scale!r}\n".encode() + picture.pixels[::-1].tobytes()
