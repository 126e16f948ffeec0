"""The exponential moving average of weights: less noisy than the last ones."""

from collections.abc import Mapping

import torch
from torch import Tensor, nn


class MovingAverage:
    """w̄ ← d·w̄ + (1 − d)·w after each step, with d = min(decay, (1 + t)/(10 + t)) so that the start is forgotten.

    Buffers (the statistics of batch normalisation) are copied. A decay of 0 is the last weights.

    Args:
        network: whose weights are followed.
        decay: d.
    """

    def __init__(self, network: nn.Module, decay: float) -> None:
        self.decay = decay
        self.state: dict[str, Tensor] = {name: value.detach().clone() for name, value in network.state_dict().items()}

    @torch.no_grad()
    def update(self, network: nn.Module, step: int) -> None:
        """Follow the network, whose weights were changed for the ``step``-th time."""
        decay = min(self.decay, (1 + step) / (10 + step))
        followed = dict(network.named_parameters())
        for name, value in network.state_dict().items():
            if name in followed:
                self.state[name].lerp_(value, 1 - decay)
            else:
                self.state[name].copy_(value)

    def load(self, state: Mapping[str, Tensor]) -> None:
        """Take up a saved average."""
        for name, value in state.items():
            self.state[name].copy_(value)

    @torch.no_grad()
    def go_back(self, state: Mapping[str, Tensor], part: float) -> None:
        """Move all weights this part of the way to others."""
        for name, value in self.state.items():
            if value.is_floating_point():
                value.lerp_(state[name], part)
