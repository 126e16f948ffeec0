"""BMP, which is read and written, and GIF, which is only read: the formats Pillow does whole."""

import io

from PIL.BmpImagePlugin import BmpImageFile
from PIL.GifImagePlugin import GifImageFile

from restora.core.errors import FileProblem
from restora.images.limits import PixelLimit
from restora.images.metadata import Metadata
from restora.images.picture import Picture
from restora.images.pillow import compact_image_of, decoded, dpi_of, opened


def decode_bmp(data: bytes, limit: PixelLimit) -> Picture:
    """The picture in the bytes of a BMP file.

    Raises:
        FileProblem: it is larger than the limit.
        OSError: it is damaged or cut short.
    """
    image = opened(BmpImageFile, data)
    limit.check(image.height, image.width, len(data))
    samples = decoded(image)
    metadata = Metadata(dpi=dpi_of(image), bit_depth=samples.bit_depth, palette=samples.palette)
    return Picture(samples.pixels, samples.alpha, samples.kind, "BMP", metadata)


def encode_bmp(picture: Picture) -> bytes:
    """The bytes of a BMP file that holds the picture (uint8, gray or RGB, without alpha)."""
    stream = io.BytesIO()
    compact_image_of(picture).save(stream, "BMP", dpi=picture.metadata.dpi or (0, 0))
    return stream.getvalue()


def decode_gif(data: bytes, limit: PixelLimit) -> Picture:
    """The picture in the bytes of a GIF file of one frame.

    Raises:
        FileProblem: it is larger than the limit, or an animation.
        OSError: it is damaged or cut short.
    """
    image = opened(GifImageFile, data)
    limit.check(image.height, image.width, len(data))
    if getattr(image, "n_frames", 1) > 1:
        raise FileProblem("it is an animation: restora reads single images, so extract the frames first")
    samples = decoded(image)
    return Picture(samples.pixels, samples.alpha, samples.kind, "GIF", Metadata(palette=samples.palette))
