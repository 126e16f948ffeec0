"""Restormer: a U-net of transformers that attend across channels, so that their cost is linear in the pixels.

Model, D a depthwise 3×3 convolution, W a 1×1 one, n the normalisation over the channels of a pixel:

    block(F) = G + GDFN(n(G)),   G = F + MDTA(n(F))
    MDTA(F)  = W_o softmax(τ Q̂ K̂ᵀ) V,   Q, K, V = D W F;  per head, the rows of Q̂ and K̂ of unit length over the pixels
    GDFN(F)  = W_o (gelu(F₁) F₂),   F₁, F₂ = D W F

    x = y + conv₃(refinement(U-net(conv₃(y))))

The U-net has four levels; a level down halves the sides and doubles the channels (convolution and pixel unshuffle).
Skips are concatenated and, but on the first level, reduced by a 1×1 convolution. No convolution has a bias.

Zamir, Arora, Khan, Hayat, Khan, Yang: "Restormer: efficient transformer for high-resolution image restoration", CVPR
2022, doi:10.1109/CVPR52688.2022.00564.
"""

from collections.abc import Mapping
from typing import Literal, get_args

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import gelu, normalize, pixel_shuffle, pixel_unshuffle

from restora.core.errors import InvalidParameter
from restora.nets.extension import extended, up_to_multiple
from restora.nets.network import Network
from restora.nets.recognised import Recognised

Normalisation = Literal["bias-free", "with-bias"]

MULTIPLE = 8  # three halvings

LEVELS = ("encoder_level1", "encoder_level2", "encoder_level3", "latent")
OTHERS = ("decoder_level1", "decoder_level2", "decoder_level3", "refinement", "patch_embed", "output")
BETWEEN = ("down1_2", "down2_3", "down3_4", "up4_3", "up3_2", "up2_1", "reduce_chan_level3", "reduce_chan_level2")


