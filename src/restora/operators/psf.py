"""Point spread functions: Gaussian, disk, uniform, motion, camera shake.

All are float64 tensors (kh, kw) with odd sides (``uniform_psf`` alone takes even ones), centred, with sum one. Angles
are in degrees, counter-clockwise from the direction of the rows to the right, as seen in the image.
"""

import math

import torch
from jaxtyping import Float
from torch import Tensor

from restora.core.errors import InvalidParameter


def gaussian_psf(
    sigma: float | tuple[float, float], size: int | None = None, angle: float = 0.0
) -> Float[Tensor, "k k"]:
    """A Gaussian, sampled at the pixels' centres as MATLAB's fspecial does.

    Args:
        sigma: standard deviation in pixels, > 0; or two, along and across the direction ``angle``.
        size: side, odd; the default reaches 4σ.
        angle: direction of the first of two sigmas.

    Raises:
        InvalidParameter: a σ that is not positive, or an even size.
    """
    along, across = sigma if isinstance(sigma, tuple) else (sigma, sigma)
    if not min(along, across) > 0:
        raise InvalidParameter.outside("sigma", sigma, "> 0")
    u, v = _turned(_radius(size, 4 * max(along, across)), angle)
    return _normalised(torch.exp(-0.5 * ((u / along) ** 2 + (v / across) ** 2)))


def disk_psf(radius: float, size: int | None = None) -> Float[Tensor, "k k"]:
    """A disk, the PSF of defocus: each pixel holds the area of it that the disk covers, exactly.

    Args:
        radius: in pixels, >= 0; up to ½ the disk lies within one pixel and the PSF is a single one.
        size: side, odd; the default just holds the disk.

    Raises:
        InvalidParameter: a negative radius, or an even size.
    """
    if not radius >= 0:
        raise InvalidParameter.outside("radius", radius, ">= 0")
    reach = _radius(size, radius - 0.5)
    if radius <= 0.5:
        return _impulse(reach)
    edges = torch.cat([torch.zeros(1, dtype=torch.float64), torch.arange(reach + 1, dtype=torch.float64) + 0.5])
    quadrant = _quarter_disk(radius, edges)
    quadrant[0] *= 2  # the pixels of the axes lie in two quadrants
    quadrant[:, 0] *= 2
    half = torch.cat([quadrant.flip(0)[:-1], quadrant])
    return _normalised(torch.cat([half.flip(1)[:, :-1], half], 1))


def uniform_psf(size: int | tuple[int, int]) -> Float[Tensor, "kh kw"]:
    """The mean over a rectangle of that many pixels (a side, or height and width).

    Raises:
        InvalidParameter: a side below 1.
    """
    shape = size if isinstance(size, tuple) else (size, size)
    if min(shape) < 1:
        raise InvalidParameter.outside("size", size, ">= 1")
    return torch.full(shape, 1 / (shape[0] * shape[1]), dtype=torch.float64)


def motion_psf(length: float, angle: float = 0.0) -> Float[Tensor, "kh kw"]:
    """Motion at constant speed along a straight line: each pixel holds the length of the line inside it, exactly.

    ``motion_psf(9)`` is nine ninths in a row.

    Args:
        length: in pixels, >= 1.
        angle: direction of the motion.

    Raises:
        InvalidParameter: a length below 1.
    """
    if not length >= 1:
        raise InvalidParameter.outside("length", length, ">= 1")
    dx, dy = _direction(angle)
    rows, columns = (math.ceil(length / 2 * abs(d) - 0.5 - 1e-9) for d in (dy, dx))
    i = torch.arange(-rows, rows + 1, dtype=torch.float64)[:, None]
    j = torch.arange(-columns, columns + 1, dtype=torch.float64)
    (enter_i, leave_i), (enter_j, leave_j) = _crossing(i, dy, length / 2), _crossing(j, dx, length / 2)
    return _normalised((torch.minimum(leave_i, leave_j) - torch.maximum(enter_i, enter_j)).clamp_min(0))


