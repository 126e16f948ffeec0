"""SwinIR: transformers of shifted windows between convolutions.

Model, m the mean colour, r the range of the features' input, n the layers' normalisation:

    F₀ = conv₃(r (y − m))
    F  = F₀ + conv(n(RSTB(… RSTB(n(F₀)))))        RSTB(F) = F + conv(L(… L(F)))
    x  = R(F) / r + m                             or y + conv₃(F) / r where the size stays

    L(F) = G + MLP(n(G)),   G = F + attention(n(F)) within windows, shifted by half a window in every second layer

R is convolutions and pixel shuffles ("pixelshuffle"), one convolution and one shuffle ("pixelshuffle-direct", for the
lightweight networks) or nearest-neighbour enlargements each followed by a convolution ("nearest-conv", for pictures
degraded in unknown ways, as it draws no chequerboards).

Liang, Cao, Sun, Zhang, Van Gool, Timofte: "SwinIR: image restoration using Swin Transformer", ICCV Workshops 2021,
doi:10.1109/ICCVW54120.2021.00210.
"""

from collections.abc import Mapping
from math import isqrt
from typing import Literal, get_args

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import interpolate

from restora.core.errors import InvalidParameter
from restora.nets.attention import displacements, window_attention
from restora.nets.extension import extended
from restora.nets.network import Network
from restora.nets.recognised import Recognised

Upsampler = Literal["pixelshuffle", "pixelshuffle-direct", "nearest-conv", "none"]
Residual = Literal["1conv", "3conv"]

MEAN = (0.4488, 0.4371, 0.4040)  # of DIV2K, red, green, blue
SCALES = {"pixelshuffle": (2, 3, 4, 8), "pixelshuffle-direct": (2, 3, 4), "nearest-conv": (2, 4), "none": (1,)}
RECONSTRUCTION_WIDTH = 64
# The authors' mask is not −∞: with scores far apart a trace of what lies beyond a seam passes, as in their figures.
BLOCKED = -100.0

BUFFERS = (".attn_mask", ".attn.relative_position_index")  # of the size trained on; made anew by our module
PARTS = ("norm1", "attn", "norm2", "mlp", "attn_mask")  # of a layer; relatives of SwinIR, such as HAT, have others
TABLE = "layers.{}.residual_group.blocks.0.attn.relative_position_bias_table"


