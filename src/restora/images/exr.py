"""OpenEXR: images of scan lines, half or float, uncompressed or deflated (ZIP, ZIPS); colours multiplied by opacity.

Written after the OpenEXR file layout document. Other compressions, tiles, several parts, deep data and channels
beside R, G, B (or Y) and A are refused: nothing of a file is lost unsaid.
"""

import struct
import zlib
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from restora.core.errors import FileProblem
from restora.images.limits import PixelLimit
from restora.images.metadata import ExrEncoding, Metadata
from restora.images.picture import Picture, Samples

_MAGIC, _VERSION = b"\x76\x2f\x31\x01", 2
_LINES = {0: 1, 2: 1, 3: 16}
"""Scan lines per block: uncompressed, ZIPS, ZIP."""

_COMPRESSIONS = ("none", "RLE", "ZIPS", "ZIP", "PIZ", "PXR24", "B44", "B44A", "DWAA", "DWAB")
_HALF, _FLOAT = 1, 2
_DTYPES = {_HALF: np.dtype("<f2"), _FLOAT: np.dtype("<f4")}
_CHANNELS = {(b"Y",): "Y", (b"A", b"Y"): "YA", (b"B", b"G", b"R"): "RGB", (b"A", b"B", b"G", b"R"): "RGBA"}
"""Channels in the order of the file, which is that of the alphabet, and in ours."""

Attribute = tuple[bytes, bytes, bytes]


@dataclass(frozen=True, slots=True)
class _Channel:
    name: bytes
    type: int
    sampling: tuple[int, int]


def decode(data: bytes, limit: PixelLimit) -> Picture:
    """The picture in the bytes of an OpenEXR file.

    Raises:
        FileProblem: it is damaged, cut short, larger than the limit, or of a kind that is not read.
    """
    (version,) = struct.unpack_from("<I", data, 4)
    if version & ~0x400 != _VERSION:
        raise FileProblem("it is an OpenEXR file of tiles, several parts or deep data: save it as one flat image first")
    attributes, at = _attributes(data)
    by_name = {name: value for name, _, value in attributes}
    compression = by_name[b"compression"][0]
    if compression not in _LINES:
        name = _COMPRESSIONS[compression] if compression < len(_COMPRESSIONS) else str(compression)
        raise FileProblem(
            f"it is an OpenEXR file compressed with {name}: save it with ZIP or without compression first"
        )
    x0, y0, x1, y1 = struct.unpack("<4i", by_name[b"dataWindow"])
    height, width = y1 - y0 + 1, x1 - x0 + 1
    limit.check(height, width, len(data))
    channels = _channels(by_name[b"channels"])
    planes = _planes(data, at, channels, compression, (y0, height, width))
    order = _CHANNELS[tuple(channel.name for channel in channels)]
    samples = np.stack([planes[letter.encode()] for letter in order], axis=2)
    has_alpha = order.endswith("A")
    pixels = np.ascontiguousarray(samples[..., :-1]) if has_alpha else samples
    metadata = Metadata(premultiplied=has_alpha, encoding=ExrEncoding(compression, tuple(attributes)))
    alpha = np.ascontiguousarray(samples[..., -1]) if has_alpha else None
    return Picture(pixels, alpha, "gray" if order[0] == "Y" else "rgb", "EXR", metadata)


def encode(picture: Picture) -> bytes:
    """The bytes of an OpenEXR file that holds the picture (float16 or float32; gray or RGB; alpha premultiplied)."""
    encoding = picture.metadata.encoding
    encoding = encoding if isinstance(encoding, ExrEncoding) else ExrEncoding()
    samples = picture.pixels if picture.alpha is None else np.concatenate([picture.pixels, picture.alpha[..., None]], 2)
    letters = ("Y" if picture.pixels.shape[2] == 1 else "RGB") + ("" if picture.alpha is None else "A")
    planes = {letter.encode(): samples[..., i] for i, letter in enumerate(letters)}
    header, y0 = _header(picture, encoding, sorted(planes))
    dtype = _DTYPES[_type_of(picture)]
    lines = np.stack([planes[name] for name in sorted(planes)], axis=1).astype(dtype)
    step = _LINES[encoding.compression]
    blocks = []
    for y in range(0, picture.size[0], step):
        body = lines[y : y + step].tobytes()
        packed = _packed(body) if encoding.compression else body
        body = packed if len(packed) < len(body) else body
        blocks.append(struct.pack("<ii", y0 + y, len(body)) + body)
    at = len(header) + 8 * len(blocks)
    offsets = at + np.cumsum([0, *(len(block) for block in blocks[:-1])], dtype=np.uint64)
    return header + offsets.astype("<u8").tobytes() + b"".join(blocks)


def _type_of(picture: Picture) -> int:
    return _HALF if picture.pixels.dtype == np.float16 else _FLOAT


def _attributes(data: bytes) -> tuple[list[Attribute], int]:
    """The attributes of the header, and where it ends."""
    attributes: list[Attribute] = []
    at = 8
    while data[at : at + 1] != b"\0":
        ends = data.find(b"\0", at), data.find(b"\0", data.find(b"\0", at) + 1)
        if min(ends) < 0 or ends[1] + 5 > len(data):
            raise FileProblem("the file is cut short: its header is not complete")
        (size,) = struct.unpack_from("<i", data, ends[1] + 1)
        begin = ends[1] + 5
        attributes.append((data[at : ends[0]], data[ends[0] + 1 : ends[1]], data[begin : begin + size]))
        at = begin + size
    return attributes, at + 1


