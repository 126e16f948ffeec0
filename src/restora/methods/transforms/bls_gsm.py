"""BLS-GSM: Bayesian least squares with Gaussian scale mixtures, on an oriented pyramid.

Problem. y = x + n, white noise n of standard deviation σ; gray, or every channel by itself.

Model. The coefficients of a photograph in a small neighbourhood of an oriented band, of 3 x 3 places and the parent,
are √z·u: a Gaussian vector u of covariance C_u, whose local variance z varies from place to place as p(z) ∝ 1/z. Noise
adds a Gaussian w of covariance C_w, known from the pyramid. The least squared error is that of

    x̂_c = E[x_c | y] = ∫ p(z | y) E[x_c | y, z] dz,      E[x | y, z] = z C_u (z C_u + C_w)⁻¹ y.

Algorithm.
1. The image, extended by reflection, goes through a full steerable pyramid of K orientations.
2. In each band C_w is σ² times the correlations of the kernels at the distances within a neighbourhood, and C_u = C_y −
   C_w, its negative eigenvalues set to zero with the trace kept. The parent, of the same orientation and the next
   coarser scale, is interpolated to the grid of the band; the coarsest scale has none.
3. In the coordinates that make C_u and C_w diagonal, the posterior of z is found at 13 values of log z, from −20.5 to
   3.5, and the Wiener estimates E[x_c | y, z] of the centre are averaged with it.
4. x̂ from the pyramid of the estimates. The low-pass residual is kept.

Cost. An eigenproblem of 10 x 10 and three FFTs a band, about 500 multiplications a coefficient, 19 coefficients a
pixel: half a second for 512 x 512.

Departures from the original. C_w and C_y are exact correlations, taken in the Fourier domain over the whole period; the
authors measure them on one impulse or noise image and on the band without its border. Neighbourhoods at the border of
the extended band go round its period, where theirs fall back to a scalar Wiener filter.

References.
J. Portilla, V. Strela, M. J. Wainwright, E. P. Simoncelli, "Image denoising using scale mixtures of Gaussians in the
wavelet domain", IEEE Transactions on Image Processing 12(11), 2003, doi:10.1109/TIP.2003.818640.
"""

from dataclasses import dataclass
from typing import Annotated, ClassVar

import torch
from jaxtyping import Complex, Float
from torch import Tensor

from restora.core.method import Context, Method
from restora.core.operator import Size
from restora.core.parameters import counting, odd
from restora.core.problem import Problem
from restora.core.progress import Progress
from restora.core.result import Result, Status
from restora.core.spec import Spec
from restora.frames.steerable_pyramid import SteerablePyramid, add_cropped, coarser, cropped
from restora.numerics.gaussian_scale_mixture import Mixture, neighbourhood_covariance, posterior_mean
from restora.operators.boundaries import extend
from restora.operators.fourier import fast_length
from restora.operators.identity import Identity


@dataclass(frozen=True, slots=True)
class BlsGsm(Method):
    """Bayes least squares under a Gaussian scale mixture in each band of a full steerable pyramid.

    Args:
        orientations: K, >= 1. Fewer are faster in proportion.
        scales: of the pyramid, >= 1; small images have fewer: ⌈log₂(shorter side)⌉ − 4, and at least one.
        window: side of a neighbourhood within the band, odd, >= 1; the time grows with its fourth power.
        parent: whether the neighbourhood has the parent in it.
    """

    spec: ClassVar[Spec] = Spec(
        name="bls-gsm",
        tasks=("denoise",),
        solves=(Identity,),
        colour="per-channel",
        paper=(
            "J. Portilla, V. Strela, M. J. Wainwright, E. P. Simoncelli, Image denoising using scale mixtures of "
            "Gaussians in the wavelet domain, IEEE TIP 12(11), 2003"
        ),
        doi="10.1109/TIP.2003.818640",
        leaves_noiseless=True,
        published=("bm3d-gray11-gray-awgn-s20-noclip-matlabv4", "bm3d-gray11-gray-awgn-s50-noclip-matlabv4"),
    )

    orientations: Annotated[int, counting] = 8
    scales: Annotated[int, counting] = 5
    window: Annotated[int, odd] = 3
    parent: bool = True

    def solve(self, problem: Problem, context: Context) -> Result:
        y, sigma = problem.y, problem.sigma
        size = (y.shape[-2], y.shape[-1])
        scales = max(1, min(self.scales, (min(size) - 1).bit_length() - 4))
        frame = SteerablePyramid(scales, self.orientations)
        margin, period = _extension(size, scales, self.window)
        after = (period[0] - size[0] - margin, period[1] - size[1] - margin)
        X = frame.spectrum(extend(y, (margin, margin), after, "reflect"))
        x = frame.image(self._estimate(X, period, sigma, frame, context.progress), period)
        x = x[..., margin : margin + size[0], margin : margin + size[1]]
        return Result(x, Status.done(f"{self.orientations} orientations at {scales} scales"))

    def _estimate(
        self, X: Complex[Tensor, "b c h g"], period: Size, sigma: float, frame: SteerablePyramid, progress: Progress
    ) -> Complex[Tensor, "b c h g"]:
        """The spectrum of x̂: the residual's share of X, and that of each band's estimate."""
        found = torch.zeros_like(X)
        residual = cropped(X, coarser(period, frame.scales), False) * frame.residual(period, X.real).square()
        add_cropped(found, residual, False)
        total, done = (frame.scales + 1) * frame.orientations, 0
        for scale in range(frame.scales + 1):
            grid = coarser(period, max(scale - 1, 0))
            part = cropped(X, grid, False)
            own = frame.radial(period, scale, grid, X.real)
            has_parent = self.parent and scale < frame.scales
            above = frame.radial(period, scale + 1, grid, X.real) if has_parent else None
            for angular in frame.angular(period, grid, X.real):
                responses = [own * angular] if above is None else [own * angular, above * angular]
                self._add_band(found, part, responses, grid, sigma)
                done += 1
                progress(done, total, "bands")
        return found

    def _add_band(
        self, found: Tensor, part: Tensor, responses: list[Float[Tensor, "u v"]], grid: Size, sigma: float
    ) -> None:
        """Estimate one band of every image and channel from its part of the spectrum."""
        noise = sigma**2 * neighbourhood_covariance(responses, part.new_ones(1, 1).real, grid, self.window)
        for image in range(part.shape[0]):
            for channel in range(part.shape[1]):
                Y = part[image, channel]
                power = torch.view_as_real(Y).square().sum(-1)
                observed = neighbourhood_covariance(responses, power, grid, self.window)
                mixture = Mixture.of(observed - noise, noise, self.window**2 // 2)
                bands = [torch.fft.irfft2(Y * response, s=grid, norm="ortho") for response in responses]
                estimate = posterior_mean(bands[0], bands[1] if len(bands) == 2 else None, self.window, mixture)
                del bands
                spectrum = torch.fft.rfft2(estimate, norm="ortho") * responses[0]
                add_cropped(found[image : image + 1, channel : channel + 1], spectrum[None, None], False)


def _extension(size: Size, scales: int, window: int) -> tuple[int, Size]:
    """Margin at the top and left, and sides of the period: a neighbourhood of the coarsest scale on each side."""
    unit = 2**scales
    margin = (window // 2) * unit // 2
    height, width = (unit * fast_length(-(-(n + 2 * margin) // unit)) for n in size)
    return margin, (height, width)
