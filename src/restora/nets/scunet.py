"""SCUNet: a U-net whose blocks give one half of the channels to a Swin transformer and the other to convolutions.

Model:

    block(F) = F + W₂ [T(F_t), F_c + conv₃(relu(conv₃(F_c)))],   F_c, F_t = the halves of W₁ F
    T(F) = G + MLP(n(G)),   G = F + attention(n(F)) within windows of 8×8, shifted by 4 in every second block

W₁, W₂ are 1×1 convolutions. Four levels; a strided 2×2 convolution halves the sides and doubles the channels, a
transposed one goes back; skips are added. The picture itself is not: x = conv₃(U-net(F₀) + F₀), F₀ = conv₃(y).

Zhang, Li, Liang, Cao, Zhang, Tang, Fan, Timofte, Van Gool: "Practical blind image denoising via Swin-Conv-UNet and data
synthesis", Machine Intelligence Research 20, 2023, doi:10.1007/s11633-023-1466-0.
"""

from collections.abc import Mapping

import torch
from jaxtyping import Float
from torch import Tensor, nn

from restora.core.errors import InvalidParameter
from restora.nets.attention import displacements, window_attention
from restora.nets.extension import extended, up_to_multiple
from restora.nets.network import Network
from restora.nets.recognised import Recognised

LEVELS = 4

STAGES = ("m_down1", "m_down2", "m_down3", "m_body", "m_up3", "m_up2", "m_up1")
TABLE = "trans_block.msa.relative_position_params"


