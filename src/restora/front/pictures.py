"""Pictures: what a file holds, restored, with its depth, opacity and all else kept.

Opacity is never mixed with colour: it stays as it is, is resized with an enlarged picture, and becomes full where a
transparent hole was filled.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import torch
from jaxtyping import Bool, Float
from numpy.typing import NDArray
from torch import Tensor

from restora.core.errors import InvalidInput
from restora.core.noise import Noise
from restora.core.operator import Operator
from restora.core.problem import Problem
from restora.core.result import Result, Status
from restora.front.arrays import Execution
from restora.front.plan import Plan
from restora.images.jpeg_tables import quality_of_tables
from restora.images.metadata import JpegEncoding
from restora.images.picture import Picture, to_tensor, with_pixels
from restora.noise.unknown import UnknownNoise
from restora.operators.mask import Mask
from restora.operators.unknown import UnknownDegradation

Colour = tuple[float, float, float]
"""Red, green and blue in [0, 1]."""

AS_USUAL = Execution()
"""On the CPU, with tiles as the size of the picture asks for them."""


@dataclass(frozen=True, eq=False, slots=True)
class Restored:
    """A restored picture, and how it came about.

    Attributes:
        picture: of the depth, kind and metadata of the one that was given.
        plan: what was found and decided.
        status: how the run ended.
        kernel: the blur that was found; None where none was sought.
        stats: of the last iteration.
    """

    picture: Picture
    plan: Plan
    status: Status
    kernel: Float[Tensor, "kh kw"] | None = None
    stats: Mapping[str, float] | None = None

    @property
    def method(self) -> str | None:
        """Name of the method; None where the picture was left alone."""
        return None if self.plan.method is None else self.plan.method.spec.name

    @property
    def sigma(self) -> float | None:
        """Noise level that was given or found, on [0, 1]; None where none was asked for."""
        return self.plan.problem.noise.sigma


def tensor_of(picture: Picture) -> Float[Tensor, "1 c h w"]:
    """The pixels in [0, 1], float32, or float64 where only that holds the samples."""
    dtype = picture.pixels.dtype
    is_deep = dtype == np.float64 or (dtype.kind in "ui" and dtype.itemsize > 2)
    return to_tensor(picture, torch.float64 if is_deep else torch.float32)


def jpeg_quality(picture: Picture) -> int | None:
    """The quality that the tables of a JPEG file stand for; None for other files."""
    encoding = picture.metadata.encoding
    return quality_of_tables(encoding.tables) if isinstance(encoding, JpegEncoding) else None


def restore_picture(
    picture: Picture,
    H: Operator,
    noise: Noise,
    *,
    method: str = "auto",
    parameters: Mapping[str, object] | None = None,
    execution: Execution = AS_USUAL,
) -> Restored:
    """Restore a picture measured through H.

    Args:
        picture: the measurement.
        H: the operator; an unknown blur is estimated.
        noise: the noise model; an unknown level is estimated.
        method: a name of the catalog, or ``"auto"``.
        parameters: fields of the method that differ from its paper's.
        execution: device, tiles, seed, progress.

    Raises:
        InvalidInput: the pixels hold NaN or infinity.
        CannotSolve: the method does not solve this H.
        UnknownName: there is no such method or parameter.
        InvalidParameter: a parameter out of its range.
    """
    plan = execution.plan(Problem(tensor_of(picture), H, noise), method, parameters)
    return _with_result(picture, plan, plan.run(execution.progress))


def restore_unknown(picture: Picture, execution: Execution = AS_USUAL) -> Restored:
    """Examine a picture of which nothing is known, and restore what is wrong; a clean one comes back as it is.

    Raises:
        InvalidInput: the pixels hold NaN or infinity.
    """
    problem = Problem(tensor_of(picture), UnknownDegradation(jpeg_quality(picture)), UnknownNoise())
    plan = execution.plan(problem, "auto", None)
    return _with_result(picture, plan, plan.run(execution.progress))


def inpaint_picture(
    picture: Picture,
    missing: Bool[NDArray[np.bool_], "h w"],
    noise: Noise,
    *,
    method: str = "auto",
    parameters: Mapping[str, object] | None = None,
    execution: Execution = AS_USUAL,
) -> Restored:
    """Fill the pixels that are ``missing``; what they hold (even NaN) does not matter, and they become opaque.

    Raises:
        InvalidInput: the mask is of another size, or nothing or everything is missing; the known pixels hold NaN.
        CannotSolve: the method does not inpaint.
        UnknownName: there is no such method or parameter.
        InvalidParameter: a parameter out of its range.
    """
    if missing.shape != picture.size:
        raise InvalidInput(f"the mask is of {_size(missing.shape)}, the picture of {_size(picture.size)} pixels")
    if missing.all() or not missing.any():
        raise InvalidInput(f"the mask says that {'every' if missing.any() else 'no'} pixel is missing")
    H = Mask.from_array(~missing)
    y = tensor_of(picture)
    y = torch.where(torch.from_numpy(missing), torch.zeros((), dtype=y.dtype), y)
    plan = execution.plan(Problem(y, H, noise), method, parameters)
    restored = _with_result(picture, plan, plan.run(execution.progress))
    return replace(restored, picture=_opaque(restored.picture, missing))


def marked_in(picture: Picture, colour: Colour, tolerance: float = 8 / 255) -> Bool[NDArray[np.bool_], "h w"]:
    """Where a picture has that colour, each channel to within ``tolerance`` (JPEG and scaling blur painted marks)."""
    x = tensor_of(picture)[0]
    if x.shape[0] not in (1, 3):
        raise InvalidInput(f"marks are looked for in gray and RGB pictures, not in one of {x.shape[0]} channels")
    marked = (x - torch.tensor(colour, dtype=x.dtype)[:, None, None]).abs().amax(dim=0) <= tolerance
    return marked.numpy()


def transparent_in(picture: Picture) -> Bool[NDArray[np.bool_], "h w"]:
    """Where a picture is less than half opaque.

    Raises:
        InvalidInput: it has no opacity.
    """
    if picture.alpha is None:
        raise InvalidInput("the picture has no transparency, so nothing in it is marked as missing that way")
    return np.asarray(picture.alpha < picture.white / 2)


def _with_result(picture: Picture, plan: Plan, result: Result) -> Restored:
    """What a plan gave, put into the picture; one that was left alone is kept as it is."""
    if plan.method is None:
        return Restored(picture, plan, result.status)
    stats = result.stats[-1] if result.stats else None
    return Restored(with_pixels(picture, result.x), plan, result.status, result.kernel, stats)


def _opaque(picture: Picture, where: Bool[NDArray[np.bool_], "h w"]) -> Picture:
    if picture.alpha is None:
        return picture
    full = picture.alpha.dtype.type(picture.white)
    return replace(picture, alpha=np.where(where, full, picture.alpha))


def _size(size: tuple[int, ...]) -> str:
    return f"{size[1]} x {size[0]}" if len(size) == 2 else str(size)
