"""Raw files of cameras, read only: developed by LibRaw (rawpy, extra ``io``) into 16-bit sRGB.

White balance is the camera's; brightness is left as exposed; LibRaw demosaicks (AHD) and turns the picture upright.
"""

import io
from typing import Any

import numpy as np

from restora.core.errors import FileProblem
from restora.images.exif import exif_from, upright
from restora.images.ifd import first_directory
from restora.images.limits import PixelLimit
from restora.images.metadata import Metadata
from restora.images.optional import optional_module
from restora.images.picture import Picture, Samples


def decode(data: bytes, limit: PixelLimit) -> Picture:
    """The developed picture of a camera's raw file.

    Raises:
        FileProblem: LibRaw cannot read it, or it is larger than the limit.
        MissingDependency: rawpy is not installed.
    """
    rawpy: Any = optional_module("rawpy", "raw files of cameras")
    try:
        with rawpy.imread(io.BytesIO(data)) as file:
            limit.check(file.sizes.height, file.sizes.width, len(data))
            pixels: Samples = file.postprocess(use_camera_wb=True, no_auto_bright=True, output_bps=16)
    except rawpy.LibRawError as error:
        raise FileProblem(f"it is a raw file that LibRaw cannot read ({error})") from error
    return Picture(np.ascontiguousarray(pixels), None, "rgb", "RAW", Metadata(exif=_exif(data)))


def _exif(data: bytes) -> bytes | None:
    """EXIF, where the raw file is built as TIFF files are (most are)."""
    try:
        return upright(exif_from(data, first_directory(data)))
    except FileProblem:
        return None
