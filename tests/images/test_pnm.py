"""PBM, PGM, PPM, PFM: bytes written by hand, and Pillow and OpenCV for what they read too."""

import io

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from PIL import Image

from restora.core.errors import FileProblem
from restora.images.metadata import Metadata, PnmEncoding
from restora.images.picture import Picture, to_tensor, with_pixels
from restora.images.read import read_picture
from restora.images.write import encode_picture


@pytest.mark.parametrize(
    ("data", "pixels"),
    [
        (b"P1\n# two\n3 2\n1 0 1\n001\n", [[0, 255, 0], [255, 255, 0]]),
        (b"P4 3 2\n\xa0\x20", [[0, 255, 0], [255, 255, 0]]),
        (b"P2\n3 1\n255\n0 7 255\n", [[0, 7, 255]]),
        (b"P5\n3 1 255\n\x00\x07\xff", [[0, 7, 255]]),
        (b"P5 3 1 4095\n\x00\x00\x01\x02\x0f\xff", [[0, 258, 4095]]),
        (b"P5\n#maxval follows\n2 1\n100\n\x00d", [[0, 100]]),
    ],
)
def test_gray_files_made_by_hand(data, pixels):
    picture = read_picture(data)
    assert picture.pixels[..., 0].tolist() == pixels
    name = picture.format
    again = read_picture(encode_picture(with_pixels(picture, to_tensor(picture)), name))
    assert again.pixels[..., 0].tolist() == pixels
    assert again.metadata == picture.metadata


def test_colour_files_made_by_hand():
    plain = read_picture(b"P3 2 1 # colours\n 15\n 0 1 2   13 14 15\n")
    raw = read_picture(b"P6 2 1 15\n\x00\x01\x02\x0d\x0e\x0f")
    assert plain.pixels.tolist() == raw.pixels.tolist() == [[[0, 1, 2], [13, 14, 15]]]
    assert to_tensor(raw).max() == 1
    assert encode_picture(raw, "PPM") == b"P6\n2 1\n15\n\x00\x01\x02\x0d\x0e\x0f"
    assert encode_picture(plain, "PPM") == b"P3\n# colours\n2 1\n15\n0 1 2 13 14 15\n"


def test_a_maxval_is_kept_and_is_white():
    values = np.arange(4096, dtype=np.uint16).reshape(64, 64, 1)
    data = b"P5\n64 64\n4095\n" + values.astype(">u2").tobytes()
    picture = read_picture(data)
    assert picture.pixels.dtype == np.uint16
    assert to_tensor(picture).max() == 1
    assert encode_picture(with_pixels(picture, to_tensor(picture)), "PGM") == data


def test_pillow_agrees_on_eight_bits(colour, gray):
    for pixels, name in ((colour, "PPM"), (gray, "PGM")):
        data = encode_picture(Picture(pixels, kind="rgb" if name == "PPM" else "gray"), name)
        np.testing.assert_array_equal(np.asarray(Image.open(io.BytesIO(data))), pixels.squeeze())


def test_sixteen_bit_colour_as_opencv_reads_it():
    cv2 = pytest.importorskip("cv2")
    pixels = np.random.default_rng(0).integers(0, 65536, (5, 6, 3), dtype=np.uint16)
    data = encode_picture(Picture(pixels), "PNM")
    by_opencv = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)[..., ::-1]
    np.testing.assert_array_equal(by_opencv, pixels)
    np.testing.assert_array_equal(read_picture(data).pixels, pixels)


def test_bitmaps_refuse_grays(gray):
    with pytest.raises(FileProblem, match="black and white"):
        encode_picture(Picture(gray, kind="gray"), "PBM")
    bilevel = np.where(gray > 100, 255, 0).astype(np.uint8)
    data = encode_picture(Picture(bilevel, kind="gray"), "PBM")
    np.testing.assert_array_equal(np.asarray(Image.open(io.BytesIO(data))) * 255, bilevel[..., 0])


def test_float_maps_in_both_byte_orders():
    values = np.array([[1.5, -2.0], [3.25, 1e6]], np.float32)
    for sign, order in (("-", "<"), ("", ">")):
        data = f"Pf\n2 2\n{sign}1.0\n".encode() + values[::-1].astype(order + "f4").tobytes()
        picture = read_picture(data)
        np.testing.assert_array_equal(picture.pixels[..., 0], values)
        np.testing.assert_array_equal(read_picture(encode_picture(picture, "PFM")).pixels[..., 0], values)


def test_the_scale_of_a_float_map_is_kept():
    data = b"PF\n1 1\n-2.5\n" + np.array([1, 2, 3], "<f4").tobytes()
    assert b"-2.5" in encode_picture(read_picture(data), "PFM")


@settings(max_examples=40, deadline=None)
@given(st.data())
def test_any_array_survives(data):
    maxval = data.draw(st.integers(1, 65535))
    channels = data.draw(st.sampled_from([1, 3]))
    dtype = np.uint8 if maxval < 256 else np.uint16
    shape = data.draw(st.tuples(st.integers(1, 7), st.integers(1, 7), st.just(channels)))
    pixels = data.draw(arrays(dtype, shape, elements=st.integers(0, maxval)))
    declared = None if maxval in (255, 65535) else maxval
    metadata = Metadata(max_value=declared, encoding=PnmEncoding(plain=data.draw(st.booleans())))
    picture = Picture(pixels, None, "gray" if channels == 1 else "rgb", "PNM", metadata)
    again = read_picture(encode_picture(picture, "PNM"))
    np.testing.assert_array_equal(again.pixels, pixels)
    assert again.pixels.dtype == dtype
    assert again.metadata == metadata


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"P5\n4 4\n255\n\0\0\0", "cut short"),
        (b"P5\n4 x\n255\n", "header"),
        (b"P5\n1 1\n70000\n\0\0", "maxval"),
        (b"P5\n1 1\n100\n\xc8", "above its maxval"),
        (b"P2\n2 1\n255\n7\n", "cut short"),
        (b"P2\n1 1\n255\n300\n", "damaged"),
        (b"P1\n2 1\n1 7\n", "bits"),
        (b"P5\n0 4\n255\n", "size"),
        (b"P5\n1 1\n255\n\0P5\n1 1\n255\n\0", "several"),
        (b"Pf\n2 2\n-1.0\n\0\0", "cut short"),
        (b"Pf\n2 2\n0\n\0\0", "header"),
    ],
)
def test_bad_files_are_refused_in_one_line(data, message):
    with pytest.raises(FileProblem, match=message) as error:
        read_picture(data)
    assert "\n" not in str(error.value)
