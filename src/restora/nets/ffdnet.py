"""FFDNet: a chain of convolutions on the four half-size images and a noise map.

K. Zhang, W. Zuo and L. Zhang, "FFDNet: toward a fast and flexible solution for CNN-based image denoising", IEEE
Transactions on Image Processing 27(9), 2018, doi:10.1109/TIP.2018.2839891.
"""

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import pad, pixel_shuffle, pixel_unshuffle

from restora.core.errors import InvalidParameter
from restora.nets.beginnings import pass_through
from restora.nets.dncnn import chain
from restora.nets.network import Network


class FFDNet(Network):
    """x̂ = shuffle(F(unshuffle(y), σ)): everything happens on the half grid, the noise map too; no residual.

    The order of the four images is that of PyTorch: (0, 0), (0, 1), (1, 0), (1, 1) as (row, column). An odd side is
    made even by repeating its last line. The map is taken at the first pixel of each 2×2 block. Zeros beyond the
    border in the convolutions. A tile must begin at an even row and column.

    The authors' sizes: gray depth 15, width 64 (485,316 numbers, 7.9 G multiply-adds for 256×256); colour depth 12,
    width 96 (852,108 numbers, 13.9 G). Initialisation: orthogonal rows of gain √2 (1 in the last), biases 0.

    Args:
        channels: of the image, >= 1.
        depth: convolutions, >= 2.
        width: channels of the features, >= 1; at least 8 · channels for ``from_identity``.
        from_identity: fresh weights give back the picture. Without a residual a chain spends its first thousands of
            steps on learning just that. It matters to trainings only.

    Raises:
        InvalidParameter: a number out of its range.
    """

    takes_noise_map = True
    # Mean over 20 training photographs: the gray network gains 0.02 dB and more, as it learnt in bfloat16; the colour
    # one loses 0.007 dB at σ = 25 and 0.015 at 15, where the rounding of the picture in the features begins to show.
    bfloat16_from = 25 / 255

    def __init__(
        self,
        *,
        channels: int = 1,
        depth: int = 15,
        width: int = 64,
        from_identity: bool = False,
    ) -> None:
        super().__init__()
        for name, value, least in (("channels", channels, 1), ("depth", depth, 2), ("width", width, 1)):
            if value < least:
                raise InvalidParameter.outside(name, value, f">= {least}")
        self.model = chain(4 * channels + 1, 4 * channels, width, (1,) * depth)
        self._depth = depth
        if from_identity:
            if width < 8 * channels:
                raise InvalidParameter.outside("width", width, f">= {8 * channels} to pass the picture through")
            pass_through(self.model, 4 * channels)

    @property
    def halo(self) -> int:
        # depth blocks of two pixels, and the other pixel of the last block.
        return 2 * self._depth + 1

    def forward(self, x: Float[Tensor, "b c h w"], sigma: Float[Tensor, "b 1 h w"]) -> Float[Tensor, "b c h w"]:
        """The image without its noise."""
        height, width = x.shape[-2:]
        even = pad(x, (0, width % 2, 0, height % 2), mode="replicate")
        inputs = torch.cat((pixel_unshuffle(even, 2), sigma[..., ::2, ::2].to(x.dtype)), dim=1)
        return pixel_shuffle(self.model(self.entered(inputs)), 2)[..., :height, :width].to(x.dtype)
