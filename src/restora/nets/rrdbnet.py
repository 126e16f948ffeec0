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

import re
from collections.abc import Mapping

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from restora.core.errors import InvalidParameter
from restora.nets.beginnings import carry, deliver, silence
from restora.nets.extension import extended, up_to_multiple
from restora.nets.network import Network
from restora.nets.recognised import Recognised

SLOPE = 0.2
"""The slope of the leaky ReLU for negative numbers."""
SHRUNK = 0.2
"""What a residual is multiplied by before it is added."""

_FIRST = re.compile(r"model\.1\.sub\.(\d+)\.RDB(\d)\.conv(\d)(?:\.0)?\.(weight|bias)")
_SECOND = (
    (r"^RRDB_trunk\.(\d+)\.RDB(\d)", r"body.\1.rdb\2"),
    (r"^trunk_conv", "conv_body"),
    (r"^upconv", "conv_up"),
    (r"^HRconv", "conv_hr"),
)


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

    @classmethod
    def recognise(cls, state: Mapping[str, Tensor]) -> Recognised | None:
        """RRDBNet, or None.

        Known are the keys of the first ESRGAN code (``model.1.sub.{i}.RDB{j}.conv{k}.0``, and KAIR's mixture, whose
        fifth convolution lacks the ``.0``), of the second and KAIR's rrdbnet (``RRDB_trunk.{i}.RDB{j}.conv{k}``,
        ``HRconv``), and of BasicSR and Real-ESRGAN (``body.{i}.rdb{j}.conv{k}``, ``conv_hr``), which are ours.
        """
        if "body.0.rdb1.conv1.weight" in state:
            return _with_fields(state, "BasicSR")
        if "RRDB_trunk.0.RDB1.conv1.weight" in state:
            return _with_fields({_from_second(key): tensor for key, tensor in state.items()}, "ESRGAN")
        if "model.1.sub.0.RDB1.conv1.0.weight" in state:
            mixed = "model.1.sub.0.RDB1.conv5.weight" in state
            return _with_fields(_from_first(state), "KAIR" if mixed else "ESRGAN (old)")
        return None

    @property
    def halo(self) -> int:
        # One for each convolution of the body's grid, and two for all that follow on finer ones.
        cells = 15 * len(self.body) + 4
        return self.fold * cells + self.fold - 1

    def forward(self, x: Float[Tensor, "b c h w"]) -> Float[Tensor, "b c sh sw"]:
        height, width = x.shape[-2:]
        y = self.like_weights(x)
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


def _with_fields(state: Mapping[str, Tensor], layout: str) -> Recognised | None:
    first, last = state.get("conv_first.weight"), state.get("conv_last.weight")
    if first is None or last is None or first.ndim != 4:
        return None
    channels = last.shape[0]
    fold = {1: 1, 4: 2, 16: 4}.get(first.shape[1] // channels)
    doublings = sum(re.fullmatch(r"conv_up\d+\.weight", key) is not None for key in state)
    if fold is None or 2**doublings % fold or 2**doublings // fold not in (1, 2, 4, 8):
        return None
    fields = {
        "scale": 2**doublings // fold,
        "channels": channels,
        "blocks": sum(re.fullmatch(r"body\.\d+\.rdb1\.conv1\.weight", key) is not None for key in state),
        "width": first.shape[0],
        "growth": state["body.0.rdb1.conv1.weight"].shape[0],
        "folded": fold > 1 or doublings >= 2,
    }
    return RRDBNet.if_it_fits("rrdbnet", fields, state, layout)


def _from_second(key: str) -> str:
    for pattern, ours in _SECOND:
        renamed, count = re.subn(pattern, ours, key)
        if count:
            return renamed
    return key


def _from_first(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Our names of ``model.N``: 0, then 1 the body, one convolution a doubling from 3 in steps of 3, and two more."""
    outside = sorted({int(key.split(".")[1]) for key in state if re.fullmatch(r"model\.\d+\.(weight|bias)", key)})
    ends = ["conv_first", *(f"conv_up{n}" for n in range(1, len(outside) - 2)), "conv_hr", "conv_last"]
    names = dict(zip(outside, ends))
    renamed: dict[str, Tensor] = {}
    for key, tensor in state.items():
        match = _FIRST.fullmatch(key)
        parts = key.split(".")
        if match:
            renamed[f"body.{match[1]}.rdb{match[2]}.conv{match[3]}.{match[4]}"] = tensor
        elif key.startswith("model.1.sub."):
            renamed[f"conv_body.{parts[-1]}"] = tensor
        elif re.fullmatch(r"model\.\d+\.(weight|bias)", key):
            renamed[f"{names[int(parts[1])]}.{parts[-1]}"] = tensor
        else:
            renamed[key] = tensor
    return renamed
