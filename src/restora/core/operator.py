"""Operator: the contract of H in y = Hx + n.

An operator maps images to images linearly. It behaves like the symbol: ``H(x)``, ``H.T(y)``, ``A @ B``; it knows its
norm and solves its own proximal problem, by conjugate gradients unless it has a closed form.
"""

from abc import ABC, abstractmethod
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from restora.core.conjugate_gradient import conjugate_gradient
from restora.core.errors import CannotSolve

Size = tuple[int, int]
"""Height and width of an image, in pixels."""


class Operator(ABC):
    """A linear map H from images x to measurements y; subclasses are frozen dataclasses, one a file in ``operators/``.

    A subclass writes :meth:`__call__`, :meth:`adjoint`, :meth:`output_size` and :meth:`input_size`. It overrides
    :meth:`prox` and :meth:`norm` where a closed form exists, and :meth:`window`, :meth:`channel` where it holds
    something image-sized. Tensors it holds are moved to the device and dtype of the image at each call.
    """

    __slots__ = ()

    @abstractmethod
    def __call__(self, x: Float[Tensor, "b c h w"]) -> Float[Tensor, "b d i j"]:
        """Hx."""

    @abstractmethod
    def adjoint(self, y: Float[Tensor, "b d i j"]) -> Float[Tensor, "b c h w"]:
        """Hᵀy, the true adjoint: ⟨Hx, y⟩ = ⟨x, Hᵀy⟩ for all x and y."""

    @abstractmethod
    def output_size(self, size: Size) -> Size:
        """Size of Hx for an x of the given size."""

    @abstractmethod
    def input_size(self, size: Size) -> Size:
        """Size of the x that is to be restored from a y of the given size."""

    def input_channels(self, channels: int) -> int:
        """Channels of x for a y of so many channels (a colour mosaic has 1, its scene 3)."""
        return channels

    @property
    def is_known(self) -> bool:
        """Whether H can be applied; False for the unknown blur of blind deblurring."""
        return True

    @property
    def T(self) -> "Operator":
        """The adjoint as an operator."""
        return Adjoint(self)

    def __matmul__(self, other: "Operator") -> "Operator":
        """Composition: ``(A @ B)(x) = A(B(x))``."""
        return Composition(self, other)

    def prox(self, z: Float[Tensor, "b c h w"], y: Float[Tensor, "b d i j"], rho: float) -> Float[Tensor, "b c h w"]:
        """argmin_x ½‖Hx − y‖² + ρ/2 ‖x − z‖², with ρ > 0.

        This general form solves (HᵀH + ρI) x = Hᵀy + ρz by conjugate gradients from z, to a relative residual of 1e-6
        in at most 200 steps.
        """
        return conjugate_gradient(lambda x: self.adjoint(self(x)) + rho * x, self.adjoint(y) + rho * z, z)

    def norm(self, size: Size, channels: int = 1) -> float:
        """Spectral norm ‖H‖ on images of that size: the largest singular value.

        This general form runs power iterations on HᵀH in float64 until the value moves by less than 1e-6 of itself,
        500 at most; it approaches the norm from below.
        """
        generator = torch.Generator().manual_seed(0)
        x = torch.randn(1, channels, *size, generator=generator, dtype=torch.float64)
        value = 0.0
        for _ in range(500):
            x = x / x.norm().clamp_min(torch.finfo(x.dtype).tiny)
            x = self.adjoint(self(x))
            previous, value = value, float(x.norm()) ** 0.5
            if abs(value - previous) <= 1e-6 * value:
                break
        return value

    @property
    def reach(self) -> int | None:
        """Radius, in pixels of y, of what one pixel of Hx depends on; None when it is the whole image."""
        return None

    def window(self, top: int, left: int, height: int, width: int) -> "Operator":
        """The operator that belongs to this window of y (rows ``top`` to ``top + height`` …), used to work in tiles."""
        if self.reach is None:
            raise CannotSolve(f"{type(self).__name__} cannot be cut into tiles: restore the image whole (tile=None)")
        return self

    def channel(self, index: int) -> "Operator":
        """The operator of one channel, for methods that work channel by channel."""
        return self


@dataclass(frozen=True, eq=False)
class Adjoint(Operator):
    """Aᵀ as an operator."""

    of: Operator

    def __call__(self, x: Tensor) -> Tensor:
        return self.of.adjoint(x)

    def adjoint(self, y: Tensor) -> Tensor:
        return self.of(y)

    def output_size(self, size: Size) -> Size:
        return self.of.input_size(size)

    def input_size(self, size: Size) -> Size:
        return self.of.output_size(size)

    @property
    def T(self) -> Operator:
        return self.of


@dataclass(frozen=True, eq=False)
class Composition(Operator):
    """A ∘ B: first ``inner`` (B), then ``outer`` (A)."""

    outer: Operator
    inner: Operator

    def __call__(self, x: Tensor) -> Tensor:
        return self.outer(self.inner(x))

    def adjoint(self, y: Tensor) -> Tensor:
        return self.inner.adjoint(self.outer.adjoint(y))

    def output_size(self, size: Size) -> Size:
        return self.outer.output_size(self.inner.output_size(size))

    def input_size(self, size: Size) -> Size:
        return self.inner.input_size(self.outer.input_size(size))

    def input_channels(self, channels: int) -> int:
        return self.inner.input_channels(self.outer.input_channels(channels))

    def channel(self, index: int) -> Operator:
        return Composition(self.outer.channel(index), self.inner.channel(index))
