"""The blur kernels of the literature's protocols, by the names ``suites.toml`` calls them."""

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

import torch
from jaxtyping import Float
from torch import Tensor

from restora.core.errors import MissingData, UnknownName
from restora.evaluation.sets import read_array


def _grid(radius: int) -> tuple[Float[Tensor, "k k"], Float[Tensor, "k k"]]:
    t = torch.arange(-radius, radius + 1, dtype=torch.float64)
    i, j = torch.meshgrid(t, t, indexing="ij")
    return i, j


def _inverse_quadratic(radius: int) -> Float[Tensor, "k k"]:
    """1 / (1 + i² + j²)."""
    i, j = _grid(radius)
    return 1 / (1 + i**2 + j**2)


def _binomial() -> Float[Tensor, "5 5"]:
    """[1 4 6 4 1]ᵀ [1 4 6 4 1]."""
    row = torch.tensor([1.0, 4.0, 6.0, 4.0, 1.0], dtype=torch.float64)
    return row[:, None] * row


def _gaussian(radius: int, scale: float) -> Float[Tensor, "k k"]:
    """MATLAB's ``fspecial('gaussian', 2·radius + 1, scale)``."""
    i, j = _grid(radius)
    return torch.exp(-(i**2 + j**2) / (2 * scale**2))


_FORMULAS: Mapping[str, Float[Tensor, "k k"]] = MappingProxyType(
    {
        "inverse-quadratic-15": _inverse_quadratic(7),
        "uniform-9": torch.ones(9, 9, dtype=torch.float64),
        "binomial-5": _binomial(),
        "gaussian-25-1.6": _gaussian(12, 1.6),
        "gaussian-25-0.4": _gaussian(12, 0.4),
    }
)

_LEVIN = tuple(f"levin-{k}" for k in range(1, 9))


def find_psf(name: str, data: Path) -> Float[Tensor, "kh kw"]:
    """The kernel of that name, float64, of sum one; the kernels of Levin et al. 2009 are read from ``data``.

    Raises:
        UnknownName: there is none; the message names the nearest.
        MissingData: the file of Levin's kernels is not there.
    """
    if name in _LEVIN:
        path = data / "kernels" / "levin09.npz"
        if not path.is_file():
            raise MissingData(f"the kernels of Levin et al. 2009 are not there: expected {path} with arrays k1 … k8")
        psf = torch.from_numpy(read_array(path, f"k{name.removeprefix('levin-')}"))
    elif name in _FORMULAS:
        psf = _FORMULAS[name]
    else:
        raise UnknownName.among("blur kernel", name, (*_FORMULAS, *_LEVIN))
    return psf / psf.sum()
