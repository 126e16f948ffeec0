"""Evolution by tensor diffusion: the tensors are found anew in each cycle, and frozen in its fast explicit steps."""

from collections.abc import Callable
from dataclasses import dataclass

from jaxtyping import Float
from torch import Tensor

from restora.core.progress import Progress, silent
from restora.numerics.convolution import convolve_separable, gaussian_kernel, gaussian_radius
from restora.numerics.diffusion.fed import fed_steps
from restora.numerics.diffusion.structure_tensor import Law, structure_tensor, tensor_field
from restora.numerics.diffusion.tensor import LIMIT, DivergenceStencil, tensor_step

Image = Float[Tensor, "b c h w"]


@dataclass(frozen=True, slots=True)
class DiffusionTensors:
    """D(J_ρ(∇u_ς)), the tensors of a law on the structure tensor of the smoothed image, as a function of u.

    Attributes:
        law: the eigenvalues of D, from those of J.
        pre_smoothing: ς in pixels.
        rho: ρ in pixels.
    """

    law: Law
    pre_smoothing: float
    rho: float = 0.0

    def __call__(self, u: Image) -> Float[Tensor, "b 3 h w"]:
        smoothed = convolve_separable(u, gaussian_kernel(self.pre_smoothing)) if self.pre_smoothing > 0 else u
        return tensor_field(structure_tensor(smoothed, self.rho), self.law)


def tensors_reach(pre_smoothing: float, rho: float) -> int:
    """Pixels from which one of the :class:`DiffusionTensors`, and a step with it, depends."""
    return gaussian_radius(pre_smoothing) + gaussian_radius(rho) + 2


def evolve(
    u: Image,
    tensors: Callable[[Image], Float[Tensor, "b 3 h w"]],
    time: float,
    cycles: int,
    stencil: DivergenceStencil = "central",
    keep: Callable[[Image], Image] | None = None,
    progress: Progress = silent,
) -> Image:
    """∂u/∂t = div(D ∇u) from u for ``time``, with D = ``tensors(u)`` at the start of each of the ``cycles``.

    A cycle of up to 1/4 is one explicit step, a longer one the steps of :func:`fed_steps`. What ``keep`` does to u
    after every step is, for example, to put known pixels back.
    """
    steps = fed_steps(time / cycles, LIMIT)
    for cycle in range(1, cycles + 1):
        D = tensors(u)
        for step in steps:
            u = tensor_step(u, D, step, stencil)
            u = u if keep is None else keep(u)
        progress(cycle, cycles, f"time {cycle * time / cycles:.3g}")
    return u


def evolution_reach(time: float, cycles: int, pre_smoothing: float, rho: float = 0.0) -> int:
    """Pixels from which a result of :func:`evolve` with :class:`DiffusionTensors` may depend."""
    return cycles * (tensors_reach(pre_smoothing, rho) + len(fed_steps(time / cycles, LIMIT)))
