"""Fresh weights that hand the picture on.

A network without a residual spends its first thousands of steps on learning to give back what it was given. The fresh
weights made here carry the picture in the first features of every layer and leave the others random; from such a start
a training learns what is to be changed. It matters to trainings alone: any weights that are loaded replace it.
"""

import torch
from torch import nn

QUIET = 0.03
"""What is left of the random weights of a layer that makes pictures, so that they do not drown the one carried."""


@torch.no_grad()
def carry(layer: nn.Module, planes: int, *, gain: float = 1.0, copies: int = 1) -> None:
    """Make the first outputs of a convolution its first inputs times ``gain``, each ``copies`` times, in place.

    Args:
        layer: a convolution with filters of odd sides; its other outputs are not touched.
        planes: how many inputs are handed on.
        gain: their factor.
        copies: how often each is repeated, one after the other, as a sub-pixel shuffle wants them.
    """
    silence(layer, planes * copies)
    weight = layer.get_parameter("weight")
    row, column = (side // 2 for side in weight.shape[-2:])
    for output in range(planes * copies):
        weight[output, output // copies, row, column] = gain


@torch.no_grad()
def deliver(layer: nn.Module, planes: int, *, gain: float = 1.0, copies: int = 1) -> None:
    """Make the last convolution give its first inputs; what it makes of the others is kept, but quietly."""
    weight = layer.get_parameter("weight")
    others = weight[:, planes:] * QUIET
    carry(layer, planes, gain=gain, copies=copies)
    weight[:, planes:] = others


@torch.no_grad()
def silence(layer: nn.Module, outputs: int) -> None:
    """Make the first outputs of a convolution or linear map 0, in place."""
    for parameter in layer.parameters():
        parameter[:outputs] = 0


@torch.no_grad()
def pass_through(layers: nn.Sequential, planes: int) -> None:
    """Make a fresh chain give back its first ``planes`` inputs, in place: ReLU(y) and ReLU(−y) travel untouched.

    They take the first 2 · ``planes`` features; the others stay random and enter the output with a tenth of their gain.
    """
    convolutions = [layer for layer in layers if isinstance(layer, nn.Conv2d)]
    first, last = convolutions[0].weight, convolutions[-1].weight
    for layer in convolutions[:-1]:
        layer.weight[: 2 * planes] = 0
    last *= 0.1
    last[:, : 2 * planes] = 0
    for k in range(planes):
        for feature, sign in ((2 * k, 1.0), (2 * k + 1, -1.0)):
            first[feature, k, 1, 1] = sign
            last[k, feature, 1, 1] = sign
            for layer in convolutions[1:-1]:
                layer.weight[feature, feature, 1, 1] = 1
