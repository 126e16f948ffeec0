"""BMP, which is read and written, and GIF, which is only read: the formats Pillow does whole."""

from PIL.BmpImagePlugin import BmpImageFile
from PIL.GifImagePlugin import GifImageFile

from restora.images.limits import PixelLimit
from restora.images.metadata import Metadata
from restora.images.picture import Picture
from restora.images.pillow import compact_image_of, decoded, dpi_of, opened, refuse_animation, saved


def decode_bmp(data: bytes, limit: PixelLimit) -> Picture:
    """The picture in the bytes of a BMP file.

    Raises:
        FileProblem: it is damaged, cut short, or larger than the limit.
    """
    image = opened(BmpImageFile, data)
    limit.check(image.height, image.width, len(data))
    samples = decoded(image)
    metadata = Metadata(dpi=dpi_of(image), bit_depth=samples.bit_depth, palette=samples.palette)
    return Picture(samples.pixels, samples.alpha, samples.kind, "BMP", metadata)


def encode_bmp(picture: Picture) -> bytes:
    """The bytes of a BMP file that holds the picture (uint8, gray or RGB, without alpha)."""
    return saved(compact_image_of(picture), "BMP", {"dpi": picture.metadata.dpi or (0, 0)})


def decode_gif(data: bytes, limit: PixelLimit) -> Picture:
    """The picture in the bytes of a GIF file of one frame.

    Raises:
        FileProblem: it is damaged, cut short, larger than the limit, or an animation.
    """
    image = opened(GifImageFile, data)
    limit.check(image.height, image.width, len(data))
    refuse_animation(image)
    samples = decoded(image)
    return Picture(samples.pixels, samples.alpha, samples.kind, "GIF", Metadata(palette=samples.palette))
