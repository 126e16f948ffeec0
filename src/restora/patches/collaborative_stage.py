"""A stage of collaborative filtering, as a table of the parameters of BM3D and its variants."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated

import torch
from jaxtyping import Float
from torch import Tensor

from restora.core.parameters import check_parameters, counting, nonnegative, odd
from restora.core.progress import Progress
from restora.patches.block_matching import Groups, match_blocks
from restora.patches.block_transforms import TransformName, block_transform
from restora.patches.collaborative import Shrinkage, collaborate


@dataclass(frozen=True, slots=True)
class Stage:
    """How blocks are matched, transformed, shrunk and put together.

    Attributes:
        transform: T_2D, of the blocks; along the stack it is Haar's.
        N1: side of a block in pixels, >= 1.
        N2: most blocks of a group, >= 1; doubled, smoother where the image repeats itself.
        step: pixels from one reference block to the next, >= 1; the time falls with its square.
        NS: side of the search window in pixels, odd, >= 1; the time grows with its square.
        tau: blocks match below this mean squared difference, in gray levels of 255, squared; >= 0.
        threshold: λ_3D, how many standard deviations of the noise a coefficient must have to be kept, >= 0. A stage
            that has a pilot does not use it.
        beta: of the Kaiser window that weighs the pixels of a block, >= 0; 0 weighs all alike.

    Raises:
        InvalidParameter: a field is outside the range that its type declares, or there is no such transform of N1.
    """

    transform: TransformName = "bior1.5"
    N1: Annotated[int, counting] = 8
    N2: Annotated[int, counting] = 16
    step: Annotated[int, counting] = 3
    NS: Annotated[int, odd] = 39
    tau: Annotated[float, nonnegative] = 3000.0
    threshold: Annotated[float, nonnegative] = 2.7
    beta: Annotated[float, nonnegative] = 2.0

    def __post_init__(self) -> None:
        check_parameters(self)
        block_transform(self.transform, self.N1)

    @property
    def sentence(self) -> str:
        """A sentence on the stage, for the status of a result."""
        return f"groups of up to {self.N2} blocks of {self.N1}x{self.N1} filtered together"

    def match(self, z: Float[Tensor, "b c h w"]) -> Groups:
        """The groups of blocks that resemble each other in z, on [0, 1]."""
        return match_blocks(z, side=self.N1, step=self.step, window=self.NS, members=self.N2, tau=self.tau / 255**2)

    def filter(
        self,
        y: Float[Tensor, "b c h w"],
        groups: Groups,
        deviation: Float[Tensor, "c n n"],
        pilot: Float[Tensor, "b c h w"] | None = None,
    ) -> Float[Tensor, "b c h w"]:
        """Shrink the groups: by hard thresholding, or with a pilot by Wiener's rule.

        Args:
            y: noisy images.
            groups: as :meth:`match` finds them.
            deviation: standard deviation of the noise in each coefficient of a block.
            pilot: an estimate of the noiseless images.
        """
        taper = torch.kaiser_window(self.N1, periodic=False, beta=self.beta, dtype=torch.float64)
        shrinkage = Shrinkage(deviation, self.threshold, torch.outer(taper, taper))
        return collaborate(y, pilot, groups, block_transform(self.transform, self.N1), shrinkage)

    def white(self, sigmas: list[float]) -> Float[Tensor, "c n n"]:
        """The deviation of white noise, one σ a channel."""
        return torch.tensor(sigmas, dtype=torch.float64)[:, None, None].expand(-1, self.N1, self.N1)

    def coloured(self, spectrum: Float[Tensor, "1 h v"], width: int) -> Float[Tensor, "1 n n"]:
        """The deviation of stationary noise with that power spectrum.

        A coefficient's variance is the noise's covariance at all lags within a block, summed with the autocorrelation
        of the coefficient's basis function, which is the product of those of two rows of the transform. Cost: one FFT.

        Args:
            spectrum: E|N|²/pixels on the half plane of frequencies of ``rfft2``; σ² for white noise.
            width: columns of the image.
        """
        forward = block_transform(self.transform, self.N1).forward.to(spectrum)
        lags = torch.arange(1 - self.N1, self.N1, device=spectrum.device)
        covariance = torch.fft.irfft2(spectrum, s=(spectrum.shape[-2], width))
        rows, columns = (lags.remainder(n) for n in covariance.shape[-2:])
        padded = torch.fft.rfft(forward, n=2 * self.N1 - 1)
        autocorrelation = torch.fft.irfft(padded.abs().square(), n=2 * self.N1 - 1).roll(self.N1 - 1, -1)
        near = covariance[..., rows[:, None], columns]
        return (autocorrelation @ near @ autocorrelation.T).clamp_min(0).sqrt()


@dataclass(frozen=True, slots=True)
class Profile:
    """The two stages of BM3D: hard thresholding, and with its estimate as pilot Wiener filtering."""

    basic: Stage
    final: Stage

    def estimates(
        self, y: Float[Tensor, "b c h w"], sigmas: list[float], matched: Callable[[Tensor], Tensor], progress: Progress
    ) -> tuple[Float[Tensor, "b c h w"], Float[Tensor, "b c h w"]]:
        """The basic and the final estimate.

        Args:
            y: noisy images.
            sigmas: σ of the white noise in each channel.
            matched: of images, the ones in which blocks are compared.
            progress: called before and after each of four steps.
        """
        progress(0, 4, "matching blocks")
        groups = self.basic.match(matched(y))
        progress(1, 4, "basic estimate")
        pilot = self.basic.filter(y, groups, self.basic.white(sigmas))
        del groups  # as large as two images
        progress(2, 4, "matching blocks")
        groups = self.final.match(matched(pilot))
        progress(3, 4, "final estimate")
        x = self.final.filter(y, groups, self.final.white(sigmas), pilot)
        progress(4, 4, "final estimate")
        return pilot, x


NORMAL = Profile(Stage(), Stage("dct", N2=32, tau=400))
"""The Normal Profile of Dabov et al. 2007."""

STRONG = Profile(Stage(N2=32, step=4, tau=25000, threshold=2.8), Stage("dct", N1=11, N2=32, step=6, tau=3500))
"""The profile for very noisy images of Hou et al. 2011, for 255σ > 40."""


def profile_for(sigma: float) -> Profile:
    """The Normal Profile up to 255σ = 40, that for very noisy images above."""
    return NORMAL if round(255 * sigma, 6) <= 40 else STRONG
