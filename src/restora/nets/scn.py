"""SCN: sparse coding of patches as a network, one LISTA stage between two dictionaries.

Model, u the luminance enlarged beforehand, on 0 … 255, 6 pixels of it mirrored beyond each side;
h(v) = sign(v)·max(|v| − 1, 0):

    c = H * u                   100 filters 9×9: four gradients of 5×5 patches
    m = M * u                   one filter 13×13: the local mean
    d = P * u                   25 filters 9×9: a patch without its mean
    w = W c/‖c‖                 in each pixel, 128 atoms
    z = h(w);  z ← h(S z + w)   ``stages`` times
    p = 1.1 ‖d‖ g ⊙ (U z)/‖U z‖    patches 5×5, g the weights of their 25 places
    x = m + Σ of the overlapping patches p

The thresholds of sparse coding are absorbed into W, S and U, so that every neuron shrinks by one.

Wang, Liu, Yang, Han, Huang: "Deep networks for image super-resolution with sparse prior", ICCV 2015,
doi:10.1109/ICCV.2015.50; Liu, Wang, Wen, Yang, Han, Huang: "Robust single image super-resolution via deep networks with
sparse prior", IEEE TIP 25(7), 2016, doi:10.1109/TIP.2016.2564643.
"""

from collections.abc import Mapping
from math import isqrt

import torch
from jaxtyping import Float, Shaped
from torch import Tensor, nn
from torch.nn import functional

from restora.core.errors import InvalidInput, InvalidParameter
from restora.nets.network import Network
from restora.nets.recognised import Recognised

PATCH = 5
WINDOW = 9
MIRRORED = 6
GAIN = 1.1
RANGE = 255.0
PIXELS = 1 << 15
"""How many pixels are corrected at a time: their codes, and what makes them, stay in the cache."""
FLAT = 1e-6
"""Norms below are those of flat patches (on 0 … 255), which have no direction."""

_FILTERS = {"conv": "features", "mean2": "mean", "diffms": "contrast"}
_MATRICES = {"wd": "encode", "usd1": "recur", "ud": "decode"}


