"""Picture: what an image file holds, and its way to a tensor and back.

Policies. Values are divided by the full range of the dtype, or by the white the file itself declares, and by nothing
else: data of 12 bits kept in uint16 stay what they are. Floats are never rescaled or clipped. CMYK is restored in its
four inks (the black plate and the profile of a print file survive; a way to RGB and back would lose both). A palette
is read as the colours it stands for.
"""

from dataclasses import dataclass, field, replace
from typing import Any, Literal

import numpy as np
import torch
from jaxtyping import Float
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from restora.core.errors import InvalidInput
from restora.images.metadata import Metadata

Kind = Literal["gray", "rgb", "palette", "cmyk", "multiband"]
Samples = NDArray[Any]
"""Arrays of samples in the dtype of a file, which only the file knows."""


@dataclass(frozen=True, eq=False, slots=True)
class Picture:
    """The content of an image file, upright.

    Attributes:
        pixels: (h, w, c) in the file's own dtype; c is 1 or 3, 4 for CMYK (ink: 0 is paper), any for many bands.
        alpha: opacity (h, w) in that dtype; None where the file has none. Colours under zero opacity are kept.
        kind: what the file held.
        format: the name of its format, ``"PNG"``, ``"JPEG"`` …
        metadata: all else that is to survive.

    Raises:
        InvalidInput: the arrays do not fit each other, are empty, or hold no real numbers.
    """

    pixels: Samples
    alpha: Samples | None = None
    kind: Kind = "rgb"
    format: str = "PNG"
    metadata: Metadata = field(default_factory=Metadata)

    def __post_init__(self) -> None:
        if self.pixels.ndim != 3 or self.pixels.size == 0 or self.pixels.dtype.kind not in "uif":
            raise InvalidInput(
                f"the pixels of a picture are real numbers (h, w, c), not {self.pixels.dtype} of {self.pixels.shape}"
            )
        if self.alpha is not None and (self.alpha.shape, self.alpha.dtype) != (self.size, self.pixels.dtype):
            raise InvalidInput(
                f"alpha, {self.alpha.dtype} of {self.alpha.shape}, does not fit {self.pixels.dtype} of {self.size}"
            )

    @property
    def size(self) -> tuple[int, int]:
        """Height and width."""
        return self.pixels.shape[0], self.pixels.shape[1]

    @property
    def white(self) -> float:
        """The sample value that counts as 1: what the file declares, or the largest of the dtype; 1.0 for floats."""
        if self.metadata.max_value is not None:
            return float(self.metadata.max_value)
        return 1.0 if self.pixels.dtype.kind == "f" else float(np.iinfo(self.pixels.dtype).max)


def to_tensor(picture: Picture, dtype: torch.dtype = torch.float32) -> Float[Tensor, "1 c h w"]:
    """The pixels as a tensor (1, c, h, w): integers divided by :attr:`Picture.white`, floats as they are.

    Integers of 32 bits need ``dtype=torch.float64``, which alone holds them.

    Raises:
        InvalidInput: the samples do not fit into ``dtype``.
    """
    pixels = picture.pixels
    if pixels.dtype.kind in "ui" and pixels.dtype.itemsize > 2 and dtype != torch.float64:
        raise InvalidInput(f"samples of {pixels.dtype} do not fit into {dtype}: use dtype=torch.float64")
    planes = torch.empty((1, pixels.shape[2], *picture.size), dtype=dtype)
    for i, plane in enumerate(planes[0]):
        plane.numpy()[...] = pixels[..., i]
    return planes if pixels.dtype.kind == "f" else planes.div_(picture.white)


