"""Writing pictures: as they came, or not at all.

A file of the same format is written with the depth, the compression, the quality and the metadata it came with.
Another format, chosen by the suffix, gets what it can hold of these; where it cannot hold the samples or the opacity,
it is refused, with a sentence that says what to do.

EXIF is carried byte for byte, makers' notes and all, but for orientation (the pixels are upright), sizes, and the
thumbnail, which showed the old pixels and is erased.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np

from restora.core.errors import FileProblem
from restora.images import exr, heif, jpeg, png, pnm, simple, tiff_writing, webp
from restora.images.atomic import refuse_existing, write_atomically
from restora.images.exif import for_size
from restora.images.formats import Format, format_named, format_of_name
from restora.images.metadata import HeifEncoding
from restora.images.picture import Picture, full_range, without_alpha
from restora.images.pillow import quiet

_ENCODERS: Mapping[str, Callable[[Picture], bytes]] = {
    "PNG": png.encode,
    "JPEG": jpeg.encode,
    "TIFF": tiff_writing.encode,
    "WEBP": webp.encode,
    "BMP": simple.encode_bmp,
    "PBM": lambda picture: pnm.encode(picture, "PBM"),
    "PGM": lambda picture: pnm.encode(picture, "PGM"),
    "PPM": lambda picture: pnm.encode(picture, "PPM"),
    "PNM": lambda picture: pnm.encode(picture, "PNM"),
    "PFM": lambda picture: pnm.encode(picture, "PFM"),
    "HEIC": heif.encode_heic,
    "AVIF": heif.encode_avif,
    "EXR": exr.encode,
}


def write_picture(path: Path | str, picture: Picture, *, overwrite: bool = False) -> None:
    """Write a picture in the format of the suffix, whole or not at all.

    The file is encoded in memory, written beside its place, brought to the disk and moved there in one step: a full
    disk or Ctrl-C leaves what was there before, and nothing half done.

    Raises:
        FileProblem: the file exists and may not be overwritten; its format is not known or not written, or cannot hold
            the depth, the colours or the opacity of the picture; the system does not let it be written.
        MissingDependency: the format needs a package of the extra ``io``.
    """
    path = Path(path)
    refuse_existing(path, overwrite)
    try:
        data = _encoded(picture, format_of_name(path))
    except FileProblem as problem:
        raise FileProblem(f"{path} cannot be written: {problem}") from problem
    write_atomically(path, data, overwrite=overwrite)


def encode_picture(picture: Picture, format: str) -> bytes:
    """The bytes of a file of that format (``"PNG"``, ``"jpeg"`` …), for standard output.

    Raises:
        UnknownName: there is no such format.
        FileProblem: it cannot hold the depth, the colours or the opacity of the picture.
        MissingDependency: it needs a package of the extra ``io``.
    """
    return _encoded(picture, format_named(format))


def _encoded(picture: Picture, form: Format) -> bytes:
    if picture.alpha is not None and not form.alpha and _is_opaque(picture):
        picture = without_alpha(picture)
    _check(picture, form)
    if not form.declares_white:
        picture = full_range(picture)
    if picture.metadata.exif:
        exif = for_size(picture.metadata.exif, *picture.size)
        picture = replace(picture, metadata=replace(picture.metadata, exif=exif))
    with quiet():
        return _ENCODERS[form.name](picture)


def _is_opaque(picture: Picture) -> bool:
    return picture.alpha is not None and bool((picture.alpha == picture.white).all())


def _check(picture: Picture, form: Format) -> None:
    """Refuse what the format cannot hold without loss."""
    colours = _colours(picture)
    if colours not in form.colours:
        raise FileProblem(f"{form.name} holds {' or '.join(sorted(form.colours))}, not {colours}: {_advice(picture)}")
    dtype = picture.pixels.dtype.name
    is_deep_heic = form.name == picture.format == "HEIC" and isinstance(picture.metadata.encoding, HeifEncoding)
    if dtype not in form.dtypes and not (is_deep_heic and dtype == "uint16"):
        held = " or ".join(sorted(form.dtypes))
        raise FileProblem(f"{form.name} holds {held} samples and those of the picture are {dtype}: {_advice(picture)}")
    if picture.alpha is None:
        return
    if not form.alpha:
        raise FileProblem(
            f"{form.name} holds no transparency: {_advice(picture)}, or drop it with without_alpha(picture)"
        )
    if form.premultiplied is not None and picture.metadata.premultiplied != form.premultiplied:
        ours, theirs = ("multiplied by alpha", "straight")[:: 1 if picture.metadata.premultiplied else -1]
        raise FileProblem(f"the colours of the picture are {ours} and those of {form.name} {theirs}: write .tif")


def _colours(picture: Picture) -> str:
    channels = picture.pixels.shape[2]
    if picture.kind in ("cmyk", "multiband"):
        return picture.kind
    return {1: "gray", 3: "rgb"}.get(channels, "multiband")


def _advice(picture: Picture) -> str:
    """What to do instead."""
    if picture.pixels.dtype == np.uint16 and _colours(picture) in ("gray", "rgb"):
        return "write .png or .tif, or round the picture with as_uint8(picture)"
    if picture.pixels.dtype == np.uint8 and _colours(picture) in ("gray", "rgb"):
        return "write .png or .tif"
    return "write .tif"
