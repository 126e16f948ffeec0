"""Coupled training: the code of the coarse features alone must give the fine patch.

min_{D_h,D_l} mean of L,  L = ½[γ‖D_h z − x‖² + (1−γ)‖D_l z − y‖²],  z = argmin_a ½‖y − D_l a‖² + λ‖a‖₁,

with atoms of length at most 1. z depends on D_l. On its support O, with A = D_Oᵀ D_O, r = y − D_l z and
g = ∂L/∂z_O = γ D_hOᵀ(D_h z − x) − (1−γ) D_Oᵀ r, the support and the signs being constant around almost every D_l,

    β = A⁻¹g,    ∂L/∂D_O = rβᵀ − D_O β z_Oᵀ − (1−γ) r z_Oᵀ,

and zero for atoms outside O. From the joint dictionaries: in a pass over the shuffled samples, batch by batch, D_l goes
down its gradient and back to atoms of length at most 1, with the step η₀/(1 + t/t₀) in batch t; after a pass, D_h is
the best for the codes (Lagrange dual). It ends where the error of x on held-out samples has not fallen for two passes,
or after so many passes; the best pair is kept.

Departures from the original. D_l starts with atoms of length 1, as coding uses them, and D_h with what is best for its
codes. The error on held-out samples is that of the direction of D_h z, ‖D_h z/‖D_h z‖ − x‖², as super-resolution takes
the length from the coarse patch.

References.
J. Yang, Z. Wang, Z. Lin, S. Cohen and T. S. Huang, "Coupled dictionary training for image super-resolution", IEEE
Transactions on Image Processing 21(8), 2012, doi:10.1109/TIP.2012.2192127.
"""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from restora.core.errors import InvalidParameter
from restora.core.progress import Progress, silent
from restora.learning.dictionaries.lagrange_dual import best_dictionary
from restora.learning.dictionaries.samples import CHUNK, Pair, Samples, code_moments
from restora.numerics.sparse.feature_sign import feature_sign
from restora.patches.coded_patches import normalised_atoms

_RIDGE = 8  # roundings of 1 that are added to A's diagonal, 1e-6 in single precision: A may be singular
_LARGEST = 100.0  # of |β|: a nearly singular A must not throw the dictionary away
_PATIENCE = 2


@dataclass(frozen=True, slots=True)
class Descent:
    """How D_l goes down.

    Attributes:
        gamma: γ, the share of the fine patch in the loss, in (0, 1].
        passes: over the samples, at most.
        batch: samples of a step.
        step: η₀ > 0.
        decay: t₀ > 0, steps after which η has halved.
    """

    gamma: float = 0.5
    passes: int = 8
    batch: int = 256
    step: float = 16.0
    decay: float = 500.0

    def __post_init__(self) -> None:
        if not 0 < self.gamma <= 1:
            raise InvalidParameter.outside("gamma", self.gamma, "in (0, 1]")
        for name, value in (("batch", self.batch), ("step", self.step), ("decay", self.decay)):
            if not value > 0:
                raise InvalidParameter.outside(name, value, "> 0")


def train_coupled(
    samples: Samples,
    held_out: Samples,
    start: Pair,
    lam: float,
    descent: Descent,
    generator: torch.Generator,
    progress: Progress = silent,
) -> Pair:
    """D_h and D_l; those of D_l are to be used as they are, not brought to length 1.

    Args:
        samples: to learn from.
        held_out: on which the error of x is watched.
        start: the joint pair.
        lam: λ of z.
        descent: how to go down.
        generator: of the order of samples.
        progress: called with the held-out error after each pass.

    Cost: a pass is two LASSOs of K unknowns and a system of |O| unknowns a sample.
    """
    D_l = normalised_atoms(start[1])
    D_h = _fine_dictionary(samples, D_l, lam)
    best, least, since, t = (D_h, D_l), direction_error(held_out, (D_h, D_l), lam), 0, 0
    progress(0, descent.passes, f"held-out error {least:.5f}")
    for number in range(1, descent.passes + 1):
        for chosen in torch.randperm(len(samples.x), generator=generator).split(descent.batch):
            _, slope = coupled_gradient(samples.x[chosen], samples.y[chosen], (D_h, D_l), lam, descent.gamma)
            D_l = D_l - descent.step / (1 + t / descent.decay) * slope
            D_l = D_l / torch.linalg.vector_norm(D_l, dim=0).clamp_min(1)
            t += 1
        D_h = _fine_dictionary(samples, D_l, lam)
        error = direction_error(held_out, (D_h, D_l), lam)
        progress(number, descent.passes, f"held-out error {error:.5f}")
        since = 0 if error < least else since + 1
        if error < least:
            best, least = (D_h, D_l), error
        if since == _PATIENCE:
            break
    return best


def coupled_gradient(
    x: Float[Tensor, "n p"], y: Float[Tensor, "n q"], pair: Pair, lam: float, gamma: float
) -> tuple[float, Float[Tensor, "q K"]]:
    """The mean of L over samples, and its gradient with respect to D_l.

    Supports of different sizes are padded to the largest, with ones on the diagonal.
    """
    D_h, D_l = pair
    z = feature_sign(D_l, y, lam)
    r, e = y - z @ D_l.mT, z @ D_h.mT - x
    loss = 0.5 * (gamma * e.square().sum() + (1 - gamma) * r.square().sum()) / len(x)
    size = max(1, int((z != 0).sum(1).max()))
    O = z.abs().topk(size, dim=1).indices
    used = z.gather(1, O) != 0
    atoms = D_l.mT[O] * used[..., None]
    ridge = torch.where(used, _RIDGE * torch.finfo(z.dtype).eps, 1.0).to(z)
    A = atoms @ atoms.mT + torch.diag_embed(ridge)
    g = (gamma * e @ D_h - (1 - gamma) * r @ D_l).gather(1, O) * used
    solved = torch.cholesky_solve(g[..., None], torch.linalg.cholesky(A))[..., 0].clamp(-_LARGEST, _LARGEST)
    beta = torch.zeros_like(z).scatter(1, O, solved)
    slope = r.mT @ beta - D_l @ (beta.mT @ z) - (1 - gamma) * r.mT @ z
    return float(loss), slope / len(x)


def direction_error(samples: Samples, pair: Pair, lam: float) -> float:
    """Mean of ‖h/‖h‖ − x‖² for h = D_h z; 1 where z = 0."""
    D_h, D_l = pair
    total = 0.0
    for x, y in zip(samples.x.split(CHUNK), samples.y.split(CHUNK)):
        h = feature_sign(D_l, y, lam) @ D_h.mT
        h = h / torch.linalg.vector_norm(h, dim=1, keepdim=True).clamp_min(1e-12)
        total += float((h - x).square().sum())
    return total / len(samples.x)


def _fine_dictionary(samples: Samples, D_l: Float[Tensor, "q K"], lam: float) -> Float[Tensor, "p K"]:
    """argmin over D_h of Σ‖D_h z − x‖² with atoms of length at most 1."""
    AA, AX, _ = code_moments(D_l, samples.y, samples.x, lam)
    return best_dictionary(AA, AX)
