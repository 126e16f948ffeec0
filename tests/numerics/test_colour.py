import numpy as np
import pytest
import torch
from PIL import Image
from skimage.color import rgb2ycbcr

from restora.numerics.colour import rgb_to_gray, rgb_to_y, rgb_to_ycbcr, ycbcr_to_rgb


def read(path, dtype=torch.float32):
    array = np.asarray(Image.open(path), dtype=np.float64) / 255
    array = array if array.ndim == 3 else array[:, :, None]
    return torch.from_numpy(array).movedim(-1, 0)[None].to(dtype)


def primaries():
    """White, black, red, green, blue, each a pixel."""
    colours = torch.tensor([[1, 1, 1], [0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1]], dtype=torch.float64)
    return colours.T[None, :, None, :]


def test_primaries_have_their_codes_of_bt601():
    expected = [
        [235, 16, 81.481, 144.553, 40.966],
        [128, 128, 90.203, 53.797, 240],
        [128, 128, 240, 34.214, 109.786],
    ]
    assert torch.allclose(rgb_to_ycbcr(primaries())[0, :, 0] * 255, torch.tensor(expected, dtype=torch.float64))


def test_ycbcr_agrees_with_scikit_image(cat):
    theirs = rgb2ycbcr(cat[0].movedim(0, -1).double().numpy())
    ours = rgb_to_ycbcr(cat.double())[0].movedim(0, -1).numpy() * 255
    assert np.allclose(ours, theirs, rtol=1e-12)


@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float32, 1e-6), (torch.float64, 1e-14)])
def test_there_and_back(cat, dtype, tolerance):
    x = cat.to(dtype)
    back = ycbcr_to_rgb(rgb_to_ycbcr(x))
    assert back.dtype == dtype
    assert float((back - x).abs().max()) < tolerance


def test_y_is_the_first_channel(cat):
    assert torch.allclose(rgb_to_y(cat), rgb_to_ycbcr(cat)[:, :1])
    assert torch.equal(rgb_to_y(cat, rounded=True), rgb_to_ycbcr(cat, rounded=True)[:, :1])


def test_rounded_results_are_8_bit_and_nearest(cat):
    codes = rgb_to_ycbcr(cat.double(), rounded=True) * 255
    assert float((codes - codes.round()).abs().max()) < 1e-12
    assert float((codes / 255 - rgb_to_ycbcr(cat.double())).abs().max()) <= 0.5 / 255 + 1e-12


def test_colours_that_do_not_exist_saturate_only_when_rounded():
    ycbcr = torch.tensor([235, 240, 240], dtype=torch.float64).view(1, 3, 1, 1) / 255
    assert float(ycbcr_to_rgb(ycbcr).max()) > 1.5
    assert float(ycbcr_to_rgb(ycbcr, rounded=True).max()) == 1


def test_gray_weights_are_the_inverse_of_ntsc():
    yiq = np.array([[1, 0.956, 0.621], [1, -0.272, -0.647], [1, -1.106, 1.703]])
    weights = rgb_to_gray(primaries())[0, 0, 0]
    assert np.allclose(weights[2:].numpy(), np.linalg.inv(yiq)[0], rtol=1e-14)
    assert float(weights[0]) == pytest.approx(1, rel=1e-15)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("index", [0, 31, 67])
def test_bsd68_is_the_gray_of_cbsd68_bit_for_bit(data_dir, index, dtype):
    colour = sorted((data_dir / "test/CBSD68").glob("*.png"))[index]
    gray = sorted((data_dir / "test/BSD68").glob("*.png"))[index]
    assert torch.equal(rgb_to_gray(read(colour, dtype), rounded=True), read(gray, dtype))


def test_live1_luma_is_matlabs_of_the_same_photograph(data_dir):
    colour = read(data_dir / "test/Kodak24/kodim24.png")
    assert torch.equal(rgb_to_y(colour, rounded=True), read(data_dir / "test/LIVE1-Y/paintedhouse.png"))


def test_luma_in_double_is_matlabs(data_dir):
    stored = np.load(data_dir / "test/Set5-LR-matlab/butterfly_GT_x3.npz")
    rgb = torch.from_numpy(stored["im_gt"].astype(np.float64) / 255).movedim(-1, 0)[None]
    assert np.abs(rgb_to_y(rgb)[0, 0].numpy() * 255 - stored["im_gt_y"]).max() < 2e-13
