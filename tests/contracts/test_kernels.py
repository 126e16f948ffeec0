"""No kernel stumbles over an image without contrast: zeros, constants and denormal numbers give finite results.

Whether a division by zero raises depends, without NumPy's rules, on how a processor is vectorised for. So each public
function behind a kernel is called here, and a kernel that no case reaches fails the last test.
"""

import importlib
import pkgutil

import numpy as np
import pytest
import torch
from numba.core.dispatcher import Dispatcher

import restora
from restora.core.kernels import ScaledKernel, _reached
from restora.diagnosis.lattice import Lattice
from restora.frames.dual_tree import DualTree
from restora.frames.undecimated_wavelet import UndecimatedWavelet
from restora.frames.wavelet import WaveletTransform
from restora.images.png16 import decode_16, encode_16
from restora.nets.winograd import WinogradConv2d
from restora.noise.matlab_v4 import rand_v4, randn_v4
from restora.noise.poisson_gaussian import PoissonGaussian
from restora.numerics import generalized_variation_cpu, pdhg, rof_cpu
from restora.numerics.bivariate_shrinkage import bivariate_shrinkage, energy
from restora.numerics.convolution import convolve_separable, gaussian_kernel
from restora.numerics.diffusion.aos import aos_step
from restora.numerics.diffusion.line_integral import line_integral
from restora.numerics.diffusion.scalar import diffusion_step, perona_malik_step
from restora.numerics.diffusion.structure_tensor import (
    Charbonnier,
    CoherenceEnhancing,
    EdgeEnhancing,
    PowerLaw,
    structure_tensor,
    tensor_field,
)
from restora.numerics.diffusion.tensor import tensor_step
from restora.numerics.gaussian_scale_mixture import Mixture, posterior_mean
from restora.numerics.generalized_variation import GeneralizedVariation
from restora.numerics.jumps import add_jumps
from restora.numerics.smoothing.bilateral import bilateral
from restora.numerics.smoothing.bilateral_grid import bilateral_grid
from restora.numerics.smoothing.box import box_mean
from restora.numerics.smoothing.domain_transform import domain_transform
from restora.numerics.smoothing.local_wiener import local_wiener
from restora.numerics.smoothing.median import median
from restora.numerics.smoothing.recursive_gaussian import recursive_gaussian
from restora.numerics.sparse.feature_sign import feature_sign
from restora.numerics.sparse.pursuit import batch_omp
from restora.numerics.total_variation import ascend, descend, total_variation
from restora.patches.block_matching import match_blocks
from restora.patches.block_transforms import block_transform
from restora.patches.collaborative import Shrinkage, collaborate
from restora.patches.nonlocal_means import nonlocal_means
from restora.patches.pixelwise_means import pixelwise_means
from restora.patches.sliding_dct import sliding_dct

TINY = 1e-30  # of σ: its square is no number of float32

VALUES = {
    "zeros": lambda dtype: 0.0,
    "constants": lambda dtype: 0.4,
    "denormals": lambda dtype: float(torch.finfo(dtype).tiny) / 8,
    "a spot of denormals": lambda dtype: float(torch.finfo(dtype).tiny) / 8,
}


def image_of(name, dtype, shape=(1, 2, 20, 18)):
    image = torch.full(shape, VALUES[name](dtype), dtype=dtype)
    if name.startswith("a spot"):
        image[..., 5:, :] = 0
    return image


def collaborative(y, level):
    groups = match_blocks(y, side=8, step=3, window=9, members=8, tau=0.1)
    transform, window = block_transform("bior1.5", 8), torch.ones(8, 8)
    some = torch.full((2, 8, 8), level)
    some[:, 3] = 0  # as noise has that lacks frequencies
    for deviation in (torch.full((2, 8, 8), level), some):
        shrinkage = Shrinkage(deviation, 2.7, window)
        yield collaborate(y, None, groups, transform, shrinkage)
        yield collaborate(y, y, groups, transform, shrinkage)


def diffusions(y):
    K = y.new_full((1,), 1e-3, dtype=torch.float64)
    for law in ("g1", "g2", "tukey"):
        yield perona_malik_step(y, K, law, 0.2)
    yield diffusion_step(y, y[:, :1], 0.2)
    yield aos_step(y, y[:, :1], 5.0)
    J = structure_tensor(y, 1.0)
    for law in (EdgeEnhancing(0.01), CoherenceEnhancing(0.01, 0.01), PowerLaw(0.5, 1.0), Charbonnier(0.01)):
        D = tensor_field(J, law)
        yield D
        for stencil in ("central", "nonnegative", "trace"):
            yield tensor_step(y, D, 0.2, stencil)
    yield line_integral(y, y, amplitude=5.0, dl=0.8, precision=2.0)


def variations(y):
    p = y.new_zeros(1, 2, *y.shape[1:])
    yield total_variation(y)
    yield ascend(p, y, 0.3, 0.1)
    yield descend(y, p, 0.3)
    yield add_jumps(y, y, 0.02, 1.0)[0]
    x, x_bar = y.clone(), y.clone()
    rof_cpu.primal_dual_step(p, x, x_bar, y, sigma=0.3, tau=0.3, theta=1.0, radius=0.1)
    yield from (p, x, x_bar)
    for radius in (0.1, 1e-44):  # the second is 0 in float32, but for its last bits
        rof_cpu.dual_step(p, p.clone(), y, tau=0.125, momentum=0.5, radius=radius)
        yield p
        rof_cpu.semi_implicit_step(p, y, tau=0.25, radius=radius)
        yield p
    regulariser = GeneralizedVariation(0.1, 0.2)
    u, duals = regulariser.start(y)
    state = pdhg.start(u, duals, 0.2, (0.2,))
    state = generalized_variation_cpu.denoising_step(regulariser, y, state)
    yield from (state.x, *state.p)


