import numpy as np
import pytest
import torch
from PIL import Image

from restora.core.errors import CannotSolve, InvalidParameter
from restora.core.problem import Problem
from restora.core.result import Code
from restora.frames.steerable_pyramid import SteerablePyramid
from restora.methods.transforms.bls_gsm import BlsGsm
from restora.noise.gaussian import Gaussian
from restora.operators.blur import Blur
from restora.operators.identity import Identity
from restora.operators.psf import gaussian_psf

OFFSETS = [(i, j) for i in (-1, 0, 1) for j in (-1, 0, 1)]


def denoising(y, sigma=25 / 255):
    return Problem(y, Identity(), Gaussian(sigma))


def neighbourhoods(band, parent):
    """(n, u·v) of a periodic band."""
    return np.stack([np.roll(band, (-i, -j), (0, 1)).ravel() for i, j in OFFSETS] + [parent.ravel()])


def by_definition(y, sigma, frame, margin):
    """For one scale below the high-pass bands, whose parents need no interpolation, with dense covariances."""
    padded = np.pad(y, margin, mode="symmetric")
    bands = [band[0, 0].numpy() for band in frame.analysis(torch.from_numpy(padded)[None, None])]
    impulse = torch.zeros(1, 1, *padded.shape, dtype=torch.float64)
    impulse[0, 0, 0, 0] = sigma * padded.size**0.5
    kernels = [band[0, 0].numpy() for band in frame.analysis(impulse)]
    estimates = [bands[0], np.empty_like(bands[1]), np.empty_like(bands[2])]
    for scale in (1, 2):
        for k in range(frame.orientations):
            lines, noise = (neighbourhoods(b[scale][k], b[1][k])[: 8 + scale] for b in (bands, kernels))
            estimates[scale][k] = posterior(lines, noise @ noise.T / padded.size).reshape(padded.shape)
    image = frame.synthesis(tuple(torch.from_numpy(e)[None, None] for e in estimates), padded.shape)[0, 0].numpy()
    return image[margin:-margin, margin:-margin]


def posterior(lines, noise):
    eigenvalues, Q = np.linalg.eigh(lines @ lines.T / lines.shape[1] - noise)
    positive = eigenvalues.clip(min=0)
    signal = (Q * (positive * eigenvalues.sum() / positive.sum())) @ Q.T
    logs, means = [], []
    for z in np.exp(-20.5 + 2 * np.arange(13)):
        total = z * signal + noise
        solved = np.linalg.solve(total, lines)
        logs.append(-0.5 * (np.linalg.slogdet(total)[1] + (lines * solved).sum(axis=0)))
        means.append(z * signal[4] @ solved)
    p = np.exp(np.array(logs) - np.max(logs, axis=0))
    return (p * means).sum(axis=0) / p.sum(axis=0)


def test_it_is_its_definition(camera):
    y = camera[0, 0, :30, :30].double().numpy() + np.random.RandomState(0).normal(0, 0.1, (30, 30))
    x = BlsGsm(orientations=3).run(denoising(torch.from_numpy(y)[None, None], 0.1)).x[0, 0].numpy()
    assert np.allclose(x, by_definition(y, 0.1, SteerablePyramid(1, 3), margin=1), rtol=0, atol=1e-9)


@pytest.mark.parametrize(
    ("name", "level", "value"),
    [("house256", 50, 28.26), ("peppers256", 25, 29.21)],
)
def test_the_figures_of_the_paper(name, level, value, data_dir):
    # noise of exactly that deviation, as in the authors' demo, but another draw
    x = np.asarray(Image.open(data_dir / "test" / "standard-gray" / f"{name}.png")) / 255
    z = np.random.RandomState(0).normal(size=x.shape)
    y = x + level / 255 * z / np.sqrt(np.mean(z**2))
    found = BlsGsm().run(denoising(torch.from_numpy(y).float()[None, None], level / 255)).x[0, 0].double().numpy()
    assert -10 * np.log10(np.mean((found - x) ** 2)) == pytest.approx(value, abs=0.06)


def test_each_part_of_the_model_helps(camera):
    y = camera + 0.1 * torch.randn(camera.shape, generator=torch.Generator().manual_seed(0))

    def error(method):
        return float((method.run(denoising(y, 0.1)).x - camera).square().mean())

    full = error(BlsGsm(orientations=4))
    assert full < error(BlsGsm(orientations=4, parent=False)) < error(BlsGsm(orientations=4, window=1, parent=False))
    assert full < error(BlsGsm(orientations=2))


def test_pure_noise_is_removed():
    noise = torch.from_numpy(np.random.RandomState(0).normal(0, 0.1, (1, 1, 128, 128)))
    assert float(BlsGsm().run(denoising(noise, 0.1)).x.std()) < 0.015


def test_no_noise_leaves_the_image_alone(camera):
    result = BlsGsm().run(denoising(camera, 0.0))
    assert result.status.code is Code.LEFT_ALONE
    assert torch.equal(result.x, camera)


def test_what_it_cannot_do_is_refused(cat):
    with pytest.raises(CannotSolve, match="Identity, not Blur"):
        BlsGsm().run(Problem(cat, Blur(gaussian_psf(1.0)), Gaussian(0.1)))
    with pytest.raises(InvalidParameter, match="window = 2"):
        BlsGsm(window=2)
    with pytest.raises(InvalidParameter, match="orientations = 0"):
        BlsGsm(orientations=0)