class Restormer(Network):
    """Restoration transformer: (b, channels, h, w) in [0, 1] to the same shape.

    A picture is extended by reflection, to the right and downwards, to multiples of 8. The defaults are the networks
    for Gaussian noise in colour; ``channels=1`` for gray pictures, ``normalisation="with-bias"`` for real noise, rain
    and blur.

    Its halo is None: the attention weighs channels by sums over all pixels, so that tiles agree with the whole only
    approximately, the better the larger they are.

    Cost: 2.4 million multiplications a pixel.

    Departure: the network for pairs of defocused views ("dual pixel") is not here.
    """

    # Not in bfloat16. With two draws of fresh weights the error is 0.7 and 1.6 % (with-bias 0.8 and 1.4 %) of what is
    # added to y, up to 0.015 dB at 31.8 dB and σ = 25/255 and 0.03 dB at σ = 50/255.

    def __init__(
        self,
        *,
        channels: int = 3,
        width: int = 48,
        blocks: tuple[int, int, int, int] = (4, 6, 6, 8),
        refinement: int = 4,
        heads: tuple[int, int, int, int] = (1, 2, 4, 8),
        expansion: float = 2.66,
        normalisation: Normalisation = "bias-free",
    ) -> None:
        """Draw fresh weights, as PyTorch draws those of convolutions; gains and temperatures τ are 1.

        Args:
            channels: of the input and of the output.
            width: channels of the features on the first level, even; 2, 4 and 8 times as many on the next.
            blocks: on each level, on the way down and again on the way up.
            refinement: blocks at the end.
            heads: of the attention on each level, a divisor of its channels.
            expansion: channels within the GDFN over those of its input, rounded down to whole channels.
            normalisation: "bias-free" divides by the standard deviation over the channels and does not take their mean
                away; "with-bias" does, and adds a learnt number.

        Raises:
            InvalidParameter: a number is outside its range or does not fit another.
        """
        super().__init__()
        if normalisation not in get_args(Normalisation):
            raise InvalidParameter.outside("normalisation", normalisation, f"one of {get_args(Normalisation)}")
        widths = [width * 2**level for level in range(4)]
        if width % 2 or min(width, channels) < 1 or any(w % n for w, n in zip(widths, heads)):
            raise InvalidParameter(f"width {width} must be even and the levels' {widths} multiples of heads {heads}")

        def level(width: int, heads: int, count: int) -> nn.Sequential:
            return nn.Sequential(*(_Block(width, heads, int(width * expansion), normalisation) for _ in range(count)))

        self.patch_embed = nn.ModuleDict({"proj": _conv3(channels, width)})
        self.encoder_level1 = level(width, heads[0], blocks[0])
        self.down1_2 = _Down(widths[0])
        self.encoder_level2 = level(widths[1], heads[1], blocks[1])
        self.down2_3 = _Down(widths[1])
        self.encoder_level3 = level(widths[2], heads[2], blocks[2])
        self.down3_4 = _Down(widths[2])
        self.latent = level(widths[3], heads[3], blocks[3])
        self.up4_3 = _Up(widths[3])
        self.reduce_chan_level3 = nn.Conv2d(widths[3], widths[2], 1, bias=False)
        self.decoder_level3 = level(widths[2], heads[2], blocks[2])
        self.up3_2 = _Up(widths[2])
        self.reduce_chan_level2 = nn.Conv2d(widths[2], widths[1], 1, bias=False)
        self.decoder_level2 = level(widths[1], heads[1], blocks[1])
        self.up2_1 = _Up(widths[1])
        self.decoder_level1 = level(widths[1], heads[0], blocks[0])
        self.refinement = level(widths[1], heads[0], refinement)
        self.output = _conv3(widths[1], channels)

    @classmethod
    def recognise(cls, state: Mapping[str, Tensor]) -> Recognised | None:
        """Restormer, or None; the authors' keys are ours, so their files and our own are both called "restora".

        The network for pairs of defocused views and relatives of Restormer, such as PromptIR, have further parts.
        """
        if {key.split(".")[0] for key in state} != {*LEVELS, *OTHERS, *BETWEEN}:
            return None
        if any(f"{level}.0.attn.temperature" not in state for level in LEVELS):
            return None
        width, channels = state["patch_embed.proj.weight"].shape[:2]
        with_bias = "encoder_level1.0.norm1.body.bias" in state
        fields = {
            "channels": channels,
            "width": width,
            "blocks": tuple(_count(state, level) for level in LEVELS),
            "refinement": _count(state, "refinement"),
            "heads": tuple(state[f"{level}.0.attn.temperature"].shape[0] for level in LEVELS),
            "expansion": _expansion(state, width),
            "normalisation": "with-bias" if with_bias else "bias-free",
        }
        return Recognised("restormer", fields, dict(state), "restora")

    @property
    def halo(self) -> None:
        return None

    def forward(self, x: Float[Tensor, "b c h w"]) -> Float[Tensor, "b c h w"]:
        h, w = x.shape[-2], x.shape[-1]
        large = extended(x, up_to_multiple(h, MULTIPLE), up_to_multiple(w, MULTIPLE), "reflect")
        first = self.encoder_level1(self.patch_embed["proj"](self.like_weights(large)))
        second = self.encoder_level2(self.down1_2(first))
        third = self.encoder_level3(self.down2_3(second))
        features = self.latent(self.down3_4(third))
        features = self.reduce_chan_level3(torch.cat((self.up4_3(features), third), dim=1))
        features = self.decoder_level3(features)
        features = self.reduce_chan_level2(torch.cat((self.up3_2(features), second), dim=1))
        features = self.decoder_level2(features)
        features = self.decoder_level1(torch.cat((self.up2_1(features), first), dim=1))
        residual = self.output(self.refinement(features))
        return x + residual[..., :h, :w].to(x.dtype)


class _Norm(nn.Module):
    """Normalisation over the channels of each pixel."""

    def __init__(self, width: int, normalisation: Normalisation) -> None:
        super().__init__()
        body = {"weight": nn.Parameter(torch.ones(width))}
        if normalisation == "with-bias":
            body["bias"] = nn.Parameter(torch.zeros(width))
        self.body = nn.ParameterDict(body)

    def forward(self, x: Float[Tensor, "b c h w"]) -> Float[Tensor, "b c h w"]:
        variance, mean = torch.var_mean(x, dim=1, keepdim=True, correction=0)
        gain = self.body["weight"][:, None, None] * torch.rsqrt(variance + 1e-5)
        if "bias" not in self.body:
            return x * gain
        return (x - mean) * gain + self.body["bias"][:, None, None]


