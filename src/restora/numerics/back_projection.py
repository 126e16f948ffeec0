"""Back-projection: an enlarged image is brought back to what was measured of it."""

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import pad

from restora.core.operator import Operator
from restora.numerics.convolution import convolve_separable


def back_projected(
    x: Float[Tensor, "b c h w"], y: Float[Tensor, "b c i j"], H: Operator
) -> tuple[Float[Tensor, "b c h w"], Float[Tensor, "b c i j"]]:
    """x + E * p and e = y − Hx, with p a squared 5×5 Gaussian of standard deviation 1, sum 1; E is e enlarged.

    The step of Irani and Peleg (1991), in the form that sparse methods of super-resolution end with (Yang et al. 2010).
    E is ``H.first_guess(e)``. The convolution has zeros beyond the border; g² is a Gaussian of half the variance, so p
    is separable. Cost: two resizings and a convolution of x.

    Args:
        x: the image as it is so far.
        y: its measurement.
        H: how it was measured, a :class:`restora.operators.downsample.Downsample` as a rule.
    """
    g = torch.exp(-0.5 * torch.arange(-2, 3, dtype=torch.float64) ** 2)
    p = g**2 / (g**2).sum()
    e = y - H(x)
    E = H.first_guess(e)
    return x + convolve_separable(pad(E, (2, 2, 2, 2)), p, "replicate")[..., 2:-2, 2:-2], e
