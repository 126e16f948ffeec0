"""Identity: y = x + n, the operator of denoising."""

from dataclasses import dataclass

from jaxtyping import Float
from torch import Tensor

from restora.core.operator import Operator, Size


@dataclass(frozen=True, eq=False)
class Identity(Operator):
    """H = I."""

    def __call__(self, x: Float[Tensor, "b c h w"]) -> Float[Tensor, "b c h w"]:
        return x

    def adjoint(self, y: Float[Tensor, "b c h w"]) -> Float[Tensor, "b c h w"]:
        return y

    def output_size(self, size: Size) -> Size:
        return size

    def input_size(self, size: Size) -> Size:
        return size

    def prox(self, z: Float[Tensor, "b c h w"], y: Float[Tensor, "b c h w"], rho: float) -> Float[Tensor, "b c h w"]:
        """(y + ρz) / (1 + ρ)."""
        return (y + rho * z) / (1 + rho)

    @property
    def exact_prox(self) -> bool:
        return True

    @property
    def is_sampling(self) -> bool:
        return True

    def norm_bound(self, size: Size, channels: int = 1) -> float:
        return 1.0

    def first_guess(self, y: Float[Tensor, "b c h w"]) -> Float[Tensor, "b c h w"]:
        """y."""
        return y

    @property
    def reach(self) -> int:
        return 0
