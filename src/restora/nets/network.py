"""Network: the contract of every architecture.

A network knows nothing of files, tasks, colour or tiles. Its constructor takes keywords of plain types (int, float,
bool, str, tuples of them), so that a manifest or a recipe can hold them; its defaults are the paper's.
"""

import math
from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any, ClassVar

import torch
from jaxtyping import Float
from torch import Tensor, nn

from restora.nets.recognised import Recognised


class Network(nn.Module, ABC):
    """A map from images (b, c, h, w), nominally in [0, 1], to images (b, c', scale·h, scale·w) of any size.

    The body runs in the dtype of the weights; the result has the dtype of x. A global residual is added in the dtype
    of x, so that weights in bfloat16 do not round the picture itself. What the architecture pads, it crops.

    Attributes:
        scale: how many times finer the output is than the input; of each instance where it varies.
        takes_noise_map: ``forward(x, sigma)`` with σ of each pixel, (b, 1, h, w) on [0, 1], in place of ``forward(x)``.
        bfloat16_from: σ of the noise, on [0, 1], from which weights and features in bfloat16 cost at most 0.01 dB on
            the mean of photographs, measured; ∞ where they always cost more, or nothing is known.
    """

    scale: int = 1
    takes_noise_map: ClassVar[bool] = False
    bfloat16_from: float = math.inf

    @property
    @abstractmethod
    def halo(self) -> int | None:
        """Radius, in pixels of x, of what one output pixel depends on; None when it is the whole image."""

    @classmethod
    def recognise(cls, state: Mapping[str, Tensor]) -> Recognised | None:
        """The network whose weights these are, if they are of this architecture; None where they are of another.

        Overridden for every layout of names under which checkpoints of the architecture have been published.

        Args:
            state: the tensors of a checkpoint by name, in the order and precision of the file.
        """
        return None

    @classmethod
    def if_it_fits(
        cls, architecture: str, fields: Mapping[str, Any], state: Mapping[str, Tensor], layout: str
    ) -> Recognised | None:
        """What was recognised, if the state has exactly the names and shapes of the network with those fields.

        No memory is taken for the network.
        """
        with torch.device("meta"):
            expected = cls(**fields).state_dict()
        shapes = {name: tensor.shape for name, tensor in expected.items()}
        fits = {name: tensor.shape for name, tensor in state.items()} == shapes
        return Recognised(architecture, fields, state, layout) if fits else None

    def begin_with(self, state: Mapping[str, Tensor]) -> None:
        """Take up weights to train on from.

        Raises:
            RuntimeError: they do not fit.
        """
        self.load_state_dict(state)

    def like_weights(self, x: Float[Tensor, "b c h w"]) -> Float[Tensor, "b c h w"]:
        """x in the dtype and memory layout of the weights."""
        weight = next(parameter for parameter in self.parameters() if parameter.ndim == 4)
        last = weight.is_contiguous(memory_format=torch.channels_last) and not weight.is_contiguous()
        return x.to(weight.dtype, memory_format=torch.channels_last if last else torch.contiguous_format)


def parameter_count(network: nn.Module) -> int:
    """Trainable numbers of the network."""
    return sum(parameter.numel() for parameter in network.parameters())
