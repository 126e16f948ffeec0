"""Box filter: every pixel becomes the mean of the square around it."""

from dataclasses import dataclass
from typing import Annotated, ClassVar

import torch

from restora import Context, Identity, Method, Problem, Result, Spec
from restora.core import odd
from restora.operators.boundaries import extend


@dataclass(frozen=True, slots=True)
class BoxFilter(Method):
    """Box filter: the mean over a square.

    Args:
        side: of the square in pixels. Halved it leaves noise, doubled it blurs.
    """

    spec: ClassVar[Spec] = Spec(
        name="box",
        tasks=("denoise",),
        solves=(Identity,),
        colour="native",
        paper="R. C. Gonzalez, R. E. Woods, Digital Image Processing, 1992",
        needs_sigma=False,
        halo=lambda method: method.side // 2,
    )
    side: Annotated[int, odd] = 3

    def solve(self, problem: Problem, context: Context) -> Result:
        r = self.side // 2
        padded = extend(problem.y, (r, r), (r, r), "reflect")
        return Result(torch.nn.functional.avg_pool2d(padded, self.side, stride=1))
