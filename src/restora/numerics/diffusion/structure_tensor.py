"""The structure tensor J = G_ρ * (∇u ∇uᵀ) of an image, and tensors with its axes and other eigenvalues.

A field of symmetric 2 × 2 tensors is held as three planes (b, 3, h, w): J_xx, J_xy, J_yy, x to the right and y down.
∇ are central differences, one-sided on the border. Colour: J is the mean of the tensors of the channels (the papers sum
them), so that a contrast means the same for gray and colour.

With t = ½(J_xx + J_yy), d = ½(J_xx − J_yy), r = √(d² + J_xy²) the eigenvalues are μ1 = t + r (across the edge) and
μ2 = t − r (along it), and the tensor with the same axes and the eigenvalues λ1, λ2 is, without any angle,

    ½(λ1 + λ2) I + ½(λ1 − λ2)/r · [[d, J_xy], [J_xy, −d]].
"""

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float
from numba import prange
from torch import Tensor

from restora.core.backend import runs_on_cpu_kernels
from restora.core.exponential import exp
from restora.core.kernels import kernel, parallel_from
from restora.numerics.convolution import convolve_separable, gaussian_kernel
from restora.numerics.diffusion.rows import SERIAL, as_array, strips_of

_ONE, _TWO, _HALF = np.float32(1), np.float32(2), np.float32(0.5)  # exact in either precision
_LEAST = np.float32(1e-18)  # r below it is rounding: its square is not a normal number in float32
_C4 = 3.31488
_SCALE = np.float32(2 * 255**2)


@dataclass(frozen=True, slots=True)
class EdgeEnhancing:
    """λ1 = 1 − exp(−C₄/(μ1/λ²)⁴), λ2 = 1: across an edge steeper than λ nearly nothing flows. C₄ = 3.31488."""

    contrast: float

    def constants(self) -> tuple[int, float, float]:
        """The law as its kernel knows it: number, and what it needs."""
        return 0, 1 / self.contrast**2, _C4

    def eigenvalues(self, mu1: Tensor, mu2: Tensor) -> tuple[Tensor, Tensor]:
        """(λ1, λ2)."""
        steepness = (mu1 / self.contrast**2).square().square()
        weak = steepness < 0.01  # 1 − e⁻³³¹ is 1; the division is kept from zero for the gradient's sake
        lambda1 = torch.where(weak, 1.0, -torch.expm1(-_C4 / torch.where(weak, 1.0, steepness)))
        return lambda1, torch.ones_like(mu1)


@dataclass(frozen=True, slots=True)
class CoherenceEnhancing:
    """λ1 = α, λ2 = α + (1 − α) exp(−contrast⁴/(μ1 − μ2)²): it flows along lines, where there are any."""

    alpha: float
    contrast: float

    def constants(self) -> tuple[int, float, float]:
        """The law as its kernel knows it: number, and what it needs."""
        return 1, self.alpha, self.contrast**2

    def eigenvalues(self, mu1: Tensor, mu2: Tensor) -> tuple[Tensor, Tensor]:
        """(λ1, λ2)."""
        coherence = ((mu1 - mu2) / self.contrast**2).square()
        weak = coherence < 0.01
        share = torch.where(weak, 0.0, torch.exp(-1 / torch.where(weak, 1.0, coherence)))
        return torch.full_like(mu1, self.alpha), self.alpha + (1 - self.alpha) * share


@dataclass(frozen=True, slots=True)
class PowerLaw:
    """λ1 = s^−p_across, λ2 = s^−p_along with s = 1 + 255²(μ1 + μ2): isotropic where it is flat, thin along edges."""

    along: float
    across: float

    def constants(self) -> tuple[int, float, float]:
        """The law as its kernel knows it: number, and what it needs."""
        return 2, self.along, self.across

    def eigenvalues(self, mu1: Tensor, mu2: Tensor) -> tuple[Tensor, Tensor]:
        """(λ1, λ2)."""
        s = 1 + 255**2 * (mu1 + mu2)
        return s**-self.across, s**-self.along