class SCN(Network):
    """Sparse-coding network: luminance (b, 1, h, w) in [0, 1], enlarged beforehand, to the same shape.

    The released networks expect an enlargement by 2 (MATLAB's bicubic); for ×3 and ×4 they run one after another. The
    edge is mirrored with its own pixel first (MATLAB's ``symmetric``). Cost with one stage: 43,000 multiplications a
    pixel.

    Features, means and contrasts stay in the dtype of x: their differences of neighbours do not survive bfloat16.
    Nothing is divided by a norm below :data:`FLAT`, where the original divides by zero.
    """

    def __init__(self, *, stages: int = 1, atoms: int = 128) -> None:
        """Start as sparse coding with random dictionaries: atoms of unit norm from the normal distribution.

        Features, means and contrasts are those of the 5×5 patches; their filters are larger, as in the paper, and
        training may use the room.

        Args:
            stages: recurrent steps after the first shrinkage, at least 0.
            atoms: number of them.

        Raises:
            InvalidParameter: a number is too small.
        """
        super().__init__()
        if stages < 0 or atoms < 1:
            raise InvalidParameter(f"stages {stages} must be >= 0 and atoms {atoms} >= 1")
        self.stages = stages
        places = PATCH**2
        self.features = nn.Conv2d(1, 4 * places, WINDOW, bias=False)
        self.mean = nn.Conv2d(1, 1, WINDOW + PATCH - 1, bias=False)
        self.contrast = nn.Conv2d(1, places, WINDOW, bias=False)
        self.encode = nn.Conv2d(4 * places, atoms, 1, bias=False)
        self.recur = nn.Conv2d(atoms, atoms, 1, bias=False)
        self.decode = nn.Conv2d(atoms, places, 1, bias=False)
        self.places = nn.Parameter(torch.full((places,), 1 / places))
        with torch.no_grad():
            self.features.weight.copy_(_gradient_patches())
            self.mean.weight.copy_(_mean_of_overlapping_patches())
            self.contrast.weight.copy_(_patches() - _patches().mean(dim=0))
        self._sparse_coding(torch.randn(places, atoms), torch.randn(4 * places, atoms), 0.2)

    @classmethod
    def from_dictionaries(
        cls, D_h: Float[Tensor, "p k"], D_l: Float[Tensor, "q n"], *, threshold: float = 0.2, stages: int = 1
    ) -> "SCN":
        """The network that does ``stages`` + 1 iterations of ISTA with a pair of dictionaries of sparse coding.

        It is the method of Yang et al. (2010) without back-projection, and the start of the paper's training. ISTA
        minimises ½‖f − D_l a‖² + λ‖a‖₁ for the normalised features f of each 5×5 patch; with L the largest
        eigenvalue of D_lᵀD_l, W = D_lᵀ/λ, S = I − D_lᵀD_l/L and U = λ D_h/L.

        Args:
            D_h: atoms of the fine patches, (25, K), each a patch column after column.
            D_l: atoms of the features, (100, K): the convolutions of the enlarged picture with [−1 0 1], its transpose,
                [1 0 −2 0 1] and its transpose, one feature after another, each a patch column after column. Their norms
                do not matter.
            threshold: λ, the weight of the sparsity.
            stages: recurrent steps after the first shrinkage.

        Raises:
            InvalidInput: the dictionaries have other shapes.
            InvalidParameter: λ is not positive.
        """
        (p, atoms), (q, others) = D_h.shape, D_l.shape
        if (p, q) != (PATCH**2, 4 * PATCH**2) or atoms != others:
            raise InvalidInput(f"dictionaries must be (25, K) and (100, K), not {(p, atoms)} and {(q, others)}")
        if not threshold > 0:
            raise InvalidParameter.outside("threshold", threshold, "> 0")
        network = cls(stages=stages, atoms=atoms)
        network._sparse_coding(_by_rows(D_h), _by_rows(D_l), threshold)
        return network

    @torch.no_grad()
    def _sparse_coding(self, D_h: Float[Tensor, "n k"], D_l: Float[Tensor, "m k"], threshold: float) -> None:
        """W, S and U of ISTA, the codes measured in units of λ/L."""
        D = functional.normalize(D_l, dim=0)
        G = D.T @ D
        L = torch.linalg.matrix_norm(G, 2)
        self.encode.weight.copy_((D.T / threshold)[:, :, None, None])
        self.recur.weight.copy_((torch.eye(len(G), device=G.device) - G / L)[:, :, None, None])
        self.decode.weight.copy_((threshold / L * D_h)[:, :, None, None])

    @classmethod
    def recognise(cls, state: Mapping[str, Tensor]) -> Recognised | None:
        """SCN, or None. No layout tells the number of recurrent stages: it is taken to be one, as in the paper.

        Known are our own names and the arrays of the .mat files of huangzehao's MATLAB re-implementation: ``conv``
        (81, 100), ``mean2`` (169, 1), ``diffms`` (81, 25), each filter column after column; ``wd`` (100, K), ``usd1``
        (K, K), ``ud`` (K, 25), which multiply rows of features from the right; ``addp`` (25, 1). They hold one
        recurrent stage. Further arrays are ignored.
        """
        if {"features.weight", "recur.weight", "places"} <= set(state):
            return _with_fields(state, "restora")
        if {*_FILTERS, *_MATRICES, "addp"} <= set(state):
            renamed = _from_matlab(state)
            return None if renamed is None else _with_fields(renamed, "huangzehao")
        return None

    @property
    def halo(self) -> int:
        return (WINDOW + PATCH) // 2 - 1

    def forward(self, x: Float[Tensor, "b 1 h w"]) -> Float[Tensor, "b 1 h w"]:
        u = _mirrored(RANGE * x, MIRRORED)
        rows = max(MIRRORED, PIXELS // (u.shape[0] * u.shape[-1]))
        if torch.is_grad_enabled() or x.shape[-2] <= rows:
            return self._corrected(u) / RANGE
        tops = range(0, x.shape[-2], rows)
        return torch.cat([self._corrected(u[..., top : top + rows + 2 * MIRRORED, :]) for top in tops], dim=-2) / RANGE

    def _corrected(self, u: Float[Tensor, "b 1 H W"]) -> Float[Tensor, "b 1 h w"]:
        """On 0..255, where the whole window lies in u."""
        c = functional.conv2d(u, self.features.weight.to(u.dtype))
        m = functional.conv2d(u, self.mean.weight.to(u.dtype))
        d = functional.conv2d(u, self.contrast.weight.to(u.dtype))
        w = self.encode(self.like_weights(functional.normalize(c, dim=1, eps=FLAT)))
        z = functional.softshrink(w, 1.0)
        for _ in range(self.stages):
            z = functional.softshrink(self.recur(z) + w, 1.0)
        direction = functional.normalize(self.decode(z).to(u.dtype), dim=1, eps=FLAT)
        norm = torch.linalg.vector_norm(d, dim=1, keepdim=True)
        p = GAIN * norm * direction * self.places.to(u.dtype)[:, None, None]
        return m + _overlapped(p)


def _overlapped(p: Float[Tensor, "b 25 H W"]) -> Float[Tensor, "b 1 h w"]:
    """Sum of the 5×5 patches around every pixel, where all 25 of them lie."""
    rows, columns = p.shape[-2:]
    extent = (rows + PATCH - 1, columns + PATCH - 1)
    summed = functional.fold(p.flatten(2), extent, PATCH)
    return summed[..., PATCH - 1 : 1 - PATCH, PATCH - 1 : 1 - PATCH]


def _mirrored(x: Float[Tensor, "b c h w"], by: int) -> Float[Tensor, "b c H W"]:
    """Reflection about the edges, the pixel of the edge repeated; as often as ``by`` asks for."""
    for axis in (2, 3):
        size = x.shape[axis]
        index = torch.arange(-by, size + by, device=x.device) % (2 * size)
        x = x.index_select(axis, torch.minimum(index, 2 * size - 1 - index))
    return x


def _patches() -> Float[Tensor, "25 1 9 9"]:
    """Filters that read the pixels of the 5×5 patch in the middle of the window, row after row."""
    places = torch.zeros(PATCH**2, 1, WINDOW, WINDOW)
    for k in range(PATCH**2):
        places[k, 0, 2 + k // PATCH, 2 + k % PATCH] = 1
    return places


def _gradient_patches() -> Float[Tensor, "100 1 9 9"]:
    """Filters that read four derivatives in each pixel of the patch: first and second, along rows and columns."""
    first = torch.tensor([0.0, 1.0, 0.0, -1.0, 0.0])  # a convolution with [-1 0 1], as a correlation
    second = torch.tensor([1.0, 0.0, -2.0, 0.0, 1.0])
    kernels = (first[None, :], first[:, None], second[None, :], second[:, None])
    return torch.cat([functional.conv2d(_patches(), k.flip(0, 1)[None, None], padding="same") for k in kernels])


def _mean_of_overlapping_patches() -> Float[Tensor, "1 1 13 13"]:
    """The mean of the means of the 25 patches that cover a pixel."""
    mean = _patches().mean(dim=0, keepdim=True)
    return functional.conv2d(mean, torch.full((1, 1, PATCH, PATCH), 1 / PATCH**2), padding=PATCH - 1)


def _by_rows(D: Float[Tensor, "n k"]) -> Float[Tensor, "n k"]:
    """Atoms whose patches ran column after column, row after row."""
    return D.float().reshape(-1, PATCH, PATCH, D.shape[1]).transpose(1, 2).reshape(D.shape)


def _with_fields(state: Mapping[str, Tensor], layout: str) -> Recognised | None:
    return SCN.if_it_fits("scn", {"stages": 1, "atoms": state["recur.weight"].shape[0]}, state, layout)


def _from_matlab(state: Mapping[str, Tensor]) -> dict[str, Tensor] | None:
    arrays = [state[name] for name in (*_FILTERS, *_MATRICES)]
    if any(array.ndim != 2 for array in arrays) or any(
        isqrt(len(state[name])) ** 2 != len(state[name]) for name in _FILTERS
    ):
        return None
    renamed = {f"{ours}.weight": _kernels(state[name]) for name, ours in _FILTERS.items()}
    renamed |= {f"{ours}.weight": state[name].T.contiguous()[:, :, None, None] for name, ours in _MATRICES.items()}
    return renamed | {"places": state["addp"].reshape(-1)}


def _kernels(filters: Shaped[Tensor, "a k"]) -> Shaped[Tensor, "k 1 f f"]:
    """Square filters that lay column after column, one in each column of the matrix."""
    side = isqrt(len(filters))
    return filters.T.reshape(-1, 1, side, side).transpose(2, 3).contiguous()
