"""SpatiallyVaryingBlur: a PSF that changes over the image, by efficient filter flow (Hirsch et al. 2010)."""

import math
from dataclasses import dataclass, field

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional as F

from restora.core.errors import InvalidInput, InvalidParameter
from restora.core.operator import Operator, Size
from restora.operators import perron
from restora.operators.blur import check_psf, filtered
from restora.operators.boundaries import Extension, extend, extend_adjoint, inside
from restora.operators.fourier import fast_length, kept_otfs, psf_centre, psf_to_otf, psf_values
from restora.operators.psf import disk_psf


@dataclass(frozen=True, eq=False, slots=True)
class Patch:
    """A weight that is nonzero only within a rectangle: its top-left pixel, and its values there."""

    top: int
    left: int
    weight: Float[Tensor, "p q"]


@dataclass(frozen=True, eq=False)
class SpatiallyVaryingBlur(Operator):
    """H = Σ_r B_r diag(w_r): the light of each scene point is shared among the PSFs r, in parts that sum to one.

    B_r is convolution with PSF r. Each windowed patch is blurred by itself and the results are added, which costs
    O(N log N) times the overlap of the patches (4 for a grid). The adjoint is Σ_r diag(w_r) B_rᵀ, patch by patch.

    As in the paper the weights act on x, so that light is conserved, while a constant scene need not stay constant
    where PSFs meet. Build it with :meth:`on_grid` or :meth:`from_defocus`.

    Args:
        psfs: the PSFs, of one size, each of sum one, centre ⌊k/2⌋.
        patches: the weight w_r of each; they sum to one in every pixel.
        size: height and width of the image.
        boundary: extension of the weighted image beyond the border.

    Raises:
        InvalidInput: no PSFs, or not as many patches, or weights that do not sum to one; an image of another size.

    Reference: M. Hirsch, S. Sra, B. Schölkopf, S. Harmeling, "Efficient filter flow for space-variant multiframe blind
    deconvolution", CVPR 2010, doi:10.1109/CVPR.2010.5540158.
    """

    psfs: Float[Tensor, "r kh kw"]
    patches: tuple[Patch, ...]
    size: Size
    boundary: Extension = "reflect"
    _extended: tuple[Patch, ...] = field(init=False, repr=False)
    _values: bytes = field(init=False, repr=False)

    def __post_init__(self) -> None:
        if self.psfs.ndim != 3 or len(self.psfs) != len(self.patches):
            raise InvalidInput(
                f"PSFs (r, kh, kw) and r patches are needed, not {tuple(self.psfs.shape)}, {len(self.patches)}"
            )
        for psf in self.psfs:
            check_psf(psf)
        total = torch.zeros(self.size, dtype=torch.float64)
        for p in self.patches:
            h, w = p.weight.shape
            total[p.top : p.top + h, p.left : p.left + w] += p.weight.detach().cpu()
        if not bool(((total - 1).abs() < 1e-4).all()):
            raise InvalidInput("the weights of a spatially varying blur must sum to one in every pixel")
        object.__setattr__(self, "_extended", tuple(self._on_extension(part) for part in self.patches))
        object.__setattr__(self, "_values", psf_values(self.psfs))

    @classmethod
    def on_grid(
        cls, psfs: Float[Tensor, "rows columns kh kw"], size: Size, boundary: Extension = "reflect"
    ) -> "SpatiallyVaryingBlur":
        """PSFs at the centres of rows × columns equal fields of the image, blended in between.

        The windows are the paper's Bartlett-Hann, separable, as wide as two fields; beyond the outermost centres the
        PSF no longer changes.

        Raises:
            InvalidInput: as for the class; or a grid finer than the image.
        """
        rows, columns = psfs.shape[:2]
        if rows > size[0] or columns > size[1]:
            raise InvalidInput(f"a grid of {rows} x {columns} PSFs is finer than an image of {size}")
        down, across = _windows(size[0], rows), _windows(size[1], columns)
        patches = tuple(Patch(top, left, torch.outer(u, v).to(psfs)) for top, u in down for left, v in across)
        return cls(psfs.flatten(0, 1), patches, size, boundary)

    @classmethod
    def from_defocus(
        cls, radii: Float[Tensor, "h w"], step: float = 0.5, boundary: Extension = "reflect"
    ) -> "SpatiallyVaryingBlur":
        """Each scene point is blurred by a disk of its own radius (in pixels).

        Radii are taken at most ``step`` pixels apart from the least to the greatest; a point in between is shared
        linearly by the two disks around it. Cost grows with the number of radii. Points do not hide one another.

        Raises:
            InvalidInput: a radius that is negative or not finite.
            InvalidParameter: a step that is not positive.
        """
        if not step > 0:
            raise InvalidParameter.outside("step", step, "> 0")
        if not bool((torch.isfinite(radii) & (radii >= 0)).all()):
            raise InvalidInput("the radii of defocus must be finite and not negative")
        least, greatest = float(radii.min()), float(radii.max())
        count = math.ceil((greatest - least) / step - 1e-9) + 1
        levels = torch.linspace(least, greatest, count, dtype=torch.float64).tolist()
        spacing = (greatest - least) / max(count - 1, 1) or 1.0
        weights = [(1 - (radii - level).abs() / spacing).clamp_min(0) for level in levels]
        total = torch.stack(weights).sum(0)  # one, but for rounding
        side = disk_psf(greatest).shape[0]
        used = [(level, weight / total) for level, weight in zip(levels, weights) if bool(weight.any())]
        psfs = torch.stack([disk_psf(level, side) for level, _ in used]).to(radii)
        patches = tuple(_cropped(weight) for _, weight in used)
        return cls(psfs, patches, (radii.shape[0], radii.shape[1]), boundary)

    def __call__(self, x: Float[Tensor, "b c h w"]) -> Float[Tensor, "b c h w"]:
        self._check(x)
        (kh, kw), (ch, cw) = self.psfs.shape[1:], psf_centre(self.psfs[0])
        x = extend(x, *self._margins, self.boundary)
        y = x.new_zeros(*x.shape[:2], x.shape[-2] + kh - 1, x.shape[-1] + kw - 1)
        for part, size, K in zip(self._extended, self._sizes, self._otfs(x)):
            h, w = part.weight.shape
            patch = x[..., part.top : part.top + h, part.left : part.left + w] * part.weight.to(x)
            share = filtered(F.pad(patch, (cw, 0, ch, 0)), K, size)[..., : h + kh - 1, : w + kw - 1]
            y[..., part.top : part.top + h + kh - 1, part.left : part.left + w + kw - 1] += share
        return y[..., kh - 1 : kh - 1 + self.size[0], kw - 1 : kw - 1 + self.size[1]]

    def adjoint(self, y: Float[Tensor, "b c h w"]) -> Float[Tensor, "b c h w"]:
        self._check(y)
        (kh, kw), (ch, cw) = self.psfs.shape[1:], psf_centre(self.psfs[0])
        y = F.pad(y, (kw - 1, kw - 1, kh - 1, kh - 1))
        x = y.new_zeros(*y.shape[:2], y.shape[-2] - kh + 1, y.shape[-1] - kw + 1)
        for part, size, K in zip(self._extended, self._sizes, self._otfs(y)):
            h, w = part.weight.shape
            patch = y[..., part.top : part.top + h + kh - 1, part.left : part.left + w + kw - 1]
            patch = filtered(patch, K.conj(), size)[..., ch : ch + h, cw : cw + w]
            x[..., part.top : part.top + h, part.left : part.left + w] += patch * part.weight.to(y)
        return extend_adjoint(x, *self._margins, self.boundary)

    def output_size(self, size: Size) -> Size:
        return size

    def input_size(self, size: Size) -> Size:
        return size

    def norm_bound(self, size: Size, channels: int = 1) -> float:
        """The bound of Collatz and Wielandt where neither PSFs nor weights are negative, else the general form."""
        if bool((self.psfs >= 0).all()) and all(bool((part.weight >= 0).all()) for part in self.patches):
            return perron.nonnegative_norm_bound(self, size)
        return super().norm_bound(size, channels)

    def first_guess(self, y: Float[Tensor, "b c h w"]) -> Float[Tensor, "b c h w"]:
        """y."""
        return y

    @property
    def reach(self) -> int:
        return max(psf_centre(self.psfs[0]))

    def window(self, top: int, left: int, height: int, width: int) -> "SpatiallyVaryingBlur":
        cut = [_cut(part, top, left, height, width) for part in self.patches]
        kept = [r for r, part in enumerate(cut) if part is not None]
        patches = tuple(part for part in cut if part is not None)
        return SpatiallyVaryingBlur(self.psfs[kept], patches, (height, width), self.boundary)

    @property
    def _margins(self) -> tuple[tuple[int, int], tuple[int, int]]:
        (kh, kw), (ch, cw) = self.psfs.shape[1:], psf_centre(self.psfs[0])
        return (kh - 1 - ch, kw - 1 - cw), (ch, cw)

    @property
    def _sizes(self) -> tuple[Size, ...]:
        """The lengths of the FFT of each patch, which hold the patch and its blur."""
        kh, kw = self.psfs.shape[1:]
        sides = (part.weight.shape for part in self._extended)
        return tuple((fast_length(h + kh - 1), fast_length(w + kw - 1)) for h, w in sides)

    def _otfs(self, like: Tensor) -> tuple[Tensor, ...]:
        if self.psfs.requires_grad:
            return tuple(psf_to_otf(psf.to(like), size) for psf, size in zip(self.psfs, self._sizes))
        shape = self.psfs.shape[1], self.psfs.shape[2]
        return kept_otfs(self._values, shape, self._sizes, like.dtype, like.device)

    def _on_extension(self, part: Patch) -> Patch:
        """The weight on the extended image, in the rectangle where it is not zero."""
        before, after = self._margins
        weight, corner = part.weight, []
        for dim, start in enumerate((part.top, part.left)):
            n = weight.shape[dim]
            copied = torch.arange(-before[dim], self.size[dim] + after[dim], device=weight.device)
            index = inside(copied, self.size[dim], self.boundary) - start
            held = (index >= 0) & (index < n)
            first, last = held.nonzero().aminmax()
            span = slice(int(first), int(last) + 1)
            shape = (-1, 1) if dim == 0 else (1, -1)
            weight = weight.index_select(dim, index[span].clamp(0, n - 1)) * held[span].reshape(shape)
            corner.append(int(first))
        return Patch(corner[0], corner[1], weight)

    def _check(self, image: Tensor) -> None:
        if (image.shape[-2], image.shape[-1]) != self.size:
            raise InvalidInput(f"this blur belongs to images of {self.size}, not of {tuple(image.shape[-2:])}")


