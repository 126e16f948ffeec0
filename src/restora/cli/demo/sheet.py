"""Sheet: degraded, restored and reference side by side, a row a case."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from restora.cli.demo.cases import Case
from restora.images.picture import Picture, as_uint8

MARGIN = 36
GAP = 12
HEAD = 96
TITLE = 44
FOOT = 34

PAPER = (250, 249, 246)
INK = (34, 34, 38)
FAINT = (120, 118, 114)
GAIN = (24, 112, 74)

COLUMNS = ("degraded", "restored", "reference")


@dataclass(frozen=True, eq=False, slots=True)
class Row:
    """A case after it was run.

    Attributes:
        case: what was done.
        command: what restored it.
        method: that it chose.
        seconds: it took.
        pictures: degraded, restored, reference; a smaller one is shown with its pixels enlarged.
        before: PSNR in dB and SSIM of the degraded picture; of its bicubic enlargement where it is smaller.
        after: those of the restored one.
    """

    case: Case
    command: str
    method: str
    seconds: float
    pictures: tuple[Picture, Picture, Picture]
    before: tuple[float, float]
    after: tuple[float, float]


def draw_sheet(rows: Sequence[Row]) -> Picture:
    """The sheet, an RGB picture of 8 bits; all references must be of one size."""
    height, width = rows[0].pictures[2].size
    step = TITLE + height + FOOT
    page = Image.new("RGB", (2 * MARGIN + 3 * width + 2 * GAP, HEAD + len(rows) * step + MARGIN // 2), PAPER)
    pen = ImageDraw.Draw(page)
    _head(pen, page.width)
    for number, row in enumerate(rows):
        _row(page, pen, row, HEAD + number * step, (width, height))
    return Picture(np.asarray(page), kind="rgb", format="PNG")


def _head(pen: ImageDraw.ImageDraw, width: int) -> None:
    pen.text((MARGIN, 24), "restora", font=_font(36), fill=INK)
    pen.text((width - MARGIN, 42), "y = Hx + n, solved for x", font=_font(19), fill=FAINT, anchor="ra")
    pen.line((MARGIN, 78, width - MARGIN, 78), fill=FAINT, width=1)


def _row(page: Image.Image, pen: ImageDraw.ImageDraw, row: Row, top: int, size: tuple[int, int]) -> None:
    """Title, three pictures, and what is to be read below each."""
    width, height = size
    pen.text((MARGIN, top + 10), row.case.title, font=_font(20), fill=INK)
    how = f"{row.case.known} · {row.method} · {row.seconds:.1f} s"
    pen.text((page.width - MARGIN, top + 13), how, font=_font(16), fill=FAINT, anchor="ra")
    is_small = row.pictures[0].size != row.pictures[2].size
    before, after = row.before[0], row.after[0]
    enlarged = ", enlarged bicubically" if is_small else ""
    figures = (f"{before:.2f} dB{enlarged}", f"{after:.2f} dB   ({after - before:+.2f})", "")
    for column, (label, picture, figure) in enumerate(zip(COLUMNS, row.pictures, figures)):
        left, below = MARGIN + column * (width + GAP), top + TITLE + height + 7
        page.paste(_fitted(picture, size), (left, top + TITLE))
        pen.text((left, below), label, font=_font(16), fill=FAINT)
        colour = GAIN if label == "restored" and after > before else INK
        pen.text((left + width, below), figure, font=_font(16), fill=colour, anchor="ra")


def _fitted(picture: Picture, size: tuple[int, int]) -> Image.Image:
    """The picture, its pixels enlarged where it is smaller, so that one sees them."""
    pixels = as_uint8(picture).pixels
    image = Image.fromarray(pixels[..., 0] if pixels.shape[2] == 1 else pixels).convert("RGB")
    return image if image.size == size else image.resize(size, Image.Resampling.NEAREST)


def _font(height: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    """Pillow's own font, which needs nothing from the system; it knows Latin letters only."""
    return ImageFont.load_default(size=height)
