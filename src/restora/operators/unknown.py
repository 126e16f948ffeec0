"""Operators of which not all is known: the blur of blind deblurring, and the degradation of a photograph."""

from abc import abstractmethod
from dataclasses import dataclass
from typing import NoReturn

from jaxtyping import Float
from torch import Tensor

from restora.core.errors import CannotSolve, InvalidParameter
from restora.core.operator import Operator, Size


class _Unknown(Operator):
    """An operator that keeps the size and cannot be applied."""

    __slots__ = ()

    @property
    def is_known(self) -> bool:
        return False

    def __call__(self, x: Float[Tensor, "b c h w"]) -> Float[Tensor, "b c h w"]:
        self._refuse()

    def adjoint(self, y: Float[Tensor, "b c h w"]) -> Float[Tensor, "b c h w"]:
        self._refuse()

    def output_size(self, size: Size) -> Size:
        return size

    def input_size(self, size: Size) -> Size:
        return size

    @abstractmethod
    def _refuse(self) -> NoReturn:
        """Raise CannotSolve with what to do instead."""
        raise NotImplementedError


@dataclass(frozen=True, eq=False)
class UnknownBlur(_Unknown):
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

    def _refuse(self) -> NoReturn:
        raise CannotSolve("the blur is unknown: use a blind method, or give its PSF as Blur(psf)")


@dataclass(frozen=True, eq=False)
class UnknownDegradation(_Unknown):
    """A degradation of which nothing is known: blur, noise and compression are looked for. It cannot be applied.

    Args:
        jpeg_quality: the quality, 1 to 100, that the tables of a JPEG file stand for; None for other files.

    Raises:
        CannotSolve: whenever it is applied.
    """

    jpeg_quality: int | None = None

    def _refuse(self) -> NoReturn:
        raise CannotSolve("the degradation is unknown: restora.restore estimates it, and methods need to know it")