class SCUNet(Network):
    """Swin-Conv-UNet: (b, channels, h, w) in [0, 1] to the same shape.

    A picture is extended by its last row and column, to the right and downwards, to multiples of 64 (of the window on
    the coarsest level). Its halo is None: a pixel's reach is several hundred pixels and depends on where the grid of
    windows lies, so that tiles agree with the whole only approximately.

    Cost: 1.2 million multiplications a pixel.

    Departures: the authors' code stops shifting the windows of levels that are no larger than a window in training;
    with their 256×256 none is, and here all are shifted. No stochastic depth while training (theirs is off).
    """

    # Not in bfloat16. With two draws of fresh weights the error is 0.7 and 0.9 % of the picture itself, which no skip
    # but those of the features carries: about 0.1 dB at 31.8 dB.

    def __init__(
        self,
        *,
        channels: int = 3,
        width: int = 64,
        depths: tuple[int, ...] = (4, 4, 4, 4, 4, 4, 4),
        head_width: int = 32,
        window: int = 8,
    ) -> None:
        """Draw fresh weights, as PyTorch draws them; the biases of displacements N(0, 0.02²).

        Args:
            channels: of the input and of the output.
            width: channels of the features on the first level; 2, 4 and 8 times as many on the next.
            depths: blocks of the seven stages: three down, the body, three up.
            head_width: channels of each head of the attention, a divisor of width / 2.
            window: side of a window in pixels, at least 2.

        Raises:
            InvalidParameter: a number is outside its range or does not fit another.
        """
        super().__init__()
        if len(depths) != 2 * LEVELS - 1 or min(depths) < 0 or min(channels, width, head_width, window - 1) < 1:
            raise InvalidParameter(f"depths {depths} must be seven numbers >= 0, window {window} at least 2")
        if width % (2 * head_width):
            raise InvalidParameter.outside("width", width, f"a multiple of twice the head's width {head_width}")
        self.window = window

        def stage(level: int, depth: int) -> list[nn.Module]:
            shifts = [window // 2 if i % 2 else 0 for i in range(depth)]
            return [_Block(width * 2**level, head_width, window, shift) for shift in shifts]

        def down(level: int) -> nn.Sequential:
            coarser = nn.Conv2d(width * 2**level, width * 2 ** (level + 1), 2, stride=2, bias=False)
            return nn.Sequential(*stage(level, depths[level]), coarser)

        def up(level: int) -> nn.Sequential:
            finer = nn.ConvTranspose2d(width * 2 ** (level + 1), width * 2**level, 2, stride=2, bias=False)
            return nn.Sequential(finer, *stage(level, depths[-1 - level]))

        self.m_head = nn.Sequential(nn.Conv2d(channels, width, 3, padding=1, bias=False))
        self.m_down1, self.m_down2, self.m_down3 = down(0), down(1), down(2)
        self.m_body = nn.Sequential(*stage(3, depths[3]))
        self.m_up3, self.m_up2, self.m_up1 = up(2), up(1), up(0)
        self.m_tail = nn.Sequential(nn.Conv2d(width, channels, 3, padding=1, bias=False))

    @classmethod
    def recognise(cls, state: Mapping[str, Tensor]) -> Recognised | None:
        """SCUNet, or None; the authors' keys are ours, so their files (also KAIR's) and ours are called "restora"."""
        if "m_head.0.weight" not in state:
            return None
        tables = {key: value for key, value in state.items() if key.endswith(TABLE)}
        if not tables:
            return None
        key, table = next(iter(tables.items()))
        half = state[key.replace("relative_position_params", "linear.weight")].shape[0]
        width, channels = state["m_head.0.weight"].shape[:2]
        fields = {
            "channels": channels,
            "width": width,
            "depths": tuple(sum(key.startswith(f"{stage}.") for key in tables) for stage in STAGES),
            "head_width": half // table.shape[0],
            "window": (table.shape[1] + 1) // 2,
        }
        return Recognised("scunet", fields, dict(state), "restora")

    @property
    def halo(self) -> None:
        return None

    def forward(self, x: Float[Tensor, "b c h w"]) -> Float[Tensor, "b c h w"]:
        h, w = x.shape[-2], x.shape[-1]
        multiple = self.window * 2 ** (LEVELS - 1)
        large = extended(x, up_to_multiple(h, multiple), up_to_multiple(w, multiple), "replicate")
        first = self.m_head(self.like_weights(large))
        second = self.m_down1(first)
        third = self.m_down2(second)
        fourth = self.m_down3(third)
        features = self.m_body(fourth)
        features = self.m_up3(features + fourth)
        features = self.m_up2(features + third)
        features = self.m_up1(features + second)
        return self.m_tail(features + first)[..., :h, :w].to(x.dtype)


class _Attention(nn.Module):
    """Attention within windows, with a bias for each head and displacement, (heads, 2p − 1, 2p − 1)."""

    def __init__(self, width: int, head_width: int, window: int, shift: int) -> None:
        super().__init__()
        self.window, self.shift = window, shift
        self.relative_position_params = nn.Parameter(torch.zeros(width // head_width, 2 * window - 1, 2 * window - 1))
        self.embedding_layer = nn.Linear(width, 3 * width)
        self.linear = nn.Linear(width, width)
        nn.init.trunc_normal_(self.relative_position_params, std=0.02)

    def forward(self, x: Float[Tensor, "b h w c"]) -> Float[Tensor, "b h w c"]:
        dy, dx = displacements(self.window, x.device)
        bias = self.relative_position_params[:, dy, dx]
        return window_attention(x, self.embedding_layer, self.linear, bias, shift=self.shift)


class _Transformer(nn.Module):
    """T: attention, then a perceptron of two layers, each normalised before and added to what it got."""

    def __init__(self, width: int, head_width: int, window: int, shift: int) -> None:
        super().__init__()
        self.ln1 = nn.LayerNorm(width)
        self.msa = _Attention(width, head_width, window, shift)
        self.ln2 = nn.LayerNorm(width)
        self.mlp = nn.Sequential(nn.Linear(width, 4 * width), nn.GELU(), nn.Linear(4 * width, width))

    def forward(self, x: Float[Tensor, "b h w c"]) -> Float[Tensor, "b h w c"]:
        x = x + self.msa(self.ln1(x))
        return x + self.mlp(self.ln2(x))


class _Block(nn.Module):
    """Convolutions on the first half of the channels, a transformer on the second, added to what came in."""

    def __init__(self, width: int, head_width: int, window: int, shift: int) -> None:
        super().__init__()
        half = width // 2
        self.trans_block = _Transformer(half, head_width, window, shift)
        self.conv1_1 = nn.Conv2d(width, width, 1)
        self.conv1_2 = nn.Conv2d(width, width, 1)
        self.conv_block = nn.Sequential(
            nn.Conv2d(half, half, 3, padding=1, bias=False), nn.ReLU(), nn.Conv2d(half, half, 3, padding=1, bias=False)
        )

    def forward(self, x: Float[Tensor, "b c h w"]) -> Float[Tensor, "b c h w"]:
        near, far = self.conv1_1(x).chunk(2, dim=1)
        near = near + self.conv_block(near)
        far = self.trans_block(far.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)
        return x + self.conv1_2(torch.cat((near, far), dim=1))