def _channels(value: bytes) -> list[_Channel]:
    channels: list[_Channel] = []
    at = 0
    while value[at : at + 1] != b"\0":
        end = value.index(b"\0", at)
        kind, _, x, y = struct.unpack_from("<iIii", value, end + 1)
        channels.append(_Channel(value[at:end], kind, (x, y)))
        at = end + 17
    names = b", ".join(channel.name for channel in channels).decode("latin-1")
    if tuple(channel.name for channel in channels) not in _CHANNELS:
        raise FileProblem(f"it holds the channels {names}: restora reads R, G, B or Y, with or without A")
    if any(channel.type not in _DTYPES or channel.sampling != (1, 1) for channel in channels):
        raise FileProblem("its channels are integers or subsampled: save it with half or float channels first")
    return channels


def _planes(
    data: bytes,
    at: int,
    channels: list[_Channel],
    compression: int,
    window: tuple[int, int, int],
) -> dict[bytes, Samples]:
    """Each channel (h, w); float32 if any is, else half."""
    y0, height, width = window
    step = _LINES[compression]
    wide = np.dtype(np.float32 if any(channel.type == _FLOAT for channel in channels) else np.float16)
    planes: dict[bytes, Samples] = {channel.name: np.zeros((height, width), wide) for channel in channels}
    line_bytes = sum(_DTYPES[channel.type].itemsize for channel in channels) * width
    blocks = -(-height // step)
    offsets = struct.unpack_from(f"<{blocks}Q", data, at)
    for offset in offsets:
        y, size = struct.unpack_from("<ii", data, offset)
        top = y - y0
        rows = min(step, height - top)
        body = data[offset + 8 : offset + 8 + size]
        if not 0 <= top < height or len(body) < size:
            raise FileProblem("the file is damaged or cut short: some of its lines are missing")
        if size < rows * line_bytes:
            body = _unpacked(body, rows * line_bytes)
        _fill(planes, channels, body, top, rows)
    return planes


def _fill(planes: dict[bytes, Samples], channels: list[_Channel], body: bytes, top: int, rows: int) -> None:
    lines = np.frombuffer(body, np.uint8).reshape(rows, -1)
    at = 0
    for channel in channels:
        plane, dtype = planes[channel.name], _DTYPES[channel.type]
        length = plane.shape[1] * dtype.itemsize
        plane[top : top + rows] = np.ascontiguousarray(lines[:, at : at + length]).view(dtype)
        at += length


def _unpacked(body: bytes, expected: int) -> bytes:
    """Inflate, sum up the differences, and put the two halves together byte by byte."""
    differences = np.frombuffer(zlib.decompressobj().decompress(body, expected), np.uint8)
    if differences.size < expected:
        raise FileProblem("the file is damaged or cut short: some of its lines are missing")
    steps = differences - np.uint8(128)
    steps[0] = differences[0]
    halves: NDArray[np.uint8] = np.cumsum(steps, dtype=np.uint8)
    whole = np.empty_like(halves)
    middle = (expected + 1) // 2
    whole[0::2], whole[1::2] = halves[:middle], halves[middle:]
    return whole.tobytes()


def _packed(body: bytes) -> bytes:
    whole = np.frombuffer(body, np.uint8)
    halves = np.concatenate([whole[0::2], whole[1::2]])
    differences = halves.copy()
    differences[1:] = halves[1:] - halves[:-1] + np.uint8(128)
    return zlib.compress(differences.tobytes(), 4)


def _header(picture: Picture, encoding: ExrEncoding, names: list[bytes]) -> tuple[bytes, int]:
    """The header, and the first line of the data window; windows and all other attributes are kept if the size is."""
    height, width = picture.size
    window = struct.pack("<4i", 0, 0, width - 1, height - 1)
    attributes = {name: (kind, value) for name, kind, value in encoding.attributes}
    x0, y0, x1, y1 = struct.unpack("<4i", attributes.get(b"dataWindow", (b"", window))[1])
    if (y1 - y0 + 1, x1 - x0 + 1) != (height, width):
        attributes |= {b"dataWindow": (b"box2i", window), b"displayWindow": (b"box2i", window)}
        y0 = 0
    kind = _type_of(picture)
    channels = b"".join(name + b"\0" + struct.pack("<iIii", kind, 0, 1, 1) for name in names) + b"\0"
    required = {
        b"dataWindow": (b"box2i", window),
        b"displayWindow": (b"box2i", window),
        b"pixelAspectRatio": (b"float", struct.pack("<f", 1)),
        b"screenWindowCenter": (b"v2f", bytes(8)),
        b"screenWindowWidth": (b"float", struct.pack("<f", 1)),
    }
    fixed = {
        b"channels": (b"chlist", channels),
        b"compression": (b"compression", bytes([encoding.compression])),
        b"lineOrder": (b"lineOrder", b"\0"),
    }
    merged = {**required, **attributes, **fixed}
    body = b"".join(
        name + b"\0" + kind_name + b"\0" + struct.pack("<i", len(value)) + value
        for name, (kind_name, value) in sorted(merged.items())
    )
    is_long = any(len(name) > 31 for name in merged)
    return _MAGIC + struct.pack("<I", _VERSION | (0x400 if is_long else 0)) + body + b"\0", y0
