"""Variance stabilisation: noise whose variance grows with the light becomes white noise of variance one, and back.

For y with mean x and variance a·x + b, in units u = x/a the noise is Poisson plus Gaussian of variance s² = b/a², and

    f(u) = 2 √(max(u + 3/8 + s², 0))

has a variance near 1 whatever u is (Anscombe 1948; with s, Murtagh, Starck and Bijaoui 1995). E f(u) is not f(E u), so
a denoised f is brought back by the closed-form approximation of the exact unbiased inverse (Mäkitalo and Foi 2013)

    u = D²/4 + √(3/2)/4 · D⁻¹ − 11/8 · D⁻² + 5/8 √(3/2) · D⁻³ − 1/8 − s²,

taken at D no smaller than f(0): below it there is no light.

References.
F. J. Anscombe, "The transformation of Poisson, binomial and negative-binomial data", Biometrika 35, 1948.
M. Mäkitalo and A. Foi, "Optimal inversion of the generalized Anscombe transformation for Poisson-Gaussian noise", IEEE
Transactions on Image Processing 22, 2013, doi:10.1109/TIP.2012.2202675.
"""

import math
from dataclasses import dataclass

from jaxtyping import Float
from torch import Tensor

from restora.core.errors import InvalidParameter


@dataclass(frozen=True, slots=True)
class Anscombe:
    """The transform for a variance a·x + b, scaled so that x = 0 and x = 1 stay where they are.

    Args:
        a: variance a unit of intensity, > 0.
        b: variance in the dark, >= 0.

    Raises:
        InvalidParameter: a variance out of its range.
    """

    a: float
    b: float

    def __post_init__(self) -> None:
        if not 0 < self.a < math.inf:
            raise InvalidParameter.outside("a", self.a, "> 0 and finite")
        if not 0 <= self.b < math.inf:
            raise InvalidParameter.outside("b", self.b, ">= 0 and finite")

    @property
    def sigma(self) -> float:
        """Standard deviation of the noise after the transform."""
        return 1 / self._span

    def forward(self, y: Float[Tensor, "b c h w"]) -> Float[Tensor, "b c h w"]:
        """The stabilised measurement."""
        f = 2 * (y / self.a + 3 / 8 + self._s2).clamp_min(0).sqrt()
        return (f - self._dark) / self._span

    def inverse(self, x: Float[Tensor, "b c h w"]) -> Float[Tensor, "b c h w"]:
        """The image whose stabilised measurement has the mean ``x``."""
        D = (x * self._span + self._dark).clamp_min(self._dark)
        c = math.sqrt(3 / 2)
        u = D**2 / 4 + c / 4 / D - 11 / 8 / D**2 + 5 / 8 * c / D**3 - 1 / 8 - self._s2
        return self.a * u

    @property
    def _s2(self) -> float:
        return self.b / self.a**2

    @property
    def _dark(self) -> float:
        """f at x = 0."""
        return 2 * math.sqrt(3 / 8 + self._s2)

    @property
    def _span(self) -> float:
        """f at x = 1 less f at x = 0."""
        return 2 * math.sqrt(1 / self.a + 3 / 8 + self._s2) - self._dark
