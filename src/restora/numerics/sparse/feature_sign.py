"""Feature-sign search: the exact minimiser of min_a ½‖y − Da‖² + λ‖a‖₁, for many signals over one dictionary.

If the signs θ of the minimiser were known, it would be the solution of a linear system on its support. The search
guesses them: from a = 0 and an empty support,

1. of the zero coefficients take the one of largest |g_j| > λ, g = Ga − b, G = DᵀD, b = Dᵀy, into the support, with
   θ_j = −sign(g_j); if there is none, a is the minimiser;
2. solve G_S x = b_S − λθ on the support S. If x has the signs θ, a ← x, and go to 1;
3. else go from a towards x, to x itself or to one of the points where a coefficient changes its sign, whichever has the
   lowest objective; coefficients that are zero there leave the support, θ ← sign(a); go to 2.

The objective falls in each step and there are finitely many sign patterns, so the search ends, usually after little
more than |S| steps. A step costs n|S| + |S|² multiplications for n atoms.

References.
H. Lee, A. Battle, R. Raina, A. Y. Ng, "Efficient sparse coding algorithms", Advances in Neural Information Processing
Systems 19, 2006.
"""

import torch
from jaxtyping import Float
from torch import Tensor

from restora.core.backend import runs_on_cpu_kernels
from restora.core.errors import InvalidParameter
from restora.numerics.iterate import Limits
from restora.numerics.sparse.feature_sign_cpu import feature_sign_cpu
from restora.numerics.sparse.pursuit import lasso

_LIMITS = Limits(tolerance=1e-6, max_iterations=500)
_SPARE = 8  # atoms that may be in a support beside the rank(D) that the minimiser needs


def feature_sign(D: Float[Tensor, "m n"], Y: Float[Tensor, "b m"], lam: float) -> Float[Tensor, "b n"]:
    """Codes of the rows of Y over the columns of D.

    CPU tensors take a Numba kernel of the exact search, a signal a thread. All others, and those that carry gradients,
    take FISTA in Torch (:func:`~restora.numerics.sparse.pursuit.lasso`), which comes to a relative change of 1e-6, or
    stops after 500 iterations.

    Args:
        D: atoms, of any length.
        Y: signals.
        lam: λ > 0.

    Raises:
        InvalidParameter: λ is not positive.
    """
    if not lam > 0:
        raise InvalidParameter.outside("lam", lam, "> 0")
    dtype = torch.promote_types(Y.dtype, torch.float32)
    atoms, signals = D.to(dtype), Y.to(dtype)
    if not runs_on_cpu_kernels(atoms, signals):
        return lasso(atoms, signals, lam, limits=_LIMITS).x.to(Y.dtype)
    b = signals @ atoms
    # A correlation is known to some roundings of the largest.
    largest = float(b.abs().max()) if b.numel() else 0.0
    tolerance = 1e-9 * lam + 16 * torch.finfo(dtype).eps * largest
    most = min(D.shape[1], D.shape[0] + _SPARE)
    return feature_sign_cpu(atoms.mT @ atoms, b, lam, tolerance, most).to(Y.dtype)