def _windows(n: int, count: int) -> list[tuple[int, Tensor]]:
    """First sample and values of each of ``count`` Bartlett-Hann windows over n samples; they sum to one."""
    field = n / count
    position = (torch.arange(n, dtype=torch.float64) + 0.5) / field - 0.5
    position = position.clamp(0, count - 1)
    windows = []
    for i in range(count):
        d = (position - i).abs()
        w = torch.where(d < 1, 0.62 - 0.24 * d + 0.38 * torch.cos(math.pi * d), 0.0)
        first, last = (d < 1).nonzero().aminmax()
        windows.append((int(first), w[int(first) : int(last) + 1]))
    return windows


def _cropped(weight: Tensor) -> Patch:
    """The rectangle outside which the weight is zero."""
    rows, columns = (weight.any(dim).nonzero().aminmax() for dim in (1, 0))
    top, left = int(rows.min), int(columns.min)
    return Patch(top, left, weight[top : int(rows.max) + 1, left : int(columns.max) + 1])


def _cut(part: Patch, top: int, left: int, height: int, width: int) -> Patch | None:
    """The part of it that a window of the image holds."""
    h, w = part.weight.shape
    rows = slice(max(top - part.top, 0), min(top + height - part.top, h))
    columns = slice(max(left - part.left, 0), min(left + width - part.left, w))
    if rows.start >= rows.stop or columns.start >= columns.stop:
        return None
    return Patch(max(part.top - top, 0), max(part.left - left, 0), part.weight[rows, columns])
