"""Between Pillow's images and our arrays.

Plugins are called directly, not through ``Image.open``: the limit on pixels is then ours alone (:mod:`.limits`) and no
setting of Pillow, which the caller may rely on, is touched.
"""

import io
import logging
import struct
import warnings
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFile

from restora.core.damage import damage
from restora.core.errors import FileProblem
from restora.images.palette import colours_of, indices_of
from restora.images.picture import Kind, Picture, Samples, joined_alpha, split_alpha

PILLOW_ERRORS = (
    OSError,
    SyntaxError,  # a header that a plugin refuses
    ValueError,
    EOFError,
    RuntimeError,  # of AVIF
    TypeError,  # of TIFF, whose tags may be of any type and size
    OverflowError,
    struct.error,
    Image.DecompressionBombError,  # of a frame or tile that is larger than the image it belongs to
)
"""What Pillow raises for damaged files."""


@dataclass(frozen=True, eq=False, slots=True)
class Decoded:
    """Samples of a Pillow image, with what became of its mode."""

    pixels: Samples
    alpha: Samples | None
    kind: Kind
    bit_depth: int | None = None
    palette: bytes | None = None


@contextmanager
def quiet() -> Generator[None, None, None]:
    """Codecs warn of large sizes and odd tags; what matters to the user is an error, said once, and the rest is not."""
    log = logging.getLogger("tifffile")
    was_disabled = log.disabled
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        log.disabled = True
        try:
            yield
        finally:
            log.disabled = was_disabled


def opened(plugin: type[ImageFile.ImageFile], data: bytes) -> ImageFile.ImageFile:
    """The image that a plugin sees in ``data``; its pixels are not decoded yet.

    Raises:
        FileProblem: the file is damaged or cut short.
    """
    with damage(*PILLOW_ERRORS):
        return plugin(io.BytesIO(data))


def refuse_animation(image: ImageFile.ImageFile) -> None:
    """Refuse a file of several frames.

    Raises:
        FileProblem: it is one, or it is damaged.
    """
    with damage(*PILLOW_ERRORS):  # some plugins look through the file to count
        frames = getattr(image, "n_frames", 1)
    if frames > 1:
        raise FileProblem("it is an animation: restora reads single images, so extract the frames first")


def saved(image: Image.Image, form: str, options: Mapping[str, Any]) -> bytes:
    """The bytes of a file of that format.

    Raises:
        FileProblem: Pillow cannot encode it, as it is too large for the format, for example.
    """
    stream = io.BytesIO()
    try:
        image.save(stream, form, **options)
    except (OSError, ValueError, RuntimeError) as error:
        raise FileProblem(f"the {form} encoder failed ({str(error).partition(chr(10))[0]})") from error
    return stream.getvalue()


def decoded(image: Image.Image, *, keep_palette_colour: bool = False) -> Decoded:
    """Decode an image into samples, with palettes looked up.

    A palette of grays becomes gray, unless ``keep_palette_colour`` says that a colour profile needs the three channels.

    Raises:
        FileProblem: the pixels are of a kind restora does not know, or the file is damaged or cut short.
    """
    with damage(*PILLOW_ERRORS):
        image.load()
    mode = image.mode
    if mode == "P":
        return _from_palette(image, keep_palette_colour)
    samples = np.asarray(image)
    if mode == "1":
        return Decoded((samples.astype(np.uint8) * np.uint8(255))[..., None], None, "gray", bit_depth=1)
    if mode in ("L", "F") or mode.startswith("I;16"):
        return Decoded(samples.astype(samples.dtype.newbyteorder("="), copy=False)[..., None], None, "gray")
    if mode in ("LA", "RGBA"):
        return Decoded(*split_alpha(samples, True), "gray" if mode == "LA" else "rgb")
    if mode in ("RGB", "CMYK"):
        return Decoded(samples, None, "rgb" if mode == "RGB" else "cmyk")
    raise FileProblem(f"its pixels are of the kind {mode}, which restora does not read: save it as RGB first")


def image_of(picture: Picture) -> Image.Image:
    """The Pillow image of a picture of 8 bits, or of one gray channel of 16 or of float32."""
    pixels = picture.pixels
    if picture.alpha is not None:
        return Image.fromarray(joined_alpha(picture))
    if pixels.shape[2] == 4:
        return Image.frombytes("CMYK", (pixels.shape[1], pixels.shape[0]), pixels.tobytes())
    return Image.fromarray(np.ascontiguousarray(pixels[..., 0] if pixels.shape[2] == 1 else pixels))


def compact_image_of(picture: Picture) -> Image.Image:
    """As :func:`image_of`, but as small as it was in its file, if it still can be.

    Black and white stays so if every pixel is one of the two; a palette is kept if it holds every colour.
    """
    indices = palette_indices(picture)
    if indices is not None:
        image = Image.fromarray(indices)
        image.putpalette(rgb_palette(picture))
        return image
    if picture.alpha is None and fits_bit_depth(picture, 1):
        return Image.fromarray(picture.pixels[..., 0] > 0)
    return image_of(picture)


def fits_bit_depth(picture: Picture, bits: int) -> bool:
    """Whether a gray picture came from a file of so many bits per sample, and still fits into them."""
    fits = picture.metadata.bit_depth == bits and picture.metadata.palette is None and picture.pixels.shape[2] == 1
    return fits and bool((picture.pixels % (255 // (2**bits - 1)) == 0).all())


def palette_indices(picture: Picture) -> NDArray[np.uint8] | None:
    """Indices (h, w) into the palette of the file; None where it had none, or does not hold every colour."""
    palette = picture.metadata.palette
    if palette is None or picture.pixels.dtype != np.uint8 or picture.pixels.shape[2] not in (1, 3):
        return None
    return indices_of(picture.pixels, picture.alpha, palette)


def rgb_palette(picture: Picture) -> bytes:
    """The colours of the palette, three bytes an entry."""
    entries = np.frombuffer(picture.metadata.palette or b"", dtype=np.uint8).reshape(-1, 4)
    return entries[:, :3].tobytes()


def dpi_of(image: Image.Image) -> tuple[float, float] | None:
    """Pixels per inch, where the file says so and they make sense."""
    x, y = image.info.get("dpi", (0, 0))
    return (float(x), float(y)) if x > 0 and y > 0 else None


def _from_palette(image: Image.Image, keep_colour: bool) -> Decoded:
    rgb = np.array(image.getpalette("RGB") or [], dtype=np.uint8).reshape(-1, 3)
    entries = np.full((len(rgb), 4), 255, dtype=np.uint8)
    entries[:, :3] = rgb
    transparency = image.info.get("transparency")
    if isinstance(transparency, bytes):
        entries[: len(transparency), 3] = np.frombuffer(transparency, dtype=np.uint8)[: len(entries)]
    elif isinstance(transparency, int) and transparency < len(entries):
        entries[transparency, 3] = 0
    palette = entries.tobytes()
    pixels, alpha = colours_of(np.asarray(image), palette, keep_colour)
    return Decoded(pixels, alpha, "palette", palette=palette)
