"""Separable transforms of square blocks, as matrices: cosine, sine, and the biorthogonal wavelet of BM3D."""

import math
from dataclasses import dataclass
from typing import Literal, get_args

import torch
from jaxtyping import Float
from torch import Tensor

from restora.core.errors import InvalidParameter, UnknownName

TransformName = Literal["bior1.5", "dct", "dst"]
"""``bior1.5``: the full dyadic wavelet decomposition with the biorthogonal spline filters of that name, sides 2, 4, 8
… ; ``dct``: the orthonormal DCT-II; ``dst``: the orthonormal DST-I."""

_HIGH = (1.0, -1.0)
_LOW = (3.0, -3.0, -22.0, 22.0, 128.0, 128.0, 22.0, -22.0, -3.0, 3.0)
"""Analysis kernels of bior1.5 (Cohen, Daubechies, Feauveau 1992) but for a factor, which the normalisation settles."""


@dataclass(frozen=True, eq=False, slots=True)
class BlockTransform:
    """A separable transform of blocks of n x n pixels: C = A Z Aᵀ, Z = B C Bᵀ with B = A⁻¹.

    Attributes:
        forward: A. Its rows have norm one, so that white noise keeps its standard deviation in every coefficient.
        inverse: B.
    """

    forward: Float[Tensor, "n n"]
    inverse: Float[Tensor, "n n"]


def block_transform(name: str, side: int) -> BlockTransform:
    """The transform of that name for blocks of that side, in float64.

    Raises:
        UnknownName: there is no such transform.
        InvalidParameter: the wavelets need a side that is a power of two.
    """
    if name not in get_args(TransformName):
        raise UnknownName.among("transform", name, get_args(TransformName))
    if name == "bior1.5":
        forward = _wavelets(side)
        return BlockTransform(forward, torch.linalg.inv(forward))
    i = torch.arange(side, dtype=torch.float64)
    if name == "dct":
        forward = torch.cos(math.pi / side * i[:, None] * (i + 0.5)) * math.sqrt(2 / side)
        forward[0] /= math.sqrt(2)
    else:
        forward = torch.sin(math.pi / (side + 1) * (i[:, None] + 1) * (i + 1)) * math.sqrt(2 / (side + 1))
    return BlockTransform(forward, forward.T.contiguous())


def _wavelets(side: int) -> Float[Tensor, "n n"]:
    """Rows: the approximation, then details from coarse to fine, of a periodic signal; each of norm one."""
    if side < 1 or side & (side - 1):
        raise InvalidParameter.outside("side", side, "a power of two, for wavelets")
    approximation = torch.eye(side, dtype=torch.float64)
    details: list[Tensor] = []
    while len(approximation) > 1:
        details.insert(0, _every_second(_HIGH, approximation))
        approximation = _every_second(_LOW, approximation)
    matrix = torch.cat((approximation, *details))
    return matrix / torch.linalg.vector_norm(matrix, dim=1, keepdim=True)


def _every_second(kernel: tuple[float, ...], rows: Float[Tensor, "m n"]) -> Float[Tensor, "k n"]:
    """Combinations of periodic rows with a kernel centred between the rows 2k and 2k + 1."""
    out = rows.new_zeros(len(rows) // 2, rows.shape[1])
    for j, tap in enumerate(kernel):
        out += tap * rows.roll(len(kernel) // 2 - 1 - j, 0)[::2]
    return out
