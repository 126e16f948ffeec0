"""The legacy generators of MATLAB, ``rand('seed', k)`` and ``randn('seed', k)``: the noise of much of the literature.

The state is a Lehmer generator, s ← 16807 s mod (2³¹ − 1), and s / (2³¹ − 1) the uniform. A normal is made from pairs
of uniforms by Marsaglia's polar method, of which only the first of the two normals is used: a = 2u₁ − 1, b = 2u₂ − 1,
t = a² + b², rejected if t > 1, else a·√(−2 ln(t) / t).

The seed k becomes the first state by a change of its bits: the low 15 are shifted up by 16, bit 15 stays, and the high
15 are shifted down; a state of 0 becomes 1144108930, as for k = 0. The seed 0 is checked against 65,536 published
normals and a published mask, the seed 1 against published first values; larger seeds follow the same rule, which
MathWorks' generated code contains, but are not checked.
"""

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from restora.core.errors import InvalidParameter
from restora.core.kernels import kernel
from restora.noise.gaussian import Gaussian

_MODULUS = 2**31 - 1


def rand_v4(shape: tuple[int, ...], seed: int = 0) -> Float[Tensor, "..."]:
    """``rand('seed', seed); rand(shape)``: uniforms in float64, filled down the columns as MATLAB does.

    Raises:
        InvalidParameter: the seed is not between 0 and 2³¹ − 1.
    """
    return _column_major(_uniforms(_first_state(seed), int(np.prod(shape))), shape)


def randn_v4(shape: tuple[int, ...], seed: int = 0) -> Float[Tensor, "..."]:
    """``randn('seed', seed); randn(shape)``: standard normals in float64, filled down the columns, plane after plane.

    ``shape`` is MATLAB's, (rows, columns) or (rows, columns, planes).

    Raises:
        InvalidParameter: the seed is not between 0 and 2³¹ − 1.
    """
    return _column_major(_normals(_first_state(seed), int(np.prod(shape))), shape)


@dataclass(frozen=True, slots=True)
class MatlabV4Gaussian(Gaussian):
    """Gaussian noise σ·randn(size(x)) after ``randn('seed', seed)``, for each image of the batch anew.

    The sample depends on nothing but σ, the seed and the size: ``generator`` is ignored, as the legacy scripts do.
    Channels are the planes of one MATLAB array (h, w, c).

    Args:
        sigma: σ on [0, 1], >= 0.
        seed: between 0 and 2³¹ − 1.

    Raises:
        InvalidParameter: σ or the seed is out of range.
    """

    seed: int = 0

    def __post_init__(self) -> None:
        Gaussian(self.sigma)
        _first_state(self.seed)

    def sample(self, x: Float[Tensor, "b c h w"], generator: torch.Generator | None = None) -> Float[Tensor, "b c h w"]:
        _, c, h, w = x.shape
        n = randn_v4((h, w, c), self.seed).movedim(-1, 0)
        return (x.double() + self.sigma * n.to(x.device)).to(x.dtype)


def _first_state(seed: int) -> int:
    if not 0 <= seed <= _MODULUS:
        raise InvalidParameter.outside("seed", seed, "between 0 and 2147483647")
    state = (seed & 0x7FFF) << 16 | seed & 0x8000 | seed >> 16
    return min(state, _MODULUS - 1) if state else 1144108930


def _column_major(values: np.ndarray, shape: tuple[int, ...]) -> Tensor:
    return torch.from_numpy(values.reshape(shape, order="F").copy(order="C"))


@kernel
def _uniforms(state: int, count: int) -> np.ndarray:
    out = np.empty(count)
    for i in range(count):
        state = 16807 * state % 2147483647
        out[i] = state / 2147483647
    return out


@kernel
def _normals(state: int, count: int) -> np.ndarray:
    out = np.empty(count)
    for i in range(count):
        a, t = 0.0, 2.0
        while t > 1:
            state = 16807 * state % 2147483647
            a = 2 * (state / 2147483647) - 1
            state = 16807 * state % 2147483647
            b = 2 * (state / 2147483647) - 1
            t = a * a + b * b
        out[i] = a * np.sqrt(-2 * np.log(t) / t)
    return out
