"""The dictionary for given codes: min_D ‖X − DA‖² with ‖d_k‖ <= 1, by its Lagrange dual.

With multipliers λ_k >= 0 of the K constraints and Λ = diag(λ), the best dictionary is D = XAᵀ(AAᵀ + Λ)⁻¹, and the dual

    max_Λ>=0  −tr(XAᵀ(AAᵀ + Λ)⁻¹AXᵀ) − Σ λ_k

has K unknowns instead of nK, and ∂/∂λ_k = ‖d_k‖² − 1. It is solved by L-BFGS-B (the authors take Newton's method). An
evaluation costs K³/3 + nK² multiplications.

References.
H. Lee, A. Battle, R. Raina, A. Y. Ng, "Efficient sparse coding algorithms", Advances in Neural Information Processing
Systems 19, 2006.
"""

import numpy as np
import torch
from jaxtyping import Float
from scipy.linalg import cho_factor, cho_solve
from scipy.optimize import minimize
from torch import Tensor

_RIDGE = 1e-9  # of the mean of AAᵀ's diagonal: atoms that are never used have none of their own
_ROUNDS = 100


def best_dictionary(AA: Float[Tensor, "K K"], AX: Float[Tensor, "K n"]) -> Float[Tensor, "n K"]:
    """D from the products AAᵀ and AXᵀ of codes A (K, N) and samples X (n, N); atoms of length <= 1.

    An atom that no code uses comes back as zero.
    """
    gram, cross = AA.double().numpy(), AX.double().numpy()
    gram = gram + _RIDGE * max(float(np.trace(gram)) / len(gram), 1e-30) * np.eye(len(gram))
    # In units of the diagonal the multipliers are of one size.
    unit = np.diag(gram).mean()

    def negative_dual(multipliers: np.ndarray) -> tuple[float, np.ndarray]:
        D = _dictionary(gram, cross, multipliers * unit)
        value = float((D * cross).sum()) / unit + float(multipliers.sum())
        return value, 1 - (D**2).sum(1)

    start = np.full(len(gram), 0.1)
    found = minimize(
        negative_dual, start, jac=True, method="L-BFGS-B", bounds=[(0, None)] * len(start), options={"maxiter": _ROUNDS}
    )
    D = _dictionary(gram, cross, found.x * unit)
    # What the search leaves above 1 is brought back.
    D = D / np.maximum(1, np.sqrt((D**2).sum(1, keepdims=True)))
    return torch.from_numpy(np.ascontiguousarray(D.T)).to(AX.dtype)


def _dictionary(gram: np.ndarray, cross: np.ndarray, multipliers: np.ndarray) -> np.ndarray:
    """(AAᵀ + Λ)⁻¹AXᵀ, the transposed dictionary."""
    return cho_solve(cho_factor(gram + np.diag(multipliers), check_finite=False), cross, check_finite=False)
