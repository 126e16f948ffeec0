"""Line integral convolution: the mean of an image along the curves of a field of directions, Gaussian in arc length.

For a pixel p, a field w of vectors with n = |w(p)| and f = n·√(2·amplitude) the curve X(0) = p, X' = w/|w| is followed
in steps of dl pixels as far as ``precision``·f, and

    v(p) = Σ_k ω_k u(X(k dl)) / Σ_k ω_k,    ω_k = exp(−(k dl)²/2f²).

u and w/|w| are interpolated linearly between pixels; a curve that reaches the border goes on along it. The last ω is
faded, in proportion to what is left of the curve, so that v depends on w continuously.

CPU tensors take a Numba kernel, all others and those with gradients the Torch one.
"""

import math

import numpy as np
import torch
from jaxtyping import Float
from numba import prange
from torch import Tensor

from restora.core.backend import runs_on_cpu_kernels
from restora.core.exponential import exp
from restora.core.kernels import kernel, parallel_from
from restora.numerics.diffusion.rows import SERIAL, as_array, strips_of

_ZERO, _HALF, _ONE = np.float32(0), np.float32(0.5), np.float32(1)  # exact in either precision
_LEAST = 1e-5  # |w| below it has no direction, nor any curve


def line_reach(amplitude: float, precision: float) -> int:
    """Pixels from which v(p) may depend, for |w| <= 1."""
    return math.ceil(precision * math.sqrt(2 * amplitude)) + 1


def line_integral(
    u: Float[Tensor, "b c h w"], w: Float[Tensor, "b 2 h w"], *, amplitude: float, dl: float, precision: float
) -> Float[Tensor, "b c h w"]:
    """v as above.

    Args:
        u: images.
        w: vectors (to the right, down), of length up to 1.
        amplitude: variance along a curve where |w| = 1, over 2, in pixels²; > 0.
        dl: step in pixels, > 0.
        precision: where curves end, in standard deviations, > 0.
    """
    n = torch.linalg.vector_norm(w, dim=1, keepdim=True).clamp_min(_LEAST)
    if not runs_on_cpu_kernels(u, w):
        return _line_integral_torch(torch.cat((w / n, u), dim=1), n * math.sqrt(2 * amplitude), dl, precision)
    out = np.empty(u.shape, as_array(u).dtype)
    number = out.dtype.type
    # What is read together lies together: the two numbers of w/|w| and two channels (of one, twice the same).
    pixels = w.new_empty(w.shape[0], *w.shape[2:], 4)
    pixels[..., :2] = w.movedim(1, -1)
    pixels[..., :2] /= n.movedim(1, -1)
    steps = as_array(n.mul_(precision * math.sqrt(2 * amplitude) / dl))
    for c in range(0, u.shape[1], 2):
        pixels[..., 2:] = u[:, c : c + 2].movedim(1, -1)
        _integrals.sized(steps.size)(
            pixels.numpy(), steps, number(dl), number(precision), strips_of(u), out[:, c : c + 2]
        )
    return torch.from_numpy(out)


def _line_integral_torch(field: Tensor, f: Tensor, dl: float, precision: float) -> Tensor:
    h, w = field.shape[-2:]
    y = torch.arange(h, dtype=f.dtype, device=f.device)[:, None].expand_as(f)
    x = torch.arange(w, dtype=f.dtype, device=f.device).expand_as(f)
    here, total, weights = field, field[:, 2:], torch.ones_like(f)
    for k in range(1, math.ceil(float(precision * f.detach().max()) / dl)):
        x = (x + dl * here[:, :1]).clamp(0, w - 1)
        y = (y + dl * here[:, 1:2]).clamp(0, h - 1)
        here = _between(field, y, x)
        omega = torch.exp(-((k * dl) ** 2) / (2 * f**2)) * (precision * f / dl - k).clamp(0, 1)
        total, weights = total + omega * here[:, 2:], weights + omega
    return total / weights


def _between(field: Tensor, y: Tensor, x: Tensor) -> Tensor:
    """The field at the points (y, x), linearly interpolated."""
    h, w = field.shape[-2:]
    top, left = (p.detach().floor().clamp(0, max(n - 2, 0)) for p, n in ((y, h), (x, w)))
    q, p = y - top, x - left
    corner = (top.long() * w + left.long()).flatten(1)[:, None]
    flat = field.flatten(2)

    def at(i: int, j: int) -> Tensor:
        step = min(i, h - 1) * w + min(j, w - 1)
        return flat.gather(2, (corner + step).expand(-1, field.shape[1], -1)).view_as(field)

    return (1 - q) * ((1 - p) * at(0, 0) + p * at(0, 1)) + q * ((1 - p) * at(1, 0) + p * at(1, 1))


@parallel_from((SERIAL >> 5) + 1)
def _integrals(
    field: np.ndarray, steps: np.ndarray, dl: float, precision: float, strips: np.ndarray, out: np.ndarray
) -> None:
    for k in prange(len(strips)):
        _integral_rows(field, steps, dl, precision, strips[k], out)


@kernel
def _integral_rows(
    field: np.ndarray, steps: np.ndarray, dl: float, precision: float, strip: np.ndarray, out: np.ndarray
) -> None:
    image, first, last = strip
    channels, w = out.shape[1], out.shape[3]
    for i in range(first, last):
        for j in range(w):
            one, two = _follow(field[image], i, j, steps[image, 0, i, j], dl, precision)
            out[image, 0, i, j] = one
            out[image, channels - 1, i, j] = two


@kernel(fuse=True)
def _follow(field: np.ndarray, i: int, j: int, steps: float, dl: float, precision: float) -> tuple[float, float]:
    """The means of two channels along the curve from (i, j), of ``steps`` steps."""
    h, w, _ = field.shape
    below, right = min(1, h - 1), min(1, w - 1)
    lowest, rightmost = np.float32(h - 1), np.float32(w - 1)
    last_top, last_left = np.int32(h - 1 - below), np.int32(w - 1 - right)
    y, x = np.float32(i), np.float32(j)
    dx, dy, one, two = field[i, j, 0], field[i, j, 1], field[i, j, 2], field[i, j, 3]
    weights, decay = _ONE, -_HALF * (precision / steps) ** 2
    k = _ONE
    for _ in range(1, np.int32(np.ceil(steps))):
        x = min(max(x + dl * dx, _ZERO), rightmost)
        y = min(max(y + dl * dy, _ZERO), lowest)
        top, left = min(np.int32(y), last_top), min(np.int32(x), last_left)
        q, p = y - np.float32(top), x - np.float32(left)
        a, b, c, d = (_ONE - q) * (_ONE - p), (_ONE - q) * p, q * (_ONE - p), q * p
        nw, ne = field[top, left], field[top, left + right]
        sw, se = field[top + below, left], field[top + below, left + right]
        omega = exp(decay * k * k) * min(steps - k, _ONE)
        dx = a * nw[0] + b * ne[0] + c * sw[0] + d * se[0]
        dy = a * nw[1] + b * ne[1] + c * sw[1] + d * se[1]
        one += omega * (a * nw[2] + b * ne[2] + c * sw[2] + d * se[2])
        two += omega * (a * nw[3] + b * ne[3] + c * sw[3] + d * se[3])
        weights += omega
        k += _ONE
    return one / weights, two / weights
