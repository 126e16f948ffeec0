"""Images made finer patch by patch, through one sparse code over a pair of dictionaries.

Four derivative filters are applied to an interpolated image m. A patch of these features, y, has a sparse code a over
the coarse dictionary D_l; the fine patch is D_h a, brought to the mean and contrast of the patch of m; overlapping
patches are averaged. Patches are vectors column by column, features one after the other, as the published dictionaries
have them.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.nn.functional import pad

from restora.core.errors import InvalidInput, InvalidParameter
from restora.core.progress import Progress, silent

FRAME = 2
"""Pixels along the border that patches leave alone, as their features depend on pixels beyond it."""

_CHUNK = 1 << 23
"""Codes held at once."""

_FLAT = 1.0 / 255
"""Norm of features below which they are not brought to length 1: noise would be made a structure."""


@dataclass(frozen=True, eq=False, slots=True)
class Coding:
    """How patches are coded and put together.

    Attributes:
        D_h: fine atoms, (p², K).
        D_l: coarse atoms, (4p², K), used as they are.
        code: (D_l, rows of features) -> their sparse codes, a row each.
        overlap: pixels that neighbouring patches share, 0 … p − 1.
        contrast: factor of the fine patch's norm over that of the patch of m without its mean.
        least_variance: patches of m of at most this variance stay as they are; 0 codes all but constant ones.

    Raises:
        InvalidInput: the dictionaries do not fit each other, or are not those of square patches.
        InvalidParameter: the overlap is out of range.
    """

    D_h: Float[Tensor, "p K"]
    D_l: Float[Tensor, "q K"]
    code: Callable[[Tensor, Tensor], Tensor]
    overlap: int
    contrast: float
    least_variance: float = 0.0

    def __post_init__(self) -> None:
        (p, K), (q, K_l) = self.D_h.shape, self.D_l.shape
        if self.side**2 != p or q != 4 * p or K != K_l:
            raise InvalidInput(f"dictionaries of {p}x{K} and {q}x{K_l} are not a pair: D_h must be p²xK and D_l 4p²xK")
        if not 0 <= self.overlap < self.side:
            raise InvalidParameter.outside("overlap", self.overlap, f"in 0 … {self.side - 1}")

    @property
    def side(self) -> int:
        """√p, the side of a patch."""
        return round(self.D_h.shape[0] ** 0.5)


def gradient_features(m: Float[Tensor, "b 1 h w"]) -> Float[Tensor, "b 4 h w"]:
    """First and second derivatives across and down, by convolution with [−1 0 1] and [1 0 −2 0 1], zeros outside."""
    z = pad(m, (2, 2, 2, 2))
    row, column = z[..., 2:-2, :], z[..., 2:-2]
    first = row[..., 1:-3] - row[..., 3:-1], column[..., 1:-3, :] - column[..., 3:-1, :]
    second = row[..., :-4] + row[..., 4:] - 2 * m, column[..., :-4, :] + column[..., 4:, :] - 2 * m
    return torch.cat([*first, *second], dim=1)


def patches_at(
    planes: Float[Tensor, "c h w"], rows: Int[Tensor, "*n"], columns: Int[Tensor, "*n"], side: int
) -> Float[Tensor, "n d"]:
    """Vectors of the patches whose upper left pixels are given; each plane's column by column, d = c·side²."""
    windows = planes.unfold(1, side, 1).unfold(2, side, 1)
    return windows[:, rows.flatten(), columns.flatten()].permute(1, 0, 3, 2).flatten(1)


