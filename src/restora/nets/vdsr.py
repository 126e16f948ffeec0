"""VDSR: twenty convolutions predict what the bicubic enlargement lacks.

Model, Y the bicubically enlarged picture, one network for every scale:

    x = Y + R(Y),   R: depth convolutions 3×3, relu between them

Kim, Lee, Lee: "Accurate image super-resolution using very deep convolutional networks", CVPR 2016,
doi:10.1109/CVPR.2016.182.
"""

import re
from collections.abc import Mapping
from itertools import pairwise

from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from restora.core.errors import InvalidParameter
from restora.nets.network import Network
from restora.nets.recognised import Recognised

_MATLAB = re.compile(r"(?:model\.)?(weight|bias)\.(\d+)")
_NHAT_THANH = re.compile(r"(?:conv_2_to_19\.)?conv_(\d+)\.(weight|bias)")
_INNER = re.compile(r"residual_layer\.(\d+)\.conv\.(weight|bias)")


class VDSR(Network):
    """Very deep super-resolution network: (b, channels, h, w) in [0, 1] to the same shape.

    The input has the size of the output already: it is the bicubic enlargement, neither rounded nor clipped. Zeros lie
    outside the picture at every layer. Cost: 664,704 multiplications a pixel. Weights in bfloat16 cost 0.02 dB at ×2
    and 0.09 dB at ×4 (Set5's butterfly).
    """

    def __init__(
        self, *, depth: int = 20, width: int = 64, channels: int = 1, bias: bool = True, from_identity: bool = False
    ) -> None:
        """Draw fresh weights: He's, for relu; biases 0; zeros in the last layer, so that training begins at Y.

        Args:
            depth: number of convolutions, at least 2.
            width: channels between them.
            channels: of the input and of the output.
            bias: the convolutions have biases (the widespread PyTorch re-implementation has none).
            from_identity: the layers in the middle begin by handing their features on, so that the weights of a
                shallower network can be gone on with, see :meth:`begin_with`. It matters to trainings only.

        Raises:
            InvalidParameter: a number is too small.
        """
        super().__init__()
        if depth < 2 or min(width, channels) < 1:
            raise InvalidParameter(
                f"depth {depth} must be at least 2, width {width} and channels {channels} at least 1"
            )
        planes = (channels, *[width] * (depth - 1), channels)
        convolutions = [nn.Conv2d(before, after, 3, padding=1, bias=bias) for before, after in pairwise(planes)]
        for convolution in convolutions:
            nn.init.kaiming_normal_(convolution.weight, nonlinearity="relu")
            if convolution.bias is not None:
                nn.init.zeros_(convolution.bias)
        # Departure from the paper, which draws this one too: a random picture on top of Y takes long to unlearn.
        nn.init.zeros_(convolutions[-1].weight)
        if from_identity:
            for convolution in convolutions[1:-1]:
                nn.init.dirac_(convolution.weight)
        self.layers = nn.ModuleList(convolutions)

    def begin_with(self, state: Mapping[str, Tensor]) -> None:
        """Take up weights, also those of a shallower VDSR: they go into the first layers and the last.

        From the identity in between, the deep network does at first what the shallow one did.

        Raises:
            RuntimeError: they do not fit.
        """
        last = max((int(name.split(".")[1]) for name in state if name.startswith("layers.")), default=0)
        deep = {name.replace(f"layers.{last}.", f"layers.{self.halo - 1}."): value for name, value in state.items()}
        super().begin_with({**self.state_dict(), **deep} if last + 1 < self.halo else state)

    @classmethod
    def recognise(cls, state: Mapping[str, Tensor]) -> Recognised | None:
        """VDSR, or None.

        Known are twtygqyy's ``input.weight``, ``residual_layer.{i}.conv.weight``, ``output.weight`` (no biases; a
        re-training with biases loads too), Nhat-Thanh's ``conv_1``, ``conv_2_to_19.conv_{i}``, ``conv_20``, our own
        ``layers.{i}.weight`` and ``.bias``, and the official structure ``model`` of MATLAB with the cells ``weight``
        and ``bias``. Of that the keys are ``weight.{i}``, kernels of axes (y, x, in, out) with trailing axes of length
        one dropped, and ``bias.{i}``, counted from 0 or from 1, with or without ``model.`` before them.
        """
        if "layers.0.weight" in state:
            return _with_fields(state, "restora")
        if "residual_layer.0.conv.weight" in state:
            return _with_fields(_from_twtygqyy(state), "twtygqyy")
        matches = [(_NHAT_THANH.fullmatch(key), tensor) for key, tensor in state.items()]
        if "conv_2_to_19.conv_2.weight" in state and all(match for match, _ in matches):
            renamed = {f"layers.{int(match[1]) - 1}.{match[2]}": tensor for match, tensor in matches if match}
            return _with_fields(renamed, "Nhat-Thanh")
        if all(_MATLAB.fullmatch(key) for key in state):
            return _with_fields(_from_matlab(state), "MATLAB")
        return None

    @property
    def halo(self) -> int:
        return len(self.layers)

    def forward(self, x: Float[Tensor, "b c h w"]) -> Float[Tensor, "b c h w"]:
        features = self.like_weights(x)
        for layer in self.layers[:-1]:
            features = functional.relu(layer(features), inplace=True)
        return x + self.layers[-1](features).to(x.dtype)


def _with_fields(state: Mapping[str, Tensor], layout: str) -> Recognised | None:
    weights = [tensor for key, tensor in state.items() if key.endswith(".weight")]
    first = state.get("layers.0.weight")
    if first is None or first.ndim != 4 or len(weights) < 2:
        return None
    fields = {
        "depth": len(weights),
        "width": first.shape[0],
        "channels": first.shape[1],
        "bias": "layers.0.bias" in state,
    }
    return VDSR.if_it_fits("vdsr", fields, state, layout)


def _from_twtygqyy(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    inner = sum(key.endswith(".conv.weight") for key in state)
    ends = {"input": 0, "output": inner + 1}
    renamed: dict[str, Tensor] = {}
    for key, tensor in state.items():
        match = _INNER.fullmatch(key)
        name, part = key.split(".")[0], key.split(".")[-1]
        index = int(match[1]) + 1 if match else ends.get(name, name)
        renamed[f"layers.{index}.{part}"] = tensor
    return renamed


def _from_matlab(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    found = [(match[1], int(match[2]), state[match[0]]) for key in state if (match := _MATLAB.fullmatch(key))]
    start = min((index for _, index, _ in found), default=0)
    renamed: dict[str, Tensor] = {}
    for part, index, tensor in found:
        if part == "weight":
            kernel = tensor.reshape(tensor.shape + (1,) * (4 - tensor.ndim)).permute(3, 2, 0, 1).contiguous()
            renamed[f"layers.{index - start}.weight"] = kernel
        else:
            renamed[f"layers.{index - start}.bias"] = tensor.reshape(-1)
    return renamed
