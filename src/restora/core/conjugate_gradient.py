"""Conjugate gradients for symmetric positive definite maps, a batch at a time (Hestenes, Stiefel 1952)."""

from collections.abc import Callable

import torch
from jaxtyping import Float
from torch import Tensor


def conjugate_gradient(
    A: Callable[[Tensor], Tensor],
    b: Float[Tensor, "b c h w"],
    x: Float[Tensor, "b c h w"],
    *,
    tolerance: float = 1e-6,
    max_iterations: int = 200,
) -> Float[Tensor, "b c h w"]:
    """Solve ``A x = b`` for each image of the batch, starting from ``x``.

    Stops when every image has ‖b − Ax‖ <= tolerance·‖b‖, or after ``max_iterations`` (then the best iterate so far is
    what CG holds: its error in the A-norm never grows). Each iteration costs one application of ``A``.
    """
    r = b - A(x)
    p = r
    rr = _dot(r, r)
    target = tolerance**2 * _dot(b, b)
    for _ in range(max_iterations):
        if bool((rr <= target).all()):
            break
        Ap = A(p)
        curvature = _dot(p, Ap)
        # A solved image has p = 0 and curvature 0: its step is then 0 and it stays where it is.
        alpha = torch.where(curvature > 0, rr / curvature.clamp_min(torch.finfo(b.dtype).tiny), 0.0)
        x = x + alpha * p
        r = r - alpha * Ap
        rr_next = _dot(r, r)
        beta = torch.where(rr > 0, rr_next / rr.clamp_min(torch.finfo(b.dtype).tiny), 0.0)
        p = r + beta * p
        rr = rr_next
    return x


def _dot(u: Tensor, v: Tensor) -> Tensor:
    return (u * v).sum(dim=(1, 2, 3), keepdim=True)
