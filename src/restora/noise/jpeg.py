"""The error of JPEG compression."""

import io
import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from jaxtyping import Float
from PIL import Image
from torch import Tensor

from restora.core.errors import InvalidInput, InvalidParameter
from restora.core.noise import Noise


@dataclass(frozen=True, slots=True)
class Jpeg(Noise):
    """y is x clipped to [0, 1], rounded to 8 bits, written as a JPEG and read back. Nothing about it is random.

    Gray images are written as gray JPEGs, RGB ones as YCbCr. The likelihood is that of a deterministic map, exactly:
    log p(y | x) = 0 where writing x gives y to within half a gray level everywhere, −inf otherwise. (So x may be
    anything in the quantisation cell of y.)

    Args:
        quality: of the Independent JPEG Group's scale, 1 to 100.
        subsampling: of the chroma of RGB images; libjpeg's own default is 4:2:0.

    Raises:
        InvalidParameter: a quality outside 1 … 100.
        InvalidInput: sampled with neither 1 nor 3 channels.
    """

    quality: int
    subsampling: Literal["4:4:4", "4:2:2", "4:2:0"] = "4:2:0"

    def __post_init__(self) -> None:
        if not 1 <= self.quality <= 100:
            raise InvalidParameter.outside("quality", self.quality, "between 1 and 100")

    def sample(self, x: Float[Tensor, "b c h w"], generator: torch.Generator | None = None) -> Float[Tensor, "b c h w"]:
        if x.shape[1] not in (1, 3):
            raise InvalidInput(f"a JPEG holds 1 or 3 channels, not {x.shape[1]}")
        levels = x.detach().clamp(0, 1).mul(255).round().to("cpu", torch.uint8).movedim(1, -1).numpy()
        read = np.stack([self._round_trip(image) for image in levels])
        return torch.from_numpy(read).movedim(-1, 1).to(x) / 255

    def log_likelihood(self, y: Float[Tensor, "b c h w"], x: Float[Tensor, "b c h w"]) -> Float[Tensor, " b"]:
        distance = (self.sample(x) - y).abs().amax(dim=(1, 2, 3))
        return torch.where(distance < 0.5 / 255, 0.0, -math.inf).to(y)

    @property
    def sigma(self) -> float:
        """The σ at which denoisers made for white noise improve the image most, from the quality alone.

        The error depends on the picture and is not white. On photographs its root mean square is about 6.3 s^0.36 of
        255, s being the scale of libjpeg's tables (50/quality below 50, else 2 − quality/50); seven tenths of that
        serve denoisers best. Both figures were fitted on training photographs (BSDS500 *train*).
        """
        scale = 50 / self.quality if self.quality < 50 else 2 - self.quality / 50
        return 0.7 * 6.3 * scale**0.36 / 255

    def _round_trip(self, levels: np.ndarray) -> np.ndarray:
        picture = Image.fromarray(levels[..., 0] if levels.shape[-1] == 1 else levels)
        stream = io.BytesIO()
        if levels.shape[-1] == 1:
            picture.save(stream, "JPEG", quality=self.quality)
        else:
            picture.save(stream, "JPEG", quality=self.quality, subsampling=self.subsampling)
        return np.asarray(Image.open(stream)).reshape(levels.shape)
