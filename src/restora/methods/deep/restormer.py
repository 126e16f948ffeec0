"""Restormer – transformers over the channels, on four scales.

Problem. y = x + n, n ~ N(0, σ²), σ known or any up to 50/255; or a photograph with the noise of its camera; or one
blurred by motion, by a kernel that is not known and differs from place to place.

Model. x̂ = y + F(y), learnt with least absolute deviations for each task. It estimates neither noise nor kernel.

Algorithm. Sides are extended, right and below, by reflection to multiples of 8. conv 3×3 to 48 channels; 4, 6, 6 and 8
blocks on four scales, each of half the sides and twice the channels of the one before; on the way up the features of
the way down are put beside (1×1 convolutions halve the channels, but on the finest scale); 4 blocks; conv 3×3; y is
added. LN is a normalisation of each pixel's channels. A block is
1. q, k, v = dw(conv(LN h)), 1×1 and then 3×3 on each channel; q and k of unit length over the pixels;
2. h ← h + conv(softmax(τ q kᵀ) v), for each head: channels attend to channels, at a cost linear in the pixels;
3. h ← h + conv(GELU(a) · b), a and b = the halves of dw(conv(LN h)), 2.66 times the channels each.

Parameters. The weights decide what is restored. ``gaussian_gray_denoising_blind`` and
``gaussian_color_denoising_blind`` are for any σ, those ending in ``sigma15``, ``sigma25``, ``sigma50`` for one, by the
names of the authors' files; ``restormer_real_denoising`` is for a camera's noise, ``restormer_motion_deblurring``,
``restormer_defocus_deblurring`` and ``restormer_deraining`` for what they say.

Cost. 155 thousand million multiplications for 256×256.

When not. The image is large: the network looks at the whole image at once, and its memory grows with it; in tiles the
attention has other statistics and the result is an approximation.

Departures from the original. restora ships no weights for it. A gray image is given to a network for colours as one of
three equal colours.

References.
S. W. Zamir, A. Arora, S. Khan, M. Hayat, F. S. Khan and M.-H. Yang, "Restormer: efficient transformer for
high-resolution image restoration", CVPR 2022, doi:10.1109/CVPR52688.2022.00564.
"""

from dataclasses import dataclass
from typing import ClassVar

from restora.core.problem import Problem
from restora.core.spec import Spec
from restora.noise.gaussian import Gaussian
from restora.operators.identity import Identity
from restora.operators.unknown import UnknownBlur
from restora.weights.network_method import NetworkMethod


@dataclass(frozen=True, slots=True)
class Restormer(NetworkMethod):
    """Restormer with given weights; an unknown kernel is not found.

    Attributes:
        weights: a name of the store or the path of a file.
        precision: of the computation; ``auto`` is bfloat16 where the device is fast in it.
    """

    spec: ClassVar[Spec] = Spec(
        name="restormer",
        tasks=("denoise", "deblur"),
        solves=(Identity, UnknownBlur),
        colour="native",
        paper='S. W. Zamir et al., "Restormer: efficient transformer for high-resolution image restoration", CVPR 2022',
        doi="10.1109/CVPR52688.2022.00564",
        needs_sigma=False,
        blind=True,
        multiple_of=8,
        keeps_constants=False,
    )
    architectures: ClassVar[tuple[str, ...]] = ("restormer",)

    weights: str = "gaussian_color_denoising_blind"

    @classmethod
    def weights_for(cls, problem: Problem) -> str:
        """The network for the task.

        For white noise that for a σ within 2.5/255 of the problem's, else that for any; for other noise that for
        cameras; for an unknown blur that for motion.
        """
        if not problem.H.is_known:
            return "restormer_motion_deblurring"
        if not isinstance(problem.noise, Gaussian):
            return "restormer_real_denoising"
        near = [level for level in (15, 25, 50) if abs(255 * problem.noise.sigma - level) <= 2.5]
        colour = "color" if problem.y.shape[1] == 3 else "gray"
        return f"gaussian_{colour}_denoising_{f'sigma{near[0]}' if near else 'blind'}"