class SwinIR(Network):
    """Image restoration by Swin transformers: (b, channels, h, w) in [0, 1] to (b, channels, scale·h, scale·w).

    As in the authors' tests a picture is extended by its mirror image, to the right and downwards, to the next larger
    multiple of the window; where it is a multiple already, by a whole window. The defaults are the network for colour
    denoising. Others of the paper:

    ===================  ==================================================================================
    gray denoising       ``channels=1``
    JPEG                 ``channels=1, window=7, image_range=255.0``
    classical SR         ``scale=4, upsampler="pixelshuffle"`` (2, 3, 4 or 8)
    lightweight SR       ``scale=4, upsampler="pixelshuffle-direct", width=60, depths=(6,) * 4, heads=(6,) * 4``
    real SR, M           ``scale=4, upsampler="nearest-conv"``
    real SR, L           the same with ``width=240, depths=(6,) * 9, heads=(8,) * 9, residual="3conv"``
    ===================  ==================================================================================

    Its halo is None: a pixel's reach is a few hundred pixels and depends on where the grid of windows lies, so that
    tiles agree with the whole only approximately.

    Cost: 12.2 million multiplications a pixel of y for denoising.

    Departures: masks and indices are made anew instead of being kept for one size; no stochastic depth while training,
    which the authors' code has and their paper does not mention.
    """

    # Not in bfloat16. With two draws of fresh weights the error is 0.8 to 1.0 % of what a denoiser adds to y: 0.006 dB
    # at 31.8 dB and σ = 25/255, 0.011 dB at σ = 50/255. For super-resolution it is 0.6 to 0.9 % of the picture less its
    # mean: about 0.1 dB at 38.2 dB (×2), 0.02 to 0.04 dB at 32.7 dB (×4).

    def __init__(  # noqa: PLR0913 (each tells two published networks apart)
        self,
        *,
        channels: int = 3,
        scale: int = 1,
        upsampler: Upsampler = "none",
        width: int = 180,
        depths: tuple[int, ...] = (6, 6, 6, 6, 6, 6),
        heads: tuple[int, ...] = (6, 6, 6, 6, 6, 6),
        window: int = 8,
        residual: Residual = "1conv",
        image_range: float = 1.0,
    ) -> None:
        """Draw fresh weights: linear maps and tables N(0, 0.02²), convolutions as PyTorch draws them.

        Args:
            channels: of the input and of the output; 3 are red, green, blue.
            scale: how many times finer the output is: 1 for "none", 2, 3, 4 or 8 for "pixelshuffle", 2, 3 or 4 for
                "pixelshuffle-direct", 2 or 4 for "nearest-conv".
            upsampler: how the picture is made of the features.
            width: channels of the features, a multiple of every number of heads.
            depths: layers in each residual block of transformers.
            heads: of the attention, in each residual block.
            window: side of a window in pixels, at least 2.
            residual: one convolution at the end of each block, or three through a quarter of the channels.
            image_range: by what the picture is multiplied at the entrance and divided at the exit.

        Raises:
            InvalidParameter: a number is outside its range or does not fit another.
        """
        super().__init__()
        if scale not in SCALES.get(upsampler, ()) or residual not in get_args(Residual):
            raise InvalidParameter(
                f"upsampler {upsampler!r} at scale {scale} with residual {residual!r} is not allowed"
            )
        if len(heads) != len(depths) or min(*depths, channels, window - 1) < 1 or any(width % n for n in heads):
            raise InvalidParameter(
                f"width {width} must be a multiple of each of heads {heads}, which are as many as depths {depths}; "
                f"window {window} must be at least 2"
            )
        self.scale, self.upsampler, self.window, self.image_range = scale, upsampler, window, image_range
        self.mean = MEAN if channels == 3 else (0.0,) * channels
        self.conv_first = nn.Conv2d(channels, width, 3, padding=1)
        self.patch_embed = nn.ModuleDict({"norm": nn.LayerNorm(width)})
        self.layers = nn.Sequential(*(_Block(width, depth, n, window, residual) for depth, n in zip(depths, heads)))
        self.norm = nn.LayerNorm(width)
        self.conv_after_body = _convolution(width, residual)
        self._build_reconstruction(channels, width)
        for module in self.modules():
            if isinstance(module, nn.Linear):
                nn.init.trunc_normal_(module.weight, std=0.02)
                nn.init.zeros_(module.bias)

    def _build_reconstruction(self, channels: int, width: int) -> None:
        """R, under the names of the published files."""
        if self.upsampler == "pixelshuffle-direct":
            shuffled = nn.Conv2d(width, channels * self.scale**2, 3, padding=1)
            self.upsample = nn.Sequential(shuffled, nn.PixelShuffle(self.scale))
            return
        if self.upsampler == "none":
            self.conv_last = nn.Conv2d(width, channels, 3, padding=1)
            return
        n = RECONSTRUCTION_WIDTH
        self.conv_before_upsample = nn.Sequential(nn.Conv2d(width, n, 3, padding=1), nn.LeakyReLU(0.01))
        if self.upsampler == "pixelshuffle":
            factors = (3,) if self.scale == 3 else (2,) * (self.scale.bit_length() - 1)
            steps = ((nn.Conv2d(n, n * s * s, 3, padding=1), nn.PixelShuffle(s)) for s in factors)
            self.upsample = nn.Sequential(*(module for step in steps for module in step))
        else:
            self.conv_up1 = nn.Conv2d(n, n, 3, padding=1)
            if self.scale == 4:
                self.conv_up2 = nn.Conv2d(n, n, 3, padding=1)
            self.conv_hr = nn.Conv2d(n, n, 3, padding=1)
        self.conv_last = nn.Conv2d(n, channels, 3, padding=1)

    @classmethod
    def recognise(cls, state: Mapping[str, Tensor]) -> Recognised | None:
        """SwinIR, or None: the authors' files (also written by KAIR) and ours, which lack their two kinds of buffers.

        The range of the picture leaves no trace in the shapes: windows of 7 are taken for the authors' networks against
        JPEG, which multiply by 255, all others for 1. Variants with an absolute positional embedding, which the authors
        never released, are not recognised.
        """
        if TABLE.format(0) not in state or "conv_first.weight" not in state or "patch_embed.norm.weight" not in state:
            return None
        if "absolute_pos_embed" in state or _is_a_relative(state):
            return None
        kept = {key: value for key, value in state.items() if not key.endswith(BUFFERS)}
        tables = [
            state[TABLE.format(i)] for i in range(_count(state, "layers.{}.residual_group.blocks.0.norm1.weight"))
        ]
        width, channels = state["conv_first.weight"].shape[:2]
        window = (isqrt(tables[0].shape[0]) + 1) // 2
        upsampler, scale = _reconstruction(state, channels)
        blocks = "layers.{}.residual_group.blocks.{{}}.norm1.weight"
        fields = {
            "channels": channels,
            "scale": scale,
            "upsampler": upsampler,
            "width": width,
            "depths": tuple(_count(state, blocks.format(i)) for i in range(len(tables))),
            "heads": tuple(table.shape[1] for table in tables),
            "window": window,
            "residual": "3conv" if "conv_after_body.0.weight" in state else "1conv",
            "image_range": 255.0 if window == 7 else 1.0,
        }
        return Recognised("swinir", fields, kept, "SwinIR" if len(kept) < len(state) else "restora")

    @property
    def halo(self) -> None:
        return None

    def forward(self, x: Float[Tensor, "b c h w"]) -> Float[Tensor, "b c sh sw"]:
        h, w = x.shape[-2], x.shape[-1]
        mean = x.new_tensor(self.mean)[:, None, None]
        large = extended(x, (h // self.window + 1) * self.window, (w // self.window + 1) * self.window, "symmetric")
        shallow = self.conv_first(self.like_weights((large - mean) * self.image_range))
        features = self.patch_embed["norm"](shallow.permute(0, 2, 3, 1))
        features = self.norm(self.layers(features)).permute(0, 3, 1, 2)
        features = self.conv_after_body(features) + shallow
        y = self._reconstructed(features)[..., : self.scale * h, : self.scale * w].to(x.dtype) / self.image_range
        return y + (x if self.upsampler == "none" else mean)

    def _reconstructed(self, features: Float[Tensor, "b c h w"]) -> Float[Tensor, "b k sh sw"]:
        """R of the features."""
        if self.upsampler == "none":
            return self.conv_last(features)
        if self.upsampler == "pixelshuffle-direct":
            return self.upsample(features)
        features = self.conv_before_upsample(features)
        if self.upsampler == "pixelshuffle":
            return self.conv_last(self.upsample(features))
        leaky = nn.functional.leaky_relu
        for conv in (self.conv_up1, self.conv_up2) if self.scale == 4 else (self.conv_up1,):
            features = leaky(conv(interpolate(features, scale_factor=2, mode="nearest")), 0.2)
        return self.conv_last(leaky(self.conv_hr(features), 0.2))


class _Attention(nn.Module):
    """Attention within windows, with the table T of biases: a row a displacement, a column a head."""

    def __init__(self, width: int, heads: int, window: int, shift: int) -> None:
        super().__init__()
        self.window, self.shift = window, shift
        self.relative_position_bias_table = nn.Parameter(torch.zeros((2 * window - 1) ** 2, heads))
        self.qkv = nn.Linear(width, 3 * width)
        self.proj = nn.Linear(width, width)
        nn.init.trunc_normal_(self.relative_position_bias_table, std=0.02)

    def forward(self, x: Float[Tensor, "b h w c"]) -> Float[Tensor, "b h w c"]:
        dy, dx = displacements(self.window, x.device)
        bias = self.relative_position_bias_table[dy * (2 * self.window - 1) + dx].permute(2, 0, 1)
        return window_attention(x, self.qkv, self.proj, bias, shift=self.shift, blocked=BLOCKED)


class _Layer(nn.Module):
    """L: attention, then a perceptron of two layers, each normalised before and added to what it got."""

    def __init__(self, width: int, heads: int, window: int, shift: int) -> None:
        super().__init__()
        self.norm1 = nn.LayerNorm(width)
        self.attn = _Attention(width, heads, window, shift)
        self.norm2 = nn.LayerNorm(width)
        self.mlp = nn.ModuleDict({"fc1": nn.Linear(width, 2 * width), "fc2": nn.Linear(2 * width, width)})

    def forward(self, x: Float[Tensor, "b h w c"]) -> Float[Tensor, "b h w c"]:
        x = x + self.attn(self.norm1(x))
        return x + self.mlp["fc2"](nn.functional.gelu(self.mlp["fc1"](self.norm2(x))))


class _Block(nn.Module):
    """RSTB: layers, every second one shifted, and a convolution, added to what they got; channels last."""

    def __init__(self, width: int, depth: int, heads: int, window: int, residual: Residual) -> None:
        super().__init__()
        layers = (_Layer(width, heads, window, window // 2 if i % 2 else 0) for i in range(depth))
        self.residual_group = nn.ModuleDict({"blocks": nn.Sequential(*layers)})
        self.conv = _convolution(width, residual)

    def forward(self, x: Float[Tensor, "b h w c"]) -> Float[Tensor, "b h w c"]:
        features = self.residual_group["blocks"](x).permute(0, 3, 1, 2)
        return x + self.conv(features).permute(0, 2, 3, 1)


def _convolution(width: int, residual: Residual) -> nn.Module:
    """One 3×3 convolution, or 3×3, 1×1, 3×3 through a quarter of the channels."""
    if residual == "1conv":
        return nn.Conv2d(width, width, 3, padding=1)
    narrow = width // 4
    return nn.Sequential(
        nn.Conv2d(width, narrow, 3, padding=1),
        nn.LeakyReLU(0.2),
        nn.Conv2d(narrow, narrow, 1),
        nn.LeakyReLU(0.2),
        nn.Conv2d(narrow, width, 3, padding=1),
    )


def _is_a_relative(state: Mapping[str, Tensor]) -> bool:
    """The layers have parts that SwinIR's have not."""
    layers = (key.split(".")[3:] for key in state if key.startswith("layers.") and ".residual_group." in key)
    return any(rest[0] != "blocks" or rest[2] not in PARTS for rest in layers)


def _reconstruction(state: Mapping[str, Tensor], channels: int) -> tuple[str, int]:
    """The kind of reconstruction and its scale."""
    if "conv_up1.weight" in state:
        return "nearest-conv", 4 if "conv_up2.weight" in state else 2
    if "upsample.0.weight" not in state:
        return "none", 1
    shape = state["upsample.0.weight"].shape
    if "conv_before_upsample.0.weight" not in state:
        return "pixelshuffle-direct", isqrt(shape[0] // channels)
    steps = sum(f"upsample.{2 * i}.weight" in state for i in range(4))
    return "pixelshuffle", isqrt(shape[0] // shape[1]) ** steps


def _count(state: Mapping[str, Tensor], key: str) -> int:
    """How many numbers, from 0 on, make the key one of the state."""
    n = 0
    while key.format(n) in state:
        n += 1
    return n
