"""IPT: one pre-trained transformer for several tasks, applied to small windows.

Problem. y = Hx + n: bicubic reduction by 2, 3 or 4 without noise, or white noise of σ = 30 or 50 of 255. RGB.

Model. Features of a 48×48 window from the head of the task are cut into 3×3 patches, whose 576 numbers are the tokens
of a transformer: an encoder, and a decoder that is told the task by an embedding; the tail of the task makes an image
of them. All tasks were learnt together, with a contrastive loss that makes patches of one image alike.

Algorithm. 1. Windows every ``stride`` pixels of y. 2. The network on each. 3. The margin of each is thrown away,
overlaps are averaged.

Cost. 34.7 thousand million multiply-adds a window for the paper's network, and (48/12)² = 16 windows over each pixel.

Departures from the original. The network that ships is a small one (its fields are in the manifest), learnt on 391
photographs where the paper has ImageNet and 32 GPUs: it shows the method, it does not reach the paper. Rain is not
among its tasks.

References. H. Chen et al., "Pre-trained image processing transformer", CVPR 2021, doi:10.1109/CVPR46437.2021.01212.
"""

from dataclasses import dataclass
from typing import Annotated, ClassVar

import torch
from jaxtyping import Float
from torch import Tensor

from restora.core.errors import CannotSolve
from restora.core.method import Context
from restora.core.parameters import counting, nonnegative
from restora.core.problem import Problem
from restora.core.result import Result, Status
from restora.core.spec import Spec
from restora.nets.ipt import IPT as Network
from restora.nets.ipt import in_windows
from restora.operators.downsample import Downsample
from restora.operators.identity import Identity
from restora.weights.network_method import NetworkMethod

NEAR = 2.5 / 255
"""How far σ may be from that of a task."""


@dataclass(frozen=True, slots=True)
class IPT(NetworkMethod):
    """The image processing transformer.

    Attributes:
        weights: name or path of a network that has the task.
        stride: from one window to the next, in pixels of y, >= 1; 12 in the paper.
        margin: pixels at the border of each window that are thrown away, >= 0; (size − stride)/2 at most.
        precision: of the computation.
    """

    spec: ClassVar[Spec] = Spec(
        name="ipt",
        tasks=("super-resolve", "denoise"),
        solves=(Downsample, Identity),
        colour="native",
        paper='H. Chen et al., "Pre-trained image processing transformer", CVPR 2021',
        doi="10.1109/CVPR46437.2021.01212",
        # The grid of windows begins at the corner of the image; a tile would have another one.
        halo=None,
        keeps_constants=False,
        weights=("ipt-small",),
    )
    architectures: ClassVar[tuple[str, ...]] = ("ipt",)

    weights: str = "ipt-small"
    stride: Annotated[int, counting] = 12
    margin: Annotated[int, nonnegative] = 12

    @classmethod
    def for_problem(cls, problem: Problem) -> "IPT":
        """The network that ships, with half the paper's windows along each axis."""
        return cls(stride=24, margin=12)

    def solve(self, problem: Problem, context: Context) -> Result:
        """Run the network of the task on every window."""
        task = _task_of(problem)
        trained = self.trained(problem)
        network = trained.network
        assert isinstance(network, Network)
        if task not in network.tasks:
            raise CannotSolve(f"{trained.name} has no task {task}; it has {', '.join(network.tasks)}")
        x = self._in_windows(network.for_task(task), problem.y)
        height, width = problem.size
        return Result(x[..., :height, :width], Status.done(f"task {task} with the weights {trained.name}"))

    def _in_windows(self, network: Network, y: Float[Tensor, "b c h w"]) -> Float[Tensor, "b c i j"]:
        """What the network makes of y, as an image of three channels."""
        rgb = y.float().expand(-1, 3, -1, -1)
        with torch.no_grad():
            x = in_windows(network, rgb, size=network.size, stride=self.stride, margin=self.margin)
        return (x if y.shape[1] == 3 else x.mean(dim=1, keepdim=True)).to(y.dtype)


def _task_of(problem: Problem) -> str:
    """The name of the task.

    Raises:
        CannotSolve: the network was not trained for this scale or noise level.
    """
    if isinstance(problem.H, Downsample):
        if problem.H.scale in (2, 3, 4):
            return f"x{problem.H.scale:g}"
        raise CannotSolve(f"ipt enlarges 2, 3 or 4 times, not {problem.H.scale:g}")
    for level in (30, 50):
        if abs(problem.sigma - level / 255) <= NEAR:
            return f"denoise-{level}"
    raise CannotSolve(f"ipt was trained for noise of σ = 30 and 50 of 255, not {255 * problem.sigma:.3g}")
