"""Functions on arrays: what a notebook calls. Array in, array out, of the same dtype, shape and channel order."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from restora.core.errors import InvalidInput
from restora.core.method import Method
from restora.core.noise import Noise
from restora.core.operator import Operator
from restora.core.problem import Problem
from restora.core.progress import Progress
from restora.front.plan import Plan, plan
from restora.noise.gaussian import Gaussian
from restora.noise.unknown import UnknownNoise
from restora.operators.blur import Blur
from restora.operators.downsample import Downsample
from restora.operators.identity import Identity
from restora.operators.mask import Mask
from restora.operators.unknown import UnknownBlur

Array = NDArray[Any]


@dataclass(frozen=True, slots=True)
class Layout:
    """How an array becomes a tensor (b, c, h, w) in [0, 1], and a tensor such an array again.

    Attributes:
        shape: shape of the array.
        dtype: its dtype.
        channel_axis: its axis of channels; None where it has none.
        data_range: the value that counts as 1.
    """

    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    channel_axis: int | None
    data_range: float

    @classmethod
    def of(cls, image: Array, channel_axis: int | None, data_range: float | None) -> "Layout":
        """The layout of ``image``.

        Raises:
            InvalidInput: it is no array of numbers with at least two axes, or is empty.
        """
        is_array = isinstance(image, np.ndarray)  # pyright: ignore[reportUnnecessaryIsInstance]  # users pass lists
        if not is_array or image.dtype.kind not in "buif":
            what = f"an array of {image.dtype}" if is_array else type(image).__name__
            raise InvalidInput(f"an image must be an array of real numbers, not {what}")
        if image.size == 0 or image.ndim < 2:
            raise InvalidInput(f"an image needs at least one pixel and two axes; this array has shape {image.shape}")
        axis = None if image.ndim == 2 or channel_axis is None else channel_axis % image.ndim
        if data_range is None:
            data_range = float(np.iinfo(image.dtype).max) if image.dtype.kind in "ui" else 1.0
        if not data_range > 0:
            raise InvalidInput(f"data_range = {data_range} is not allowed: it must be > 0")
        return cls(image.shape, image.dtype, axis, data_range)

    def tensor(self, image: Array) -> Tensor:
        """(b, c, h, w): leading axes are a batch; float64 stays float64, all else becomes float32."""
        working = np.float64 if self.dtype == np.float64 else np.float32
        values = image.astype(working) / working(self.data_range)
        if self.channel_axis is None:
            values = values[..., None, :, :]
        else:
            values = np.moveaxis(values, self.channel_axis, -3)
        return torch.from_numpy(np.ascontiguousarray(values.reshape(-1, *values.shape[-3:])))

    def array(self, x: Tensor) -> Array:
        """The array of ``x``: integers are rounded to even and cut to their range, floats are left as they are."""
        values = x.detach().cpu().numpy()
        lead = [n for i, n in enumerate(self.shape) if i != self.channel_axis][:-2]
        values = values.reshape(*lead, *values.shape[1:]) * values.dtype.type(self.data_range)
        if self.channel_axis is None and values.shape[-3] == 1:
            values = values[..., 0, :, :]
        else:
            values = np.moveaxis(values, -3, -1 if self.channel_axis is None else self.channel_axis)
        return self._cast(values)

    def _cast(self, values: Array) -> Array:
        if self.dtype.kind == "b":
            return values >= 0.5
        if self.dtype.kind in "ui":
            limits = np.iinfo(self.dtype)
            values = np.clip(np.rint(values), limits.min, limits.max)
        return values.astype(self.dtype)


@dataclass(frozen=True, slots=True)
class Execution:
    """Where and how to compute; the defaults suit most.

    Attributes:
        device: where to compute, such as ``"cuda"``; None is the CPU.
        tile: side of the tiles; None decides by itself.
        seed: of all randomness.
        progress: called as the work goes on.
    """

    device: str | torch.device | None = None
    tile: int | None = None
    seed: int = 0
    progress: Progress | None = None

    def plan(
        self, problem: Problem, method: str | Method | type[Method], parameters: Mapping[str, object] | None
    ) -> Plan:
        """:func:`restora.plan` on this device, in these tiles, from this seed."""
        return plan(problem, method, parameters=parameters, device=self.device, tile=self.tile, seed=self.seed)

    def with_progress(self, progress: Progress) -> "Execution":
        """The same, with progress reported to this function."""
        return replace(self, progress=progress)


def denoise(
    image: Array,
    sigma: float | None = None,
    *,
    method: str | Method | type[Method] = "auto",
    parameters: Mapping[str, object] | None = None,
    channel_axis: int | None = -1,
    data_range: float | None = None,
    execution: Execution = Execution(),
) -> Array:
    """Remove noise from ``image``.

    Args:
        image: (h, w), (h, w, c), or with leading batch axes; any real dtype.
        sigma: standard deviation of the noise relative to ``data_range`` (25/255, not 25); None estimates it.
        method: a name of the catalog or ``"package.module:Class"``, a class, a configured method, or ``"auto"``.
        parameters: fields of the method that differ from its paper's.
        channel_axis: axis of the channels of an array of three axes or more; None where leading axes are a batch.
        data_range: the value that counts as 1; None is the largest of an integer dtype, and 1.0 for floats.
        execution: device, tiles, seed, progress.

    Returns:
        The restored image: dtype, shape and channel order of ``image``. Integers are rounded; floats are not clipped.

    Raises:
        InvalidInput: an image that is empty, not real, or holds NaN or infinity; a negative sigma.
        CannotSolve: the method does not denoise.
        UnknownName: there is no such method or parameter.
        InvalidParameter: a parameter out of its range.
    """
    layout = Layout.of(image, channel_axis, data_range)
    problem = Problem(layout.tensor(image), Identity(), _noise(sigma))
    return _solve(problem, layout, method, parameters, execution)


def deblur(
    image: Array,
    psf: Array | Operator | None = None,
    sigma: float | None = None,
    *,
    method: str | Method | type[Method] = "auto",
    parameters: Mapping[str, object] | None = None,
    channel_axis: int | None = -1,
    data_range: float | None = None,
    execution: Execution = Execution(),
) -> Array:
    """Undo a blur.

    Args:
        image: as for :func:`denoise`.
        psf: the blur kernel (kh, kw), brought to sum one; or a blur operator, which also fixes the boundary (an array
            means replicated borders); None where the blur is unknown.
        sigma: as for :func:`denoise`.
        method: as for :func:`denoise`.
        parameters: as for :func:`denoise`.
        channel_axis: as for :func:`denoise`.
        data_range: as for :func:`denoise`.
        execution: as for :func:`denoise`.

    Returns:
        The restored image, as for :func:`denoise`.

    Raises:
        InvalidInput: as for :func:`denoise`; a kernel that is not 2-D, not finite, or sums to zero.
        CannotSolve: the method does not deblur.
        UnknownName: there is no such method or parameter.
        InvalidParameter: a parameter out of its range.
    """
    layout = Layout.of(image, channel_axis, data_range)
    y = layout.tensor(image)
    H = UnknownBlur() if psf is None else psf if isinstance(psf, Operator) else Blur(_kernel(psf).to(y), "replicate")
    return _solve(Problem(y, H, _noise(sigma)), layout, method, parameters, execution)


def upscale(
    image: Array,
    scale: float,
    sigma: float | None = None,
    *,
    method: str | Method | type[Method] = "auto",
    parameters: Mapping[str, object] | None = None,
    channel_axis: int | None = -1,
    data_range: float | None = None,
    execution: Execution = Execution(),
) -> Array:
    """Enlarge ``image`` ``scale`` times, as the inverse of MATLAB's antialiased bicubic reduction.

    Args:
        image: as for :func:`denoise`.
        scale: how many times more pixels along each side; above 1, need not be an integer.
        sigma: as for :func:`denoise`, but None means no noise.
        method: as for :func:`denoise`.
        parameters: as for :func:`denoise`.
        channel_axis: as for :func:`denoise`.
        data_range: as for :func:`denoise`.
        execution: as for :func:`denoise`.

    Returns:
        The larger image: dtype and channel order of ``image``.

    Raises:
        InvalidInput: as for :func:`denoise`.
        InvalidParameter: a scale of 1 or less, or another parameter out of its range.
        CannotSolve: the method does not enlarge.
        UnknownName: there is no such method or parameter.
    """
    layout = Layout.of(image, channel_axis, data_range)
    problem = Problem(layout.tensor(image), Downsample(scale), _noise(sigma or 0.0))
    return _solve(problem, layout, method, parameters, execution)


def inpaint(
    image: Array,
    missing: Array,
    sigma: float | None = None,
    *,
    method: str | Method | type[Method] = "auto",
    parameters: Mapping[str, object] | None = None,
    channel_axis: int | None = -1,
    data_range: float | None = None,
    execution: Execution = Execution(),
) -> Array:
    """Fill holes.

    Args:
        image: as for :func:`denoise`; what it holds where ``missing`` is set does not matter (NaN is allowed there).
        missing: (h, w), nonzero where pixels are missing.
        sigma: as for :func:`denoise`, but None means that the known pixels are free of noise.
        method: as for :func:`denoise`.
        parameters: as for :func:`denoise`.
        channel_axis: as for :func:`denoise`.
        data_range: as for :func:`denoise`.
        execution: as for :func:`denoise`.

    Returns:
        The restored image, as for :func:`denoise`.

    Raises:
        InvalidInput: as for :func:`denoise`; a mask of another size than the image.
        CannotSolve: the method does not inpaint.
        UnknownName: there is no such method or parameter.
        InvalidParameter: a parameter out of its range.
    """
    layout = Layout.of(image, channel_axis, data_range)
    y = layout.tensor(image)
    if missing.shape != tuple(y.shape[-2:]):
        raise InvalidInput(f"the mask has shape {missing.shape}, the image {tuple(y.shape[-2:])}: they must be equal")
    H = Mask.from_array(np.asarray(missing) == 0)
    known = H.known.to(y)
    y = torch.where(known > 0, y, torch.zeros((), dtype=y.dtype))
    return _solve(Problem(y, H, _noise(sigma or 0.0)), layout, method, parameters, execution)


def _solve(
    problem: Problem,
    layout: Layout,
    method: str | Method | type[Method],
    parameters: Mapping[str, object] | None,
    execution: Execution,
) -> Array:
    return layout.array(execution.plan(problem, method, parameters).run(execution.progress).x)


def _noise(sigma: float | None) -> Noise:
    return UnknownNoise() if sigma is None else Gaussian(float(sigma))


def _kernel(psf: Array) -> Tensor:
    """The kernel as a tensor of sum one."""
    values = np.asarray(psf, dtype=np.float64)
    total = values.sum()
    if values.ndim != 2 or not np.isfinite(values).all() or not total > 0:
        raise InvalidInput(f"a blur kernel must be a finite 2-D array of positive sum, not one of shape {values.shape}")
    return torch.from_numpy(values / total)
