"""Local and edge-aware filters beside OpenCV and SciPy, on a noisy photograph, float32.

Where the window or the border of a peer differs, it says so in its name. OpenCV measures colour differences in the
bilateral filter by the sum of the channels, restora by their Euclidean distance.
"""

from collections.abc import Callable, Iterator
from functools import partial

import cv2
import numpy as np
import scipy.ndimage
import torch
from benchmarks.contest import Array, Contest, as_array, as_tensor
from skimage import data
from skimage.transform import resize

from restora.core.method import Method
from restora.core.problem import Problem
from restora.methods.filters.bilateral import Bilateral
from restora.methods.filters.bilateral_grid import BilateralGrid
from restora.methods.filters.domain_transform import DomainTransform
from restora.methods.filters.gaussian import GaussianFilter
from restora.methods.filters.guided import GuidedFilter
from restora.methods.filters.median import Median
from restora.noise.gaussian import Gaussian
from restora.operators.identity import Identity

SIGMA = 25 / 255

Picture = tuple[Array, Array]
"""Clean and noisy, float32."""


def picture(side: int, channels: int = 1) -> Picture:
    photograph = data.camera() / 255 if channels == 1 else data.astronaut() / 255
    x = photograph if side == 512 else resize(photograph, (side, side), order=1)
    noisy = x + np.random.default_rng(0).normal(0, SIGMA, x.shape)
    return x.astype(np.float32), noisy.astype(np.float32)


def run(method: Method, y: torch.Tensor) -> Array:
    return as_array(method.run(Problem(y, Identity(), Gaussian(SIGMA))).x)


def contest(
    work: str, name: str, method: Method, peer: str, picture: Picture, theirs: Callable[[Array], Array]
) -> Contest:
    clean, noisy = picture
    return Contest(work, name, peer, clean, partial(run, method, as_tensor(noisy)), partial(theirs, noisy))


def gaussian() -> Iterator[Contest]:
    for shown in (picture(512), picture(2048)):
        for s in (0.8, 1.3, 3.0, 10.0):
            k = 2 * int(4 * s + 0.5) + 1
            opencv = partial(cv2.GaussianBlur, ksize=(k, k), sigmaX=s, borderType=cv2.BORDER_REFLECT)
            yield contest(f"Gaussian, s = {s:g}", "gaussian", GaussianFilter(s), "cv2.GaussianBlur", shown, opencv)
        scipy_ = partial(scipy.ndimage.gaussian_filter, sigma=10.0)
        yield contest(
            "Gaussian, s = 10", "gaussian", GaussianFilter(10.0), "scipy.ndimage.gaussian_filter", shown, scipy_
        )


def bilateral() -> Iterator[Contest]:
    for shown in (picture(512), picture(512, 3), picture(2048)):
        for s in (1.4, 3.0):
            method = Bilateral(s, 2.5 * SIGMA)
            opencv = partial(
                cv2.bilateralFilter,
                d=2 * method.radius + 1,
                sigmaColor=method.sigma_r,
                sigmaSpace=s,
                borderType=cv2.BORDER_REFLECT,
            )
            yield contest(f"bilateral, σ_s = {s:g}", "bilateral", method, "cv2.bilateralFilter", shown, opencv)


def bilateral_grid() -> Iterator[Contest]:
    """The peer is our own exact filter, and OpenCV's, at σ_s = 16."""
    for shown in (picture(512), picture(512, 3)):
        exact = Bilateral(16.0, 0.1)
        opencv = partial(cv2.bilateralFilter, d=97, sigmaColor=0.1, sigmaSpace=16.0, borderType=cv2.BORDER_REFLECT)
        for sampling in (1.0, 0.5):
            method, work = BilateralGrid(16.0, 0.1, sampling), f"bilateral grid, σ_s = 16, s = {sampling:g}"
            yield contest(work, "bilateral-grid", method, "cv2.bilateralFilter", shown, opencv)
        ours = partial(_exact, exact)
        yield contest("bilateral grid, σ_s = 16, s = 0.5", "bilateral-grid", method, "restora bilateral", shown, ours)


def _exact(method: Bilateral, noisy: Array) -> Array:
    return run(method, as_tensor(noisy))


def domain_transform() -> Iterator[Contest]:
    modes = {"RF": cv2.ximgproc.DTF_RF, "NC": cv2.ximgproc.DTF_NC, "IC": cv2.ximgproc.DTF_IC}
    for shown in (picture(512), picture(512, 3), picture(2048)):
        for form, mode in modes.items():
            method = DomainTransform(10.0, 0.3, form=form)
            opencv = partial(_dt_filter, mode=mode)
            work = f"domain transform {form}, σ_s = 10, N = 3"
            yield contest(work, "domain-transform", method, "cv2.ximgproc.dtFilter", shown, opencv)


def _dt_filter(noisy: Array, mode: int) -> Array:
    return cv2.ximgproc.dtFilter(noisy, noisy, 10.0, 0.3, mode=mode, numIters=3)


def guided() -> Iterator[Contest]:
    for shown in (picture(512), picture(512, 3), picture(2048)):
        for r in (2, 8):
            opencv = partial(_guided_filter, radius=r)
            work = f"guided filter, r = {r}"
            yield contest(work, "guided", GuidedFilter(r, 3 * SIGMA**2), "cv2.ximgproc.guidedFilter", shown, opencv)


def _guided_filter(noisy: Array, radius: int) -> Array:
    return cv2.ximgproc.guidedFilter(noisy, noisy, radius, 3 * SIGMA**2)


def median() -> Iterator[Contest]:
    for shown in (picture(512), picture(512, 3), picture(2048)):
        for side in (3, 5):
            opencv = partial(cv2.medianBlur, ksize=side)
            work = f"median {side}x{side}"
            yield contest(work, "median", Median(side), "cv2.medianBlur (edge repeated)", shown, opencv)
    for side in (3, 7):
        scipy_ = partial(scipy.ndimage.median_filter, size=side)
        work = f"median {side}x{side}"
        yield contest(work, "median", Median(side), "scipy.ndimage.median_filter", picture(512), scipy_)


def contests() -> Iterator[Contest]:
    for topic in (gaussian, bilateral, bilateral_grid, domain_transform, guided, median):
        yield from topic()
