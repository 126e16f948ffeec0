"""Wavelet transforms, wavelet shrinkage and the local Wiener filter beside PyWavelets, scikit-image and SciPy.

Equal wavelets, levels and σ. scikit-image's default number of levels is not taken: on small images it is one.
"""

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial

import numpy as np
import pywt
import torch
from benchmarks.contest import Array, Contest, as_array, as_tensor
from scipy.signal import wiener
from skimage import data, restoration

from restora.core.method import Method
from restora.core.problem import Problem
from restora.frames.undecimated_wavelet import UndecimatedWavelet
from restora.frames.wavelet import WaveletTransform
from restora.methods.transforms.bayes_shrink import BayesShrink
from restora.methods.transforms.local_wiener import LocalWiener
from restora.methods.transforms.undecimated_hard import UndecimatedHard
from restora.methods.transforms.visu_shrink import VisuShrink
from restora.methods.transforms.wavelet_hard import WaveletHard
from restora.noise.gaussian import Gaussian
from restora.operators.identity import Identity

SIGMA = 25 / 255


def pictures() -> Iterator[tuple[Array, Array]]:
    """Clean and noisy: 512 × 512 and 2048 × 2048, gray."""
    photograph = (data.camera() / 255).astype(np.float32)
    for clean in (photograph, np.tile(photograph, (4, 4))):
        noise = np.random.default_rng(0).normal(0, SIGMA, clean.shape)
        yield clean, (clean + noise).astype(np.float32)


def ours(method: Method, y: Array) -> Callable[[], Array]:
    problem = Problem(as_tensor(y), Identity(), Gaussian(SIGMA))
    return lambda: as_array(method.run(problem).x)


def there_and_back(frame: WaveletTransform | UndecimatedWavelet, x: torch.Tensor) -> Array:
    return as_array(frame.synthesis(frame.analysis(x), (x.shape[-2], x.shape[-1])))


def wavedec(y: Array) -> Array:
    return pywt.waverec2(pywt.wavedec2(y, "sym8", "periodization", 5), "sym8", "periodization")


def swt(y: Array, wavelet: str, k: float = 0.0) -> Array:
    approximation, *details = pywt.swt2(y, wavelet, 4, trim_approx=True, norm=True)
    if k > 0:
        details = [
            tuple(pywt.threshold(band, k * SIGMA / 2**level, "hard") for band in bands)
            for level, bands in zip((4, 3, 2, 1), details)
        ]
    return pywt.iswt2([approximation, *details], wavelet, norm=True)


def hard(y: Array) -> Array:
    approximation, *details = pywt.wavedec2(y, "sym8", "periodization", 4)
    kept = [tuple(pywt.threshold(band, 3 * SIGMA, "hard") for band in level) for level in details]
    return pywt.waverec2([approximation, *kept], "sym8", "periodization")


def transforms(clean: Array, y: Array) -> Iterator[Contest]:
    frame = partial(there_and_back, x=as_tensor(y))
    work = "wavelet transform and back, sym8, 5 levels"
    yield Contest(
        work,
        "bayes-shrink",
        "pywt wavedec2, waverec2",
        clean,
        partial(frame, WaveletTransform("sym8", 5)),
        partial(wavedec, y),
    )
    for wavelet in ("haar", "sym8"):
        work = f"undecimated transform and back, {wavelet}, 4 levels"
        mine, theirs = partial(frame, UndecimatedWavelet(wavelet, 4)), partial(swt, y, wavelet)
        yield Contest(work, "swt-hard", "pywt swt2, iswt2", clean, mine, theirs)


def shrinkage(clean: Array, y: Array) -> Iterator[Contest]:
    skimage = partial(restoration.denoise_wavelet, y, SIGMA, "sym8", wavelet_levels=4, rescale_sigma=False)
    peer = "skimage denoise_wavelet"
    for method, name in ((BayesShrink(levels=4), "BayesShrink"), (VisuShrink(), "VisuShrink")):
        theirs = partial(skimage, method=name)
        work = f"{name} sym8, 4 levels"
        reflect = replace(method, boundary="reflect")  # scikit-image's border
        catalog = "bayes-shrink" if name == "BayesShrink" else "visu-shrink"
        yield Contest(f"{work}, reflect", catalog, peer, clean, ours(reflect, y), theirs)
        yield Contest(f"{work}, periodic", catalog, peer, clean, ours(method, y), theirs)
    theirs = partial(restoration.cycle_spin, y, hard, 3, workers=1)
    yield Contest(
        "hard sym8, 4 levels, 16 shifts",
        "wavelet-hard",
        "skimage cycle_spin of pywt",
        clean,
        ours(WaveletHard(spins=4), y),
        theirs,
    )
    for wavelet in ("haar", "sym8"):
        work = f"undecimated hard, {wavelet}, 4 levels"
        method = UndecimatedHard(wavelet=wavelet)
        yield Contest(work, "swt-hard", "pywt swt2, iswt2", clean, ours(method, y), partial(swt, y, wavelet, 3.0))


def contests() -> Iterator[Contest]:
    for clean, y in pictures():
        yield from transforms(clean, y)
        yield from shrinkage(clean, y)
        work = "local Wiener, 5x5"
        yield Contest(
            work, "local-wiener", "scipy.signal.wiener", clean, ours(LocalWiener(), y), partial(wiener, y, 5, SIGMA**2)
        )
