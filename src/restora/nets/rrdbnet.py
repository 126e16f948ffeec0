"""RRDBNet, the generator of ESRGAN: residual-in-residual dense blocks without normalisation.

Model, σ leaky relu of slope 0.2, all filters 3×3:

    dense block D:  F₁ … F₄ by F_k = σ(W_k * [F, F₁ … F_{k-1}]),  D(F) = F + 0.2 W₅ * [F, F₁ … F₄]
    RRDB:           R(F) = F + 0.2 D₃(D₂(D₁(F)))
    F₀ = W * y,  F = F₀ + W * R₂₃(… R₁(F₀)),
    F ← σ(W * nearest×2(F))  twice,
    x = W * σ(W * F)

At ×2 and ×1 the same network runs on y folded by 2 or 4 (pixel-unshuffle), as in Real-ESRGAN.

Wang, Yu, Wu, Gu, Liu, Dong, Qiao, Loy: "ESRGAN: Enhanced super-resolution generative adversarial networks", ECCV
Workshops 2018, doi:10.1007/978-3-030-11021-5_5. Wang, Xie, Dong, Shan: "Real-ESRGAN: Training real-world blind
super-resolution with pure synthetic data", ICCV Workshops 2021, doi:10.1109/ICCVW54120.2021.00217.
"""

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from restora.core.errors import InvalidParameter
from restora.nets.beginnings import carry, deliver, silence
from restora.nets.extension import extended, up_to_multiple
from restora.nets.network import Network

SLOPE = 0.2
"""Of the leaky relu."""
SHRUNK = 0.2
"""What a residual is multiplied by before it is added."""


