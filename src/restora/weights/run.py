"""Run: a trained network over a batch of images, whatever their dtype and number of channels."""

import torch
from jaxtyping import Float
from torch import Tensor

from restora.core.errors import CannotSolve
from restora.weights.load import Trained


def run_network(trained: Trained, y: Float[Tensor, "b c h w"], sigma: float = 0.0) -> Float[Tensor, "b c i j"]:
    """What the network makes of y, in the dtype of y; no gradients.

    A network of one channel runs over each channel of y. One of three is given a gray image three times, and the mean
    of its three is taken.

    Args:
        trained: on the device of y.
        y: images; in other precisions than float32 they are converted and the result is converted back.
        sigma: of the noise, for networks that take a noise map.

    Raises:
        CannotSolve: the network takes three channels, and y has neither one nor three.
    """
    channels = trained.channels
    if channels != 1 and y.shape[1] not in (1, channels):
        raise CannotSolve(f"{trained.name} takes images of 1 or {channels} channels, not {y.shape[1]}")
    x = y.float()
    if channels == 1:
        x = x.reshape(-1, 1, *x.shape[-2:])
    elif x.shape[1] == 1:
        x = x.expand(-1, channels, -1, -1)
    with torch.no_grad():
        if trained.network.takes_noise_map:
            out = trained.network(x, x.new_full((len(x), 1, *x.shape[-2:]), sigma))
        else:
            out = trained.network(x)
    out = out.reshape(len(y), -1, *out.shape[-2:]) if channels == 1 else out
    return (out if out.shape[1] == y.shape[1] else out.mean(dim=1, keepdim=True)).to(y.dtype)
