"""Reading pictures: from a file, from bytes, from a stream; every failure is one sentence."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Protocol, runtime_checkable

from restora.core.errors import FileProblem, MissingDependency
from restora.images import exr, heif, jpeg, png, pnm, raw, simple, tiff, webp
from restora.images.formats import format_of_data, is_raw_name
from restora.images.limits import DEFAULT_MAX_PIXELS, PixelLimit
from restora.images.picture import Picture
from restora.images.pillow import quiet

_DECODERS: Mapping[str, Callable[[bytes, PixelLimit], Picture]] = {
    "PNG": png.decode,
    "JPEG": jpeg.decode,
    "TIFF": tiff.decode,
    "WEBP": webp.decode,
    "BMP": simple.decode_bmp,
    "GIF": simple.decode_gif,
    "PBM": pnm.decode,
    "PGM": pnm.decode,
    "PPM": pnm.decode,
    "PFM": pnm.decode,
    "HEIC": heif.decode_heic,
    "AVIF": heif.decode_avif,
    "EXR": exr.decode,
    "RAW": raw.decode,
}


@runtime_checkable
class Stream(Protocol):
    """What bytes can be read from: an open binary file, a pipe, ``io.BytesIO``."""

    def read(self, size: int = -1, /) -> bytes: ...


def read_picture(source: Path | str | bytes | Stream, *, max_pixels: int | None = DEFAULT_MAX_PIXELS) -> Picture:
    """Read an image, with all that is to survive.

    What the file is, its content says; of its name, only the suffixes of raw files count. Pixels come upright, whatever
    the orientation says; their depth, and colours under zero opacity, are those of the file.

    Args:
        source: path of a file, the bytes of one, or a binary stream, which is read to its end.
        max_pixels: larger images are refused before they are decoded, and so are sizes that a file is far too small to
            hold; None accepts everything.

    Raises:
        FileProblem: the file is missing, a folder, unreadable, empty, cut short, damaged, no image, of a format that is
            not read, an animation, of several pages, or too large.
        MissingDependency: the format needs a package of the extra ``io``.
    """
    name, data = _loaded(source)
    try:
        with quiet():
            return _decoded(data, Path(source) if isinstance(source, str | Path) else None, PixelLimit(max_pixels))
    except FileProblem as problem:
        raise FileProblem(f"{name} cannot be read: {problem}") from problem
    except MissingDependency as missing:
        raise MissingDependency(f"{name} cannot be read: {missing}") from missing
    except MemoryError as error:
        raise FileProblem(f"{name} cannot be read: there is not enough memory for it") from error


def _loaded(source: Path | str | bytes | Stream) -> tuple[str, bytes]:
    """What to call the source, and its bytes."""
    if isinstance(source, bytes):
        name, data = "the image", source
    elif isinstance(source, str | Path):
        name, data = str(source), _file_bytes(Path(source))
    else:
        name = str(getattr(source, "name", "the stream"))
        data = source.read()
    if not data:
        raise FileProblem(f"{name} is empty: it holds no bytes")
    return name, data


def _file_bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError as error:
        raise FileProblem(f"{path} does not exist") from error
    except IsADirectoryError as error:
        raise FileProblem(f"{path} is a folder, not an image") from error
    except PermissionError as error:
        raise FileProblem(f"{path} may not be read: you do not have the permission") from error
    except OSError as error:
        raise FileProblem(f"{path} cannot be read: {(error.strerror or str(error)).lower()}") from error


def _decoded(data: bytes, path: Path | None, limit: PixelLimit) -> Picture:
    name = format_of_data(data)
    if name == "TIFF" and (is_raw_name(path) or tiff.is_raw(data)):
        name = "RAW"
    return _DECODERS[name](data, limit)
