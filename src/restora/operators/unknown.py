"""UnknownBlur: the operator of blind deblurring, known only by its size."""

from dataclasses import dataclass
from typing import NoReturn

from jaxtyping import Float
from torch import Tensor

from restora.core.errors import CannotSolve, InvalidParameter
from restora.core.operator import Operator, Size


@dataclass(frozen=True, eq=False)
class UnknownBlur(Operator):
    """A uniform blur whose PSF is not known; a blind method finds it. It cannot be applied.

    Args:
        size: side of the square that holds the PSF, in pixels, odd.

    Raises:
        InvalidParameter: a size that is not an odd number >= 3.
        CannotSolve: whenever it is applied.
    """

    size: int = 31

    def __post_init__(self) -> None:
        if self.size < 3 or self.size % 2 == 0:
            raise InvalidParameter.outside("size", self.size, "an odd number >= 3")

    def __call__(self, x: Float[Tensor, "b c h w"]) -> Float[Tensor, "b c h w"]:
        self._refuse()

    def adjoint(self, y: Float[Tensor, "b c h w"]) -> Float[Tensor, "b c h w"]:
        self._refuse()

    def output_size(self, size: Size) -> Size:
        return size

    def input_size(self, size: Size) -> Size:
        return size

    @property
    def is_known(self) -> bool:
        return False

    def _refuse(self) -> NoReturn:
        raise CannotSolve("the blur is unknown: use a blind method, or give its PSF as Blur(psf)")
