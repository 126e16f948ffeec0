"""Frame: the contract of every transform here, from images to bands of coefficients and back."""

from typing import Protocol, runtime_checkable

from jaxtyping import Float
from torch import Tensor

from restora.core.operator import Size

Bands = tuple[Tensor, ...]
"""Coefficients of a batch of images: real tensors (b, c, ...), the approximation (what no one thresholds) first, then
the details from the coarsest scale to the finest. Complex coefficients are real with a last axis of 2 (real part,
imaginary part). What else the axes are, each frame says."""


@runtime_checkable
class Frame(Protocol):
    """W, a linear map from images to :data:`Bands` with a left inverse: synthesis(analysis(x)) = x for every size.

    A frozen, slotted dataclass whose fields are the parameters of the transform. It runs on any device, in float32 and
    float64 (half precision is computed and returned in float32), and gradients flow through both directions.
    """

    @property
    def tight(self) -> bool:
        """‖Wx‖ = ‖x‖ for all x, so that synthesis is the adjoint Wᵀ of analysis."""
        ...

    def analysis(self, x: Float[Tensor, "b c h w"]) -> Bands:
        """Wx."""
        ...

    def synthesis(self, bands: Bands, size: Size) -> Float[Tensor, "b c h w"]:
        """The left inverse of W, for images of that height and width; Wᵀ where the frame is tight."""
        ...

    def norms(self, size: Size) -> Bands:
        """Euclidean norms of the rows of W for images of that size, which broadcast against the bands.

        White noise of standard deviation σ has a standard deviation of σ times these in the coefficients.
        """
        ...
