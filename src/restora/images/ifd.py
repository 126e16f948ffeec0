"""Image file directories: the tagged structure that TIFF files and EXIF blocks share (TIFF 6.0; BigTIFF).

Values stay raw bytes: what is not understood is carried, not interpreted.
"""

import struct
from collections.abc import Mapping
from dataclasses import dataclass, field

from restora.core.damage import damage
from restora.core.errors import FileProblem

EXIF, GPS, INTEROPERABILITY = 34665, 34853, 40965
"""Tags whose value is the place of another directory."""

_SIZE = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4, 16: 8, 17: 8, 18: 8}
_SWAPPED = {1: 1, 2: 1, 3: 2, 4: 4, 5: 4, 6: 1, 7: 1, 8: 2, 9: 4, 10: 4, 11: 4, 12: 8, 13: 4, 16: 8, 17: 8, 18: 8}
_INTEGER = {1: "B", 3: "H", 4: "I", 6: "b", 8: "h", 9: "i", 13: "I", 16: "Q", 17: "q", 18: "Q"}
ASCII, SHORT, LONG, RATIONAL, UNDEFINED = 2, 3, 4, 5, 7


@dataclass(frozen=True, slots=True)
class Form:
    """Byte order (``<`` or ``>``) and width of the pointers (BigTIFF has eight bytes, TIFF and EXIF four)."""

    order: str = "<"
    big: bool = False

    @property
    def pointer(self) -> struct.Struct:
        return struct.Struct(self.order + ("Q" if self.big else "I"))

    @property
    def length(self) -> struct.Struct:
        return struct.Struct(self.order + ("Q" if self.big else "H"))

    @property
    def entry(self) -> struct.Struct:
        return struct.Struct(self.order + ("HHQ8s" if self.big else "HHI4s"))

    @property
    def first_pointer_at(self) -> int:
        """Where the place of the first directory is written."""
        return 8 if self.big else 4


@dataclass(frozen=True, slots=True)
class Field:
    """A value: its TIFF type, how many of them, and the bytes; ``at`` is where they lie in their file."""

    type: int
    count: int
    value: bytes
    at: int = field(default=0, compare=False)

    def to_order(self, order: str, into: str) -> "Field":
        """The same value in another byte order (text and undefined bytes have none)."""
        n = _SWAPPED[self.type]
        if order == into or n == 1:
            return self
        swapped = b"".join(self.value[i : i + n][::-1] for i in range(0, len(self.value), n))
        return Field(self.type, self.count, swapped, self.at)


@dataclass(frozen=True, slots=True)
class Directory:
    """The fields of a directory by tag, the place of the next one (0: none), and where that place is written."""

    fields: Mapping[int, Field]
    form: Form
    next: int = 0
    next_at: int = 0

    def integers(self, tag: int) -> tuple[int, ...]:
        """The values of an integer field; empty where there is none."""
        found = self.fields.get(tag)
        if found is None or found.type not in _INTEGER:
            return ()
        return struct.unpack(f"{self.form.order}{found.count}{_INTEGER[found.type]}", found.value)

    def integer(self, tag: int, default: int) -> int:
        """The first value of an integer field."""
        return next(iter(self.integers(tag)), default)

    def rational(self, tag: int) -> float | None:
        """The value of a rational field; None where there is none, or its denominator is zero."""
        found = self.fields.get(tag)
        if found is None or found.type != RATIONAL or found.count < 1:
            return None
        numerator, denominator = struct.unpack(self.form.order + "II", found.value[:8])
        return numerator / denominator if denominator else None

    def raw(self, tag: int) -> bytes | None:
        """The bytes of a field; None where there is none."""
        found = self.fields.get(tag)
        return None if found is None else found.value


def read_form(data: bytes) -> Form:
    """The form of a TIFF file or EXIF block, from its first bytes.

    Raises:
        FileProblem: they are not the beginning of one.
    """
    order = {b"II": "<", b"MM": ">"}.get(data[:2])
    magic = struct.unpack(order + "H", data[2:4])[0] if order and len(data) >= 8 else 0
    if order is None or magic not in (42, 43):
        raise FileProblem("it does not begin as a TIFF file does")
    return Form(order, big=magic == 43)


def first_directory(data: bytes) -> Directory:
    """The first directory of a TIFF file or EXIF block.

    Raises:
        FileProblem: there is none, or it lies outside of the data.
    """
    form = read_form(data)
    return read_directory(data, _first_place(data, form), form)


def _first_place(data: bytes, form: Form) -> int:
    with damage(struct.error):
        return form.pointer.unpack_from(data, form.first_pointer_at)[0]


def read_directory(data: bytes, at: int, form: Form) -> Directory:
    """The directory at byte ``at``; fields of unknown type, or whose values lie outside of the data, are left out.

    Raises:
        FileProblem: the directory lies outside of the data.
    """
    with damage(struct.error, OverflowError):  # a place beyond what an index can be overflows
        (count,) = form.length.unpack_from(data, at)
        begin = at + form.length.size
        next_at = begin + count * form.entry.size
        (following,) = form.pointer.unpack_from(data, next_at)
    fields: dict[int, Field] = {}
    for i in range(count):
        entry_at = begin + i * form.entry.size
        tag, kind, n, inline = form.entry.unpack_from(data, entry_at)
        size = _SIZE.get(kind, 0) * n
        value_at = entry_at + form.entry.size - len(inline)
        if size > len(inline):
            (value_at,) = form.pointer.unpack(inline)
        if kind in _SIZE and value_at + size <= len(data):
            fields[tag] = Field(kind, n, bytes(data[value_at : value_at + size]), value_at)
    return Directory(fields, form, following, next_at)


def directories(data: bytes) -> list[Directory]:
    """The chain of directories of a TIFF file.

    Raises:
        FileProblem: the chain is broken, or turns back on itself.
    """
    form = read_form(data)
    at = _first_place(data, form)
    found: list[Directory] = []
    seen: set[int] = set()
    while at:
        if at in seen:
            raise FileProblem("its directories form a loop")
        seen.add(at)
        found.append(read_directory(data, at, form))
        at = found[-1].next
    return found


def pack(fields: Mapping[int, Field], children: Mapping[int, Mapping[int, Field]], at: int, form: Form) -> bytes:
    """Bytes of a directory that will lie at byte ``at`` of a file, of its values and of its child directories.

    Values must be in the byte order of ``form``. A child of a child (the interoperability directory) is not written.
    """
    pointers = {tag: Field(LONG, 1, bytes(4)) for tag in children}
    entries = sorted({**fields, **pointers}.items())
    table = form.length.size + len(entries) * form.entry.size + form.pointer.size
    inline_size = form.pointer.size
    rows, tail = [], bytearray()
    for tag, entry in entries:
        place = at + table + len(tail)
        if tag in children:
            value = form.pointer.pack(place) if not form.big else struct.pack(form.order + "I", place)
            tail += _even(pack(children[tag], {}, place, form))
        elif len(entry.value) > inline_size:
            value = form.pointer.pack(place)
            tail += _even(entry.value)
        else:
            value = entry.value
        rows.append(form.entry.pack(tag, entry.type, entry.count, value))
    return form.length.pack(len(entries)) + b"".join(rows) + form.pointer.pack(0) + bytes(tail)


def _even(data: bytes) -> bytes:
    """Directories and values begin at even bytes."""
    return data + bytes(len(data) % 2)
