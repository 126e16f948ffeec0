"""The discriminator of SRGAN: is this a photograph, or was it made?

Model: eight convolutions 3×3 of 64, 64, 128, 128, 256, 256, 512, 512 channels, every second one of stride 2, batch
normalisation after all but the first, leaky relu of slope 0.2; then a dense layer of 1024 and one of 1.

Ledig et al.: "Photo-realistic single image super-resolution using a generative adversarial network", CVPR 2017,
doi:10.1109/CVPR.2017.19. ESRGAN (Wang et al., ECCV Workshops 2018) compares the scores of real pictures with those of
made ones in its relativistic loss.
"""

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from restora.core.errors import InvalidParameter

FOLD = 16
"""How much coarser the last features are than the picture."""


class Discriminator(nn.Module):
    """Scores of pictures: (b, channels, h, w) in [0, 1] to (b,), any real number; the probability is its sigmoid.

    At h = w = ``size`` it is the paper's network. Features of other pictures are averaged over, or repeated to, the
    grid of size/16 cells that the dense layers read. Pictures of the same batch share batch normalisation in training.

    Departure: the sigmoid is left to the loss, where its logarithm is exact.
    """

    def __init__(self, *, size: int = 96, channels: int = 3, width: int = 64) -> None:
        """Draw fresh weights: He's for the leaky relu, biases 0.

        Args:
            size: side of the pictures it is trained with, a multiple of 16.
            channels: of the pictures.
            width: channels of the first layer.

        Raises:
            InvalidParameter: the size is no multiple of 16, or a number is below 1.
        """
        super().__init__()
        if size < FOLD or size % FOLD:
            raise InvalidParameter.outside("size", size, "a positive multiple of 16")
        if min(channels, width) < 1:
            raise InvalidParameter(f"channels {channels} and width {width} must be at least 1")
        self.cells = size // FOLD
        layers: list[nn.Module] = [nn.Conv2d(channels, width, 3, padding=1), nn.LeakyReLU(0.2)]
        before = width
        for number in range(1, 8):
            after = width * 2 ** (number // 2)
            conv = nn.Conv2d(before, after, 3, stride=1 + number % 2, padding=1, bias=False)
            layers += [conv, nn.BatchNorm2d(after), nn.LeakyReLU(0.2)]
            before = after
        self.features = nn.Sequential(*layers)
        self.score = nn.Sequential(
            nn.Linear(before * self.cells**2, 16 * width), nn.LeakyReLU(0.2), nn.Linear(16 * width, 1)
        )
        for module in self.modules():
            if isinstance(module, nn.Conv2d | nn.Linear):
                nn.init.kaiming_normal_(module.weight, a=0.2)
                if module.bias is not None:
                    nn.init.zeros_(module.bias)

    def forward(self, x: Float[Tensor, "b c h w"]) -> Float[Tensor, " b"]:
        features = functional.adaptive_avg_pool2d(self.features(x), self.cells)
        return self.score(torch.flatten(features, 1)).squeeze(1)
