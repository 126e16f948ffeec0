"""Extension of a measurement to one period of a periodic scene, as Fourier deconvolution needs it, and back.

A blurred photograph is not periodic; treated as if it were, the jump at its borders spreads as rings over the whole
image. Two remedies are here. :func:`edgetaper` blends the borders into what circular blur would have made of them;
:func:`liu_jia` leaves every measured pixel as it is and closes the torus with new ones, as smooth as they can be.
Either of them gains more than a better prior does: about 3 dB on Levin's photographs.
"""

import math
from dataclasses import dataclass
from typing import Literal, get_args

import torch
from jaxtyping import Float
from torch import Tensor

from restora.core.errors import InvalidInput, InvalidParameter
from restora.core.operator import Size
from restora.operators.blur import Blur
from restora.operators.boundaries import extend
from restora.operators.fourier import fast_length, psf_centre, psf_to_otf

Closing = Literal["edgetaper", "liu-jia", "replicate"]
"""How an image is extended to a period: by :func:`edgetaper` or :func:`liu_jia`, or with replicated borders only."""


@dataclass(frozen=True, eq=False)
class Torus:
    """A measurement extended to one period of a periodic scene.

    Attributes:
        y: the extended measurement, (b, c, p, q).
        offset: row and column of ``y`` at which the first measured pixel stands.
        measured: height and width of what was measured.
    """

    y: Float[Tensor, "b c p q"]
    offset: tuple[int, int]
    measured: Size

    def crop(self, x: Float[Tensor, "b c p q"], size: Size) -> Float[Tensor, "b c h w"]:
        """The part of ``x`` that was measured, or the larger one around it, with as much more on each side."""
        top, left = (self.offset[i] - (size[i] - self.measured[i]) // 2 for i in (0, 1))
        x = torch.roll(x, (max(-top, 0), max(-left, 0)), (-2, -1))
        top, left = max(top, 0), max(left, 0)
        return x[..., top : top + size[0], left : left + size[1]]


def close(y: Float[Tensor, "b c h w"], H: Blur, closing: Closing) -> Torus:
    """The measurement as one period of a scene on which ``H`` is a circular blur, or nearly one.

    Exact are two cases: a circular H needs nothing, and a ``reflect`` one whose kernel is odd-sized and symmetric along
    both axes is circular on the image and its mirror images, (2h, 2w). Else ``edgetaper`` and ``replicate`` add half
    the kernel on every side; ``liu-jia`` adds the whole kernel or a little more below and at the right, up to sizes
    for which the FFT is fast. Either is large enough for its crop to be the scene of a "valid" blur.

    Raises:
        InvalidParameter: there is no such closing.
    """
    if closing not in get_args(Closing):
        raise InvalidParameter.outside("closing", closing, f"one of {', '.join(get_args(Closing))}")
    size, (kh, kw) = (y.shape[-2], y.shape[-1]), H.psf.shape
    if H.boundary == "circular":
        return Torus(y, (0, 0), size)
    if H.boundary == "reflect" and kh % 2 == kw % 2 == 1 and all(torch.equal(H.psf, H.psf.flip(i)) for i in (0, 1)):
        return Torus(extend(y, (0, 0), size, "reflect"), (0, 0), size)
    if closing == "liu-jia":
        enough = (fast_length(size[0] + kh - 1), fast_length(size[1] + kw - 1))
        return Torus(liu_jia(y, enough), (0, 0), size)
    after = psf_centre(H.psf)
    before = (kh - 1 - after[0], kw - 1 - after[1])
    extended = extend(y, before, after, "replicate")
    return Torus(edgetaper(extended, H.psf) if closing == "edgetaper" else extended, before, size)


def edgetaper(y: Float[Tensor, "b c h w"], psf: Float[Tensor, "kh kw"], passes: int = 4) -> Float[Tensor, "b c h w"]:
    """Blend the borders of y into its circular blur: ``passes`` times y ← A y + (1 − A)(k ⊛ y).

    A[i, j] = (1 − a(i))(1 − b(j)), where a is the circular autocorrelation, at length h − 1 and divided by its maximum,
    of k summed along its rows, with its first sample appended; b that of the columns. A is 0 on the first and last
    row and column and 1 from a kernel's width inwards, where y stays as it is. This is MATLAB's ``edgetaper``, which
    Krishnan and Fergus apply four times; noise must not be estimated from its result.

    Cost: 2·passes FFTs. No values outside the range of y appear for a kernel that is not negative.
    """
    h, w = y.shape[-2:]
    K = psf_to_otf(psf.to(y), (h, w))
    profile = psf.double()
    A = torch.outer(1 - _taper(profile.sum(1), h), 1 - _taper(profile.sum(0), w)).to(y)
    for _ in range(passes):
        blurred = torch.fft.irfft2(K * torch.fft.rfft2(y), s=(h, w))
        y = blurred + A * (y - blurred)
    return y


def _taper(profile: Float[Tensor, " k"], length: int) -> Float[Tensor, " n"]:
    """Circular autocorrelation of period ``length`` − 1, its maximum 1, its first sample again at the end."""
    period = max(length - 1, 1)
    wrapped = profile.new_zeros(math.ceil(len(profile) / period) * period)
    wrapped[: len(profile)] = profile
    power = torch.fft.rfft(wrapped.view(-1, period).sum(0)).abs() ** 2
    a = torch.fft.irfft(power, n=period)
    return torch.cat((a, a[:1]))[:length] / a.max()


def liu_jia(y: Float[Tensor, "b c h w"], size: Size) -> Float[Tensor, "b c p q"]:
    """Extend y below and at the right to ``size``, a period of a scene without jumps (Liu and Jia 2008).

    Three new blocks close the torus: one below, one at the right, one in the corner. Each solves Laplace's equation
    with the pixels around it as boundary values: the measured borders it lies between (a torus has the first row again
    below the last), and, for the first two blocks, straight lines between those at the two open sides. The corner lies
    between the other two blocks.

    Departure from the code in circulation: there the lines repeat their end values, which are in the image
    already, and one copied row is kept; here all added pixels are new, so a single added row is defined too.

    Args:
        y: images.
        size: height and width of the period, not below those of y.

    Raises:
        InvalidInput: the period is smaller than y.

    Cost: four sine transforms of each block. See Liu and Jia, "Reducing boundary artifacts in image deconvolution",
    ICIP 2008, doi:10.1109/ICIP.2008.4711802.
    """
    rows, columns = size[0] - y.shape[-2], size[1] - y.shape[-1]
    if rows < 0 or columns < 0:
        raise InvalidInput(f"an image of {tuple(y.shape[-2:])} does not fit into a period of {size}")
    below = _between(y[..., -1, :], y[..., 0, :], rows)
    right = _between(y[..., :, -1], y[..., :, 0], columns).mT
    upper = torch.cat((y[..., -1, -1:], right[..., -1, :], y[..., -1, :1]), -1)
    lower = torch.cat((y[..., 0, -1:], right[..., 0, :], y[..., 0, :1]), -1)
    corner = _harmonic(upper, lower, below[..., :, -1], below[..., :, 0])[..., 1:-1]
    return torch.cat((torch.cat((y, right), -1), torch.cat((below, corner), -1)), -2)


def _between(upper: Float[Tensor, "b c n"], lower: Float[Tensor, "b c n"], rows: int) -> Float[Tensor, "b c m n"]:
    """New rows between two known ones, straight lines at their open ends."""
    t = torch.arange(1, rows + 1, dtype=upper.dtype, device=upper.device) / (rows + 1)
    left, right = (torch.lerp(upper[..., i : i + 1], lower[..., i : i + 1], t) for i in (0, upper.shape[-1] - 1))
    return _harmonic(upper, lower, left, right)


def _harmonic(
    upper: Float[Tensor, "b c n"],
    lower: Float[Tensor, "b c n"],
    left: Float[Tensor, "b c m"],
    right: Float[Tensor, "b c m"],
) -> Float[Tensor, "b c m n"]:
    """The m rows between ``upper`` and ``lower`` that begin with ``left``, end with ``right``, and are harmonic inside.

    Laplace's equation is diagonal in sine waves that vanish on the frame; the frame's values are its right-hand side.
    """
    m, n = left.shape[-1], upper.shape[-1]
    x = upper.new_zeros(*upper.shape[:2], m, n)
    x[..., 0], x[..., -1] = left, right
    if m == 0 or n < 3:
        return x
    f = upper.new_zeros(*upper.shape[:2], m, n - 2)
    f[..., 0, :] -= upper[..., 1:-1]
    f[..., -1, :] -= lower[..., 1:-1]
    f[..., :, 0] -= left
    f[..., :, -1] -= right
    eigenvalues = _second_difference(m, f)[:, None] + _second_difference(n - 2, f)
    x[..., 1:-1] = _sine(_sine(_sine(_sine(f, -2), -1) / eigenvalues, -2), -1)
    return x


def _second_difference(n: int, like: Tensor) -> Float[Tensor, " n"]:
    """Eigenvalues of (1, −2, 1) on n samples with zeros beyond the ends."""
    k = torch.arange(1, n + 1, dtype=torch.float64, device=like.device)
    return (-4 * torch.sin(k * (math.pi / (2 * (n + 1)))) ** 2).to(like.dtype)


def _sine(x: Float[Tensor, "b c m n"], dim: int) -> Float[Tensor, "b c m n"]:
    """The orthonormal sine transform DST-I along ``dim``, its own inverse."""
    n = x.shape[dim]
    zero = torch.zeros_like(x.narrow(dim, 0, 1))
    odd = torch.cat((zero, x, zero, -x.flip(dim)), dim)
    return torch.fft.rfft(odd, dim=dim).imag.narrow(dim, 1, n) * (-1 / math.sqrt(2 * (n + 1)))
