"""Time of deconvolution, enlargement and inpainting beside their peers.

    python benchmarks/solve_speed.py [--repeats 7] [--out results/speed-solve.csv]

The peers do less or other work where nobody does the same: scikit-image's Wiener takes its weight from the user and
assumes a circular border, ours finds it; OpenCV's bicubic is not antialiased and not MATLAB's, its inpainting is local
and of 8 bits; scikit-image's biharmonic inpainting is of higher order. The peer of total variation is total variation
with a bound on the norm of H by power iterations.
"""

from collections.abc import Iterator
from functools import partial
from itertools import chain
from pathlib import Path

import cv2
import numpy as np
import torch
from duel import Duel, fight
from skimage import data, restoration

from restora.core.noise import Noise
from restora.core.operator import Operator, Size
from restora.core.problem import Problem
from restora.methods.deblurring.hyper_laplacian import HyperLaplacian
from restora.methods.deblurring.wiener import Wiener
from restora.methods.superresolution.back_projection import BackProjection
from restora.methods.superresolution.bicubic import Bicubic
from restora.methods.variational.harmonic import HarmonicInpainting
from restora.methods.variational.tgv import TotalGeneralizedVariation
from restora.methods.variational.total_variation import TotalVariation
from restora.methods.variational.tv_inpainting import TVInpainting
from restora.noise.gaussian import Gaussian
from restora.operators.blur import Blur
from restora.operators.downsample import Downsample
from restora.operators.mask import Mask
from restora.operators.psf import gaussian_psf


def measured(H: Operator, noise: Noise) -> Problem:
    """A photograph of 512 x 512 through H."""
    x = torch.from_numpy(data.camera().astype(np.float32) / 255)[None, None]
    return Problem.simulate(x, H, noise, seed=0)


def array(problem: Problem) -> np.ndarray:
    return np.ascontiguousarray(problem.y[0, 0].numpy())


def deconvolution_duels() -> Iterator[Duel]:
    psf = gaussian_psf(1.6)
    problem = measured(Blur(psf, "circular"), Gaussian(2 / 255))
    y, k = array(problem), psf.numpy()
    skimage = partial(restoration.wiener, y, k, 0.01, clip=False)
    ours = partial(Wiener.for_problem(problem).run, problem)
    yield Duel("wiener, circular", "wiener", "scikit-image", "512x512", ours, skimage)
    lucy = partial(restoration.richardson_lucy, y, k, 30, clip=False)
    ours = partial(HyperLaplacian.for_problem(problem).run, problem)
    yield Duel("sparse deconvolution, circular", "hyper-laplacian", "skimage RL 30", "512x512", ours, lucy)


class PowerIterations(Blur):
    """A blur whose bound on the norm is that of any operator, by power iterations."""

    def norm_bound(self, size: Size, channels: int = 1) -> float:
        return Operator.norm_bound(self, size, channels)


def variation_duels() -> Iterator[Duel]:
    for method in (TotalVariation, TotalGeneralizedVariation):
        H, slow = Blur(gaussian_psf(1.6), "replicate"), PowerIterations(gaussian_psf(1.6), "replicate")
        ours, theirs = (measured(blur, Gaussian(5 / 255)) for blur in (H, slow))
        solve = method.for_problem(ours).run
        name = "tv" if method is TotalVariation else "tgv"
        yield Duel(
            "replicated border", name, "power iterations", "512x512", partial(solve, ours), partial(solve, theirs)
        )


def enlargement_duels() -> Iterator[Duel]:
    problem = measured(Downsample(4.0), Gaussian(0.0))
    opencv = partial(cv2.resize, array(problem), (512, 512), interpolation=cv2.INTER_CUBIC)
    yield Duel("bicubic x4", "bicubic", "opencv", "512x512", partial(Bicubic().run, problem), opencv)
    ours = partial(BackProjection().run, problem)
    yield Duel("back-projection x4, 20 steps", "back-projection", "opencv bicubic", "512x512", ours, opencv)


def inpainting_duels() -> Iterator[Duel]:
    H = Mask.random((512, 512), 0.9, torch.Generator().manual_seed(0))
    problem = measured(H, Gaussian(0.0))
    y, missing = array(problem), H.known.numpy() == 0
    ours = partial(HarmonicInpainting.for_problem(problem).run, problem)
    skimage = partial(restoration.inpaint_biharmonic, y, missing)
    yield Duel("10 % missing", "harmonic", "skimage biharmonic", "512x512", ours, skimage)
    levels = (y.clip(0, 1) * 255).round().astype(np.uint8)
    opencv = partial(cv2.inpaint, levels, missing.astype(np.uint8), 3, cv2.INPAINT_NS)
    yield Duel("10 % missing", "harmonic", "opencv NS 8-bit", "512x512", ours, opencv)
    ours = partial(TVInpainting.for_problem(problem).run, problem)
    yield Duel("10 % missing", "tv-inpainting", "skimage biharmonic", "512x512", ours, skimage)


if __name__ == "__main__":
    fight(
        chain(deconvolution_duels(), variation_duels(), enlargement_duels(), inpainting_duels()),
        Path("results/speed-solve.csv"),
        __doc__ or "",
    )
