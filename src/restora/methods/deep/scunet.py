"""SCUNet – a U-Net, half convolutions and half transformers of shifted windows.

Problem. A photograph with noise of unknown kind and strength, perhaps compressed and resized; or y = x + n, n ~ N(0,
σ²), σ = 15, 25 or 50 of 255.

Model. x̂ = F(y), learnt on photographs degraded by a random sequence of white, correlated, photon and speckle noise,
JPEG compression, resizing and a camera's processing; or on white noise of one σ.

Algorithm. Sides are extended, right and below, to multiples of 64 by repeating the last line. conv 3×3 to 64 channels;
four blocks on each of three scales, each scale followed by a 2×2 convolution of stride 2; four blocks; on the way up a
transposed 2×2 convolution after the features of the way down are added, and four blocks; conv 3×3. A block is
1. a, b = the halves of conv(h), 1×1;
2. a ← a + conv(ReLU(conv(a))), 3×3;
3. b ← b + attention(LN b) within windows of 8×8, shifted by 4 in every second block; b ← b + MLP(LN b);
4. h ← h + conv([a, b]), 1×1.

Parameters. The weights decide what is restored; names are those of the authors' files. ``scunet_color_real_psnr`` and
``scunet_color_real_gan`` (sharper, and invents detail) are for photographs, ``scunet_gray_25`` and the like for white
noise.

Cost. 1.2 million multiplications a pixel.

When not. The image is large and the memory small: in tiles the result is an approximation, and seams may be seen.

Departures from the original. restora ships no weights for it. A gray photograph is given to the network for colours as
one of three equal colours.

References.
K. Zhang, Y. Li, J. Liang, J. Cao, Y. Zhang, H. Tang, D.-P. Fan, R. Timofte and L. Van Gool, "Practical blind image
denoising via Swin-Conv-UNet and data synthesis", Machine Intelligence Research 20, 2023, doi:10.1007/s11633-023-1466-0.
"""

from dataclasses import dataclass
from typing import ClassVar

from restora.core.problem import Problem
from restora.core.spec import Spec
from restora.noise.gaussian import Gaussian
from restora.operators.identity import Identity
from restora.weights.network_method import NetworkMethod


@dataclass(frozen=True, slots=True)
class SCUNet(NetworkMethod):
    """SCUNet with given weights.

    Attributes:
        weights: a name of the store or the path of a file.
        precision: of the computation; ``auto`` is bfloat16 where the device is fast in it.
    """

    spec: ClassVar[Spec] = Spec(
        name="scunet",
        tasks=("denoise",),
        solves=(Identity,),
        colour="native",
        paper='K. Zhang et al., "Practical blind image denoising via Swin-Conv-UNet and data synthesis", MIR 20, 2023',
        doi="10.1007/s11633-023-1466-0",
        needs_sigma=False,
        multiple_of=64,
        keeps_constants=False,
    )
    architectures: ClassVar[tuple[str, ...]] = ("scunet",)

    weights: str = "scunet_color_real_psnr"

    @classmethod
    def weights_for(cls, problem: Problem) -> str:
        """The network for white noise of a σ within 2.5/255 of the problem's, else that for photographs."""
        if isinstance(problem.noise, Gaussian):
            colour = "color" if problem.y.shape[1] == 3 else "gray"
            for level in (15, 25, 50):
                if abs(255 * problem.noise.sigma - level) <= 2.5:
                    return f"scunet_{colour}_{level}"
        return "scunet_color_real_psnr"
