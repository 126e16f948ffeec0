"""Network method: what every method that runs a trained network does, whatever the network is."""

from dataclasses import dataclass
from typing import Any, ClassVar, TypeVar

import torch
from jaxtyping import Float
from torch import Tensor

from restora.core.errors import CannotSolve, MissingWeights
from restora.core.method import Context, Method
from restora.core.problem import Problem
from restora.core.result import Result, Status
from restora.core.spec import Colour, Spec
from restora.nets.precision import Precision
from restora.operators.downsample import Downsample
from restora.weights.load import Trained, load
from restora.weights.run import run_network

BICUBIC_REACH = 3
"""Pixels of y on each side that one pixel of its bicubic interpolation depends on, and one to spare."""

N = TypeVar("N", bound="NetworkMethod")


@dataclass(frozen=True, slots=True)
class NetworkMethod(Method):
    """A method that runs a trained network; σ, where the network takes it, is that of the problem.

    A subclass names the architectures it runs and the weights for a problem. The network is given y, or where it
    ``interpolates`` the bicubic interpolation of y on the grid of x; its output is x, less what lies beyond the grid.

    Attributes:
        weights: a name of the store or the path of a file.
        precision: of the computation; ``auto`` is bfloat16 where device and network lose nothing by it.
    """

    architectures: ClassVar[tuple[str, ...]]
    interpolates: ClassVar[bool] = False

    weights: str
    precision: Precision = "auto"

    @classmethod
    def weights_for(cls, problem: Problem) -> str:
        """The name of the weights for such a problem; the default where there is one network for all."""
        return cls.__dataclass_fields__["weights"].default

    @classmethod
    def for_problem(cls: type[N], problem: Problem) -> N:
        """The network with the weights for such a problem."""
        return cls(weights=cls.weights_for(problem))

    def solve(self, problem: Problem, context: Context) -> Result:
        """Run the network once.

        Raises:
            MissingWeights: the weights are not on this machine.
            FileProblem: their file is damaged.
            CannotSolve: it holds another architecture, or a network for another scale or number of channels.
            InvalidInput: the network takes σ, and that is unknown.
        """
        trained = self.trained(problem)
        scale = problem.H.scale if isinstance(problem.H, Downsample) else 1
        if not self.interpolates and trained.network.scale != scale:
            raise CannotSolve(
                f"{trained.name} enlarges {trained.network.scale} times, not {scale:g}: "
                "give other weights, or that scale"
            )
        sigma = problem.sigma if trained.network.takes_noise_map else 0.0
        y = problem.H.first_guess(problem.y) if self.interpolates else problem.y
        height, width = problem.size
        x = self.output_of(trained, y, sigma)[..., :height, :width]
        return Result(x, Status.done(f"with the weights {trained.name}"))

    def trained(self, problem: Problem) -> Trained:
        """The network on the device of y."""
        sigma = problem.noise.sigma or 0.0
        return load(self.weights, self.architectures, problem.y.device, self.precision, sigma)

    def output_of(self, trained: Trained, y: Float[Tensor, "b c h w"], sigma: float) -> Float[Tensor, "b c i j"]:
        """What the network makes of y; overridden where the paper does not run it once over the whole."""
        return run_network(trained, y, sigma)


def reach_of(method: NetworkMethod) -> int | None:
    """Radius in pixels of y that a pixel of x depends on; None for the whole image, or where the weights are not here.

    Behind an interpolation a pixel of x counts as one of y, which is more than enough at any scale.

    Raises:
        FileProblem: the file of the weights is damaged.
        CannotSolve: it holds another architecture.
    """
    try:
        halo = load(method.weights, method.architectures, torch.device("cpu"), method.precision).network.halo
    except MissingWeights:
        return None
    return None if halo is None else halo + (BICUBIC_REACH if method.interpolates else 0)


def super_resolution_spec(
    name: str,
    paper: str,
    doi: str,
    *,
    colour: Colour,
    weights: tuple[str, ...],
    published: tuple[str, ...] = (),
    multiple_of: int = 1,
) -> Spec:
    """What the networks for MATLAB's bicubic reduction have in common; the arguments are those of :class:`Spec`."""
    return Spec(
        name=name,
        tasks=("super-resolve",),
        solves=(Downsample,),
        among=("bicubic", _is_bicubic),
        colour=colour,
        paper=paper,
        doi=doi,
        needs_sigma=False,
        halo=reach_of,
        multiple_of=multiple_of,
        keeps_constants=False,
        weights=weights,
        published=published,
    )


def scale_of(problem: Problem, least: int, most: int) -> int:
    """The whole number nearest to the scale of the problem, of those from ``least`` to ``most``."""
    H = problem.H
    return min(max(round(H.scale), least), most) if isinstance(H, Downsample) else most


def _is_bicubic(H: Any) -> bool:
    return H.kernel == "bicubic"
