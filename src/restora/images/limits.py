"""How large an image may be before it is refused unread."""

from dataclasses import dataclass

from restora.core.errors import FileProblem

DEFAULT_MAX_PIXELS = 2**30
"""About a gigapixel; twelve gigabytes as a float32 colour tensor."""

_SMALL = 2**26  # 67 megapixels are harmless whatever the file claims
_PIXELS_PER_BYTE = 1000  # no photograph or scan is compressed further; deflate itself ends near 1032


@dataclass(frozen=True, slots=True)
class PixelLimit:
    """The largest number of pixels to accept; None accepts everything."""

    pixels: int | None = DEFAULT_MAX_PIXELS

    def check(self, height: int, width: int, file_bytes: int) -> None:
        """Refuse sizes that are none, that are over the limit, or that the file is far too small to hold.

        Raises:
            FileProblem: with the way to lift the limit.
        """
        claimed = height * width
        if height < 1 or width < 1:
            raise FileProblem(f"it claims a size of {width} x {height} pixels")
        if self.pixels is None:
            return
        if claimed > self.pixels:
            raise FileProblem(
                f"it has {width} x {height} pixels, more than the {self.pixels:,} allowed: raise max_pixels to read it"
            )
        if claimed > _SMALL and claimed > _PIXELS_PER_BYTE * file_bytes:
            raise FileProblem(
                f"it claims {width} x {height} pixels in {file_bytes:,} bytes, as a decompression bomb does: "
                f"max_pixels=None reads it all the same"
            )
