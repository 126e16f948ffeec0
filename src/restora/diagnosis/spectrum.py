"""Compute the mean power spectrum of a picture over windowed blocks (Welch 1967)."""

import torch
from jaxtyping import Float
from torch import Tensor

BLOCK = 64
"""Side of the blocks."""

_BLOCKS = 2048


def gray(y: Float[Tensor, "b c h w"]) -> Float[Tensor, "b h w"]:
    """The mean of the channels, float32 on the CPU: where the estimators look for what all channels share."""
    return y.detach().mean(dim=1).float().cpu()


def mean_spectrum(pictures: Float[Tensor, "b h w"]) -> Float[Tensor, "64 33"] | None:
    """Mean periodogram of 64 × 64 blocks under a Hann window of unit energy: σ² everywhere for white noise.

    Blocks overlap by half, or lie on a wider lattice where there would be more than 2,048. Frequencies are those of
    ``rfft2``. None where the pictures are smaller than a block.
    """
    b, h, w = pictures.shape
    if min(h, w) < BLOCK:
        return None
    step = BLOCK // 2
    while b * ((h - BLOCK) // step + 1) * ((w - BLOCK) // step + 1) > _BLOCKS and step < max(h, w):
        step += BLOCK // 4
    blocks = pictures.unfold(1, BLOCK, step).unfold(2, BLOCK, step).reshape(-1, BLOCK, BLOCK)
    line = torch.hann_window(BLOCK + 2, periodic=False)[1:-1]
    window = torch.outer(line, line)
    window = window / window.norm()
    mean = (blocks * window).sum(dim=(1, 2), keepdim=True) / window.sum()
    return torch.fft.rfft2((blocks - mean) * window).abs().square().mean(dim=0)


def frequencies() -> tuple[Float[Tensor, "64 33"], Float[Tensor, "64 33"]]:
    """Vertical and horizontal frequency of each value of the spectrum, in cycles a pixel."""
    vertical = torch.fft.fftfreq(BLOCK, dtype=torch.float64)[:, None].expand(BLOCK, BLOCK // 2 + 1)
    horizontal = torch.fft.rfftfreq(BLOCK, dtype=torch.float64).expand(BLOCK, BLOCK // 2 + 1)
    return vertical, horizontal


def kernel_power(psf: Float[Tensor, "kh kw"]) -> Float[Tensor, "64 64"]:
    """|K(f)|² on the frequencies of a block, of an odd kernel no larger than a block."""
    h, w = psf.shape
    padded = torch.zeros(BLOCK, BLOCK, dtype=torch.float64)
    padded[:h, :w] = psf
    return torch.fft.fft2(padded).abs().square()


def smear(power: Float[Tensor, "64 64"]) -> Float[Tensor, "64 64"]:
    """What the Hann window makes of a power spectrum: a mean over neighbouring frequencies, 1/6, 2/3, 1/6 each way."""
    for axis in (0, 1):
        power = (power.roll(1, axis) + 4 * power + power.roll(-1, axis)) / 6
    return power


def radius(vertical: Tensor, horizontal: Tensor) -> Tensor:
    """Distance from frequency zero, at least half a bin, so that its logarithm exists."""
    return torch.hypot(vertical, horizontal).clamp_min(0.5 / BLOCK)


def quarter_turns(vertical: Tensor, horizontal: Tensor) -> Tensor:
    """Columns cos 2θ, sin 2θ, cos 4θ, sin 4θ of the direction of each frequency."""
    theta = torch.atan2(vertical, horizontal)
    return torch.stack([turn(k * theta) for k in (2, 4) for turn in (torch.cos, torch.sin)], dim=-1)