def smoothings(y):
    for s in (0.1, TINY):
        yield local_wiener(y, sigma=s, window=5)
    yield bilateral(y, y, sigma_s=2.0, sigma_r=0.1, radius=3)
    yield bilateral_grid(y, y[:, :1], sigma_s=4.0, sigma_r=0.1, sampling=0.5)
    for form in ("NC", "IC", "RF"):
        yield domain_transform(y, y, sigma_s=4.0, sigma_r=0.1, form=form)
    yield box_mean(y, 3)
    yield recursive_gaussian(y, 2.0)
    yield convolve_separable(y, gaussian_kernel(1.5))
    for side in (3, 5, 7):
        yield median(y, side)


def patchwise(y):
    for s in (0.1, TINY):
        yield nonlocal_means(y, sigma=s, h=0.5 * s, patch=3, window=7)
        yield pixelwise_means(y, sigma=s, h=0.5 * s, patch=3, window=7)
        yield sliding_dct(y, side=4, sigma=s, threshold=2.7, pilot=None)
        yield sliding_dct(y, side=4, sigma=s, threshold=2.7, pilot=y)
    for level in (0.1, TINY, 0.0):
        yield from collaborative(y, level)


def frames(y):
    size = (y.shape[-2], y.shape[-1])
    for frame in (WaveletTransform("sym8", 2), DualTree(2), UndecimatedWavelet("db2", 2)):
        bands = frame.analysis(y)
        yield from bands
        yield frame.synthesis(bands, size)
    undecimated = UndecimatedWavelet("db2", 2)
    yield undecimated.shrunk(y, tuple(norms for norms in undecimated.norms(size)[1:]))
    fine, coarse = (level for level in (DualTree(2).analysis(y)[2], DualTree(2).analysis(y)[1]))
    norms = torch.ones(fine.shape[2:], dtype=y.dtype)
    yield from bivariate_shrinkage(fine, norms, energy(coarse, torch.ones(coarse.shape[2:])).to(y.dtype), 0.1, 7)
    signal, noise = torch.eye(9, dtype=torch.float64), 0.1 * torch.eye(9, dtype=torch.float64)
    yield posterior_mean(y[0, 0], None, 3, Mixture.of(signal, noise, 4))


def codes(y):
    D = torch.eye(18, dtype=y.dtype) + 0.1
    rows = y[0, 0]
    yield batch_omp(D, rows, most=5)
    yield feature_sign(D, rows, 0.01)


def noises(y):
    yield PoissonGaussian(100.0, 0.01).log_likelihood(y, y)
    flat = Lattice.of(y[0, 0].float().numpy(), 1000)
    assert flat is None or len(flat.place) > 0
    grain = torch.rand(20, 18, generator=torch.Generator().manual_seed(0))
    yield torch.from_numpy(Lattice.of((y[0, 0].float() + grain).numpy(), 1000).vectors(np.arange(3)))
    yield rand_v4((2, 2))
    yield randn_v4((2, 2))


def others(y):
    layer = WinogradConv2d(torch.nn.Conv2d(32, 32, 3, padding=1))
    features = y[:, :1].float().expand(-1, 32, -1, -1).clone().requires_grad_()
    out = layer(features)
    out.sum().backward()
    yield from (out, features.grad, layer.weight.grad)
    numbers = (y[0].movedim(0, -1)[..., :1] * 65535).numpy().astype("uint16")
    chunks = dict(encode_16(numbers))
    assert (decode_16(chunks[b"IHDR"], chunks[b"IDAT"]) == numbers).all()


FAMILIES = (patchwise, smoothings, diffusions, variations, frames, codes, noises, others)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64], ids=str)
@pytest.mark.parametrize("values", VALUES)
@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.__name__)
def test_images_without_contrast_give_finite_results(family, values, dtype):
    for number, result in enumerate(family(image_of(values, dtype))):
        assert torch.isfinite(result).all(), f"result {number} of {family.__name__}"


def kernels():
    """(name, versions) of every kernel in the package."""
    for module in pkgutil.walk_packages(restora.__path__, "restora."):
        if ".cli." in module.name or "__main__" in module.name:
            continue
        for name, found in vars(importlib.import_module(module.name)).items():
            if isinstance(found, Dispatcher):
                yield f"{module.name}.{name}", [found]
            elif isinstance(found, ScaledKernel):
                yield f"{module.name}.{name}", [found._serial, found._parallel]


def test_every_kernel_divides_by_the_rules_of_numpy_and_is_reached_by_a_case():
    for family in FAMILIES:
        list(family(image_of("constants", torch.float64)))
    found = dict(kernels())
    assert len(found) > 100
    for name, versions in found.items():
        assert all(version.targetoptions["error_model"] == "numpy" for version in versions), name
    called = {inner for versions in found.values() for each in versions for inner in _reached(each.py_func)[0]}
    outer = {name: versions for name, versions in found.items() if not {each.py_func for each in versions} & called}
    assert [name for name, versions in outer.items() if not any(each.signatures for each in versions)] == []
