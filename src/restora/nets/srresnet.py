"""SRResNet, the generator of SRGAN: residual blocks with batch normalisation on the coarse grid.

Model, BN batch normalisation, PReLU with one slope a layer, PS the sub-pixel shuffle of factor 2 (3 at ×3):

    F₀ = PReLU(W * y)                                           9×9, 64
    F ← F + BN(W * PReLU(BN(W * F)))   (16 times)               3×3, 64
    F ← F₀ + BN(W * F)                                          3×3, 64
    F ← PReLU(PS(W * F))   (log₂ s times, once at ×3)           3×3, 256
    x = W * F                                                   9×9, 3

Ledig, Theis, Huszár, Caballero, Cunningham, Acosta, Aitken, Tejani, Totz, Wang, Shi: "Photo-realistic single image
super-resolution using a generative adversarial network", CVPR 2017, doi:10.1109/CVPR.2017.19.
"""

import re
from collections.abc import Mapping
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor, nn

from restora.core.errors import InvalidParameter
from restora.nets.beginnings import carry, deliver, silence
from restora.nets.network import Network
from restora.nets.recognised import Recognised

STEPS = {2: (2,), 3: (3,), 4: (2, 2), 8: (2, 2, 2)}
"""Scale -> factors of the sub-pixel shuffles."""

_LORNATANG = (
    (r"conv(?:_block)?1\.", "head."),
    (r"trunk\.(\d+)\.rcb\.", r"body.\1."),
    (r"conv(?:_block)?2\.", "joint."),
    (r"upsampling\.(\d+)\.upsample_block\.", r"up.\1."),
    (r"conv(?:_block)?3\.", "tail."),
)
_LEFTTHOMAS_PARTS = {"conv1": 0, "bn1": 1, "prelu": 2, "conv2": 3, "bn2": 4}


class SRResNet(Network):
    """SRResNet: (b, channels, h, w) to (b, channels, scale·h, scale·w), RGB in [0, 1].

    Batch normalisation uses the statistics of the batch while training and the running ones in ``eval()``, where tiles
    of any size agree. Zeros lie outside the picture. Cost at ×4: 2.2 million multiplications a pixel of y.

    Departure: the paper's targets lie in [-1, 1]; here input and output both lie in [0, 1], which moves only the last
    layer.
    """

    def __init__(
        self,
        *,
        scale: int = 4,
        channels: int = 3,
        blocks: int = 16,
        width: int = 64,
        joint: Literal["norm", "prelu"] = "norm",
        squashed: bool = False,
        from_identity: bool = False,
    ) -> None:
        """Draw fresh weights: He's for relu, biases 0, slopes 0.25.

        Args:
            scale: how many times finer the output is: 2, 3, 4 or 8.
            channels: of the input and of the output.
            blocks: number of residual blocks.
            width: channels of the features.
            joint: what follows the convolution that closes the long skip: batch normalisation as in the paper, or the
                PReLU of one public re-implementation.
            squashed: the output is (tanh + 1)/2, as in the same re-implementation.
            from_identity: fresh weights repeat every pixel, and residuals begin at 0. It matters to trainings only.

        Raises:
            InvalidParameter: another scale, or a number below 1.
        """
        super().__init__()
        if scale not in STEPS:
            raise InvalidParameter.outside("scale", scale, "2, 3, 4 or 8")
        if min(channels, blocks, width) < 1:
            raise InvalidParameter(f"channels {channels}, blocks {blocks} and width {width} must be at least 1")
        self.scale, self.squashed = scale, squashed
        self.head = nn.Sequential(nn.Conv2d(channels, width, 9, padding=4), nn.PReLU())
        self.body = nn.Sequential(*(ResidualBlock(width) for _ in range(blocks)))
        end = nn.BatchNorm2d(width) if joint == "norm" else nn.PReLU()
        self.joint = nn.Sequential(nn.Conv2d(width, width, 3, padding=1), end)
        self.up = nn.Sequential(*(_enlarging(width, step) for step in STEPS[scale]))
        self.tail = nn.Conv2d(width, channels, 9, padding=4)
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, nonlinearity="relu")
                nn.init.zeros_(module.get_parameter("bias"))
        if from_identity:
            self._from_identity(channels)

    def _from_identity(self, channels: int) -> None:
        width = self.tail.in_channels
        for block in self.body.children():
            silence(block.get_submodule("4"), width)
        normalised = isinstance(self.joint[1], nn.BatchNorm2d)
        silence(self.joint[1] if normalised else self.joint[0], width)
        carry(self.head[0], channels)
        for n, step in enumerate(STEPS[self.scale]):
            carry(self.up.get_submodule(f"{n}.0"), channels, copies=step**2)
        deliver(self.tail, channels)

    @classmethod
    def recognise(cls, state: Mapping[str, Tensor]) -> Recognised | None:
        """SRResNet, or None.

        Known are our own names; Lornatang's (``conv_block1`` or ``conv1``, ``trunk.{i}.rcb``, ``conv_block2``,
        ``upsampling.{i}``, ``conv_block3``), whose convolutions before batch normalisation have no biases, which is
        zero biases; and leftthomas's (``block1`` … ``block7``, ``block8.{i}``), whose output passes a tanh, with batch
        normalisation or PReLU in ``block7``.
        """
        if "head.0.weight" in state and "body.0.0.weight" in state:
            return _with_fields(state, "restora")
        if "trunk.0.rcb.0.weight" in state:
            return _with_fields({_renamed(key, _LORNATANG): tensor for key, tensor in state.items()}, "Lornatang")
        if "block1.0.weight" in state and "block8.0.conv.weight" in state:
            return _with_fields({_from_leftthomas(key): tensor for key, tensor in state.items()}, "leftthomas")
        return None

    @property
    def halo(self) -> int:
        return 2 * len(self.body) + 8

    def forward(self, x: Float[Tensor, "b c h w"]) -> Float[Tensor, "b c sh sw"]:
        shallow = self.head(self.like_weights(x))
        features = shallow + self.joint(self.body(shallow))
        result = self.tail(self.up(features)).to(x.dtype)
        return (torch.tanh(result) + 1) / 2 if self.squashed else result


