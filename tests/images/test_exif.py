"""EXIF blocks changed in place."""

import struct

import pytest

from restora.core.errors import FileProblem
from restora.images.exif import for_size, orientation_of, upright, xmp_upright
from restora.images.ifd import Field, Form, directories, first_directory, pack


def test_orientation_is_reset_and_nothing_else_changes(make_exif):
    block = make_exif(6)
    reset = upright(block)
    assert orientation_of(block, None) == 6
    assert orientation_of(reset, None) == 1
    assert reset == make_exif(1)


@pytest.mark.parametrize("block", [b"II", b"nonsense", b"II*\0\xff\xff\0\0", b"MM\0*\0\0\0\x08\0\x05"])
def test_damaged_blocks_are_carried_as_they_are(block):
    assert orientation_of(block, None) == 1
    assert upright(block) == block
    assert for_size(block, 3, 4) == block


def test_an_empty_block_is_none():
    assert upright(b"") is None
    assert upright(None) is None


def test_big_endian_blocks():
    block = struct.pack(">2sHIHHHIHHI", b"MM", 42, 8, 1, 0x0112, 3, 1, 8, 0, 0)
    assert orientation_of(block, None) == 8
    assert orientation_of(upright(block), None) == 1


def test_the_thumbnail_of_the_old_pixels_is_erased(exif_with_thumbnail):
    thumbnail = b"\xff\xd8 a secret \xff\xd9"
    block = exif_with_thumbnail(thumbnail)
    assert len(directories(block)) == 2
    changed = for_size(block, 480, 640)
    assert len(directories(changed)) == 1
    assert b"secret" not in changed


def test_xmp_gives_the_orientation_where_exif_does_not(xmp):
    element = b"<tiff:Orientation>8</tiff:Orientation>"
    assert orientation_of(None, xmp(3)) == 3
    assert orientation_of(None, element) == 8
    assert orientation_of(None, b"no such thing") == 1
    assert xmp_upright(xmp(3)) == xmp(1)
    assert xmp_upright(element) == b"<tiff:Orientation>1</tiff:Orientation>"


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("big", [False, True])
def test_what_is_packed_is_read_again(order, big):
    form = Form(order, big)
    fields = {
        270: Field(2, 11, b"hello world"),
        262: Field(3, 1, struct.pack(order + "H", 7)),
        282: Field(5, 1, struct.pack(order + "II", 3, 2)),
    }
    child = {33434: Field(5, 1, struct.pack(order + "II", 1, 250))}
    magic = {"<": b"II", ">": b"MM"}[order] + struct.pack(order + "H", 43 if big else 42)
    head = magic + (struct.pack(order + "HHQ", 8, 0, 16) if big else struct.pack(order + "I", 8))
    block = head + pack(fields, {34665: child}, len(head), form)
    directory = first_directory(block)
    assert directory.raw(270) == b"hello world"
    assert directory.integer(262, 0) == 7
    assert directory.rational(282) == 1.5
    from restora.images.ifd import read_directory

    assert read_directory(block, directory.integer(34665, 0), form).rational(33434) == 1 / 250


def test_bytes_are_swapped_by_the_size_of_their_numbers():
    field = Field(5, 1, struct.pack(">II", 1, 250))
    assert field.to_order(">", "<").value == struct.pack("<II", 1, 250)
    assert Field(7, 4, b"abcd").to_order(">", "<").value == b"abcd"
    assert Field(3, 2, b"\0\x01\0\x02").to_order(">", "<").value == b"\x01\0\x02\0"


def test_chains_that_turn_back_are_refused():
    looped = struct.pack("<2sHIHI", b"II", 42, 8, 0, 8)
    with pytest.raises(FileProblem, match="loop"):
        directories(looped)
