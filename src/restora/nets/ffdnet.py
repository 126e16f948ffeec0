"""FFDNet: a chain of convolutions on the four half-size images and a noise map.

K. Zhang, W. Zuo and L. Zhang, "FFDNet: toward a fast and flexible solution for CNN-based image denoising", IEEE
Transactions on Image Processing 27(9), 2018, doi:10.1109/TIP.2018.2839891.
"""

from collections.abc import Mapping

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import pad, pixel_shuffle, pixel_unshuffle

from restora.core.errors import InvalidParameter
from restora.nets.beginnings import pass_through
from restora.nets.chains import chain, chain_of
from restora.nets.network import Network
from restora.nets.recognised import Recognised

_BY_COLUMNS = (0, 2, 1, 3)
"""MATLAB counts the pixels of a 2×2 block down the columns: its number of the pixels that PyTorch calls 0, 1, 2, 3."""


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

    def __init__(self, *, channels: int = 1, depth: int = 15, width: int = 64, from_identity: bool = False) -> None:
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

    @classmethod
    def recognise(cls, state: Mapping[str, Tensor]) -> Recognised | None:
        """FFDNet, or None: a chain without normalisations that takes 4c + 1 channels and gives 4c.

        Known are KAIR's state dicts (``model.N``), which are ours, and the authors' MATLAB files (``convNN``), whose
        kernels are re-ordered for PyTorch's order of the four half-size images. The model of colour noise with
        covariances (18 channels in, 12 out) is not known here.
        """
        found = chain_of(state)
        if found is None or found.norms or found.channels_out % 4 or found.channels_in != found.channels_out + 1:
            return None
        fields = {"channels": found.channels_out // 4, "depth": found.depth, "width": found.width}
        tensors = found.state()
        if found.layout == "MATLAB":
            tensors = _by_rows(tensors, found.depth, found.channels_out)
        return cls.if_it_fits("ffdnet", fields, tensors, found.layout)

    @property
    def halo(self) -> int:
        # depth blocks of two pixels, and the other pixel of the last block.
        return 2 * self._depth + 1

    def forward(self, x: Float[Tensor, "b c h w"], sigma: Float[Tensor, "b 1 h w"]) -> Float[Tensor, "b c h w"]:
        """The image without its noise."""
        height, width = x.shape[-2:]
        even = pad(x, (0, width % 2, 0, height % 2), mode="replicate")
        inputs = torch.cat((pixel_unshuffle(even, 2), sigma[..., ::2, ::2].to(x.dtype)), dim=1)
        return pixel_shuffle(self.model(self.like_weights(inputs)), 2)[..., :height, :width].to(x.dtype)


def _by_rows(state: dict[str, Tensor], depth: int, channels: int) -> dict[str, Tensor]:
    """The state with the image channels of the first and last convolution in PyTorch's order."""
    order = [4 * (channel // 4) + _BY_COLUMNS[channel % 4] for channel in range(channels)]
    first, last = "model.0.weight", f"model.{2 * depth - 2}"
    permuted = {first: state[first][:, torch.tensor([*order, channels])]}
    permuted |= {key: state[key][torch.tensor(order)] for key in (f"{last}.weight", f"{last}.bias") if key in state}
    return {**state, **permuted}
