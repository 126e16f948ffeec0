"""Degrade a picture as the command line says."""

from dataclasses import replace

import numpy as np
import torch

from restora.degradations.degradation import Degradation
from restora.front.pictures import tensor_of
from restora.images.jpeg_tables import tables_of_quality
from restora.images.metadata import JpegEncoding, Metadata
from restora.images.picture import Picture, with_pixels
from restora.operators.mask import Mask


def degraded(picture: Picture, degradation: Degradation, seed: int, floating: bool) -> tuple[Picture, Picture | None]:
    """Return the degraded picture, in float32 where ``floating``; and its mask, white where something is missing."""
    generator = torch.Generator().manual_seed(seed)
    (fixed,) = degradation.drawn(1, generator)
    found = fixed(tensor_of(picture), generator)
    masks = [H.known for H in found.operators if isinstance(H, Mask)]
    holes = [Picture(((1 - known) * 255).numpy().astype(np.uint8)[..., None], kind="gray") for known in masks]
    quality = fixed.jpeg if isinstance(fixed.jpeg, int) and not fixed.enlarged else None
    return with_pixels(_frame(picture, quality, floating), found.y), holes[0] if holes else None


def _frame(picture: Picture, jpeg: int | None, floating: bool) -> Picture:
    """Return the picture that the result is put into, with its depth and its encoding."""
    if floating:
        alpha = None if picture.alpha is None else (picture.alpha / picture.white).astype(np.float32)
        pixels = picture.pixels.astype(np.float32)
        return Picture(pixels, alpha, picture.kind, "TIFF", Metadata(icc=picture.metadata.icc))
    if jpeg is None:
        return picture
    # Written as a JPEG, the result is encoded once more with its own tables, which changes next to nothing.
    luminance, chrominance = tables_of_quality(jpeg)
    if picture.pixels.shape[2] == 1:
        encoding = JpegEncoding((luminance,), ((1, 1),))
    else:
        encoding = JpegEncoding((luminance, chrominance, chrominance), ((2, 2), (1, 1), (1, 1)))
    return replace(picture, metadata=replace(picture.metadata, encoding=encoding))
