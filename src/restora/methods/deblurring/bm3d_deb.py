"""BM3D deblurring: the blur is inverted, and the coloured noise that comes of it removed by collaborative filtering.

Problem. y = k * x + n with known k and white noise n of standard deviation σ; gray, or every channel by itself.

Model. A regularised inverse filter leaves an image with little bias and strong coloured noise, whose spectrum is known.
In the transform of a block the noise has a different, known standard deviation in each coefficient: BM3D's shrinkage
holds with these in place of σ.

Algorithm. V is the transfer function of k, N the number of pixels, and Fourier transforms are not normalised.
1. Regularised inverse. RI = V̄/(|V|² + α_RI·N·σ²); z_RI = RI applied to y; its noise has the spectrum Nσ²|RI|².
2. The first stage of BM3D on z_RI (blocks in the sine transform, λ_3D = 2.9, no Kaiser window) gives a pilot P.
3. Regularised Wiener inverse. RWI = V̄|P|²/(|V|²|P|² + α_RWI·N·σ²); z_RWI = RWI applied to y.
4. The second stage of BM3D on z_RWI with the pilot (blocks in the cosine transform).

Cost. Five FFTs, and that of BM3D; the second stage, on every second pixel, dominates.

Departures from the original. A blur that is not circular is first closed to a torus (``closing``). σ counts as at least
that of rounding to 8 bits, 1/(255√12). tau of the first stage is 6000 as in the authors' program.

References.
K. Dabov, A. Foi, V. Katkovnik, K. Egiazarian, "Image restoration by sparse 3D transform-domain collaborative
filtering", Proc. SPIE 6812, 2008, doi:10.1117/12.766355.
"""

import math
from dataclasses import dataclass
from types import MappingProxyType
from typing import Annotated, ClassVar, cast

import torch
from jaxtyping import Complex, Float
from torch import Tensor

from restora.core.method import Context, Method
from restora.core.parameters import positive
from restora.core.problem import Problem
from restora.core.result import Result, Status
from restora.core.spec import Spec
from restora.numerics.boundary import Closing, close
from restora.numerics.variation_weight import FINEST_SIGMA
from restora.operators.blur import Blur
from restora.patches.collaborative_stage import Stage

_BASIC = Stage("dst", N2=16, step=3, tau=6000, threshold=2.9, beta=0.0)
_FINAL = Stage("dct", N2=16, step=2, tau=800, beta=0.0)


@dataclass(frozen=True, slots=True)
class BM3DDeblurring(Method):
    """Regularised inversion, and BM3D with coloured noise, twice.

    Attributes:
        alpha_ri: α_RI, regularisation of the first inverse, > 0. Doubled, blurrier and less noisy.
        alpha_rwi: α_RWI, regularisation of the second, > 0.
        basic: the stage of hard thresholding.
        final: the stage of Wiener filtering.
        closing: how a blur that is not circular is made so.
    """

    spec: ClassVar[Spec] = Spec(
        name="bm3d-deb",
        tasks=("deblur",),
        solves=(Blur,),
        colour="per-channel",
        paper='K. Dabov et al., "Image restoration by sparse 3D transform-domain collaborative filtering", SPIE, 2008',
        doi="10.1117/12.766355",
        keeps_constants=False,
        continuous=False,
        published=tuple(f"deblur4-gray-scenario{i}-noclip-matlabv4" for i in range(1, 7)),
    )

    alpha_ri: Annotated[float, positive] = 4e-4
    alpha_rwi: Annotated[float, positive] = 5e-3
    basic: Stage = _BASIC
    final: Stage = _FINAL
    closing: Closing = "edgetaper"

    def solve(self, problem: Problem, context: Context) -> Result:
        """Deblur; ``parts`` holds the estimate of the first stage."""
        H = cast(Blur, problem.H)
        torus = close(problem.y, H, self.closing)
        scene = self._large_enough(torus.y)
        V = H.otf((scene.shape[-2], scene.shape[-1]), scene)
        planes, estimates = scene.flatten(0, 1)[:, None, None], []
        context.progress(0, len(planes), "channels")
        for done, y in enumerate(planes, start=1):
            estimates.append(self._deblurred(y, V, max(problem.sigma, FINEST_SIGMA)))
            context.progress(done, len(planes), "channels")
        height, width = torus.y.shape[-2:]
        pilot, x = (
            torus.crop(torch.cat(part).reshape(scene.shape)[..., :height, :width], problem.size)
            for part in zip(*estimates)
        )
        sentence = "inverted twice, and filtered in groups of blocks after each"
        return Result(x, Status.done(sentence), parts=MappingProxyType({"basic": pilot}))

    def _large_enough(self, y: Float[Tensor, "b c h w"]) -> Float[Tensor, "b c p q"]:
        """As many periods of the scene as a block needs: it is periodic, so nothing is changed."""
        side = max(self.basic.N1, self.final.N1)
        return y.repeat(1, 1, *(math.ceil(side / n) for n in y.shape[-2:]))

    def _deblurred(
        self, y: Float[Tensor, "1 1 h w"], V: Complex[Tensor, "h v"], sigma: float
    ) -> tuple[Float[Tensor, "1 1 h w"], Float[Tensor, "1 1 h w"]]:
        """The estimates of both stages, for one image."""
        noise = y.numel() * sigma**2
        Y, power = torch.fft.rfft2(y), V.abs().square()
        RI = V.conj() / (power + self.alpha_ri * noise)
        pilot = _stage(self.basic, Y * RI, sigma**2 * RI.abs().square(), y, None)
        P = torch.fft.rfft2(pilot)[0, 0].abs().square()
        RWI = V.conj() * P / (power * P + self.alpha_rwi * noise)
        return pilot, _stage(self.final, Y * RWI, sigma**2 * RWI.abs().square(), y, pilot)


def _stage(
    stage: Stage,
    Z: Complex[Tensor, "1 1 h v"],
    spectrum: Float[Tensor, "h v"],
    like: Float[Tensor, "1 1 h w"],
    pilot: Float[Tensor, "1 1 h w"] | None,
) -> Float[Tensor, "1 1 h w"]:
    """A stage of BM3D on the image with that Fourier transform and noise of that spectrum; matched in the pilot."""
    size = (like.shape[-2], like.shape[-1])
    z = torch.fft.irfft2(Z, s=size)
    deviation = stage.coloured(spectrum[None], size[1])
    return stage.filter(z, stage.match(z if pilot is None else pilot), deviation, pilot)
