"""Figures: what inspect and compare show."""

from pathlib import Path

from jaxtyping import Float
from torch import Tensor

from restora.core.errors import InvalidInput
from restora.diagnosis.report import diagnose
from restora.evaluation.metrics import WINDOW, psnr, ssim
from restora.front.pictures import jpeg_quality, tensor_of
from restora.images.picture import Picture
from restora.images.read import read_picture
from restora.numerics.colour import rgb_to_ycbcr


def facts_of(picture: Picture) -> dict[str, object]:
    """What a file holds, in the order in which it is shown."""
    metadata = picture.metadata
    height, width = picture.size
    return {
        "format": picture.format,
        "size": [width, height],
        "megapixels": round(width * height / 1e6, 3),
        "kind": picture.kind,
        "channels": picture.pixels.shape[2],
        "samples": picture.pixels.dtype.name,
        "white": picture.white,
        "alpha": picture.alpha is not None,
        "icc": _profile(metadata.icc),
        "exif": metadata.exif is not None,
        "dpi": list(metadata.dpi) if metadata.dpi else None,
        "jpeg_quality": jpeg_quality(picture),
    }


def seen_in(picture: Picture) -> tuple[dict[str, object], tuple[str, ...]]:
    """What the estimators see in a picture: their figures, and their sentences."""
    found = diagnose(tensor_of(picture))
    figures: dict[str, object] = {
        "sigma": round(255 * found.noise.sigma, 3),
        "signal_dependent": found.noise.signal_dependent,
        "shot": found.noise.shot,
        "read": found.noise.read,
        "jpeg_quality_seen": found.jpeg.quality,
        "blur": found.blur.kind,
    }
    return figures, found.sentences


def compared(first: Path, second: Path, border: int) -> dict[str, float]:
    """PSNR, SSIM and largest difference of two pictures, of their channels and, in colour, of luma.

    Raises:
        InvalidInput: they differ in size or channels, or nothing is left inside the border.
        FileProblem: one of them cannot be read.
    """
    a, b = tensor_of(read_picture(first)).double(), tensor_of(read_picture(second)).double()
    if a.shape != b.shape:
        raise InvalidInput(f"{first} is {_shape(a)} and {second} {_shape(b)}: they must be equal to be compared")
    figures = _pair("", a, b, border)
    if a.shape[1] == 3:
        figures |= _pair("_y", rgb_to_ycbcr(a)[:, :1], rgb_to_ycbcr(b)[:, :1], border)
    inside = (slice(border, a.shape[-2] - border), slice(border, a.shape[-1] - border))
    figures["largest_difference"] = float(255 * (a - b)[..., inside[0], inside[1]].abs().max())
    return figures


def _pair(space: str, a: Float[Tensor, "1 c h w"], b: Float[Tensor, "1 c h w"], border: int) -> dict[str, float]:
    figures = {f"psnr{space}": float(psnr(a, b, border=border))}
    if min(a.shape[-2:]) - 2 * border >= WINDOW:
        figures[f"ssim{space}"] = float(ssim(a, b, border=border))
    return figures


def _shape(x: Tensor) -> str:
    return f"of {x.shape[3]} x {x.shape[2]} pixels with {x.shape[1]} channel{'s' if x.shape[1] > 1 else ''}"


def _profile(icc: bytes | None) -> str | None:
    """The name of a colour profile; its length where it has none."""
    if icc is None:
        return None
    import io

    from PIL import ImageCms

    try:
        return ImageCms.getProfileDescription(ImageCms.ImageCmsProfile(io.BytesIO(icc))).strip()
    except (ImageCms.PyCMSError, OSError):
        return f"{len(icc)} bytes"
