"""Evolution by tensor diffusion: the tensors are found anew in each cycle, and frozen in its fast explicit steps."""

from collections.abc import Callable

from jaxtyping import Float
from torch import Tensor

from restora.core.progress import Progress, silent
from restora.numerics.convolution import convolve_separable, gaussian_kernel, gaussian_radius
from restora.numerics.diffusion.fed import fed_steps
from restora.numerics.diffusion.structure_tensor import Law, structure_tensor, tensor_field
from restora.numerics.diffusion.tensor import LIMIT, Stencil, tensor_step

Keep = Callable[[Tensor], Tensor]
"""What is done to u after every step, such as to put the known pixels back."""


def diffusion_tensors(
    u: Float[Tensor, "b c h w"], pre_smoothing: float, rho: float, law: Law
) -> Float[Tensor, "b 3 h w"]:
    """D(J_ρ(∇u_ς)): the tensors of the law on the structure tensor of the smoothed image."""
    smoothed = convolve_separable(u, gaussian_kernel(pre_smoothing)) if pre_smoothing > 0 else u
    return tensor_field(structure_tensor(smoothed, rho), law)


def evolve(
    u: Float[Tensor, "b c h w"],
    tensors: Callable[[Tensor], Tensor],
    *,
    time: float,
    cycles: int,
    stencil: Stencil,
    keep: Keep | None = None,
    progress: Progress | None = None,
) -> Float[Tensor, "b c h w"]:
    """∂u/∂t = div(D ∇u) from u for ``time``, with D = ``tensors(u)`` at the start of each of the ``cycles``.

    A cycle of up to 1/4 is one explicit step, a longer one the steps of :func:`fed_steps`.
    """
    steps = fed_steps(time / cycles, LIMIT)
    for cycle in range(1, cycles + 1):
        D = tensors(u)
        for step in steps:
            u = tensor_step(u, D, step, stencil)
            u = u if keep is None else keep(u)
        (progress or silent)(cycle, cycles, f"time {cycle * time / cycles:.3g}")
    return u


def evolution_reach(time: float, cycles: int, pre_smoothing: float, rho: float) -> int:
    """Pixels from which a result of :func:`evolve` with :func:`diffusion_tensors` may depend."""
    tensors = gaussian_radius(pre_smoothing) + gaussian_radius(rho) + 2
    return cycles * (tensors + len(fed_steps(time / cycles, LIMIT)))
