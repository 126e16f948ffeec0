"""Samples: pairs of a fine patch and the features of the coarse image at the same place."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from restora.core.errors import InvalidInput
from restora.numerics.imresize import imresize
from restora.numerics.sparse.feature_sign import feature_sign
from restora.patches.coded_patches import gradient_features, patches_at

LEAST_VARIANCE = 10 / 255**2
"""Fine patches of at most this variance teach nothing."""

CHUNK = 1 << 14
"""Samples that are coded at a time."""

Pair = tuple[Float[Tensor, "p K"], Float[Tensor, "q K"]]
"""D_h and D_l."""


@dataclass(frozen=True, eq=False, slots=True)
class Samples:
    """Pairs, a row each.

    Attributes:
        x: fine patches without their mean, of length 1, (n, p²).
        y: features of the coarse patches, of length 1, (n, 4p²).
    """

    x: Float[Tensor, "n p"]
    y: Float[Tensor, "n q"]


def draw_samples(
    images: Sequence[Float[Tensor, "1 1 _h _w"]], *, scale: int, patch: int, count: int, generator: torch.Generator
) -> Samples:
    """Draw pairs at random places of images, of each image in proportion to its pixels, and drop flat ones.

    A coarse image is ``imresize`` down by the scale and up again, so that both live on the fine grid.

    Args:
        images: luma in [0, 1].
        scale: of super-resolution.
        patch: side of a patch.
        count: pairs before flat ones (variance <= 10 on 0 … 255) are dropped.
        generator: of the places.

    Raises:
        InvalidInput: nothing is left.
    """
    total = sum(image.numel() for image in images)
    parts = [_of_image(image, scale, patch, round(count * image.numel() / total), generator) for image in images]
    x, y = torch.cat([part[0] for part in parts]), torch.cat([part[1] for part in parts])
    keep = (x.square().mean(1) > LEAST_VARIANCE) & (y.square().sum(1) > 0)
    if not bool(keep.any()):
        raise InvalidInput("no patch of the training images has any structure")
    x, y = x[keep], y[keep]
    return Samples(x / x.square().sum(1, keepdim=True).sqrt(), y / y.square().sum(1, keepdim=True).sqrt())


def _of_image(
    image: Float[Tensor, "1 1 h w"], scale: int, patch: int, count: int, generator: torch.Generator
) -> tuple[Float[Tensor, "n p"], Float[Tensor, "n q"]]:
    """Pairs of one image, at least a patch away from its border."""
    height, width = (side // scale * scale for side in image.shape[-2:])
    most_row, most_column = height - 2 * patch, width - 2 * patch
    if min(most_row, most_column) <= patch:
        raise InvalidInput(f"a training image of {image.shape[-1]}x{image.shape[-2]} is too small")
    fine = image[..., :height, :width]
    coarse = imresize(imresize(fine, scale=1 / scale), scale=scale)
    rows = torch.randint(patch, most_row, (count,), generator=generator)
    columns = torch.randint(patch, most_column, (count,), generator=generator)
    x = patches_at(fine[0], rows, columns, patch)
    y = patches_at(gradient_features(coarse)[0], rows, columns, patch)
    return x - x.mean(1, keepdim=True), y


def code_moments(
    D: Float[Tensor, "q K"], y: Float[Tensor, "n q"], x: Float[Tensor, "n p"], lam: float
) -> tuple[Float[Tensor, "K K"], Float[Tensor, "K p"], float]:
    """AAᵀ, AXᵀ and the mean objective for the codes A of y over D, a chunk of samples at a time."""
    K = D.shape[1]
    AA, AX, objective = D.new_zeros(K, K), D.new_zeros(K, x.shape[1]), 0.0
    for seen, wanted in zip(y.split(CHUNK), x.split(CHUNK)):
        A = feature_sign(D, seen, lam)
        AA += A.mT @ A
        AX += A.mT @ wanted
        objective += float(0.5 * (seen - A @ D.mT).square().sum() + lam * A.abs().sum())
    return AA, AX, objective / len(x)
