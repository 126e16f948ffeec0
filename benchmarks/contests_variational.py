"""Contests of total variation, L0 gradients and pursuit.

Total variation beside scikit-image's is held at EQUAL DUALITY GAP: scikit-image gets as many iterations (eps = 0) as
its output needs to come as near to the least objective as ours is by its own gap. Its dual image is not returned, so
the best lower bound there is, that of a converged run of ours, stands in for it: that favours the peer.
"""

import math
from collections.abc import Callable, Iterator
from functools import partial

import cv2
import numpy as np
import torch
from benchmarks.contest import Array, Contest, as_array, as_tensor
from skimage import data, restoration
from sklearn.linear_model import orthogonal_mp_gram

from restora.core.problem import Problem
from restora.methods.variational.l0_gradient import L0Gradient
from restora.methods.variational.total_variation import TotalVariation
from restora.methods.variational.tv_l1 import TVL1
from restora.noise.gaussian import Gaussian
from restora.noise.salt_and_pepper import SaltAndPepper
from restora.numerics import rof
from restora.numerics.iterate import Limits
from restora.numerics.sparse.pursuit import batch_omp
from restora.numerics.total_variation import total_variation
from restora.operators.identity import Identity

SIGMA = 25 / 255
GAP = 1e-4


def photographs() -> Iterator[Array]:
    """Gray and colour, 512 x 512, float32."""
    yield (data.camera() / 255).astype(np.float32)
    yield (data.astronaut() / 255).astype(np.float32)


def noisy(clean: Array) -> Array:
    return (clean + np.random.default_rng(0).normal(0, SIGMA, clean.shape)).astype(np.float32)


def denoised(method: TotalVariation | L0Gradient | TVL1, y: Array) -> Array:
    return as_array(method.run(Problem(as_tensor(y), Identity(), Gaussian(SIGMA))).x)


def objective(x: Array, y: Array, lam: float) -> float:
    u, v = as_tensor(x).double(), as_tensor(y).double()
    return float(0.5 * (u - v).square().sum() + lam * total_variation(u).sum())


def fewest(reaches: Callable[[int], bool]) -> int:
    """The smallest count that reaches, to 5 %: doubling, then bisection."""
    high = 16
    while not reaches(high):
        high *= 2
    low = high // 2
    while high - low > 0.05 * high:
        middle = (low + high) // 2
        low, high = (low, middle) if reaches(middle) else (middle, high)
    return high


def chambolle(y: Array, lam: float, iterations: int) -> Array:
    return restoration.denoise_tv_chambolle(y, lam, eps=0, max_num_iter=iterations)


def total_variation_contests() -> Iterator[Contest]:
    """Gray: scikit-image treats the channels of a colour image one by one, which is another model."""
    gray = next(photographs())
    for clean in (gray, np.tile(gray, (2, 2))):
        y = noisy(clean)
        channels = as_tensor(y).shape[1]
        lam = TotalVariation.for_noise(SIGMA, channels=channels).lam
        best = rof.minimise(as_tensor(y).double(), lam, "fista", Limits(1e-6, 3000, every=50)).stats[-1]
        lower = best["objective"] * (1 - best["error"])

        def reaches(count: int, y: Array = y, lam: float = lam, lower: float = lower) -> bool:
            found = objective(chambolle(y, lam, count), y, lam)
            return (found - lower) / found <= GAP

        count = fewest(reaches)
        for solver in ("fista", "pdhg"):
            ours = TotalVariation(lam, GAP, 3000, solver)
            theirs = partial(chambolle, y, lam, count)
            work = f"tv {solver}, gap {GAP:g} (peer {count} it.)"
            yield Contest(work, "tv", "skimage denoise_tv_chambolle", clean, partial(denoised, ours, y), theirs)
        # the Bregman weight is of the data: λ_data/2 in ½λ_data‖x − y‖² + TV
        bregman = partial(
            restoration.denoise_tv_bregman, y, 1 / (2 * lam), eps=1e-5, max_num_iter=100,
            channel_axis=None,
        )  # fmt: skip
        ours = partial(denoised, TotalVariation(lam, GAP, 3000, "fista"), y)
        yield Contest(f"tv fista, gap {GAP:g}", "tv", "skimage denoise_tv_bregman", clean, ours, bregman)


