"""Ridgelet shrinkage: hard thresholds on wavelets across straight lines, in overlapping blocks.

Problem. y = x + n, white noise n of standard deviation σ; gray, or every channel by itself.

Model. In a block small enough an edge is straight. The sums of the pixels along its direction jump once, and a wavelet
transform of these sums has few large coefficients, whatever the length of the edge. White noise spreads over all
coefficients, with a standard deviation of σ times the norm of their row.

Algorithm (for each of the overlapping blocks).
1. c = R p: ridgelet coefficients of the block p, by ``kind``
   ``local``   Fourier samples along straight lines through the origin, then wavelets along the lines, of the block
               times a smooth window; a tight frame, about four times redundant (Starck, Candès, Donoho);
   ``finite``  sums along the lines of the plane Z_p² in their best order, then wavelets; an orthonormal basis of
               blocks whose side is a prime (Do, Vetterli).
2. Coefficients of at most kσ times the norm of their row become 0. What no wavelet sees is kept: the low-pass part
   along each line, or the mean.
3. The blocks are transformed back and, times their window, added; or averaged where they have none.

Parameters. k = 3. Twice the blocks a side (half the ``step``) cost four times the time and gain 0.2 to 0.4 dB.

Cost. O(B⁴/step²) multiplications a pixel, as products of a matrix and a row of blocks: about 10⁴ for ``local``,
5·10³ for ``finite``.

Departures from the original. The samples of local ridgelets are shared among lines so that the frame is tight (see
``frames.local_ridgelet``). Finite ridgelets are used in overlapping blocks of 17 pixels, not on the image at once:
lines that wrap around the border of a large block match nothing in a photograph. The image is extended by one block of
its mirror image (half-sample symmetric), so that no block hangs over the border. Local ridgelets are those of y less a
smooth base (y convolved with a Gaussian of a third of a block), which is added again: it gains 0.07 dB on training
photographs, and blocks do not show in flat regions.

When not. Textures, and curves that bend within a block. ``finite`` sees a jump wherever opposite borders of a block
differ, and is 0.1 to 0.7 dB behind.

References.
J.-L. Starck, E. J. Candès, D. L. Donoho, "The curvelet transform for image denoising", IEEE Transactions on Image
Processing 11(6), 2002, doi:10.1109/TIP.2002.1014998.
M. N. Do, M. Vetterli, "The finite ridgelet transform for image representation", IEEE Transactions on Image Processing
12(1), 2003, doi:10.1109/TIP.2002.806252.
"""

from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal

from restora.core.errors import InvalidParameter
from restora.core.method import Context, Method
from restora.core.parameters import at_least, check_parameters, counting, nonnegative
from restora.core.problem import Problem
from restora.core.result import Result, Status
from restora.core.spec import Spec
from restora.frames.finite_ridgelet import LARGEST_MATRIX, FiniteRidgelet
from restora.frames.local_ridgelet import LocalRidgelet
from restora.numerics.convolution import convolve_separable, gaussian_kernel
from restora.operators.boundaries import extend
from restora.operators.identity import Identity


@dataclass(frozen=True, slots=True)
class RidgeletShrinkage(Method):
    """Hard thresholds of k standard deviations of the noise on ridgelet coefficients of blocks.

    Args:
        kind: which ridgelets, ``local`` or ``finite``.
        k: threshold over the standard deviation of the noise in a coefficient, >= 0.
        side: of a block; from 4 to 64 for ``local``, a prime from 3 to 31 for ``finite``. None is 24 or 17.
        step: distance of blocks; for ``local`` a divisor of the side, at most half of it. None is half or a quarter of
            the side.
        scales: of local ridgelets, >= 2; finite ones have as many as p − 1 has halves.
    """

    spec: ClassVar[Spec] = Spec(
        name="ridgelets",
        tasks=("denoise",),
        solves=(Identity,),
        colour="per-channel",
        paper=(
            "J.-L. Starck, E. J. Candès, D. L. Donoho, The curvelet transform for image denoising, IEEE TIP 11(6), 2002"
        ),
        doi="10.1109/TIP.2002.1014998",
        leaves_noiseless=True,
    )

    kind: Literal["local", "finite"] = "local"
    k: Annotated[float, nonnegative] = 3.0
    side: Annotated[int | None, at_least(3)] = None
    step: Annotated[int | None, counting] = None
    scales: Annotated[int, at_least(2)] = 4

    def __post_init__(self) -> None:
        check_parameters(self)
        _ = self._frame

    def solve(self, problem: Problem, context: Context) -> Result:
        y, sigma = problem.y, problem.sigma
        frame = self._frame
        m = frame.side
        if self.kind == "local":
            # A window makes of every constant a bump, whose coefficients are kept or lost block by block: the blocks
            # would show. A smooth base, almost free of noise, takes the constants out.
            base = convolve_separable(y, gaussian_kernel(m / 3), "reflect")
        else:
            base = y.mean(dim=(-2, -1), keepdim=True)
        x = frame.thresholded(extend(y - base, (m, m), (m, m), "reflect"), self.k * sigma)
        x = x[..., m : m + y.shape[-2], m : m + y.shape[-1]] + base
        return Result(x, Status.done(f"{self.kind} ridgelets of {m}x{m} blocks thresholded"))

    @property
    def _frame(self) -> LocalRidgelet | FiniteRidgelet:
        if self.kind == "local":
            side = 24 if self.side is None else self.side
            return LocalRidgelet(side, side // 2 if self.step is None else self.step, self.scales)
        side = 17 if self.side is None else self.side
        if side > LARGEST_MATRIX:
            raise InvalidParameter.outside("side", side, f"at most {LARGEST_MATRIX} for finite ridgelets")
        return FiniteRidgelet(side, max(1, side // 4) if self.step is None else self.step)
