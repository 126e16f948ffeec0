"""Mask: some pixels are known, the others are not; the operator of inpainting."""

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont
from torch import Tensor

from restora.core.errors import InvalidInput, InvalidParameter
from restora.core.operator import Operator, Size
from restora.operators.harmonic_fill import harmonic_fill

_TEXT = "y = Hx + n    "


@dataclass(frozen=True, eq=False)
class Mask(Operator):
    """y = known ⊙ x: unknown pixels are measured as zero. HᵀH = H.

    Args:
        known: 1 where the pixel is known, 0 where it is missing, (h, w), (1 | c, h, w) or (1 | b, 1 | c, h, w).

    Raises:
        InvalidInput: ``known`` holds other values than 0 and 1 or has another shape; or, when applied, the image is of
            another size.
    """

    known: Tensor

    def __post_init__(self) -> None:
        if self.known.ndim not in (2, 3, 4) or self.known.numel() == 0 or not self.known.is_floating_point():
            raise InvalidInput(
                "a mask must be a floating-point tensor (h, w), (c, h, w) or (b, c, h, w), "
                f"not {self.known.dtype} of {tuple(self.known.shape)}; Mask.from_array takes any array"
            )
        if not bool(((self.known == 0) | (self.known == 1)).all()):
            raise InvalidInput("a mask holds 1 for known and 0 for missing; Mask.from_array takes nonzero as known")

    @classmethod
    def from_array(cls, known: NDArray[np.generic] | Tensor) -> "Mask":
        """Make a mask of an array (h, w), (c, h, w) or (b, c, h, w) that is nonzero where the pixel is known.

        Raises:
            InvalidInput: no pixel is known, a value is NaN, or the shape is another.
        """
        if isinstance(known, Tensor):
            tensor, has_nan = known != 0, bool(torch.isnan(known).any())
        else:  # NumPy compares every dtype, torch not the wide unsigned ones
            tensor, has_nan = torch.from_numpy(np.not_equal(known, 0)), bool(np.not_equal(known, known).any())
        if has_nan:
            raise InvalidInput("the mask holds NaN")
        if not bool(tensor.any()):
            raise InvalidInput("no pixel of the mask is known (all of it is zero): there is nothing to restore from")
        return cls(tensor.float())

    @classmethod
    def random(cls, size: Size, keep: float, generator: torch.Generator) -> "Mask":
        """Keep that fraction of the pixels, rounded to a whole number of them, at random positions.

        Raises:
            InvalidParameter: ``keep`` is not in (0, 1], or keeps no pixel.
        """
        pixels = size[0] * size[1]
        count = round(keep * pixels)
        if not (0 < keep <= 1 and count > 0):
            raise InvalidParameter.outside("keep", keep, "in (0, 1] and keep at least one pixel")
        known = torch.zeros(pixels)
        known[torch.randperm(pixels, generator=generator)[:count]] = 1
        return cls(known.reshape(size))

    @classmethod
    def text(cls, size: Size, text: str = _TEXT, height: int = 16) -> "Mask":
        """The mask of an image covered with lines of text; ``height`` is that of the type in pixels.

        Raises:
            InvalidParameter: the text is blank, or the height is below 4.
        """
        if not text.strip():
            raise InvalidParameter.outside("text", text, "more than blanks")
        if height < 4:
            raise InvalidParameter.outside("height", height, ">= 4")
        h, w = size
        font = ImageFont.load_default(size=height)
        page = Image.new("L", (w, h))
        line = text * (w // max(1, int(font.getlength(text))) + 2)
        for number, top in enumerate(range(0, h, 2 * height)):
            start = -(number * 2 * height) % max(1, int(font.getlength(text)))
            ImageDraw.Draw(page).text((-start, top), line, fill=255, font=font)
        return cls.from_array(np.asarray(page) < 128)

    @classmethod
    def rectangles(cls, size: Size, count: int, side: tuple[int, int], generator: torch.Generator) -> "Mask":
        """The mask of ``count`` missing rectangles at random positions, with sides between the two given (in pixels).

        Raises:
            InvalidParameter: ``count`` is negative, or ``side`` is no range from at least 1 to at most the image.
            InvalidInput: nothing of the image is left.
        """
        if count < 0:
            raise InvalidParameter.outside("count", count, ">= 0")
        if not 1 <= side[0] <= side[1] <= min(size):
            raise InvalidParameter.outside("side", side, f"a range within 1 … {min(size)}")
        known = torch.ones(size)
        for _ in range(count):
            height, width = torch.randint(side[0], side[1] + 1, (2,), generator=generator).tolist()
            top = int(torch.randint(0, size[0] - height + 1, (), generator=generator))
            left = int(torch.randint(0, size[1] - width + 1, (), generator=generator))
            known[top : top + height, left : left + width] = 0
        return cls.from_array(known)

    def __call__(self, x: Float[Tensor, "b c h w"]) -> Float[Tensor, "b c h w"]:
        return self._known(x) * x

    def adjoint(self, y: Float[Tensor, "b c h w"]) -> Float[Tensor, "b c h w"]:
        return self._known(y) * y

    def output_size(self, size: Size) -> Size:
        return size

    def input_size(self, size: Size) -> Size:
        return size

    def prox(self, z: Float[Tensor, "b c h w"], y: Float[Tensor, "b c h w"], rho: float) -> Float[Tensor, "b c h w"]:
        """(known ⊙ y + ρz) / (known + ρ), pixel by pixel."""
        known = self._known(z)
        return (known * y + rho * z) / (known + rho)

    @property
    def exact_prox(self) -> bool:
        return True

    @property
    def is_sampling(self) -> bool:
        return True

    def norm_bound(self, size: Size, channels: int = 1) -> float:
        return float(self.known.max())

    def first_guess(self, y: Float[Tensor, "b c h w"]) -> Float[Tensor, "b c h w"]:
        """y, with the missing pixels filled in by Laplace's equation."""
        return harmonic_fill(y, self.known.to(y)).x

    @property
    def reach(self) -> int:
        return 0

    def window(self, top: int, left: int, height: int, width: int) -> "Mask":
        return Mask(self.known[..., top : top + height, left : left + width])

    def channel(self, index: int) -> "Mask":
        if self.known.ndim == 2 or self.known.shape[-3] == 1:
            return self
        return Mask(self.known[..., index : index + 1, :, :])

    def _known(self, image: Tensor) -> Tensor:
        if self.known.shape[-2:] != image.shape[-2:]:
            raise InvalidInput(
                f"the mask is of {tuple(self.known.shape[-2:])}, the image of {tuple(image.shape[-2:])} (height, width)"
            )
        return self.known.to(image)
