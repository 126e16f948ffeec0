"""What a file holds beside its colours comes back."""

import io

import numpy as np
import pytest
import tifffile
from PIL import Image

GAUSSIAN = ("--sigma", "8", "-m", "gaussian")


@pytest.fixture
def alpha():
    rows, columns = np.mgrid[:24, :32]
    return (255 * ((rows - 12) ** 2 + (columns - 16) ** 2 < 100)).astype(np.uint8)


def test_alpha_is_kept_as_it_is(run, tmp_path, levels, alpha, opened):
    path = tmp_path / "a.png"
    Image.fromarray(np.dstack([levels, alpha])).save(path)
    assert run("denoise", path, *GAUSSIAN).code == 0
    restored = np.asarray(opened(tmp_path / "a.restored.png"))
    assert restored.shape == (24, 32, 4)
    assert (restored[..., 3] == alpha).all()
    assert (restored[..., :3] != levels).any()


def test_alpha_is_enlarged_with_the_picture(run, tmp_path, levels, alpha, opened):
    path = tmp_path / "a.png"
    Image.fromarray(np.dstack([levels, alpha])).save(path)
    assert run("upscale", path, "--scale", "2", "-m", "bicubic").code == 0
    enlarged = np.asarray(opened(tmp_path / "a.restored.png"))
    assert enlarged.shape == (48, 64, 4)
    inside = alpha.repeat(2, 0).repeat(2, 1)
    assert (enlarged[..., 3][inside == 255] > 127).mean() > 0.95
    assert abs(float(enlarged[..., 3].mean()) - float(alpha.mean())) < 2


def test_transparent_holes_are_filled_and_opaque(run, tmp_path, levels, opened):
    alpha = np.full((24, 32), 255, np.uint8)
    alpha[5:8, 10:14] = 0
    damaged = levels.copy()
    damaged[alpha == 0] = 0
    path = tmp_path / "a.png"
    Image.fromarray(np.dstack([damaged, alpha])).save(path)
    assert run("inpaint", path, "--missing", "alpha", "-m", "harmonic").code == 0
    filled = np.asarray(opened(tmp_path / "a.restored.png"))
    assert (filled[..., 3] == 255).all()
    assert (filled[alpha == 255, :3] == levels[alpha == 255]).all()
    assert filled[alpha == 0, 0].min() > 50


@pytest.mark.parametrize("suffix", ["png", "tif"])
def test_16_bits_stay_16_bits(run, tmp_path, suffix, opened):
    rng = np.random.default_rng(1)
    deep = (20000 + 300 * np.arange(32) + rng.normal(0, 500, (24, 32))).astype(np.uint16)
    path = tmp_path / f"a.{suffix}"
    if suffix == "png":
        Image.fromarray(deep).save(path)
    else:
        tifffile.imwrite(path, deep)
    assert run("denoise", path, *GAUSSIAN).code == 0
    restored = np.asarray(opened(tmp_path / f"a.restored.{suffix}"))
    assert restored.dtype == np.uint16
    assert restored.shape == deep.shape
    assert len(np.unique(restored % 256)) > 60  # the low byte is alive
    assert abs(float(restored.mean()) - float(deep.mean())) < 5


def test_float_stays_float_and_is_not_clipped(run, tmp_path):
    rng = np.random.default_rng(2)
    values = (rng.normal(0, 0.03, (24, 32)) + 1.5).astype(np.float32)
    tifffile.imwrite(tmp_path / "a.tif", values)
    assert run("denoise", tmp_path / "a.tif", *GAUSSIAN).code == 0
    restored = tifffile.imread(tmp_path / "a.restored.tif")
    assert restored.dtype == np.float32
    assert abs(float(restored.mean()) - 1.5) < 0.01
    assert restored.std() < values.std()


def test_jpeg_tables_and_sampling_are_kept(run, tmp_path, levels, opened):
    path = tmp_path / "a.jpg"
    Image.fromarray(levels).save(path, quality=83, subsampling="4:2:2")
    assert run("denoise", path, *GAUSSIAN).code == 0
    before, after = opened(path), opened(tmp_path / "a.restored.jpg")
    assert after.format == "JPEG"
    assert after.quantization == before.quantization
    assert after.layer == before.layer


def test_profile_exif_and_dpi_are_kept(run, tmp_path, levels, opened):
    from PIL import ImageCms

    icc = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    exif = Image.Exif()
    exif[0x010F] = "A maker"
    stream = io.BytesIO()
    Image.fromarray(levels).save(stream, "JPEG", icc_profile=icc, exif=exif, dpi=(300, 300))
    path = tmp_path / "a.jpg"
    path.write_bytes(stream.getvalue())
    assert run("denoise", path, *GAUSSIAN).code == 0
    after = opened(tmp_path / "a.restored.jpg")
    assert after.info["icc_profile"] == icc
    assert after.getexif()[0x010F] == "A maker"
    assert after.info["dpi"] == (300, 300)


@pytest.mark.parametrize("suffix", ["png", "jpg", "tif", "bmp", "webp", "pgm"])
def test_gray_stays_gray_in_its_format(run, tmp_path, levels, suffix, opened):
    path = tmp_path / f"a.{suffix}"
    Image.fromarray(levels[..., 0]).save(path)
    assert run("denoise", path, *GAUSSIAN).code == 0
    after = opened(tmp_path / f"a.restored.{suffix}")
    assert after.format == opened(path).format
    assert np.asarray(after).ndim == np.asarray(opened(path)).ndim


def test_a_gif_becomes_a_png(run, tmp_path, levels, opened):
    path = tmp_path / "a.gif"
    Image.fromarray(levels[..., 0]).save(path)
    assert run("denoise", path, *GAUSSIAN).code == 0
    assert opened(tmp_path / "a.restored.png").format == "PNG"
