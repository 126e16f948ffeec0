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

import torch

from restora.core.errors import CannotSolve, InvalidParameter
from restora.core.problem import Problem
from restora.core.progress import Progress
from restora.core.result import Result, Status
from restora.core.spec import Spec
from restora.numerics.back_projection import back_project
from restora.numerics.imresize import imresize
from restora.numerics.sparse.feature_sign import feature_sign
from restora.operators.downsample import Downsample
from restora.patches.coded_patches import Coding, code_patches, reach_of
from restora.weights.dictionaries import dictionaries

_SCALES = (2, 3, 4)

SPEC = Spec(
    name="coupled-dictionaries",
    tasks=("super-resolve",),
    solves=(Downsample,),
    colour="luma-chroma",
    paper='J. Yang et al., "Coupled dictionary training for image super-resolution", IEEE TIP 21(8), 2012',
    doi="10.1109/TIP.2012.2192127",
    needs_sigma=False,
    halo=lambda method: reach_of(dictionaries(method.weights)[0], method.overlap, method.back_projections),
    continuous=False,
    weights=tuple(f"coupled-x{s}" for s in _SCALES),
    published=tuple(f"set5-x{s}-matlab-bicubic-y-shave{s}" for s in _SCALES),
)


@dataclass(frozen=True, slots=True)
class CoupledDictionaries:
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

    weights: str = "coupled-x2"
    lam: float = 0.15
    overlap: int = 4
    contrast: float = 1.2
    back_projections: int = 20
    least_variance: float = 0.0

    def __post_init__(self) -> None:
        for name, value in (("lam", self.lam), ("contrast", self.contrast)):
            if not 0 < value < float("inf"):
                raise InvalidParameter.outside(name, value, "> 0")
        for name, value in (
            ("overlap", self.overlap),
            ("back_projections", self.back_projections),
            ("least_variance", self.least_variance),
        ):
            if not 0 <= value < float("inf"):
                raise InvalidParameter.outside(name, value, ">= 0")

    @classmethod
    def for_problem(cls, problem: Problem) -> "CoupledDictionaries":
        """The parameters above, with the dictionaries of the scale; those of the next one between."""
        scale = problem.H.scale if isinstance(problem.H, Downsample) else 2
        return cls(weights=f"coupled-x{min(_SCALES, key=lambda s: abs(s - scale))}")

    def run(
        self, problem: Problem, *, generator: torch.Generator | None = None, progress: Progress | None = None
    ) -> Result:
        """Enlarge y to the size of x; each channel as if it were luma.

        Raises:
            CannotSolve: H is not a Downsample.
            InvalidParameter: the overlap is not smaller than a patch.
            MissingWeights: there are no such dictionaries.
            InvalidInput: the file does not hold a pair of dictionaries of square patches.
        """
        H, y = problem.H, problem.y
        if not isinstance(H, Downsample):
            raise CannotSolve(f"super-resolution by dictionaries needs a Downsample, not {type(H).__name__}")
        D_h, D_l = dictionaries(self.weights)
        code = partial(feature_sign, lam=self.lam)
        coding = Coding(D_h, D_l, code, self.overlap, self.contrast, self.least_variance)
        height, width = problem.size
        m = imresize(y, scale=H.scale)[..., :height, :width]
        x = back_project(code_patches(m, coding, progress), y, H, self.back_projections)
        return Result(x, Status.done(f"patches of {coding.side} over {D_h.shape[1]} atoms"))
