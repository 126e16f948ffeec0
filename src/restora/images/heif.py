"""HEIC (through pillow-heif, extra ``io``) and AVIF (through Pillow, and imagecodecs beyond 8 bits).

Samples of 10 and 12 bits come as uint16 over its whole range. Their quality cannot be read from a file: both are
written at 90, with the chroma subsampling they came with (4:4:4 if they were another format before).
"""

import io
from importlib import import_module
from typing import Any, Literal

import numpy as np

from restora.core.damage import damage
from restora.core.errors import FileProblem, MissingDependency
from restora.images.exif import orientation_of, upright, xmp_upright
from restora.images.limits import PixelLimit
from restora.images.metadata import HeifEncoding, Metadata
from restora.images.optional import optional_module
from restora.images.orientation import turned_upright
from restora.images.picture import Picture, Samples, joined_alpha, kind_of, split_alpha
from restora.images.pillow import decoded, image_of, opened, refuse_animation, saved

QUALITY = 90

_LIBHEIF = (OSError, SyntaxError, ValueError, RuntimeError, EOFError)

Chroma = Literal["420", "422", "444"]


def decode_heic(data: bytes, limit: PixelLimit) -> Picture:
    """The picture in the bytes of a HEIC file; libheif has turned it upright.

    Raises:
        FileProblem: it is damaged, holds several images, or is larger than the limit.
        MissingDependency: pillow-heif is not installed.
    """
    pillow_heif = optional_module("pillow_heif", "HEIC")
    with damage(*_LIBHEIF):
        file = pillow_heif.open_heif(io.BytesIO(data), convert_hdr_to_8bit=False)
    if len(file) != 1:
        raise FileProblem(f"it holds {len(file)} images: restora reads single ones, so extract them first")
    image = file[0]
    width, height = image.size
    limit.check(height, width, len(data))
    with damage(*_LIBHEIF):
        samples: Samples = np.asarray(image)  # decoding may turn it, so its size is known only now
    samples = samples.reshape(*samples.shape[:2], -1)
    info: dict[str, Any] = image.info
    exif = (info.get("exif") or b"").removeprefix(b"Exif\0\0")
    xmp = info.get("xmp") or b""
    chroma = str(info.get("chroma", "420"))
    metadata = Metadata(
        icc=info.get("icc_profile") or None,
        exif=upright(exif),
        xmp=xmp_upright(xmp),
        premultiplied=bool(image.premultiplied_alpha),
        encoding=HeifEncoding(int(info["bit_depth"]), _chroma(chroma)),
    )
    pixels, alpha = split_alpha(samples, image.has_alpha)
    return Picture(pixels, alpha, kind_of(pixels.shape[2]), "HEIC", metadata)


def encode_heic(picture: Picture) -> bytes:
    """The bytes of a HEIC file that holds the picture: 8 bits, or 10 if its samples are uint16.

    Raises:
        MissingDependency: pillow-heif is not installed.
    """
    pillow_heif = optional_module("pillow_heif", "HEIC")
    samples, metadata = joined_alpha(picture), picture.metadata
    mode = {1: "L", 2: "LA", 3: "RGB", 4: "RGBA"}[samples.shape[2]]
    mode += ";16" if samples.dtype == np.uint16 else ""
    encoding = metadata.encoding if isinstance(metadata.encoding, HeifEncoding) else HeifEncoding(chroma="444")
    file = pillow_heif.from_bytes(mode, picture.size[::-1], np.ascontiguousarray(samples).tobytes())
    if metadata.icc:
        file[0].info |= {"icc_profile": metadata.icc, "icc_profile_type": "prof"}
    stream = io.BytesIO()
    try:
        file.save(stream, quality=QUALITY, chroma=encoding.chroma, exif=metadata.exif, xmp=metadata.xmp)
    except _LIBHEIF as error:
        raise FileProblem(f"the HEIC encoder failed ({error})") from error
    return stream.getvalue()


def decode_avif(data: bytes, limit: PixelLimit) -> Picture:
    """The picture in the bytes of an AVIF file.

    Raises:
        FileProblem: it is damaged, animated, or larger than the limit.
        MissingDependency: this Pillow has no AVIF, or imagecodecs is needed for more than 8 bits and not installed.
    """
    image = opened(_avif_plugin(), data)
    limit.check(image.height, image.width, len(data))
    refuse_animation(image)
    exif = (image.info.get("exif") or b"").removeprefix(b"Exif\0\0")
    xmp = image.info.get("xmp")
    orientation = orientation_of(exif, xmp)
    bits, chroma = _av1_configuration(data)
    if bits == 8:
        samples = decoded(image)
        pixels, alpha = samples.pixels, samples.alpha
    else:
        pixels, alpha = _deep_avif(data, bits)
    metadata = Metadata(
        icc=image.info.get("icc_profile"), exif=upright(exif), xmp=xmp_upright(xmp), encoding=HeifEncoding(bits, chroma)
    )
    alpha = None if alpha is None else turned_upright(alpha, orientation)
    return Picture(turned_upright(pixels, orientation), alpha, kind_of(pixels.shape[2]), "AVIF", metadata)


def encode_avif(picture: Picture) -> bytes:
    """The bytes of an AVIF file that holds the picture in 8 bits.

    Raises:
        MissingDependency: this Pillow has no AVIF.
    """
    _avif_plugin()
    metadata = picture.metadata
    encoding = metadata.encoding if isinstance(metadata.encoding, HeifEncoding) else HeifEncoding(chroma="444")
    subsampling = "4:0:0" if picture.pixels.shape[2] == 1 else ":".join(encoding.chroma)
    options = {"icc_profile": metadata.icc or b"", "exif": metadata.exif or b"", "xmp": metadata.xmp or b""}
    return saved(image_of(picture), "AVIF", {"quality": QUALITY, "subsampling": subsampling, **options})


def _avif_plugin() -> Any:
    try:
        plugin = import_module("PIL.AvifImagePlugin")
    except ImportError as error:
        raise MissingDependency('AVIF needs Pillow 11.3 or later: pip install -U "pillow>=11.3"') from error
    if not plugin.SUPPORTED:
        raise MissingDependency('AVIF is not built into this Pillow: pip install -U --force-reinstall "pillow>=11.3"')
    return plugin.AvifImageFile


def _av1_configuration(data: bytes) -> tuple[int, Chroma]:
    """Bits per sample and chroma subsampling, from the first AV1 configuration box (AV1 in ISOBMFF, 2.3.3)."""
    at = data.find(b"av1C")
    if at < 0 or at + 8 > len(data):
        raise FileProblem("it is damaged: it does not say how its pixels are coded")
    flags = data[at + 6]
    bits = (12 if flags & 0x20 else 10) if flags & 0x40 else 8
    return bits, "420" if flags & 0x0C == 0x0C else "422" if flags & 0x08 else "444"


def _deep_avif(data: bytes, bits: int) -> tuple[Samples, Samples | None]:
    imagecodecs = optional_module("imagecodecs", f"AVIF of {bits} bits")
    with damage(RuntimeError, ValueError):
        samples: Samples = imagecodecs.avif_decode(data)
    samples = samples.reshape(*samples.shape[:2], -1)
    white = 2**bits - 1
    wide = np.rint(samples * np.float64(65535 / white)).astype(np.uint16)
    return split_alpha(wide, wide.shape[2] in (2, 4))


def _chroma(name: str) -> Chroma:
    return name if name in ("420", "422", "444") else "420"
