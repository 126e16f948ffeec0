"""Operator: the contract of H in y = Hx + n.

An operator maps images to images linearly and behaves like the symbol: ``H(x)``, ``H.T(y)``, ``A @ B``, ``A + B``,
``2.0 * A``. It declares what methods need: its proximal map, a bound on its norm, a first guess, how it is tiled.
"""

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TypeVar

import torch
from jaxtyping import Float
from torch import Tensor

from restora.core.conjugate_gradient import conjugate_gradient
from restora.core.errors import CannotSolve, InvalidInput, InvalidParameter
from restora.core.first_guess import local_mean

Size = tuple[int, int]
"""Height and width of an image, in pixels."""

_T = TypeVar("_T")

_MARGIN = 1.01  # what power iterations, which approach the norm from below, may still miss


class Operator(ABC):
    """A linear map H from images x to measurements y; subclasses are frozen dataclasses, one a file in ``operators/``.

    A subclass writes :meth:`__call__`, :meth:`adjoint`, :meth:`output_size` and :meth:`input_size`. It overrides
    :meth:`prox` (with :attr:`exact_prox`), :meth:`norm_bound` and :meth:`first_guess` where it knows better than the
    general form, and :meth:`window`, :meth:`channel` where it holds something image-sized. Tensors it holds are moved
    to the device and dtype of the image at each call. It has no state besides its fields.
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

    def output_channels(self, channels: int) -> int:
        """Channels of Hx for an x of so many channels."""
        return channels

    @property
    def is_known(self) -> bool:
        """Whether H can be applied; False for the unknown blur of blind deblurring."""
        return True

    @property
    def is_sampling(self) -> bool:
        """Whether each pixel of Hx is that pixel of x or zero: every proximal map in Hx is then pixel by pixel."""
        return False

    @property
    def exact_prox(self) -> bool:
        """Whether :meth:`prox` has a closed form that costs about as much as applying H a few times."""
        return False

    @property
    def T(self) -> "Operator":
        """The adjoint as an operator."""
        return Adjoint(self)

    def __matmul__(self, other: "Operator") -> "Operator":
        """Composition: ``(A @ B)(x) = A(B(x))``."""
        return Composition(self, other)

    def __add__(self, other: "Operator") -> "Operator":
        """Sum: ``(A + B)(x) = A(x) + B(x)``."""
        return Sum(self, other)

    def __sub__(self, other: "Operator") -> "Operator":
        """Difference: ``(A − B)(x) = A(x) − B(x)``."""
        return Sum(self, Scaled(-1.0, other))

    def __mul__(self, factor: float) -> "Operator":
        """Multiple: ``(aA)(x) = a · A(x)``."""
        return Scaled(float(factor), self)

    __rmul__ = __mul__

    def __neg__(self) -> "Operator":
        return Scaled(-1.0, self)

    def prox(self, z: Float[Tensor, "b c h w"], y: Float[Tensor, "b d i j"], rho: float) -> Float[Tensor, "b c h w"]:
        """argmin_x ½‖Hx − y‖² + ρ/2 ‖x − z‖², with ρ > 0.

        This general form solves (HᵀH + ρI) x = Hᵀy + ρz by conjugate gradients from z, to a relative residual of 1e-6
        in at most 200 steps.
        """
        return conjugate_gradient(lambda x: self.adjoint(self(x)) + rho * x, self.adjoint(y) + rho * z, z)

    def norm_bound(self, size: Size, channels: int = 1) -> float:
        """A number that is not below the spectral norm ‖H‖ on images of that size, and not far above it.

        This general form runs power iterations on HᵀH in float64 until the value moves by less than 1e-6 of itself,
        500 at most, and adds one per cent, as they approach the norm from below. Operators of restora have a bound that
        is proved and costs a few applications of H at most.
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
        return _MARGIN * value

    def first_guess(self, y: Float[Tensor, "b d i j"]) -> Float[Tensor, "b c h w"]:
        """An image of the size of x, made of y = Hx without any prior, for iterations that begin near the scene.

        This general form is the local mean (G ∗ Hᵀy)/(G ∗ HᵀH1) with Gaussians G of 8, 4, 2 and 1 pixels, each where it
        covers enough of the measurement, else the coarser one; for a mosaic this is a smooth interpolation of each
        colour. Where HᵀH1 has negative pixels or vanishes there is no mean; it is then Hᵀy/‖H‖², a gradient step.

        Raises:
            CannotSolve: H is unknown.
        """
        seen = self.adjoint(y)
        weight = self.adjoint(self(torch.ones_like(seen)))
        energy = self.norm_bound((seen.shape[-2], seen.shape[-1]), seen.shape[1]) ** 2
        if float(weight.min()) < -1e-4 * energy or float(weight.mean()) < 1e-6 * energy:
            return seen / max(energy, torch.finfo(y.dtype).tiny)
        return local_mean(seen, weight)

    @property
    def stride(self) -> int | None:
        """Pixels of x from one pixel of Hx to the next, along both axes; None where that is no integer."""
        return 1

    @property
    def reach(self) -> int | None:
        """Radius, in pixels of y, of what one pixel of Hx depends on; None when it is the whole image."""
        return None

    def window(self, top: int, left: int, height: int, width: int) -> "Operator":
        """The operator that belongs to this window of y (rows ``top`` to ``top + height`` …), used to work in tiles.

        It takes the window of x that begins at ``stride`` times that corner, and agrees with H wherever a pixel is at
        least :attr:`reach` away from the sides that were cut.

        Raises:
            CannotSolve: :attr:`reach` is None.
        """
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

    def input_channels(self, channels: int) -> int:
        return self.of.output_channels(channels)

    def output_channels(self, channels: int) -> int:
        return self.of.input_channels(channels)

    @property
    def is_known(self) -> bool:
        return self.of.is_known

    @property
    def T(self) -> Operator:
        return self.of

    def norm_bound(self, size: Size, channels: int = 1) -> float:
        return self.of.norm_bound(self.output_size(size), self.output_channels(channels))

    def channel(self, index: int) -> Operator:
        return Adjoint(self.of.channel(index))


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

    def output_channels(self, channels: int) -> int:
        return self.outer.output_channels(self.inner.output_channels(channels))

    @property
    def is_known(self) -> bool:
        return self.outer.is_known and self.inner.is_known

    def norm_bound(self, size: Size, channels: int = 1) -> float:
        """‖A‖ ‖B‖."""
        between = self.inner.output_size(size), self.inner.output_channels(channels)
        return self.outer.norm_bound(*between) * self.inner.norm_bound(size, channels)

    @property
    def stride(self) -> int | None:
        outer, inner = self.outer.stride, self.inner.stride
        return None if outer is None or inner is None else outer * inner

    @property
    def reach(self) -> int | None:
        """The sum of the reach of A and that of B on the grid between the two, in pixels of y."""
        outer, inner, stride = self.outer.reach, self.inner.reach, self.outer.stride
        if outer is None or inner is None or stride is None or self.inner.stride is None:
            return None
        return outer + math.ceil(inner / stride)

    def window(self, top: int, left: int, height: int, width: int) -> Operator:
        if self.reach is None or self.outer.stride is None:
            return super().window(top, left, height, width)
        outer = self.outer.window(top, left, height, width)
        corner = self.outer.stride * top, self.outer.stride * left
        return Composition(outer, self.inner.window(*corner, *outer.input_size((height, width))))

    def channel(self, index: int) -> Operator:
        return Composition(self.outer.channel(index), self.inner.channel(index))


