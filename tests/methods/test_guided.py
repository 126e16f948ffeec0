import numpy as np
import pytest
import torch
from PIL import Image

from restora.core.errors import CannotSolve, InvalidInput, InvalidParameter
from restora.core.problem import Problem
from restora.core.result import Code
from restora.methods.filters.guided import GuidedFilter
from restora.noise.gaussian import Gaussian
from restora.operators.blur import Blur
from restora.operators.identity import Identity
from restora.operators.psf import gaussian_psf


def denoising(y, sigma=25 / 255):
    return Problem(y, Identity(), Gaussian(sigma))


def figures(method, levels, data_dir, images):
    """PSNR on images of Set12 at 255σ = levels; y = x + RandomState(0).normal(0, σ, x.shape), clipped after."""
    for level in levels:
        for number in images:
            x = np.asarray(Image.open(data_dir / "test" / "Set12" / f"{number:02}.png")) / 255
            y = x + np.random.RandomState(0).normal(0, level / 255, x.shape)
            problem = denoising(torch.from_numpy(y).float()[None, None], level / 255)
            found = method(problem).run(problem).x[0, 0].double().numpy()
            yield -10 * np.log10(np.mean((found.clip(0, 1) - x) ** 2))


@pytest.mark.parametrize(("level", "radius", "expected"), [(15, 1, 29.87), (25, 1, 26.54), (50, 2, 22.51)])
def test_the_figures_of_set12(level, radius, expected, data_dir):
    """The means of the card over all twelve images, for ε = 3σ²."""
    method = GuidedFilter(radius, 3 * (level / 255) ** 2)
    found = figures(lambda problem: method, [level], data_dir, range(1, 13))
    assert np.mean(list(found)) == pytest.approx(expected, abs=0.03)


def test_the_rule():
    for level, radius, times in ((15, 1, 4.2), (25, 1, 6.6), (37.5, 2, 9.3), (50, 2, 12.0), (90, 2, 12.0)):
        method = GuidedFilter.for_noise(level / 255)
        assert (method.radius, method.epsilon) == (radius, pytest.approx(times * (level / 255) ** 2))


def test_a_flat_part_becomes_its_mean_and_a_step_stays():
    y = torch.zeros(1, 1, 40, 40)
    y[..., 20:] = 1
    noise = 0.01 * torch.randn(y.shape, generator=torch.Generator().manual_seed(0))
    x = GuidedFilter(radius=3, epsilon=0.01).run(denoising(y + noise)).x
    assert float((x - y)[..., :12].std()) < 0.3 * 0.01
    assert float(x[..., 19].max()) < 0.15
    assert float(x[..., 20].min()) > 0.85


def test_a_guide_steers_it_on_the_whole_image(camera):
    y = camera + 0.1 * torch.randn(camera.shape, generator=torch.Generator().manual_seed(0))
    plain, joint = GuidedFilter(2, 0.002), GuidedFilter(2, 0.002, guide=camera)
    errors = [float((method.run(denoising(y)).x - camera).square().mean()) for method in (plain, joint)]
    assert errors[1] < 0.5 * errors[0]
    halos = [GuidedFilter.spec.halo(method) for method in (plain, joint, GuidedFilter(8, subsampling=4))]
    assert halos == [4, None, None]
    with pytest.raises(InvalidInput, match="sizes must be equal"):
        GuidedFilter(guide=camera[..., 1:]).run(denoising(camera))


def test_no_noise_no_change(camera):
    result = GuidedFilter.for_noise(0.0).run(denoising(camera, 0.0))
    assert result.status.code is Code.LEFT_ALONE
    assert torch.equal(result.x, camera)


def test_what_it_cannot_do_is_refused(cat):
    with pytest.raises(CannotSolve, match="Identity, not Blur"):
        GuidedFilter().run(Problem(cat, Blur(gaussian_psf(1.0)), Gaussian(0.1)))
    with pytest.raises(InvalidParameter, match="radius = 0"):
        GuidedFilter(radius=0)
