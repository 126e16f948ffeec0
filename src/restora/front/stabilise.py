"""Stabilise: how a method made for white noise is given a picture whose noise grows with the light."""

from restora.core.problem import Problem
from restora.core.spec import Spec
from restora.noise.camera import CameraNoise
from restora.noise.gaussian import Gaussian
from restora.noise.poisson import Poisson
from restora.noise.poisson_gaussian import PoissonGaussian
from restora.numerics.anscombe import Anscombe
from restora.operators.identity import Identity


def stabilised(problem: Problem, spec: Spec) -> tuple[Problem, Anscombe | None]:
    """The problem in a domain where its noise is white, and the transform that leads back from there.

    Only where nothing but noise is wrong (a blur does not commute with the transform) and the method asks for a noise
    level; elsewhere, and where the noise is white already, the problem comes back as it is, with None.
    """
    law = _affine_variance(problem)
    if law is None or not isinstance(problem.H, Identity) or not spec.needs_sigma:
        return problem, None
    transform = Anscombe(*law)
    white = Problem(transform.forward(problem.y), problem.H, Gaussian(transform.sigma), problem.frames)
    return white, transform


def _affine_variance(problem: Problem) -> tuple[float, float] | None:
    """(a, b) where the variance of the noise is a·x + b with a > 0."""
    noise = problem.noise
    if isinstance(noise, CameraNoise) and noise.shot > 0:
        return noise.shot, noise.read
    if isinstance(noise, Poisson):
        return 1 / noise.peak, 0.0
    if isinstance(noise, PoissonGaussian):
        return 1 / noise.peak, noise.sigma_read**2
    return None
