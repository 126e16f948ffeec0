"""Degradation: the steps from a clean picture to a measured one."""

from dataclasses import dataclass, replace

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from restora.cli.specs import kernel_from, mask_from, noise_from
from restora.core.errors import InvalidParameter
from restora.core.noise import Noise
from restora.front.pictures import tensor_of
from restora.images.jpeg_tables import tables_of_quality
from restora.images.metadata import JpegEncoding, Metadata
from restora.images.picture import Picture, with_pixels
from restora.noise.jpeg import Jpeg
from restora.operators.blur import Blur
from restora.operators.downsample import Downsample


@dataclass(frozen=True, eq=False, slots=True)
class Degradation:
    """Blur, reduction, noise, holes, compression, in this order; each may be absent.

    Attributes:
        steps: what is done, in words.
        psf: the blur kernel.
        scale: the reduction factor.
        noise: the noise model.
        mask: the spec of the holes.
        jpeg: the quality of the compression.
    """

    steps: tuple[str, ...]
    psf: Float[Tensor, "kh kw"] | None
    scale: float | None
    noise: Noise | None
    mask: str | None
    jpeg: int | None

    @classmethod
    def of(
        cls, *, blur: str | None, scale: float | None, noise: str | None, mask: str | None, jpeg: int | None
    ) -> "Degradation":
        """From the words of the command line.

        Raises:
            UnknownName: there is no such blur, noise or mask.
            InvalidParameter: a number does not belong to what it is given to.
            FileProblem: a kernel cannot be read.
        """
        if scale is not None and not scale > 1:
            raise InvalidParameter.outside("scale", scale, "> 1")
        if mask is not None:
            mask_from(mask, (64, 64), torch.Generator())  # a wrong spec is refused before the first picture is read
        words = (
            f"blurred by {blur}" if blur else "",
            f"reduced {scale:g} times" if scale else "",
            f"noise {noise}" if noise else "",
            f"holes {mask}" if mask else "",
            f"JPEG of quality {jpeg}" if jpeg else "",
        )
        psf = None if blur is None else kernel_from(blur)
        model = None if noise is None else noise_from(noise)
        return cls(tuple(word for word in words if word), psf, scale, model, mask, jpeg)

    def applied(self, picture: Picture, seed: int, floating: bool) -> tuple[Picture, Picture | None]:
        """The degraded picture, in float32 where ``floating``; and its mask, white where something is missing."""
        generator = torch.Generator().manual_seed(seed)
        y = self._measured(tensor_of(picture), generator)
        holes = None
        if self.mask is not None:
            known = mask_from(self.mask, (y.shape[-2], y.shape[-1]), generator)
            y = known(y)
            missing = (1 - known.known) * 255
            holes = Picture(missing.numpy().astype(np.uint8)[..., None], kind="gray")
        if self.jpeg is not None:
            y = Jpeg(self.jpeg).sample(y)
        return with_pixels(self._frame(picture, floating), y), holes

    def _measured(self, x: Float[Tensor, "1 c h w"], generator: torch.Generator) -> Float[Tensor, "1 c i j"]:
        """Hx + n."""
        if self.psf is not None:
            x = Blur(self.psf, "replicate")(x)
        if self.scale is not None:
            scale = int(self.scale) if float(self.scale).is_integer() else self.scale
            x = Downsample(scale, size=(x.shape[-2], x.shape[-1]))(x)
        return x if self.noise is None else self.noise.sample(x, generator)

    def _frame(self, picture: Picture, floating: bool) -> Picture:
        """The picture that the result is put into: its depth, and how it is to be encoded."""
        if floating:
            alpha = None if picture.alpha is None else (picture.alpha / picture.white).astype(np.float32)
            pixels = picture.pixels.astype(np.float32)
            return Picture(pixels, alpha, picture.kind, "TIFF", Metadata(icc=picture.metadata.icc))
        if self.jpeg is None:
            return picture
        # Written as a JPEG, the result is encoded once more with its own tables, which changes next to nothing.
        luminance, chrominance = tables_of_quality(self.jpeg)
        if picture.pixels.shape[2] == 1:
            encoding = JpegEncoding((luminance,), ((1, 1),))
        else:
            encoding = JpegEncoding((luminance, chrominance, chrominance), ((2, 2), (1, 1), (1, 1)))
        return replace(picture, metadata=replace(picture.metadata, encoding=encoding))