@dataclass(frozen=True, eq=False)
class Sum(Operator):
    """A + B.

    Raises:
        InvalidInput: when applied, the two make images of different sizes or channels.
    """

    first: Operator
    second: Operator

    def __call__(self, x: Tensor) -> Tensor:
        a, b = self.first(x), self.second(x)
        _same(a.shape, b.shape)
        return a + b

    def adjoint(self, y: Tensor) -> Tensor:
        a, b = self.first.adjoint(y), self.second.adjoint(y)
        _same(a.shape, b.shape)
        return a + b

    def output_size(self, size: Size) -> Size:
        return _same(self.first.output_size(size), self.second.output_size(size))

    def input_size(self, size: Size) -> Size:
        return _same(self.first.input_size(size), self.second.input_size(size))

    def input_channels(self, channels: int) -> int:
        return _same(self.first.input_channels(channels), self.second.input_channels(channels))

    def output_channels(self, channels: int) -> int:
        return _same(self.first.output_channels(channels), self.second.output_channels(channels))

    @property
    def is_known(self) -> bool:
        return self.first.is_known and self.second.is_known

    def norm_bound(self, size: Size, channels: int = 1) -> float:
        """‖A‖ + ‖B‖."""
        return self.first.norm_bound(size, channels) + self.second.norm_bound(size, channels)

    @property
    def stride(self) -> int | None:
        return self.first.stride if self.first.stride == self.second.stride else None

    @property
    def reach(self) -> int | None:
        a, b = self.first.reach, self.second.reach
        return None if a is None or b is None or self.stride is None else max(a, b)

    def window(self, top: int, left: int, height: int, width: int) -> Operator:
        if self.reach is None:
            return super().window(top, left, height, width)
        return Sum(self.first.window(top, left, height, width), self.second.window(top, left, height, width))

    def channel(self, index: int) -> Operator:
        return Sum(self.first.channel(index), self.second.channel(index))


@dataclass(frozen=True, eq=False)
class Scaled(Operator):
    """aA.

    Raises:
        InvalidParameter: a is zero or not finite.
    """

    factor: float
    of: Operator

    def __post_init__(self) -> None:
        if not 0 < abs(self.factor) < math.inf:
            raise InvalidParameter.outside("factor", self.factor, "finite and not zero")

    def __call__(self, x: Tensor) -> Tensor:
        return self.factor * self.of(x)

    def adjoint(self, y: Tensor) -> Tensor:
        return self.factor * self.of.adjoint(y)

    def output_size(self, size: Size) -> Size:
        return self.of.output_size(size)

    def input_size(self, size: Size) -> Size:
        return self.of.input_size(size)

    def input_channels(self, channels: int) -> int:
        return self.of.input_channels(channels)

    def output_channels(self, channels: int) -> int:
        return self.of.output_channels(channels)

    @property
    def is_known(self) -> bool:
        return self.of.is_known

    @property
    def exact_prox(self) -> bool:
        return self.of.exact_prox

    def prox(self, z: Tensor, y: Tensor, rho: float) -> Tensor:
        """The proximal map of A for y/a and ρ/a²."""
        return self.of.prox(z, y / self.factor, rho / self.factor**2)

    def norm_bound(self, size: Size, channels: int = 1) -> float:
        return abs(self.factor) * self.of.norm_bound(size, channels)

    def first_guess(self, y: Tensor) -> Tensor:
        return self.of.first_guess(y / self.factor)

    @property
    def stride(self) -> int | None:
        return self.of.stride

    @property
    def reach(self) -> int | None:
        return self.of.reach

    def window(self, top: int, left: int, height: int, width: int) -> Operator:
        return Scaled(self.factor, self.of.window(top, left, height, width))

    def channel(self, index: int) -> Operator:
        return Scaled(self.factor, self.of.channel(index))


def _same(a: _T, b: _T) -> _T:
    if a != b:
        raise InvalidInput(f"the operators of a sum must agree in size and channels: one has {a}, the other {b}")
    return a
