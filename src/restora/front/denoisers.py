"""Denoisers by name: a method of the catalog that denoises, or the weights of a network that takes the noise level."""

from dataclasses import dataclass
from difflib import get_close_matches

import torch
from jaxtyping import Float
from torch import Tensor

from restora import catalog
from restora.core.denoiser import Denoiser
from restora.core.errors import CannotSolve, MissingWeights
from restora.core.method import Context
from restora.core.problem import Problem
from restora.front.adapters import adapters_for, carried_out
from restora.noise.gaussian import Gaussian
from restora.operators.identity import Identity
from restora.weights.denoiser import NetworkDenoiser
from restora.weights.store import find


@dataclass(frozen=True, slots=True)
class MethodDenoiser:
    """A method of the catalog as a denoiser, with its paper's parameters for each noise level.

    Colour is treated as the method declares; images smaller than it takes are extended by reflection, and cropped.

    Args:
        name: of the method.

    Raises:
        UnknownName: there is no such method.
        CannotSolve: it does not denoise.
    """

    name: str

    def __post_init__(self) -> None:
        entry = catalog.find(self.name)
        if "denoise" not in entry.tasks:
            raise CannotSolve(
                f"{self.name} is no denoiser: it is made to {' and '.join(entry.tasks)}; "
                f"`restora methods --task denoise` lists those that are"
            )

    def __call__(self, x: Float[Tensor, "b c h w"], sigma: float) -> Float[Tensor, "b c h w"]:
        """The images without noise of standard deviation ``sigma`` on [0, 1]."""
        problem = Problem(x, Identity(), Gaussian(sigma))
        method = catalog.find(self.name).load().for_problem(problem)
        context = Context(torch.Generator(device=x.device).manual_seed(0))
        return carried_out(method, adapters_for(problem, method), problem, context).x

    def __str__(self) -> str:
        return self.name


def denoiser_named(name: str) -> Denoiser:
    """The denoiser of that name: a method of the task ``denoise``, else the name or path of weights.

    Raises:
        CannotSolve: the method of that name does not denoise.
        MissingWeights: there is neither such a method nor are there such weights; the message names methods near it.
        FileProblem: it is the path of a folder.
    """
    if name in catalog.names():
        return MethodDenoiser(name)
    try:
        find(name)
    except MissingWeights as missing:
        near = get_close_matches(name, [entry.name for entry in catalog.entries(task="denoise")], n=3, cutoff=0.7)
        if not near:
            raise
        raise MissingWeights(f"{missing}; a denoising method with a like name is {' or '.join(near)}") from missing
    return NetworkDenoiser(name)
