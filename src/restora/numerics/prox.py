"""Proximal maps: u = argmin_u ½‖u − v‖² + τ R(u), in closed form or to machine precision.

Every function returns a new tensor of the shape and dtype of v; τ >= 0 is a number or a tensor that broadcasts with v.
Sums run over the whole tensor unless dimensions are named, and all maps but the group, nuclear and simplex ones act on
each entry alone. The non-convex ones (:func:`hard_threshold`, :func:`shrink_power`) return a *global* minimiser; where
0 is one too, 0. Their thresholds are those of ½‖u − v‖²; papers that write ‖u − v‖² have others.
"""

import math

import torch
from jaxtyping import Float
from torch import Tensor

from restora.core.errors import InvalidParameter

Weight = float | Tensor
"""τ: a number, or a tensor that broadcasts with v."""


def shrink_quadratic(v: Float[Tensor, "*shape"], tau: Weight) -> Float[Tensor, "*shape"]:
    """R(u) = ‖u‖²: u = v/(1 + 2τ)."""
    return v / (1 + 2 * _checked(tau))


def soft_threshold(v: Float[Tensor, "*shape"], tau: Weight) -> Float[Tensor, "*shape"]:
    """R(u) = ‖u‖₁ = Σ|u_i|: u = sign(v)·max(|v| − τ, 0)."""
    return v.sign() * (v.abs() - _checked(tau)).clamp_min(0)


def hard_threshold(v: Float[Tensor, "*shape"], tau: Weight) -> Float[Tensor, "*shape"]:
    """R(u) = ‖u‖₀ = #{i : u_i ≠ 0}: u = v where |v| > √(2τ), else 0. Not convex."""
    return torch.where(v**2 > 2 * _checked(tau), v, 0.0)


def group_soft_threshold(v: Float[Tensor, "*shape"], tau: Weight, dim: tuple[int, ...]) -> Float[Tensor, "*shape"]:
    """R(u) = Σ_g ‖u_g‖₂, a group g for each index of the dimensions not in ``dim``: u_g = v_g·max(1 − τ/‖v_g‖, 0).

    With ``dim=(1, 2)`` on a gradient (b, 2, c, h, w) this is the shrinkage of isotropic, colour-coupled total
    variation.
    """
    norm = _group_norm(v, dim)
    return v * (1 - _checked(tau) / norm.clamp_min(torch.finfo(v.dtype).tiny)).clamp_min(0)


def shrink_power(v: Float[Tensor, "*shape"], tau: Weight, p: float) -> Float[Tensor, "*shape"]:
    """R(u) = Σ|u_i|^p, 0 < p <= 1: the shrinkage of hyper-Laplacian priors. Not convex for p < 1.

    0 where |v| <= T = t + τp t^(p−1), t = (2τ(1 − p))^(1/(2−p)); elsewhere the larger root of u + τp u^(p−1) = |v|,
    with v's sign. Closed forms for p = 1/2, 2/3 (those of Krishnan and Fergus, NIPS 2009, without complex numbers)
    and 1; otherwise Newton's iteration from |v|, which falls monotonically to the root since the left side is convex
    there.

    The threshold is that of generalised shrinkage (Zuo et al., "A generalized iterated shrinkage algorithm for
    non-convex sparse coding", ICCV 2013, doi:10.1109/ICCV.2013.34).

    Raises:
        InvalidParameter: p is outside (0, 1], or τ < 0.
    """
    if not 0 < p <= 1:
        raise InvalidParameter.outside("p", p, "in (0, 1]")
    if p == 1:
        return soft_threshold(v, tau)
    tau = torch.as_tensor(_checked(tau), dtype=v.dtype, device=v.device)
    t = (2 * tau * (1 - p)) ** (1 / (2 - p))
    # Where τ = 0, t^(p−1) is infinite and the threshold 0; the roots below are v itself.
    threshold = t + torch.where(tau > 0, tau * p * t.clamp_min(torch.finfo(v.dtype).tiny) ** (p - 1), 0.0)
    a = torch.maximum(v.abs(), threshold)
    if p == 1 / 2:
        root = _larger_root_half(a, tau)
    elif p == 2 / 3:
        root = _larger_root_two_thirds(a, tau)
    else:
        root = _larger_root_newton(a, tau, p)
    return torch.where(v.abs() > threshold, v.sign() * root, 0.0)