class _Attention(nn.Module):
    """MDTA: attention of a channel to the other channels of its head."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.temperature = nn.Parameter(torch.ones(heads, 1, 1))
        self.qkv = nn.Conv2d(width, 3 * width, 1, bias=False)
        self.qkv_dwconv = nn.Conv2d(3 * width, 3 * width, 3, padding=1, groups=3 * width, bias=False)
        self.project_out = nn.Conv2d(width, width, 1, bias=False)

    def forward(self, x: Float[Tensor, "b c h w"]) -> Float[Tensor, "b c h w"]:
        b, c, h, w = x.shape
        projected = self.qkv_dwconv(self.qkv(x)).reshape(b, 3, self.heads, c // self.heads, h * w)
        Q, K, V = projected.unbind(1)
        scores = (normalize(Q, dim=-1) @ normalize(K, dim=-1).transpose(-2, -1)) * self.temperature
        weights = scores.softmax(dim=-1, dtype=torch.promote_types(x.dtype, torch.float32)).to(x.dtype)
        return self.project_out((weights @ V).reshape(b, c, h, w))


class _FeedForward(nn.Module):
    """GDFN: one half of the channels gates the other."""

    def __init__(self, width: int, hidden: int) -> None:
        super().__init__()
        self.project_in = nn.Conv2d(width, 2 * hidden, 1, bias=False)
        self.dwconv = nn.Conv2d(2 * hidden, 2 * hidden, 3, padding=1, groups=2 * hidden, bias=False)
        self.project_out = nn.Conv2d(hidden, width, 1, bias=False)

    def forward(self, x: Float[Tensor, "b c h w"]) -> Float[Tensor, "b c h w"]:
        gate, values = self.dwconv(self.project_in(x)).chunk(2, dim=1)
        return self.project_out(gelu(gate) * values)


class _Block(nn.Module):
    """MDTA, then GDFN, each normalised before and added to what it got."""

    def __init__(self, width: int, heads: int, hidden: int, normalisation: Normalisation) -> None:
        super().__init__()
        self.norm1 = _Norm(width, normalisation)
        self.attn = _Attention(width, heads)
        self.norm2 = _Norm(width, normalisation)
        self.ffn = _FeedForward(width, hidden)

    def forward(self, x: Float[Tensor, "b c h w"]) -> Float[Tensor, "b c h w"]:
        x = x + self.attn(self.norm1(x))
        return x + self.ffn(self.norm2(x))


class _Down(nn.Module):
    """c channels to 2c of half the sides."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.body = nn.Sequential(_conv3(width, width // 2))

    def forward(self, x: Float[Tensor, "b c h w"]) -> Float[Tensor, "b k i j"]:
        return pixel_unshuffle(self.body(x), 2)


class _Up(nn.Module):
    """c channels to c/2 of twice the sides."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.body = nn.Sequential(_conv3(width, 2 * width))

    def forward(self, x: Float[Tensor, "b c h w"]) -> Float[Tensor, "b k i j"]:
        return pixel_shuffle(self.body(x), 2)


def _conv3(before: int, after: int) -> nn.Conv2d:
    """A 3×3 convolution without bias, zeros outside."""
    return nn.Conv2d(before, after, 3, padding=1, bias=False)


def _expansion(state: Mapping[str, Tensor], width: int) -> float:
    """The authors' 2.66 if it gives the hidden channels of every level, else another number that does."""
    hidden = [state[f"{level}.0.ffn.project_out.weight"].shape[1] for level in LEVELS]
    if all(int(width * 2**level * 2.66) == n for level, n in enumerate(hidden)):
        return 2.66
    return (hidden[-1] + 0.5) / (width * 2 ** (len(LEVELS) - 1))


def _count(state: Mapping[str, Tensor], level: str) -> int:
    """How many blocks a level has."""
    n = 0
    while f"{level}.{n}.attn.temperature" in state:
        n += 1
    return n
