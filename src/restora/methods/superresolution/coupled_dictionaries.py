"""Coupled dictionaries: those of ScSR, trained so that the code of the coarse features alone gives the fine patch.

Problem. y = Hx, an image made smaller by the factor s; no noise, or little.

Model. A jointly trained pair is best for codes found from both patches, but a fine patch is what is sought. Here

    min over D_h, D_l of the mean of ½[γ‖D_h z − x‖² + (1−γ)‖D_l z − y‖²],   z = argmin_a ½‖y − D_l a‖² + λ‖a‖₁,

so that training sees the codes that restoring will have (:mod:`restora.learning.dictionaries.coupled`).

Algorithm. With the dictionaries given, as ScSR:
1. m = imresize(y, s), and its features: first and second derivatives across and down.
2. A patch of m whose variance is at most a threshold stays as it is.
3. Of every other: μ its mean, n the norm of the rest; features divided by their norm or by 1/255, whichever is
   larger; their code z over D_l, whose atoms are used as trained; D_h z, brought to the norm contrast·n, plus μ.
4. Average where patches overlap; back-projections as in ScSR.

Cost. A LASSO of K unknowns for each patch that is not flat.

Departures from the original. λ of restoring is that of training, so that codes are those which were trained for. The
authors' network that predicts codes is left out. The threshold is 0 unless it is asked for: nothing is saved silently.

References.
J. Yang, Z. Wang, Z. Lin, S. Cohen and T. S. Huang, "Coupled dictionary training for image super-resolution", IEEE
Transactions on Image Processing 21(8), 2012, doi:10.1109/TIP.2012.2192127.
"""

from dataclasses import dataclass
from functools import partial
from typing import Annotated, ClassVar

from restora.core.method import Context, Method
from restora.core.parameters import nonnegative, positive
from restora.core.problem import Problem
from restora.core.result import Result
from restora.core.spec import Spec, bicubic_protocols
from restora.numerics.sparse.feature_sign import feature_sign
from restora.operators.downsample import Downsample
from restora.patches.coded_patches import Coding
from restora.weights.coded import SCALES, enlarge_by_codes, pair_for, reach_of
from restora.weights.dictionaries import dictionaries


@dataclass(frozen=True, slots=True)
class CoupledDictionaries(Method):
    """Super-resolution over a pair of dictionaries that were trained by their use.

    Attributes:
        weights: the dictionaries: a name that ships, or a path. They are made for one scale.
        lam: λ > 0.
        overlap: pixels that neighbouring patches share, >= 0 and smaller than the side of a patch.
        contrast: norm of a fine patch over that of the interpolated one, > 0.
        back_projections: >= 0.
        least_variance: patches of at most this variance (of values in [0, 1]) are not coded, >= 0. 10/255² halves the
            time of a photograph with soft parts and costs it less than 0.01 dB.
    """

    spec: ClassVar[Spec] = Spec(
        name="coupled-dictionaries",
        tasks=("super-resolve",),
        solves=(Downsample,),
        colour="luma-chroma",
        paper='J. Yang et al., "Coupled dictionary training for image super-resolution", IEEE TIP 21(8), 2012',
        doi="10.1109/TIP.2012.2192127",
        needs_sigma=False,
        halo=reach_of,
        continuous=False,
        weights=tuple(f"coupled-x{s}" for s in SCALES),
        published=bicubic_protocols("set5"),
    )

    weights: str = "coupled-x2"
    lam: Annotated[float, positive] = 0.15
    overlap: Annotated[int, nonnegative] = 4
    contrast: Annotated[float, positive] = 1.2
    back_projections: Annotated[int, nonnegative] = 20
    least_variance: Annotated[float, nonnegative] = 0.0

    @classmethod
    def for_problem(cls, problem: Problem) -> "CoupledDictionaries":
        """The parameters above, with the dictionaries of the scale; those of the next one between."""
        return cls(weights=pair_for("coupled", problem.H))

    def solve(self, problem: Problem, context: Context) -> Result:
        D_h, D_l = dictionaries(self.weights)
        coding = Coding(D_h, D_l, partial(feature_sign, lam=self.lam), self.overlap, self.contrast, self.least_variance)
        return enlarge_by_codes(problem, coding, self.back_projections, context.progress)
