"""SRCNN: three convolutions on the picture enlarged beforehand.

Model, Y the bicubically enlarged picture (the three layers read as patch extraction, non-linear mapping and
reconstruction of sparse coding):

    F(Y) = W₃ * relu(W₂ * relu(W₁ * Y + b₁) + b₂) + b₃

Dong, Loy, He, Tang: "Image super-resolution using deep convolutional networks", IEEE TPAMI 38(2), 2016,
doi:10.1109/TPAMI.2015.2439281 (first at ECCV 2014).
"""

from collections.abc import Mapping
from math import isqrt

from jaxtyping import Float, Shaped
from torch import Tensor, nn
from torch.nn import functional

from restora.core.errors import InvalidParameter
from restora.nets.beginnings import carry, deliver
from restora.nets.network import Network
from restora.nets.recognised import Recognised

_LAYERS = (1, 2, 3)
_KEYS = {f"conv{n}.{part}" for n in _LAYERS for part in ("weight", "bias")}
_NHAT_THANH = {"patch_extraction": "conv1", "nonlinear_map": "conv2", "recon": "conv3"}
_MATLAB_KEYS = {f"{part}_conv{n}" for n in _LAYERS for part in ("weights", "biases")}


class SRCNN(Network):
    """Super-resolution network of three layers: (b, channels, h, w) in [0, 1] to the same shape.

    The input has the size of the output already: it is the bicubic enlargement. Zeros lie outside the picture, as in
    the authors' test code (in training they use no padding, and smaller targets).
    Cost: 8,032 multiplications a pixel for 9-1-5, 57,184 for 9-5-5.
    """

    def __init__(
        self,
        *,
        kernels: tuple[int, int, int] = (9, 1, 5),
        widths: tuple[int, int] = (64, 32),
        channels: int = 1,
        from_identity: bool = False,
    ) -> None:
        """Draw fresh weights, N(0, 0.001²) with biases 0 as in the paper.

        Args:
            kernels: sides of the three filters, odd: 9-1-5 is the basic network, 9-5-5 the best.
            widths: channels of the first two layers.
            channels: of the input and of the output.
            from_identity: fresh weights give back Y, and the rest of them are He's: from there a training needs
                thousands of steps, not millions. It matters to trainings only.

        Raises:
            InvalidParameter: a kernel is even, or a number is below 1.
        """
        super().__init__()
        if min(channels, *kernels, *widths) < 1 or any(side % 2 == 0 for side in kernels):
            raise InvalidParameter(f"kernels {kernels} must be odd, widths {widths} and channels {channels} at least 1")
        self.kernels = kernels
        planes = (channels, *widths, channels)
        self.conv1, self.conv2, self.conv3 = (
            nn.Conv2d(before, after, side, padding=side // 2)
            for before, after, side in zip(planes, planes[1:], kernels)
        )
        for conv in (self.conv1, self.conv2, self.conv3):
            nn.init.normal_(conv.weight, std=0.001)
            nn.init.zeros_(conv.get_parameter("bias"))
        if from_identity:
            self._from_identity(channels)

    def _from_identity(self, channels: int) -> None:
        for conv in (self.conv1, self.conv2, self.conv3):
            nn.init.kaiming_normal_(conv.weight, nonlinearity="relu")
        carry(self.conv1, channels)
        carry(self.conv2, channels)
        deliver(self.conv3, channels)

    @classmethod
    def recognise(cls, state: Mapping[str, Tensor]) -> Recognised | None:
        """SRCNN, or None; three convolutions that end with more channels than they began with are left to ESPCN.

        Known are ``conv1``, ``conv2``, ``conv3`` with ``weight`` and ``bias`` (fuyongXu, yjn870; ours too),
        ``patch_extraction``, ``nonlinear_map``, ``recon`` (Nhat-Thanh, who does not pad: the same but for the border),
        and the arrays of the authors' MATLAB files: ``weights_conv1`` (f₁², n₁), ``weights_conv2`` (n₁, f₂², n₂),
        ``weights_conv3`` (n₂, f₃²), each kernel column after column, with ``biases_conv1`` … ``biases_conv3``.
        """
        if set(state) == _KEYS:
            return _with_fields(state, "restora")
        if {key.split(".")[0] for key in state} == set(_NHAT_THANH):
            renamed = {
                _NHAT_THANH[key.split(".")[0]] + "." + key.split(".")[-1]: tensor for key, tensor in state.items()
            }
            return _with_fields(renamed, "Nhat-Thanh") if set(renamed) == _KEYS else None
        if set(state) >= _MATLAB_KEYS:
            renamed = _from_matlab(state)
            return None if renamed is None else _with_fields(renamed, "MATLAB")
        return None

    @property
    def halo(self) -> int:
        return sum(side // 2 for side in self.kernels)

    def forward(self, x: Float[Tensor, "b c h w"]) -> Float[Tensor, "b c h w"]:
        features = functional.relu(self.conv1(self.like_weights(x)), inplace=True)
        features = functional.relu(self.conv2(features), inplace=True)
        return self.conv3(features).to(x.dtype)


def _with_fields(state: Mapping[str, Tensor], layout: str) -> Recognised | None:
    weights = [state[f"conv{n}.weight"] for n in _LAYERS]
    if any(weight.ndim != 4 or weight.shape[2] != weight.shape[3] for weight in weights):
        return None
    kernels = tuple(weight.shape[2] for weight in weights)
    channels = weights[0].shape[1]
    if weights[2].shape[0] != channels or any(side % 2 == 0 for side in kernels):
        return None
    fields = {"kernels": kernels, "widths": (weights[0].shape[0], weights[1].shape[0]), "channels": channels}
    return SRCNN.if_it_fits("srcnn", fields, state, layout)


def _from_matlab(state: Mapping[str, Tensor]) -> dict[str, Tensor] | None:
    """Kernels (out, in, y, x) of the matrices; None where they are no matrices of square kernels of one channel."""
    first, second, third = (state[f"weights_conv{n}"] for n in _LAYERS)
    if first.ndim != 2 or third.ndim != 2:
        return None
    n1, n2 = first.shape[1], third.shape[0]
    second = second.reshape(n1, -1, n2) if second.numel() % (n1 * n2) == 0 else second
    areas = (first.shape[0], second.shape[1], third.shape[1])
    if second.ndim != 3 or any(isqrt(area) ** 2 != area for area in areas):
        return None
    weights = (_kernels(first.T[:, None]), _kernels(second.permute(2, 0, 1)), _kernels(third[None]))
    named = {f"conv{n}.weight": weight for n, weight in zip(_LAYERS, weights)}
    return named | {f"conv{n}.bias": state[f"biases_conv{n}"].reshape(-1) for n in _LAYERS}


def _kernels(columns: Shaped[Tensor, "o i a"]) -> Shaped[Tensor, "o i f f"]:
    """Square kernels that lay column after column."""
    side = isqrt(columns.shape[2])
    return columns.reshape(*columns.shape[:2], side, side).transpose(2, 3).contiguous()