@dataclass(frozen=True, slots=True)
class Charbonnier:
    """λ1 = 1/√(1 + μ1/λ²), λ2 = 1: like :class:`EdgeEnhancing`, but the flux never falls as the edge gets steeper."""

    contrast: float

    def constants(self) -> tuple[int, float, float]:
        """The law as its kernel knows it: number, and what it needs."""
        return 3, 1 / self.contrast**2, 0.0

    def eigenvalues(self, mu1: Tensor, mu2: Tensor) -> tuple[Tensor, Tensor]:
        """(λ1, λ2)."""
        return torch.rsqrt(1 + mu1 / self.contrast**2), torch.ones_like(mu1)


Law = EdgeEnhancing | CoherenceEnhancing | PowerLaw | Charbonnier
"""Eigenvalues λ1 (across) and λ2 (along) of the new tensor from μ1 >= μ2 of the structure tensor."""


def central_gradient(u: Float[Tensor, "b c h w"]) -> tuple[Float[Tensor, "b c h w"], Float[Tensor, "b c h w"]]:
    """(∂u/∂y, ∂u/∂x) by central differences, one-sided on the border; 0 along a side of one pixel."""
    return _central(u, -2), _central(u, -1)


def structure_tensor(u: Float[Tensor, "b c h w"], rho: float = 0.0) -> Float[Tensor, "b 3 h w"]:
    """G_ρ * mean over the channels of ∇u ∇uᵀ; beyond the border of J lies its mirror image."""
    if runs_on_cpu_kernels(u):
        planes = np.empty((u.shape[0], 3, *u.shape[2:]), as_array(u).dtype)
        _structure.sized(u.numel())(as_array(u), planes.dtype.type(1 / u.shape[1]), strips_of(u), planes)
        J = torch.from_numpy(planes)
    else:
        y, x = central_gradient(u)
        J = torch.stack([(p * q).mean(dim=1) for p, q in ((x, x), (x, y), (y, y))], dim=1)
    return convolve_separable(J, gaussian_kernel(rho)) if rho > 0 else J


def tensor_field(J: Float[Tensor, "b 3 h w"], law: Law) -> Float[Tensor, "b 3 h w"]:
    """The tensors with the eigenvectors of J and the eigenvalues of the law; isotropic, ½(λ1 + λ2), where μ1 = μ2."""
    if runs_on_cpu_kernels(J):
        planes, number = np.empty(J.shape, as_array(J).dtype), as_array(J).dtype.type
        code, p, q = law.constants()
        _field.sized(J.numel())(as_array(J), code, number(p), number(q), strips_of(J), planes)
        return torch.from_numpy(planes)
    xx, xy, yy = J.unbind(1)
    t, d = (xx + yy) / 2, (xx - yy) / 2
    r = (d.square() + xy.square()).clamp_min(float(_LEAST) ** 2).sqrt()
    lambda1, lambda2 = law.eigenvalues(t + r, (t - r).clamp_min(0))
    mean, tilt = (lambda1 + lambda2) / 2, (lambda1 - lambda2) / (2 * r)
    return torch.stack((mean + tilt * d, tilt * xy, mean - tilt * d), dim=1)


def _central(u: Tensor, dim: int) -> Tensor:
    n = u.shape[dim]
    if n == 1:
        return torch.zeros_like(u)
    d = u.diff(dim=dim)
    inner = (d.narrow(dim, 0, n - 2) + d.narrow(dim, 1, n - 2)) / 2
    return torch.cat((d.narrow(dim, 0, 1), inner, d.narrow(dim, n - 2, 1)), dim)


@parallel_from(SERIAL + 1)
def _structure(u: np.ndarray, share: float, strips: np.ndarray, J: np.ndarray) -> None:
    for k in prange(len(strips)):
        _structure_rows(u, share, strips[k], J)


