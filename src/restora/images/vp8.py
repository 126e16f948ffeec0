"""The quality of a lossy WebP file, from the header of its VP8 key frame (RFC 6386, sections 7, 9.3, 9.6).

libwebp makes the quantiser index q from a quality Q in 0 … 100 as q = 127 (1 − c^(1/3)), where c = 2Q/300 below 75 and
2Q/100 − 1 from there; this is inverted here. Segments may have indices of their own: their mean is taken.
"""

DEFAULT_QUALITY = 90


class _Decoder:
    """The boolean entropy decoder of RFC 6386, 7.3, for bits of even odds: all the header needs."""

    def __init__(self, data: bytes) -> None:
        self._bits = int.from_bytes(data[:2], "big")
        self._rest = iter(data[2:])
        self._range, self._shift = 255, 0

    def bit(self, probability: int = 128) -> int:
        split = 1 + (self._range - 1) * probability // 256
        is_one = self._bits >= split << 8
        if is_one:
            self._bits -= split << 8
        self._range = self._range - split if is_one else split
        while self._range < 128:
            self._bits <<= 1
            self._range <<= 1
            self._shift += 1
            if self._shift == 8:
                self._shift = 0
                self._bits |= next(self._rest, 0)
        return int(is_one)

    def number(self, bits: int) -> int:
        """An unsigned number, its first bit the highest."""
        value = 0
        for _ in range(bits):
            value = 2 * value + self.bit()
        return value

    def optional(self, bits: int) -> int:
        """A number with a sign behind it, if a flag says that there is one; else 0."""
        if not self.bit():
            return 0
        value = self.number(bits)
        return -value if self.bit() else value


def quality_of_frame(frame: bytes) -> int:
    """The libwebp quality, 0 … 100, of a key frame; a good one where its header is damaged."""
    if len(frame) < 12 or frame[3:6] != b"\x9d\x01\x2a":
        return DEFAULT_QUALITY
    header = _Decoder(frame[10:])
    header.number(2)  # colour space, clamping
    is_absolute, indices = _segment_indices(header)
    header.number(1 + 6 + 3)  # loop filter: type, level, sharpness
    if header.bit() and header.bit():
        for _ in range(8):
            header.optional(6)
    header.number(2)  # partitions
    base = header.number(7)
    if indices:
        base = sum(indices) / len(indices) + (0 if is_absolute else base)
    return _quality(base)


def _segment_indices(header: _Decoder) -> tuple[bool, list[int]]:
    """Whether the quantiser indices of segments are absolute, and the indices."""
    if not header.bit():
        return False, []
    has_map, has_data = header.bit(), header.bit()
    is_absolute, indices = False, []
    if has_data:
        is_absolute = bool(header.bit())
        indices = [header.optional(7) for _ in range(4)]
        for _ in range(4):
            header.optional(6)
    if has_map:
        for _ in range(3):
            if header.bit():
                header.number(8)
    return is_absolute, indices


def _quality(index: float) -> int:
    c = (1 - min(max(index, 0), 127) / 127) ** 3
    return round(150 * c if c < 0.5 else 50 * (c + 1))
