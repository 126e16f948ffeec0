"""Filters of the two-channel wavelet banks used here.

haar, db2, db4: I. Daubechies, Ten Lectures on Wavelets, SIAM 1992, Table 6.1, N = 1, 2, 4. sym4, sym8: the least
asymmetric ones, Table 6.3. bior4.4: A. Cohen, I. Daubechies, J.-C. Feauveau, "Biorthogonal bases of compactly supported
wavelets", Communications on Pure and Applied Mathematics 45, 1992; the "9/7" of JPEG 2000. The low-pass kernels sum to
√2; signs and the order of the taps are those of PyWavelets. The published 12 digits were carried to 17 by Newton's
method on the equations that define the kernels: (bi)orthonormality and vanishing moments.
"""

from dataclasses import dataclass
from typing import Literal, get_args

from restora.core.errors import UnknownName

WaveletName = Literal["haar", "db2", "db4", "sym4", "sym8", "bior4.4"]

_SCALING: dict[str, tuple[float, ...]] = {
    "haar": (0.7071067811865476, 0.7071067811865476),
    "db2": (0.48296291314453416, 0.8365163037378079, 0.2241438680420134, -0.12940952255126037),
    "db4": (
        0.2303778133088965, 0.7148465705529157, 0.6308807679298589, -0.027983769416859854,
        -0.18703481171909309, 0.030841381835560764, 0.0328830116668852, -0.010597401785069032,
    ),
    "sym4": (
        0.032223100604051466, -0.012603967262031304, -0.09921954357663353, 0.29785779560530606,
        0.8037387518051321, 0.497618667632775, -0.029635527646002493, -0.07576571478950221,
    ),
    "sym8": (
        0.001889950332767689, -0.0003029205147241331, -0.014952258337062199, 0.0038087520138944896,
        0.04913717967373029, -0.027219029917103486, -0.0519458381078818, 0.36444189483617895,
        0.777185751699628, 0.4813596512590534, -0.061273359067811076, -0.14329423835127267,
        0.007607487324976609, 0.03169508781152599, -0.0005421323318000107, -0.0033824159510050028,
    ),
    "bior4.4": (
        0.0, -0.06453888262893843, -0.04068941760955844, 0.4180922732222122, 0.7884856164056644,
        0.4180922732222122, -0.04068941760955844, -0.06453888262893843, 0.0, 0.0,
    ),
}  # fmt: skip

_DUAL_SCALING: dict[str, tuple[float, ...]] = {
    "bior4.4": (
        0.0, 0.03782845550699546, -0.02384946501938, -0.1106244044184234, 0.37740285561265374,
        0.8526986790094034, 0.37740285561265374, -0.1106244044184234, -0.02384946501938, 0.03782845550699546,
    ),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class FilterBank:
    """Convolution kernels of a two-channel bank, all of one even length L.

    Analysis is c[k] = Σ_j f[j]·x[2k + offset − j] with the first two, synthesis x[p] = Σ_k f[p + offset − 2k]·c[k]
    summed over the last two. In an orthonormal bank the synthesis kernels are the analysis kernels reversed.
    """

    analysis_low: tuple[float, ...]
    analysis_high: tuple[float, ...]
    synthesis_low: tuple[float, ...]
    synthesis_high: tuple[float, ...]

    @property
    def length(self) -> int:
        return len(self.analysis_low)


def filter_bank(name: str) -> FilterBank:
    """The bank of that name.

    The high-pass kernels are the low-pass kernels of the other side with alternating signs.

    Raises:
        UnknownName: it is not in the table.
    """
    if name not in _SCALING:
        raise UnknownName.among("wavelet", name, get_args(WaveletName))
    synthesis = _SCALING[name]
    analysis = _DUAL_SCALING.get(name, synthesis[::-1])
    return FilterBank(
        analysis,
        tuple((-1.0) ** (k + 1) * value for k, value in enumerate(synthesis)),
        synthesis,
        tuple((-1.0) ** k * value for k, value in enumerate(analysis)),
    )