def singular_value_threshold(v: Float[Tensor, "*batch m n"], tau: Weight) -> Float[Tensor, "*batch m n"]:
    """R(u) = ‖u‖_*, the sum of the singular values of each matrix (last two axes): they are softened by τ.

    A tensor τ broadcasts with the singular values, (…, min(m, n)), the largest first. Cost: O(mn·min(m, n)).
    """
    U, s, Vh = torch.linalg.svd(v, full_matrices=False)
    return U * (s - _checked(tau)).clamp_min(0)[..., None, :] @ Vh


def project_box(v: Float[Tensor, "*shape"], low: float, high: float) -> Float[Tensor, "*shape"]:
    """R(u) = 0 where low <= u_i <= high, ∞ elsewhere: the nearest point of the box."""
    if not low <= high:
        raise InvalidParameter.outside("high", high, f">= low = {low}")
    return v.clamp(low, high)


def project_ball(v: Float[Tensor, "*shape"], radius: float, dim: tuple[int, ...]) -> Float[Tensor, "*shape"]:
    """R(u) = 0 where ‖u_g‖₂ <= radius for each group g (as in :func:`group_soft_threshold`), ∞ elsewhere.

    It is the proximal map of the conjugate of radius·Σ_g ‖u_g‖₂, for any τ.
    """
    if not radius > 0:
        raise InvalidParameter.outside("radius", radius, "> 0")
    norm = _group_norm(v, dim)
    return v * (radius / norm.clamp_min(radius))


def project_simplex(v: Float[Tensor, "*shape"], radius: float = 1.0, dim: int = -1) -> Float[Tensor, "*shape"]:
    """R(u) = 0 where u >= 0 and Σu = radius along ``dim``, ∞ elsewhere. By sorting, O(n log n).

    u = max(v − θ, 0) with the θ that gives the sum (Duchi et al., ICML 2008, doi:10.1145/1390156.1390191).
    """
    if not radius > 0:
        raise InvalidParameter.outside("radius", radius, "> 0")
    s = v.movedim(dim, -1).sort(descending=True).values
    excess = s.cumsum(-1) - radius
    count = torch.arange(1, s.shape[-1] + 1, dtype=v.dtype, device=v.device)
    support = (s * count > excess).sum(-1, keepdim=True)
    theta = excess.gather(-1, support - 1) / support
    return (v - theta.movedim(-1, dim)).clamp_min(0)


def _group_norm(v: Tensor, dim: tuple[int, ...]) -> Tensor:
    # vector_norm over outer dimensions is fifty times slower on a CPU.
    return v.square().sum(dim=dim, keepdim=True).sqrt()


def _checked(tau: Weight) -> Weight:
    if not bool((tau >= 0).all() if isinstance(tau, Tensor) else tau >= 0):
        raise InvalidParameter.outside("tau", tau, ">= 0")
    return tau


def _larger_root_half(a: Tensor, tau: Tensor) -> Tensor:
    """The larger root of u + τ/2 u^(−1/2) = a, a cubic in √u solved by a cosine."""
    ratio = torch.where(tau > 0, tau / 4 * (a.clamp_min(torch.finfo(a.dtype).tiny) / 3) ** (-3 / 2), 0.0)
    angle = torch.acos(ratio.clamp_max(1))
    return 2 / 3 * a * (1 + torch.cos((2 / 3) * (math.pi - angle)))


def _larger_root_two_thirds(a: Tensor, tau: Tensor) -> Tensor:
    """The larger root of u + 2τ/3 u^(−1/3) = a, a quartic in u^(1/3) whose resolvent is a cubic with one real root."""
    mu = (2 * tau).clamp_min(1e-24)  # below that only |u| < 1e-17 would differ, and mu^(−3/2) overflow in float32
    X = (27 / 16 * a**2 * mu ** (-3 / 2)).clamp_min(1)
    t = (X * (1 + (1 - X**-2).sqrt())) ** (1 / 3)
    A = 2 / math.sqrt(3) * mu ** (1 / 4) * ((t + 1 / t) / 2).sqrt()  # (t + 1/t)/2 = cosh(arccosh(X)/3)
    u = ((A + (2 * a / A - A**2).clamp_min(0).sqrt()) / 2) ** 3
    return torch.where(tau > 0, u, a)


def _larger_root_newton(a: Tensor, tau: Tensor, p: float) -> Tensor:
    """Six steps: at the threshold, the worst case, u is then right to 1e-12 of itself for p <= 0.95."""
    u = a
    for _ in range(6):
        slope = tau * p * u.clamp_min(torch.finfo(a.dtype).tiny) ** (p - 1)
        curvature = 1 - (1 - p) * slope / u.clamp_min(torch.finfo(a.dtype).tiny)
        u = u - (u + slope - a) / curvature
    return u
