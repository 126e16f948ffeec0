"""Validation: PSNR on images kept out of the training, always with the same noise."""

import copy
import math

import torch
from torch import Tensor

from restora.core.errors import InvalidInput
from restora.learning.averaging import MovingAverage
from restora.learning.images import Images
from restora.learning.learners import estimate
from restora.learning.pairs import Batch, Pairs, SeveralPairs
from restora.nets.network import Network


class Validation:
    """The mean PSNR of the averaged weights over held-out images, each degraded once and for all.

    Args:
        images: held out.
        crop: side of the middle part of each that is used.
        pairs: as in the training.
        device: where it is computed.
    """

    def __init__(self, images: Images, crop: int, pairs: Pairs | SeveralPairs, device: torch.device) -> None:
        generator = torch.Generator().manual_seed(0)
        self._batches = [
            _on(pairs(_middle(image, crop, pairs).float()[None] / 255, generator), device) for image in images.images
        ]

    @torch.no_grad()
    def psnr(self, network: Network, average: MovingAverage) -> float:
        """In dB, of estimates clipped to [0, 1]; NaN where no image was held out."""
        if not self._batches:
            return math.nan
        averaged = copy.deepcopy(network).eval()
        averaged.load_state_dict(average.state)
        return sum(self._score(averaged, batch) for batch in self._batches) / len(self._batches)

    def _score(self, network: Network, batch: Batch) -> float:
        error = (estimate(network, batch).clamp(0, 1) - batch.x).square().mean()
        return -10 * math.log10(max(float(error), 1e-12))


def _middle(image: Tensor, crop: int, pairs: Pairs | SeveralPairs) -> Tensor:
    """The middle of an image, of a size its degradation takes."""
    m = pairs.multiple_of
    if min(image.shape[-2:]) < 2 * pairs.margin + m:
        raise InvalidInput(
            f"a held-out image has {image.shape[-1]}×{image.shape[-2]} pixels, of which the degradation takes "
            f"{pairs.margin} on each side: nothing is left to validate on"
        )
    height, width = ((min(side, crop + 2 * pairs.margin) // m) * m for side in image.shape[-2:])
    top, left = (image.shape[-2] - height) // 2, (image.shape[-1] - width) // 2
    return image[:, top : top + height, left : left + width]


def _on(batch: Batch, device: torch.device) -> Batch:
    sigma = None if batch.sigma is None else batch.sigma.to(device)
    return Batch(batch.y.to(device), batch.x.to(device), sigma, batch.task)
