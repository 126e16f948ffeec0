"""ScSR: a fine patch and its coarse features have the same sparse code, each over its own dictionary.

Problem. y = Hx, an image made smaller by the factor s; no noise, or little, which λ takes in.

Model. With m the interpolated image and F four derivative filters, each patch of the fine image is D_h a + mean, where

    a = argmin_a ½‖D_l a − y_f‖² + λ‖a‖₁,    y_f = the patch of Fm, of length 1,

and the whole image is the one near these patches that H makes into y.

Algorithm.
1. m = imresize(y, s); f₁ = [−1 0 1] * m, f₂ its transpose, f₃ = [1 0 −2 0 1] * m, f₄ its transpose; atoms of D_l to
   length 1.
2. For each patch of p×p pixels, p − overlap apart: μ its mean in m, n the norm of the rest; y_f its features, divided
   by their norm or by 1/255, whichever is larger.
3. a by feature-sign search; h = D_h a, brought to the norm contrast·n; μ + h is the fine patch.
4. Average where patches overlap; pixels that none covers stay those of m (a frame of 2 pixels, 3 at right and bottom).
5. T times x ← x + imresize(y − Hx, s) * g, with g a squared 5×5 Gaussian of standard deviation 1, sum 1.

Cost. A LASSO of K unknowns for each pixel of x at the full overlap of 4, (p − overlap)² times fewer else; about 20 μs
each on one CPU core for K = 512.

Departures from the original. The papers also ask a patch to agree with those already made (β‖P D_h a − w‖²) and go
through the image in order; as the authors' published program does, patches are coded apart from each other and
averaged. The program works on 8-bit luma and rounds before step 5; here nothing is rounded. Its dictionaries are for a
scale of 2; ours are trained by its rules for 2, 3 and 4. The program takes the last patch of a row twice where the
steps meet it.

References.
J. Yang, J. Wright, T. S. Huang and Y. Ma, "Image super-resolution as sparse representation of raw image patches", IEEE
Conference on Computer Vision and Pattern Recognition, 2008, doi:10.1109/CVPR.2008.4587647.
J. Yang, J. Wright, T. S. Huang and Y. Ma, "Image super-resolution via sparse representation", IEEE Transactions on
Image Processing 19(11), 2010, doi:10.1109/TIP.2010.2050625.
"""

from dataclasses import dataclass
from functools import partial
from typing import Annotated, ClassVar

from restora.core.method import Context, Method
from restora.core.parameters import nonnegative, positive
from restora.core.problem import Problem
from restora.core.result import Result
from restora.core.spec import Spec
from restora.numerics.sparse.feature_sign import feature_sign
from restora.operators.downsample import Downsample
from restora.patches.coded_patches import Coding, normalised_atoms
from restora.weights.coded import SCALES, enlarge_by_codes, pair_for, reach_of
from restora.weights.dictionaries import dictionaries


@dataclass(frozen=True, slots=True)
class ScSR(Method):
    """Super-resolution via sparse representation over a pair of jointly trained dictionaries.

    Attributes:
        weights: the dictionaries: a name that ships, or a path. They are made for one scale.
        lam: λ > 0.
        overlap: pixels that neighbouring patches share, >= 0 and smaller than the side of a patch.
        contrast: norm of a fine patch over that of the interpolated one, > 0.
        back_projections: T >= 0; 0 leaves out step 5.
    """

    spec: ClassVar[Spec] = Spec(
        name="scsr",
        tasks=("super-resolve",),
        solves=(Downsample,),
        colour="luma-chroma",
        paper='J. Yang et al., "Image super-resolution via sparse representation", IEEE TIP 19(11), 2010',
        doi="10.1109/TIP.2010.2050625",
        needs_sigma=False,
        halo=reach_of,
        continuous=False,
        weights=tuple(f"scsr-x{s}" for s in SCALES),
        published=tuple(
            f"{images}-x{s}-matlab-bicubic-{how}-shave{s}"
            for images in ("set5", "set14")
            for s in SCALES
            for how in ("8bit-rgb", "y")
        ),
    )

    weights: str = "scsr-x2"
    lam: Annotated[float, positive] = 0.2
    overlap: Annotated[int, nonnegative] = 4
    contrast: Annotated[float, positive] = 1.2
    back_projections: Annotated[int, nonnegative] = 20

    @classmethod
    def for_problem(cls, problem: Problem) -> "ScSR":
        """The published program's parameters, with the dictionaries of the scale; those of the next one between."""
        return cls(weights=pair_for("scsr", problem.H))

    def solve(self, problem: Problem, context: Context) -> Result:
        D_h, D_l = dictionaries(self.weights)
        coding = Coding(
            D_h, normalised_atoms(D_l.double()), partial(feature_sign, lam=self.lam), self.overlap, self.contrast
        )
        return enlarge_by_codes(problem, coding, self.back_projections, context.progress)
