"""Guide: the image that steers a filter, where it is not the filtered image itself."""

from jaxtyping import Float
from torch import Tensor

from restora.core.errors import InvalidInput


def guide_for(y: Float[Tensor, "b c h w"], guide: Tensor | None) -> Float[Tensor, "#b d h w"]:
    """The guide in the dtype and on the device of y; y itself where there is none.

    Raises:
        InvalidInput: the guide is not of the size of y, or neither one image nor as many as y.
    """
    if guide is None:
        return y
    if guide.ndim != 4 or guide.shape[-2:] != y.shape[-2:] or guide.shape[0] not in (1, y.shape[0]):
        raise InvalidInput(
            f"the guide has shape {tuple(guide.shape)}, the image {tuple(y.shape)}: their sizes must be equal, and the "
            f"batch of the guide that of the image or 1 (an image with a guide is restored whole, not in tiles)"
        )
    return guide.to(y)
