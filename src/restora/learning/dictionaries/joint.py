"""Joint training: one sparse code for a fine patch and its coarse features, stacked.

min_{D,A} ½‖X − DA‖² + λ‖A‖₁, ‖d_k‖ <= 1, with the columns of X = [√p x; √q y], p and q the lengths of x and y, brought
to length 1 again. Codes (feature-sign search) and dictionary (Lagrange dual) are found in turn.

Departures from the original. An atom that no sample uses is replaced by a sample drawn at random; the authors' code
leaves it.

References.
J. Yang, J. Wright, T. S. Huang and Y. Ma, "Image super-resolution via sparse representation", IEEE Transactions on
Image Processing 19(11), 2010, doi:10.1109/TIP.2010.2050625.
"""

from dataclasses import dataclass, field

import torch
from jaxtyping import Float
from torch import Tensor

from restora.core.errors import InvalidParameter
from restora.core.progress import Progress, silent
from restora.learning.dictionaries.lagrange_dual import best_dictionary
from restora.learning.dictionaries.samples import Pair, Samples, code_moments


@dataclass(frozen=True, slots=True)
class Joint:
    """All that a jointly trained pair depends on, beside the images.

    Attributes:
        scale: of super-resolution, >= 2.
        atoms: K.
        patch: side of a patch.
        lam: λ of the codes.
        samples: pairs drawn before flat ones are dropped.
        iterations: of codes and dictionary in turn.
        validation: so many images are kept out of the training.
        seed: of all randomness.
    """

    scale: int
    atoms: int = 512
    patch: int = 5
    lam: float = field(default=0.15, metadata={"key": "lambda"})
    samples: int = 100_000
    iterations: int = 40
    validation: int = 9
    seed: int = 0

    def __post_init__(self) -> None:
        least = {"scale": 2, "atoms": 1, "patch": 2, "samples": 1, "iterations": 1, "validation": 1}
        for name, value in least.items():
            if getattr(self, name) < value:
                raise InvalidParameter.outside(name, getattr(self, name), f">= {value}")


def train_joint(samples: Samples, joint: Joint, generator: torch.Generator, progress: Progress = silent) -> Pair:
    """D_h and D_l, the rows of the joint dictionary, not brought to length 1 again.

    Args:
        samples: the pairs.
        joint: the parameters.
        generator: of the first atoms, which are random, of mean zero and length 1.
        progress: called with the mean objective after each iteration.

    Cost: an iteration is a LASSO of K unknowns a sample.
    """
    X = stacked(samples)
    D = torch.randn(X.shape[1], joint.atoms, generator=generator)
    D = D - D.mean(0)
    D = D / torch.linalg.vector_norm(D, dim=0)
    for iteration in range(1, joint.iterations + 1):
        AA, AX, objective = code_moments(D, X, X, joint.lam)
        D = best_dictionary(AA, AX)
        unused = AA.diagonal() <= 0
        D[:, unused] = X[torch.randint(len(X), (int(unused.sum()),), generator=generator)].mT
        progress(iteration, joint.iterations, f"objective {objective:.4f}, {int(unused.sum())} atoms unused")
    p = samples.x.shape[1]
    return D[:p].contiguous(), D[p:].contiguous()


def stacked(samples: Samples) -> Float[Tensor, "n d"]:
    """Rows [√p x, √q y], of length 1."""
    p, q = samples.x.shape[1], samples.y.shape[1]
    X = torch.cat([p**0.5 * samples.x, q**0.5 * samples.y], dim=1)
    return X / torch.linalg.vector_norm(X, dim=1, keepdim=True)