@kernel
def _structure_rows(u: np.ndarray, share: float, strip: np.ndarray, J: np.ndarray) -> None:
    image, first, last = strip
    _, channels, h, w = u.shape
    x = np.zeros(w, u.dtype)
    for i in range(first, last):
        xx, xy, yy = J[image, 0, i], J[image, 1, i], J[image, 2, i]
        xx[:] = 0
        xy[:] = 0
        yy[:] = 0
        above, below = max(i - 1, 0), min(i + 1, h - 1)
        span = _HALF if below - above == 2 else _ONE  # of a single row, the one above and the one below are the same
        for c in range(channels):
            _along(u[image, c, i], x)
            _add_products(x, u[image, c, above], u[image, c, below], span, share, xx, xy, yy)


@kernel(fuse=True)
def _along(row: np.ndarray, x: np.ndarray) -> None:
    w = row.size
    for j in range(1, w - 1):
        x[j] = _HALF * (row[j + 1] - row[j - 1])
    if w > 1:
        x[0] = row[1] - row[0]
        x[w - 1] = row[w - 1] - row[w - 2]


@kernel(fuse=True)
def _add_products(
    x: np.ndarray,
    above: np.ndarray,
    below: np.ndarray,
    span: float,
    share: float,
    xx: np.ndarray,
    xy: np.ndarray,
    yy: np.ndarray,
) -> None:
    for j in range(x.size):
        y = span * (below[j] - above[j])
        xx[j] += share * x[j] * x[j]
        xy[j] += share * x[j] * y
        yy[j] += share * y * y


@parallel_from(3 * SERIAL + 1)
def _field(J: np.ndarray, code: int, p: float, q: float, strips: np.ndarray, D: np.ndarray) -> None:
    for k in prange(len(strips)):
        _field_rows(J, code, p, q, strips[k], D)


@kernel(fuse=True)
def _field_rows(J: np.ndarray, code: int, p: float, q: float, strip: np.ndarray, D: np.ndarray) -> None:
    image, first, last = strip
    w = J.shape[3]
    t, r, lambda1, lambda2 = np.empty(w, J.dtype), np.empty(w, J.dtype), np.empty(w, J.dtype), np.empty(w, J.dtype)
    for i in range(first, last):
        xx, xy, yy = J[image, 0, i], J[image, 1, i], J[image, 2, i]
        for j in range(w):
            d = _HALF * (xx[j] - yy[j])
            t[j] = _HALF * (xx[j] + yy[j])
            r[j] = max(np.sqrt(d * d + xy[j] * xy[j]), _LEAST)
        _eigenvalues(t, r, code, p, q, lambda1, lambda2)
        a, b, c = D[image, 0, i], D[image, 1, i], D[image, 2, i]
        for j in range(w):
            mean = _HALF * (lambda1[j] + lambda2[j])
            tilt = _HALF * (lambda1[j] - lambda2[j]) / r[j]
            d = tilt * _HALF * (xx[j] - yy[j])
            a[j] = mean + d
            b[j] = tilt * xy[j]
            c[j] = mean - d


@kernel(fuse=True)
def _eigenvalues(
    t: np.ndarray, r: np.ndarray, code: int, p: float, q: float, lambda1: np.ndarray, lambda2: np.ndarray
) -> None:
    """λ1 and λ2 of a row by the law of that number.

    q/0 is the infinity whose exp is meant; q > 0 and r > 0, so 0/0 does not occur.
    """
    n = t.size
    if code == 0:
        for j in range(n):
            steepness = ((t[j] + r[j]) * p) ** 2
            lambda1[j] = _ONE - exp(-q / (steepness * steepness))
            lambda2[j] = _ONE
    elif code == 1:
        for j in range(n):
            coherence = q / (_TWO * r[j])
            lambda1[j] = p
            lambda2[j] = p + (_ONE - p) * exp(-coherence * coherence)
    elif code == 2:
        for j in range(n):
            s = np.log(_ONE + _SCALE * t[j])
            lambda1[j] = exp(-q * s)
            lambda2[j] = exp(-p * s)
    else:
        for j in range(n):
            lambda1[j] = _ONE / np.sqrt(_ONE + p * (t[j] + r[j]))
            lambda2[j] = _ONE
