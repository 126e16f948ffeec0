"""Back-projection: an enlarged image is brought back to what was measured of it."""

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import pad

from restora.numerics.convolution import convolve_separable
from restora.numerics.imresize import imresize
from restora.operators.downsample import Downsample


def back_project(
    x: Float[Tensor, "b c h w"], y: Float[Tensor, "b c i j"], H: Downsample, T: int
) -> Float[Tensor, "b c h w"]:
    """T times x ← x + imresize(y − Hx, s) * p, with p a squared 5×5 Gaussian of standard deviation 1, sum 1.

    The step that sparse methods of super-resolution end with (Irani and Peleg 1991, in the form of Yang et al. 2010).
    The convolution has zeros beyond the border. Cost: two resizings and a convolution of x in each of T steps.

    Args:
        x: the image as it is so far.
        y: its measurement.
        H: how it was measured.
        T: steps, >= 0.
    """
    g = torch.exp(-0.5 * torch.arange(-2, 3, dtype=torch.float64) ** 2)
    p = g**2 / (g**2).sum()
    height, width = x.shape[-2:]
    for _ in range(T):
        E = imresize(y - H(x), scale=H.scale)[..., :height, :width]
        x = x + convolve_separable(pad(E, (2, 2, 2, 2)), p, "replicate")[..., 2:-2, 2:-2]
    return x
