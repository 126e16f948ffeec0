"""Joint training: one sparse code for a fine patch and its coarse features, stacked.

min_{D,A} ½‖X − DA‖² + λ‖A‖₁, ‖d_k‖ <= 1, with the columns of X = [√p x; √q y], p and q the lengths of x and y, brought
to length 1 again. Codes (feature-sign search) and dictionary (Lagrange dual) are found in turn.

Departures from the original. An atom that no sample uses is replaced by a sample drawn at random; the authors' code
leaves it.

References.
J. Yang, J. Wright, T. S. Huang and Y. Ma, "Image super-resolution via sparse representation", IEEE Transactions on
Image Processing 19(11), 2010, doi:10.1109/TIP.2010.2050625.
"""

import torch
from jaxtyping import Float
from torch import Tensor

from restora.core.progress import Progress, silent
from restora.learning.dictionaries.lagrange_dual import best_dictionary
from restora.learning.dictionaries.samples import Samples
from restora.numerics.sparse.feature_sign import feature_sign

_CHUNK = 1 << 14


def train_joint(
    samples: Samples,
    *,
    atoms: int,
    lam: float,
    iterations: int,
    generator: torch.Generator,
    progress: Progress | None = None,
) -> tuple[Float[Tensor, "p K"], Float[Tensor, "q K"]]:
    """D_h and D_l, the rows of the joint dictionary, not brought to length 1 again.

    Args:
        samples: the pairs.
        atoms: K.
        lam: λ.
        iterations: of codes and dictionary.
        generator: of the first atoms, which are random, of mean zero and length 1.
        progress: told the mean objective after each iteration.

    Cost: an iteration is a LASSO of K unknowns a sample.
    """
    X = stacked(samples)
    D = torch.randn(X.shape[1], atoms, generator=generator)
    D = D - D.mean(0)
    D = D / torch.linalg.vector_norm(D, dim=0)
    for iteration in range(1, iterations + 1):
        AA, AX, objective = _moments(D, X, lam)
        D = best_dictionary(AA, AX)
        unused = AA.diagonal() <= 0
        D[:, unused] = X[torch.randint(len(X), (int(unused.sum()),), generator=generator)].mT
        (progress or silent)(iteration, iterations, f"objective {objective:.4f}, {int(unused.sum())} atoms unused")
    p = samples.x.shape[1]
    return D[:p].contiguous(), D[p:].contiguous()


def stacked(samples: Samples) -> Float[Tensor, "n d"]:
    """Rows [√p x, √q y], of length 1."""
    p, q = samples.x.shape[1], samples.y.shape[1]
    X = torch.cat([p**0.5 * samples.x, q**0.5 * samples.y], dim=1)
    return X / torch.linalg.vector_norm(X, dim=1, keepdim=True)


def _moments(
    D: Float[Tensor, "d K"], X: Float[Tensor, "n d"], lam: float
) -> tuple[Float[Tensor, "K K"], Float[Tensor, "K d"], float]:
    """AAᵀ, AXᵀ and the mean objective, a chunk of samples at a time."""
    K, d = D.shape[1], D.shape[0]
    AA, AX, objective = D.new_zeros(K, K), D.new_zeros(K, d), 0.0
    for part in X.split(_CHUNK):
        A = feature_sign(D, part, lam)
        AA += A.mT @ A
        AX += A.mT @ part
        objective += float(0.5 * (part - A @ D.mT).square().sum() + lam * A.abs().sum())
    return AA, AX, objective / len(X)
