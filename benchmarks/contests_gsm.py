"""BiShrink and BLS-GSM beside what else there is: no maintained package has either, so NumPy forms stand in."""

from collections.abc import Iterator
from functools import partial

import numpy as np
import pywt
from benchmarks.contest import Array, Contest, as_array, as_tensor
from scipy.ndimage import uniform_filter
from skimage import data, restoration
from skimage.transform import resize

from restora.core.method import Method
from restora.core.problem import Problem
from restora.methods.transforms.bi_shrink import BiShrink
from restora.methods.transforms.bls_gsm import BlsGsm
from restora.noise.gaussian import Gaussian
from restora.operators.identity import Identity

SIGMA = 25 / 255


def clean(side: int) -> Array:
    photograph = data.camera() / 255
    return photograph if side == 512 else resize(photograph, (side, side), order=1)


def noisy(x: Array) -> Array:
    return (x + np.random.default_rng(0).normal(0, SIGMA, x.shape)).astype(np.float32)


def ours(method: Method, y: Array) -> Array:
    return as_array(method.run(Problem(as_tensor(y), Identity(), Gaussian(SIGMA))).x)


def bivariate_by_numpy(y: Array, levels: int = 5) -> Array:
    """BiShrink over PyWavelets' orthonormal transform."""
    approximation, coarsest, *finer = pywt.wavedec2(y, "sym8", "periodization", levels)
    shrunk, parents = [coarsest], coarsest
    for level in finer:
        bands = []
        for child, parent in zip(level, parents):
            r2 = child**2 + np.repeat(np.repeat(parent, 2, 0), 2, 1) ** 2
            sigma_x = np.sqrt(np.maximum(uniform_filter(child**2, 7, mode="reflect") - SIGMA**2, 1e-20))
            bands.append(child * np.maximum(1 - np.sqrt(3) * SIGMA**2 / (sigma_x * np.sqrt(r2)), 0))
        shrunk.append(tuple(bands))
        parents = level
    return pywt.waverec2([approximation, *shrunk], "sym8", "periodization")


def bayes_spun(y: Array) -> Array:
    """scikit-image's BayesShrink, over 16 shifts."""
    return restoration.cycle_spin(
        y,
        max_shifts=3,
        func=restoration.denoise_wavelet,
        func_kw={"sigma": SIGMA, "wavelet": "sym8", "wavelet_levels": 5, "rescale_sigma": False},
        workers=1,
    )


def contests() -> Iterator[Contest]:
    for side in (512, 1024):
        x = clean(side)
        y = noisy(x)
        numpy_form = partial(bivariate_by_numpy, y)
        same = partial(ours, BiShrink("wavelet", 5), y)
        yield Contest("bi-shrink, sym8, 5 levels", "bi-shrink", "NumPy over PyWavelets", x, same, numpy_form)
        dual_tree = partial(ours, BiShrink(), y)
        yield Contest(
            "bi-shrink, dual-tree (peer: sym8)", "bi-shrink", "NumPy over PyWavelets", x, dual_tree, numpy_form
        )
        spun = partial(bayes_spun, y)
        yield Contest("bi-shrink, dual-tree", "bi-shrink", "skimage BayesShrink, 16 shifts", x, dual_tree, spun)
        yield Contest("bls-gsm", "bls-gsm", "skimage BayesShrink, 16 shifts", x, partial(ours, BlsGsm(), y), spun)