def least_deviation_contests() -> Iterator[Contest]:
    """OpenCV's on 8 bits, both 100 iterations."""
    clean = next(photographs())
    y = SaltAndPepper(0.2).sample(as_tensor(clean), torch.Generator().manual_seed(0))
    mu = TVL1.for_impulses(0.2).mu
    levels = (as_array(y) * 255).round().astype(np.uint8)

    def theirs() -> Array:
        out = np.empty_like(levels)
        cv2.denoise_TVL1([levels], out, mu, 100)
        return out / 255

    ours = partial(denoised, TVL1(mu, 1e-12, 100), as_array(y))
    yield Contest("tv-l1, salt and pepper 20 %, 100 it.", "tv-l1", "cv2 denoise_TVL1 8-bit", clean, ours, theirs)


def l0_contests() -> Iterator[Contest]:
    for clean in photographs():
        y = noisy(clean)
        method = L0Gradient.for_noise(SIGMA)

        def theirs(y: Array = y, lam: float = method.lam) -> Array:
            # gray is spoilt by its mask of three channels: it gets the gray image three times
            image = y.copy() if y.ndim == 3 else np.dstack([y] * 3)  # it works in place
            out = cv2.ximgproc.l0Smooth(image, None, lam, 2.0)
            return out if y.ndim == 3 else out[..., 0]

        yield Contest(
            "l0-gradient", "l0-gradient", "cv2 ximgproc.l0Smooth", clean, partial(denoised, method, y), theirs
        )


def pursuit_contests() -> Iterator[Contest]:
    """Every fourth 8 x 8 patch of a photograph over an overcomplete cosine dictionary of 256 atoms, 8 atoms each."""
    clean = next(photographs())
    D = cosines(8, 16)
    blocks = np.lib.stride_tricks.sliding_window_view(noisy(clean), (8, 8))[::8, ::8].reshape(-1, 64)
    patches = torch.from_numpy(np.ascontiguousarray(blocks))
    means = patches.mean(1, keepdim=True)
    centred = patches - means
    G = (D.mT @ D).numpy()

    def tiled(codes: torch.Tensor) -> Array:
        side = math.isqrt(len(codes))
        x = (codes @ D.mT + means).reshape(side, side, 8, 8).permute(0, 2, 1, 3).reshape(8 * side, 8 * side)
        return x.numpy()

    def theirs() -> Array:
        codes = orthogonal_mp_gram(G, (centred @ D).numpy().T, n_nonzero_coefs=8)
        return tiled(torch.from_numpy(np.ascontiguousarray(codes.T, dtype=np.float32)))

    ours = partial(lambda: tiled(batch_omp(D, centred, most=8)))
    yield Contest(
        "batch-omp, 4096 patches 8x8, 256 atoms, K = 8", "omp", "sklearn orthogonal_mp_gram", clean, ours, theirs
    )


def cosines(side: int, frequencies: int) -> torch.Tensor:
    """Atoms (side², frequencies²): products of cosines, without mean except the first, of length one."""
    i, k = torch.arange(side) + 0.5, torch.arange(frequencies)
    line = torch.cos(math.pi * i[:, None] * k / frequencies)
    line[:, 1:] -= line[:, 1:].mean(0)
    line = line / line.norm(dim=0)
    return torch.kron(line, line)


def contests() -> Iterator[Contest]:
    yield from total_variation_contests()
    yield from least_deviation_contests()
    yield from l0_contests()
    yield from pursuit_contests()
