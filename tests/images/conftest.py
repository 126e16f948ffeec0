"""What the tests of image files share: small pictures, and the metadata that must come through."""

import struct

import numpy as np
import pytest
from PIL import Image, ImageCms
from skimage import data as photographs


@pytest.fixture(scope="session")
def colour() -> np.ndarray:
    """A photograph, uint8 (48, 64, 3)."""
    return np.ascontiguousarray(photographs.chelsea()[60:108, 120:184])


@pytest.fixture(scope="session")
def gray(colour) -> np.ndarray:
    """Its green channel, uint8 (48, 64, 1)."""
    return np.ascontiguousarray(colour[..., 1:2])


@pytest.fixture(scope="session")
def opacity() -> np.ndarray:
    """Opacity, uint8 (48, 64), with a region of zero and a ramp."""
    alpha = np.tile(np.linspace(0, 255, 64).astype(np.uint8), (48, 1))
    alpha[:20, :20] = 0
    return alpha


@pytest.fixture(scope="session")
def srgb() -> bytes:
    """An RGB colour profile."""
    return ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


XMP = (
    b'<?xpacket begin="" id="W5M0MpCehiHzreSzNTczkc9d"?><x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF '
    b'xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description rdf:about="" '
    b'xmlns:tiff="http://ns.adobe.com/tiff/1.0/" tiff:Orientation="%d" xmlns:xmp="http://ns.adobe.com/xap/1.0/" '
    b'xmp:Rating="4"/></rdf:RDF></x:xmpmeta><?xpacket end="w"?>'
)


@pytest.fixture(scope="session")
def xmp():
    """A function: an XMP packet of the given orientation."""
    return lambda orientation=1: XMP % orientation


@pytest.fixture(scope="session")
def make_exif():
    """A function: an EXIF block with maker, copyright, date, size, place, and the given orientation."""

    def make(orientation: int = 1, width: int = 64, height: int = 48) -> bytes:
        exif = Image.Exif()
        exif[0x0112] = orientation
        exif[0x010F] = "Maker & Sons"
        exif[0x8298] = "(c) A. Photographer"
        exif[0x8769] = {0x9003: "2024:02:29 12:34:56", 0x829A: 0.004, 0xA002: width, 0xA003: height}
        exif[0x8825] = {1: "N", 2: (52.0, 30.0, 1.5)}
        return exif.tobytes().removeprefix(b"Exif\0\0")

    return make


@pytest.fixture(scope="session")
def exif_values():
    """A function: the values of an EXIF block, as Pillow reads them."""

    def values(block: bytes) -> dict:
        exif = Image.Exif()
        exif.load(block)
        flat = {k: v for k, v in exif.items() if k not in (0x8769, 0x8825)}
        return {**flat, **exif.get_ifd(0x8769), **{("gps", k): v for k, v in exif.get_ifd(0x8825).items()}}

    return values


@pytest.fixture(scope="session")
def exif_with_thumbnail():
    """A function: a little-endian EXIF block, made by hand, whose second directory holds the given thumbnail."""

    def make(thumbnail: bytes) -> bytes:
        first_at, second_at = 8, 8 + 2 + 12 * 2 + 4
        image_at = second_at + 2 + 12 * 2 + 4
        first = struct.pack("<HHHIHHHHIII", 2, 0x0112, 3, 1, 6, 0, 0x0100, 4, 1, 640, second_at)
        second = struct.pack("<HHHIIHHIII", 2, 0x0201, 4, 1, image_at, 0x0202, 4, 1, len(thumbnail), 0)
        return struct.pack("<2sHI", b"II", 42, first_at) + first + second + thumbnail

    return make