class ResidualBlock(nn.Sequential):
    """F + BN(W * PReLU(BN(W * F)))."""

    def __init__(self, width: int) -> None:
        super().__init__(
            nn.Conv2d(width, width, 3, padding=1),
            nn.BatchNorm2d(width),
            nn.PReLU(),
            nn.Conv2d(width, width, 3, padding=1),
            nn.BatchNorm2d(width),
        )

    def forward(self, input: Float[Tensor, "b c h w"]) -> Float[Tensor, "b c h w"]:
        return input + super().forward(input)


def _enlarging(width: int, step: int) -> nn.Sequential:
    """A finer grid by ``step``."""
    return nn.Sequential(nn.Conv2d(width, width * step**2, 3, padding=1), nn.PixelShuffle(step), nn.PReLU())


def _with_fields(state: Mapping[str, Tensor], layout: str) -> Recognised | None:
    first = state.get("head.0.weight")
    if first is None or first.ndim != 4:
        return None
    width, channels = first.shape[:2]
    ups = [tensor for key, tensor in state.items() if re.fullmatch(r"up\.\d+\.0\.weight", key)]
    fields = {
        "scale": 3 if ups and ups[0].shape[0] == 9 * width else 2 ** len(ups),
        "channels": channels,
        "blocks": sum(re.fullmatch(r"body\.\d+\.0\.weight", key) is not None for key in state),
        "width": width,
        "joint": "norm" if "joint.1.running_mean" in state else "prelu",
        "squashed": layout == "leftthomas",
    }
    if fields["scale"] not in (2, 3, 4, 8):
        return None
    return SRResNet.if_it_fits("srresnet", fields, _completed(state), layout)


def _renamed(key: str, rules: tuple[tuple[str, str], ...]) -> str:
    """The key with the first rule applied that fits its beginning."""
    for pattern, ours in rules:
        renamed, count = re.subn(f"^{pattern}", ours, key)
        if count:
            return renamed
    return key


def _from_leftthomas(key: str) -> str:
    name, *rest = key.split(".")
    number = int(name.removeprefix("block")) if name.removeprefix("block").isdigit() else 0
    if number in (1, 7):
        return ".".join(("head" if number == 1 else "joint", *rest))
    if number == 8:
        return f"up.{rest[0]}.{'0' if rest[1] == 'conv' else '2'}.{rest[2]}" if len(rest) == 3 else f"tail.{rest[-1]}"
    part = _LEFTTHOMAS_PARTS.get(rest[0]) if rest else None
    return key if number == 0 or part is None else f"body.{number - 2}.{part}.{'.'.join(rest[1:])}"


def _completed(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The state with zero biases for convolutions that had none before a normalisation, and with its counters.

    Files older than PyTorch 0.4.1 lack the counters.
    """
    completed = dict(state)
    for key, tensor in state.items():
        if key.endswith("running_mean"):
            norm = key.removesuffix(".running_mean")
            stem, _, index = norm.rpartition(".")
            if index.isdigit():
                completed.setdefault(f"{stem}.{int(index) - 1}.bias", torch.zeros_like(tensor))
            completed.setdefault(f"{norm}.num_batches_tracked", torch.tensor(0))
    return completed
