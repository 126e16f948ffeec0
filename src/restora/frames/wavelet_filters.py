"""Filters of the two-channel wavelet banks used here.

haar, db2, db4: I. Daubechies, Ten Lectures on Wavelets, SIAM 1992, Table 6.1, N = 1, 2, 4. sym4, sym8: the least
asymmetric ones, Table 6.3. bior4.4: A. Cohen, I. Daubechies, J.-C. Feauveau, "Biorthogonal bases of compactly supported
wavelets", Communications on Pure and Applied Mathematics 45, 1992; the "9/7" of JPEG 2000. The low-pass kernels sum to
√2. Digits beyond the tables, signs and the order of the taps are those of PyWavelets; with them reconstruction is
perfect to 1e-12 for the orthonormal banks, 1e-11 for bior4.4.
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
        0.0322231006040427, -0.012603967262037833, -0.09921954357684722, 0.29785779560527736,
        0.8037387518059161, 0.49761866763201545, -0.02963552764599851, -0.07576571478927333,
    ),
    "sym8": (
        0.0018899503327594609, -0.0003029205147213668, -0.01495225833704823, 0.003808752013890615,
        0.049137179673607506, -0.027219029917056003, -0.05194583810770904, 0.3644418948353314,
        0.7771857517005235, 0.4813596512583722, -0.061273359067658524, -0.1432942383508097,
        0.007607487324917605, 0.03169508781149298, -0.0005421323317911481, -0.0033824159510061256,
    ),
    "bior4.4": (
        0.0, -0.06453888262869706, -0.04068941760916406, 0.41809227322161724, 0.7884856164055829,
        0.41809227322161724, -0.04068941760916406, -0.06453888262869706, 0.0, 0.0,
    ),
}  # fmt: skip

_DUAL_SCALING: dict[str, tuple[float, ...]] = {
    "bior4.4": (
        0.0, 0.03782845550726404, -0.023849465019556843, -0.11062440441843718, 0.37740285561283066,
        0.8526986790088938, 0.37740285561283066, -0.11062440441843718, -0.023849465019556843, 0.03782845550726404,
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