def camera_shake_psf(size: int, generator: torch.Generator) -> Float[Tensor, "k k"]:
    """Camera shake during the exposure: a smooth random curve that fills the square.

    Both coordinates are random Fourier series whose amplitudes fall as frequency^-1.5, over half their period, so that
    the curve need not close. It is scaled to touch the border's inner ring, laid with its centre of mass on the centre,
    and splatted bilinearly from 64 points a pixel of the side.

    Args:
        size: side, odd, >= 3.
        generator: source of the curve.

    Raises:
        InvalidParameter: an even size, or one below 3.
    """
    if size < 3:
        raise InvalidParameter.outside("size", size, "an odd number >= 3")
    reach = _radius(size, 0)
    frequency = torch.arange(1, 9, dtype=torch.float64)
    time = torch.linspace(0, math.pi, 64 * size, dtype=torch.float64)
    waves = torch.cat([torch.cos(frequency[:, None] * time), torch.sin(frequency[:, None] * time)])
    amplitude = torch.randn(2, 16, generator=generator, dtype=torch.float64) / frequency.repeat(2) ** 1.5
    path = amplitude @ waves
    path = path - path.mean(1, keepdim=True)
    path = path * (reach - 0.5) / path.abs().max()
    return _normalised(_splat(path + reach, size))


def _radius(size: int | None, least: float) -> int:
    """Half the side: as given, or the least integer that reaches so far."""
    if size is None:
        return max(0, math.ceil(least - 1e-9))
    if size < 1 or size % 2 == 0:
        raise InvalidParameter.outside("size", size, "an odd number >= 1")
    return size // 2


def _direction(angle: float) -> tuple[float, float]:
    """Unit vector (x to the right, y down), with the axes' own directions exact."""
    dx, dy = math.cos(math.radians(angle)), -math.sin(math.radians(angle))
    return (0.0 if abs(dx) < 1e-12 else dx), (0.0 if abs(dy) < 1e-12 else dy)


def _turned(reach: int, angle: float) -> tuple[Tensor, Tensor]:
    """Coordinates of the pixels along and across the direction."""
    axis = torch.arange(-reach, reach + 1, dtype=torch.float64)
    y, x = torch.meshgrid(axis, axis, indexing="ij")
    dx, dy = _direction(angle)
    return dx * x + dy * y, dx * y - dy * x


def _quarter_disk(r: float, edges: Tensor) -> Tensor:
    """Area of the quarter disk x, y >= 0, x² + y² <= r² in each cell of the grid with these edges."""

    def area(x: Tensor) -> Tensor:  # of the quarter disk left of x
        return 0.5 * (x * (r * r - x * x).clamp_min(0).sqrt() + r * r * torch.asin((x / r).clamp(max=1)))

    x0, x1 = edges[:-1], edges[1:]
    y0, y1 = edges[:-1, None], edges[1:, None]
    full = (r * r - y1 * y1).clamp_min(0).sqrt().clamp(x0, x1)  # up to here the arc passes above the cell
    some = (r * r - y0 * y0).clamp_min(0).sqrt().clamp(x0, x1)  # up to here it passes above its lower edge
    return (full - x0) * (y1 - y0) + area(some) - area(full) - (some - full) * y0


def _crossing(pixel: Tensor, speed: float, end: float) -> tuple[Tensor, Tensor]:
    """The times at which the point ``speed`` · t, −end <= t <= end, enters and leaves each pixel (±½) of an axis."""
    if speed == 0:
        within = pixel == 0
        return torch.where(within, -end, end), torch.where(within, end, -end)
    a, b = (pixel - 0.5) / speed, (pixel + 0.5) / speed
    return torch.minimum(a, b).clamp(-end, end), torch.maximum(a, b).clamp(-end, end)


def _splat(path: Tensor, size: int) -> Tensor:
    """Histogram of the points (row, column), each shared bilinearly among the four pixels around it."""
    psf = torch.zeros(size, size, dtype=torch.float64)
    corner = path.floor()
    part = path - corner
    for i in (0, 1):
        for j in (0, 1):
            row, column = corner[0].long() + i, corner[1].long() + j
            weight = (part[0] if i else 1 - part[0]) * (part[1] if j else 1 - part[1])
            psf.index_put_((row, column), weight, accumulate=True)
    return psf


def _impulse(reach: int) -> Tensor:
    psf = torch.zeros(2 * reach + 1, 2 * reach + 1, dtype=torch.float64)
    psf[reach, reach] = 1
    return psf


def _normalised(psf: Tensor) -> Tensor:
    return psf / psf.sum()
