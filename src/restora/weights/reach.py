"""Reach: how far the network of a file of weights looks, for the halo of tiles."""

import torch

from restora.core.errors import MissingWeights
from restora.nets.precision import Precision
from restora.weights.load import load

BICUBIC_REACH = 3
"""Pixels of y on each side that one pixel of its bicubic interpolation depends on, and one to spare."""


def reach_of(weights: str, architectures: tuple[str, ...], precision: Precision, *, interpolated: bool) -> int | None:
    """Radius in pixels of y of what a pixel of x depends on; None for the whole, or where the weights are not here.

    Args:
        weights: as for :func:`restora.weights.load.load`.
        architectures: as there.
        precision: as there.
        interpolated: the network runs behind a bicubic interpolation. Then a pixel of x counts as one of y, which is
            more than enough at any scale.

    Raises:
        FileProblem: the file is damaged.
        CannotSolve: it holds another architecture.
    """
    try:
        halo = load(weights, architectures, torch.device("cpu"), precision).network.halo
    except MissingWeights:
        return None
    return None if halo is None else halo + (BICUBIC_REACH if interpolated else 0)