class RRDBNet(Network):
    """Residual-in-residual dense network: (b, channels, h, w) to (b, channels, scale·h, scale·w), RGB in [0, 1].

    Zeros lie outside the picture at every convolution. Cost at ×4: 18 million multiplications a pixel of y. Where y is
    folded it is reflected up to a multiple of the fold, and the output is cropped; tiles must begin at such multiples.
    """

    def __init__(
        self,
        *,
        scale: int = 4,
        channels: int = 3,
        blocks: int = 23,
        width: int = 64,
        growth: int = 32,
        folded: bool = True,
        from_identity: bool = False,
    ) -> None:
        """Draw fresh weights: a tenth of He's in the dense blocks, PyTorch's own elsewhere.

        Args:
            scale: how many times finer the output is: 1, 2, 4 or 8.
            channels: of the input and of the output.
            blocks: number of residual-in-residual dense blocks.
            width: channels of the features.
            growth: channels that each convolution of a dense block adds.
            folded: below ×4, y is folded so that the network still enlarges four times (Real-ESRGAN); False leaves out
                enlargements instead (the first ESRGAN code).
            from_identity: fresh weights repeat every pixel, where y is not folded. It matters to trainings only.

        Raises:
            InvalidParameter: another scale, a start from the identity of a folded y, or a number below 1.
        """
        super().__init__()
        if scale not in (1, 2, 4, 8):
            raise InvalidParameter.outside("scale", scale, "1, 2, 4 or 8")
        if min(channels, blocks, width, growth) < 1:
            numbers = f"channels {channels}, blocks {blocks}, width {width} and growth {growth}"
            raise InvalidParameter(f"{numbers} must be at least 1")
        if from_identity and folded and scale < 4:
            raise InvalidParameter("from_identity wants a network that does not fold its input: folded=False")
        self.scale = scale
        self.fold = max(1, 4 // scale) if folded else 1
        self.doublings = (scale * self.fold).bit_length() - 1
        self.conv_first = nn.Conv2d(channels * self.fold**2, width, 3, padding=1)
        self.body = nn.Sequential(*(RRDB(width, growth) for _ in range(blocks)))
        self.conv_body = nn.Conv2d(width, width, 3, padding=1)
        for step in range(self.doublings):
            self.add_module(f"conv_up{step + 1}", nn.Conv2d(width, width, 3, padding=1))
        self.conv_hr = nn.Conv2d(width, width, 3, padding=1)
        self.conv_last = nn.Conv2d(width, channels, 3, padding=1)
        if from_identity:
            self._from_identity(channels)

    def _from_identity(self, channels: int) -> None:
        silence(self.conv_body, self.conv_body.out_channels)
        ups = (self.get_submodule(f"conv_up{step + 1}") for step in range(self.doublings))
        for convolution in (self.conv_first, *ups, self.conv_hr):
            carry(convolution, channels)
        deliver(self.conv_last, channels)

    @property
    def halo(self) -> int:
        # One for each convolution of the body's grid, and two for all that follow on finer ones.
        cells = 15 * len(self.body) + 4
        return self.fold * cells + self.fold - 1

    def forward(self, x: Float[Tensor, "b c h w"]) -> Float[Tensor, "b c sh sw"]:
        height, width = x.shape[-2:]
        y = self.entered(x)
        if self.fold > 1:
            sides = (up_to_multiple(height, self.fold), up_to_multiple(width, self.fold))
            y = functional.pixel_unshuffle(extended(y, *sides, "reflect"), self.fold)
        shallow = self.conv_first(y)
        features = shallow + self.conv_body(self.body(shallow))
        for step in range(self.doublings):
            finer = functional.interpolate(features, scale_factor=2.0, mode="nearest")
            features = functional.leaky_relu(self.get_submodule(f"conv_up{step + 1}")(finer), SLOPE, inplace=True)
        result = self.conv_last(functional.leaky_relu(self.conv_hr(features), SLOPE, inplace=True))
        return result[..., : height * self.scale, : width * self.scale].to(x.dtype)


class RRDB(nn.Module):
    """Three dense blocks within a residual."""

    def __init__(self, width: int, growth: int) -> None:
        super().__init__()
        self.rdb1 = DenseBlock(width, growth)
        self.rdb2 = DenseBlock(width, growth)
        self.rdb3 = DenseBlock(width, growth)

    def forward(self, features: Float[Tensor, "b c h w"]) -> Float[Tensor, "b c h w"]:
        return features + SHRUNK * self.rdb3(self.rdb2(self.rdb1(features)))


class DenseBlock(nn.Module):
    """Five convolutions, each of which sees all that came before."""

    def __init__(self, width: int, growth: int) -> None:
        super().__init__()
        self.width, self.growth = width, growth
        self.conv1 = nn.Conv2d(width, growth, 3, padding=1)
        self.conv2 = nn.Conv2d(width + growth, growth, 3, padding=1)
        self.conv3 = nn.Conv2d(width + 2 * growth, growth, 3, padding=1)
        self.conv4 = nn.Conv2d(width + 3 * growth, growth, 3, padding=1)
        self.conv5 = nn.Conv2d(width + 4 * growth, width, 3, padding=1)
        for name, parameter in self.named_parameters():
            if name.endswith("weight"):
                nn.init.kaiming_normal_(parameter, nonlinearity="relu")
                parameter.data *= 0.1
            else:
                nn.init.zeros_(parameter)

    def forward(self, features: Float[Tensor, "b c h w"]) -> Float[Tensor, "b c h w"]:
        growing = (self.conv1, self.conv2, self.conv3, self.conv4)
        if torch.is_grad_enabled():
            seen = features
            for conv in growing:
                seen = torch.cat((seen, functional.leaky_relu(conv(seen), SLOPE)), dim=1)
        else:
            seen = self._seen_in_one_buffer(features, growing)
        return features + SHRUNK * self.conv5(seen)

    def _seen_in_one_buffer(
        self, features: Float[Tensor, "b c h w"], growing: tuple[nn.Conv2d, ...]
    ) -> Float[Tensor, "b d h w"]:
        """[F, F₁ … F₄] written into place instead of concatenated anew after each layer."""
        batch, _, height, width = features.shape
        last = features.is_contiguous(memory_format=torch.channels_last)
        seen = torch.empty(
            (batch, self.width + len(growing) * self.growth, height, width),
            dtype=features.dtype,
            device=features.device,
            memory_format=torch.channels_last if last else torch.contiguous_format,
        )
        seen[:, : self.width] = features
        for end, conv in zip(range(self.width, seen.shape[1], self.growth), growing):
            seen[:, end : end + self.growth] = functional.leaky_relu(conv(seen[:, :end]), SLOPE, inplace=True)
        return seen
