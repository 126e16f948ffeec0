"""Curvelets, ridgelets and bandlets beside what there is.

For curvelets there is the uniform discrete curvelet transform of PyPI's ``curvelets`` (NumPy), with 4 scales and hard
thresholds of 2.5σ, 3σ at the finest, which are its best; its plan and the norms of its curvelets, measured on noise,
are not timed. For ridgelets and bandlets nobody has anything: wavelets of PyWavelets stand beside them for scale, hard
3σ, undecimated and cycle-spun over the same 16 shifts.
"""

from collections.abc import Callable, Iterator
from functools import partial

import numpy as np
import pywt
from benchmarks.contest import Array, Contest, as_array, as_tensor
from curvelets.numpy import UDCT
from skimage import data
from skimage.transform import resize

from restora.core.method import Method
from restora.core.problem import Problem
from restora.methods.transforms.bandlet_shrinkage import BandletShrinkage
from restora.methods.transforms.curvelet_shrinkage import CurveletShrinkage
from restora.methods.transforms.ridgelet_shrinkage import RidgeletShrinkage
from restora.noise.gaussian import Gaussian
from restora.operators.identity import Identity

SIGMA = 25 / 255


def noisy(clean: Array) -> Array:
    return (clean + np.random.default_rng(0).normal(0, SIGMA, clean.shape)).astype(np.float32)


def ours(method: Method, y: Array) -> Array:
    return as_array(method.run(Problem(as_tensor(y), Identity(), Gaussian(SIGMA))).x)


def udct(size: tuple[int, ...]) -> Callable[[Array], Array]:
    """Hard thresholds on the coefficients of the uniform transform of that size."""
    transform = UDCT(shape=size, num_scales=4, wedges_per_direction=3)
    noise = transform.forward(np.random.default_rng(1).normal(0, SIGMA, size))
    deviations = [[[float(np.sqrt(np.mean(np.abs(c) ** 2))) for c in wedges] for wedges in scale] for scale in noise]

    def denoise(y: Array) -> Array:
        bands = transform.forward(y)
        for j, scale in enumerate(bands):
            k = 0.0 if j == 0 else 3.0 if j == len(bands) - 1 else 2.5
            for wedges, of_noise in zip(scale, deviations[j], strict=True):
                for l, c in enumerate(wedges):
                    wedges[l] = np.where(np.abs(c) > k * of_noise[l], c, 0)
        return np.asarray(transform.backward(bands)).real

    return denoise


def undecimated(y: Array) -> Array:
    """Sides must be multiples of 16."""
    approximation, *details = pywt.swt2(y, "sym8", 4, trim_approx=True, norm=True)
    # A row of the level-j band of this tight frame has norm 2^-j.
    kept = [
        tuple(pywt.threshold(band, 3 * SIGMA / 2 ** (4 - i), "hard") for band in level)
        for i, level in enumerate(details)
    ]
    return pywt.iswt2([approximation, *kept], "sym8", norm=True)


def spun(y: Array) -> Array:
    total = np.zeros_like(y)
    for i in range(4):
        for j in range(4):
            approximation, *details = pywt.wavedec2(np.roll(y, (i, j), (0, 1)), "sym8", "periodization", 4)
            kept = [tuple(pywt.threshold(band, 3 * SIGMA, "hard") for band in level) for level in details]
            total += np.roll(pywt.waverec2([approximation, *kept], "sym8", "periodization"), (-i, -j), (0, 1))
    return total / 16


def contests() -> Iterator[Contest]:
    camera = data.camera().astype(np.float32) / 255
    large = resize(camera, (1024, 1536), order=3, anti_aliasing=False).astype(np.float32)
    for clean in (camera, large):
        y = noisy(clean)
        rows: tuple[tuple[str, str, Method, str, Callable[[Array], Array]], ...] = (
            ("hard curvelets", "curvelets", CurveletShrinkage(), "curvelets.UDCT", udct(clean.shape)),
            ("hard local ridgelets", "ridgelets", RidgeletShrinkage(), "pywt swt2, hard", undecimated),
            ("hard finite ridgelets", "ridgelets", RidgeletShrinkage("finite"), "pywt swt2, hard", undecimated),
            ("bandlets, 16 shifts", "bandlets", BandletShrinkage(), "pywt dwt2, hard, 16 shifts", spun),
        )
        for work, name, method, peer, theirs in rows:
            yield Contest(work, name, peer, clean, partial(ours, method, y), partial(theirs, y))