def with_pixels(picture: Picture, x: Float[Tensor, "b c h w"]) -> Picture:
    """The picture with its pixels replaced by ``x``, in its own dtype again; all else is kept.

    Integers are rounded to the nearest, halves to even, and cut to 0 … white: the one place where restora clips, as an
    integer file holds nothing else (signed integers are cut to the range of their dtype). Floats are neither rounded
    nor clipped.

    The size may differ: alpha is then resized bicubically. So may the number of channels (1 becomes 3 when a mosaic is
    developed): the colour profile, which belongs to the old ones, is then dropped.

    Raises:
        InvalidInput: x is no single image, or holds NaN.
    """
    if x.ndim != 4 or x.shape[0] != 1:
        raise InvalidInput(f"a picture takes a tensor (1, c, h, w), not {tuple(x.shape)}")
    dtype = picture.pixels.dtype
    planes = x.detach().cpu()[0]
    pixels = np.empty((*planes.shape[1:], planes.shape[0]), dtype=dtype)
    for i, plane in enumerate(planes):
        if bool(plane.isnan().any()):
            raise InvalidInput("the restored image holds NaN and cannot be written")
        pixels[..., i] = plane.numpy() if dtype.kind == "f" else _to_integers(plane, picture)
    size = (pixels.shape[0], pixels.shape[1])
    alpha, metadata, kind = picture.alpha, picture.metadata, picture.kind
    if size != picture.size:
        alpha, metadata = None if alpha is None else resized_alpha(alpha, size), metadata.resized()
    if pixels.shape[2] != picture.pixels.shape[2]:
        metadata, kind = replace(metadata, icc=None), kind_of(pixels.shape[2])
    return Picture(pixels, alpha, kind, picture.format, metadata)


def split_alpha(samples: Samples, has_alpha: bool) -> tuple[Samples, Samples | None]:
    """Pixels (h, w, c) and opacity (h, w), which is the last channel where there is one."""
    if not has_alpha:
        return np.ascontiguousarray(samples), None
    return np.ascontiguousarray(samples[..., :-1]), np.ascontiguousarray(samples[..., -1])


def joined_alpha(picture: Picture) -> Samples:
    """Samples (h, w, c): the pixels, and the opacity as last channel where there is one."""
    if picture.alpha is None:
        return picture.pixels
    return np.concatenate([picture.pixels, picture.alpha[..., None]], axis=2)


def resized_alpha(alpha: Samples, size: tuple[int, int]) -> Samples:
    """Opacity (h, w) resized to ``size`` = (height, width), bicubic (a = −1/2), cut to the range it had."""
    height, width = size
    # Pillow's single-precision mode keeps 16 bits, and what bicubic overshoots.
    image = Image.fromarray(np.ascontiguousarray(alpha, dtype=np.float32))
    values = np.asarray(image.resize((width, height), Image.Resampling.BICUBIC))
    values = np.clip(values, float(alpha.min()), float(alpha.max()))
    return values.astype(alpha.dtype) if alpha.dtype.kind == "f" else np.rint(values).astype(alpha.dtype)


def kind_of(channels: int) -> Kind:
    """The kind of picture that has so many channels."""
    return "gray" if channels == 1 else "rgb" if channels == 3 else "multiband"


def without_alpha(picture: Picture) -> Picture:
    """The picture without its opacity; the colours stay what they are."""
    return replace(picture, alpha=None, metadata=replace(picture.metadata, premultiplied=False))


def as_uint8(picture: Picture) -> Picture:
    """The picture in 8 bits per sample: white becomes 255, values are rounded to the nearest and cut to 0 … 255."""
    metadata = replace(picture.metadata, max_value=None, bit_depth=None)
    pixels = _to_range(picture.pixels, picture.white, np.dtype(np.uint8))
    alpha = None if picture.alpha is None else _to_range(picture.alpha, picture.white, np.dtype(np.uint8))
    return replace(picture, pixels=pixels, alpha=alpha, metadata=metadata)


def full_range(picture: Picture) -> Picture:
    """The picture with its declared white moved to the largest value of its dtype, for formats that declare none.

    Nothing is lost: the values are spread, each to one of its own.
    """
    if picture.metadata.max_value is None:
        return picture
    dtype, white = picture.pixels.dtype, picture.white
    alpha = None if picture.alpha is None else _to_range(picture.alpha, white, dtype)
    metadata = replace(picture.metadata, max_value=None)
    return replace(picture, pixels=_to_range(picture.pixels, white, dtype), alpha=alpha, metadata=metadata)


def _to_integers(plane: Tensor, picture: Picture) -> Samples:
    """Round to even and clip; float32 holds 16 bits exactly, and 32-bit integers come as float64."""
    dtype, white = picture.pixels.dtype, picture.white
    lowest = float(np.iinfo(dtype).min)
    return (plane * white).round_().clamp_(lowest, white).numpy().astype(dtype)


def _to_range(samples: Samples, white: float, dtype: np.dtype[Any]) -> Samples:
    scaled = np.rint(samples * np.float64(np.iinfo(dtype).max / white))
    return np.clip(scaled, 0, np.iinfo(dtype).max).astype(dtype)
