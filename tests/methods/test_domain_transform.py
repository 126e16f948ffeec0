import numpy as np
import pytest
import torch
from PIL import Image

from restora.core.errors import CannotSolve, InvalidInput, InvalidParameter
from restora.core.problem import Problem
from restora.core.result import Code
from restora.methods.filters.domain_transform import DomainTransform
from restora.methods.filters.domain_transform_joint import JointDomainTransform
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


def test_the_figures_of_set12(data_dir):
    # The means of cv2.ximgproc.dtFilter(y, y, σ_s, σ_r, DTF_RF) over all twelve images.
    for level, sigma_s, times, expected in ((15, 3, 4, 29.94), (25, 2, 6, 26.93), (50, 3, 6, 23.81)):
        method = DomainTransform(float(sigma_s), times * level / 255)
        found = figures(lambda problem, method=method: method, [level], data_dir, range(1, 13))
        assert np.mean(list(found)) == pytest.approx(expected, abs=0.02)


def test_the_joint_figures_of_set12(data_dir):
    found = figures(JointDomainTransform.for_problem, [25], data_dir, range(1, 13))
    assert np.mean(list(found)) == pytest.approx(28.28, abs=0.02)


def test_the_rules():
    for level, sigma_s, times in ((15, 2.6, 4.3), (25, 2.8, 5.0), (50, 2.9, 9.0), (80, 2.9, 9.0)):
        method = DomainTransform.for_noise(level / 255)
        assert (method.sigma_s, method.sigma_r) == pytest.approx((sigma_s, times * level / 255))
    joint = JointDomainTransform.for_noise(50 / 255)
    assert (joint.sigma_s, joint.sigma_r, joint.presmoothing) == pytest.approx((16.0, 30 / 255, 1.2))


def test_without_pre_smoothing_the_joint_filter_is_the_plain_one(cat):
    plain = DomainTransform(5.0, 0.3, iterations=2, form="IC").run(denoising(cat)).x
    assert torch.equal(JointDomainTransform(5.0, 0.3, 0.0, 2, "IC").run(denoising(cat)).x, plain)


def test_a_guide_steers_it_on_the_whole_image(camera):
    y = camera + 0.1 * torch.randn(camera.shape, generator=torch.Generator().manual_seed(0))
    plain, joint = DomainTransform(8.0, 0.1), DomainTransform(8.0, 0.1, guide=camera)
    errors = [float((method.run(denoising(y)).x - camera).square().mean()) for method in (plain, joint)]
    assert errors[1] < 0.5 * errors[0]
    assert DomainTransform.spec.halo(joint) is None
    with pytest.raises(InvalidInput, match="sizes must be equal"):
        DomainTransform(guide=camera[..., 1:]).run(denoising(camera))


@pytest.mark.parametrize("method", [DomainTransform, JointDomainTransform])
def test_no_noise_no_change_and_no_blur(method, camera):
    result = method.for_noise(0.0).run(denoising(camera, 0.0))
    assert result.status.code is Code.LEFT_ALONE
    assert torch.equal(result.x, camera)
    with pytest.raises(CannotSolve, match="Identity, not Blur"):
        method().run(Problem(camera, Blur(gaussian_psf(1.0)), Gaussian(0.1)))
    with pytest.raises(InvalidParameter, match="iterations = 0"):
        method(iterations=0)