def code_patches(
    m: Float[Tensor, "b c h w"], coding: Coding, progress: Progress | None = None
) -> Float[Tensor, "b c h w"]:
    """The image from its coded patches; pixels no patch covers are those of m.

    Patches begin at row and column 2, go on in steps of p − overlap, and end with one whose last pixel is the fourth
    from the border. Each channel is an image of its own.

    Cost: a sparse code of K numbers a patch, (hw)/(p − overlap)² patches.
    """
    dtype = torch.promote_types(m.dtype, torch.float32)
    planes = m.to(dtype).flatten(0, 1)
    coding = replace(coding, D_h=coding.D_h.to(planes), D_l=coding.D_l.to(planes))
    rows, columns = (_places(side, coding, m.device) for side in m.shape[-2:])
    if len(rows) == 0 or len(columns) == 0:
        return m
    height = max(1, _CHUNK // (coding.D_h.shape[1] * len(columns)))
    strips = rows.split(height)
    out = []
    for index, plane in enumerate(planes):
        features = gradient_features(plane[None, None])[0]
        total, count = torch.zeros_like(plane), torch.zeros_like(plane)
        for k, strip in enumerate(strips):
            _add(total, count, _fine(plane, features, (strip, columns), coding), (strip, columns))
            (progress or silent)(index * len(strips) + k + 1, len(planes) * len(strips), "rows of patches coded")
        out.append(torch.where(count > 0, total / count.clamp_min(1), plane))
    return torch.stack(out).reshape(m.shape).to(m.dtype)


def normalised_atoms(D: Float[Tensor, "m n"]) -> Float[Tensor, "m n"]:
    """Columns of length 1; those that are zero stay so."""
    lengths = torch.linalg.vector_norm(D, dim=0)
    return D / torch.where(lengths > 0, lengths, 1.0)


def reach_of(D_h: Float[Tensor, "p K"], overlap: int, T: int) -> int | None:
    """Radius, in coarse pixels, of what a pixel from :func:`code_patches` and T back-projections depends on.

    It is None where patches are more than a pixel apart, as their grid then depends on where the image begins.
    """
    side = round(D_h.shape[0] ** 0.5)
    if overlap < side - 1:
        return None
    # A back-projection depends on 2 pixels above, 2 below, and 2 fine ones (fewer than 2 coarse ones) sideways. Before
    # it come a patch with its features, at least twice as fine, and interpolation.
    return 6 * T + (side + 2 * FRAME + 1) // 2 + 3


def _places(length: int, coding: Coding, device: torch.device) -> Int[Tensor, " n"]:
    """First pixels of the patches along an axis."""
    last = length - coding.side - FRAME - 1
    if last < FRAME:
        return torch.zeros(0, dtype=torch.long, device=device)
    regular = range(FRAME, last + 1, coding.side - coding.overlap)
    return torch.tensor([*regular, *([] if regular[-1] == last else [last])], device=device)


def _fine(
    plane: Float[Tensor, "h w"],
    features: Float[Tensor, "4 h w"],
    places: tuple[Int[Tensor, " r"], Int[Tensor, " s"]],
    coding: Coding,
) -> Float[Tensor, "r s p"]:
    """The fine patches at these rows and columns."""
    rows, columns = torch.meshgrid(*places, indexing="ij")
    coarse = patches_at(plane[None], rows, columns, coding.side)
    mean = coarse.mean(1, keepdim=True)
    detail = torch.linalg.vector_norm(coarse - mean, dim=1, keepdim=True)
    chosen = (detail.square() > coding.least_variance * coarse.shape[1]).flatten()
    if bool(chosen.any()):
        y = patches_at(features, rows.flatten()[chosen], columns.flatten()[chosen], coding.side)
        y = y / _lengths_to_divide_by(y)
        h = coding.code(coding.D_l, y) @ coding.D_h.mT
        norm = torch.linalg.vector_norm(h, dim=1, keepdim=True)
        h = h * torch.where(norm > 0, coding.contrast * detail[chosen] / norm.clamp_min(1e-30), 0.0)
        coarse[chosen] = h + mean[chosen]
    return coarse.reshape(*rows.shape, -1)


def _lengths_to_divide_by(y: Float[Tensor, "n q"]) -> Float[Tensor, "n 1"]:
    """Such that y becomes of length 1, or, below 1 gray level, of its length in gray levels."""
    return torch.linalg.vector_norm(y, dim=1, keepdim=True).clamp_min(_FLAT)


def _add(
    total: Float[Tensor, "h w"],
    count: Float[Tensor, "h w"],
    patches: Float[Tensor, "r s p"],
    places: tuple[Int[Tensor, " r"], Int[Tensor, " s"]],
) -> None:
    """Add patches and how many there are, a pixel of all patches at a time: no pixel is written twice at once."""
    side = round(patches.shape[-1] ** 0.5)
    rows, columns = places[0][:, None], places[1][None, :]
    for k in range(side * side):
        there = rows + k % side, columns + k // side
        total[there] += patches[..., k]
        count[there] += 1
