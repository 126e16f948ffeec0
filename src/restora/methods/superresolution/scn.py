"""SCN and CSCN: sparse coding as a network, one after another for large scales.

Problem. y = Hx, an image reduced by bicubic interpolation by any factor; no noise. Luminance only.

Model. The network of :class:`restora.nets.scn.SCN` corrects an image that was enlarged twice by bicubic interpolation:
it codes each 5×5 patch by one LISTA stage and puts together what a second dictionary makes of the codes.

Algorithm. With x₀ = y, for k = 1 … ⌈log₂ s⌉:
1. u = imresize(x_{k−1}, 2);
2. x_k = SCN(u), with the first network for k = 1, with the later one after that.
At last, x is imresize of x_k to the wanted size, where 2^k is more than s.

Cost. 43,000 multiplications a pixel of each x_k.

Departures from the original. The weights that ship are one network for all stages, trained from dictionaries of ScSR on
T91; the cascade was not trained as a whole (Liu et al. do).

References. Z. Wang, D. Liu, J. Yang, W. Han and T. Huang, "Deep networks for image super-resolution with sparse prior",
ICCV 2015, doi:10.1109/ICCV.2015.50. D. Liu et al., "Robust single image super-resolution via deep networks with sparse
prior", IEEE TIP 25(7), 2016, doi:10.1109/TIP.2016.2564643.
"""

import math
from dataclasses import dataclass
from typing import ClassVar

from restora.core.method import Context
from restora.core.problem import Problem
from restora.core.result import Result, Status
from restora.core.spec import Spec
from restora.numerics.imresize import imresize
from restora.weights.load import load
from restora.weights.network_method import NetworkMethod, super_resolution_spec
from restora.weights.run import run_network


@dataclass(frozen=True, slots=True)
class SCN(NetworkMethod):
    """A cascade of sparse-coding networks, each of which enlarges twice.

    Attributes:
        weights: name or path of the first network.
        later_weights: of those after it; None for the first again.
        precision: of the computation.
    """

    # The reach, as behind one interpolation: the first stage looks at as many pixels of its enlargement, that is half
    # as many of y; each later one at half as many again. Twice the first is more than all, and the last reduction fits
    # in what is left.
    spec: ClassVar[Spec] = super_resolution_spec(
        "scn",
        'Z. Wang et al., "Deep networks for image super-resolution with sparse prior", ICCV 2015',
        "10.1109/ICCV.2015.50",
        colour="luma-chroma",
        weights=("scn-x2",),
        published=tuple(f"{images}-x{s}-matlab-bicubic-y-shave{s}" for images in ("set5", "set14") for s in (2, 3, 4)),
    )
    architectures: ClassVar[tuple[str, ...]] = ("scn",)
    interpolates: ClassVar[bool] = True

    weights: str = "scn-x2"
    later_weights: str | None = None

    def solve(self, problem: Problem, context: Context) -> Result:
        """Enlarge y twice by a network until it is large enough."""
        scale: float = problem.H.scale  # type: ignore[attr-defined]  # spec.solves says so
        stages = max(1, math.ceil(math.log2(scale) - 1e-9))
        x = problem.y
        for stage in range(stages):
            name = self.weights if stage == 0 else self.later_weights or self.weights
            trained = load(name, self.architectures, x.device, self.precision)
            x = run_network(trained, imresize(x, scale=2))
            context.progress(stage + 1, stages, f"x{2 ** (stage + 1)}")
        if 2**stages != scale:
            # The grid of x is that of y, s times finer, from whose corner it begins.
            x = imresize(x, scale=scale / 2**stages)
        height, width = problem.size
        return Result(x[..., :height, :width], Status.done(f"{stages} stages with the weights {self.weights}"))
