"""The formats restora knows: how a file shows what it is, and what each format can hold."""

import re
from dataclasses import dataclass
from pathlib import PurePath

from restora.core.errors import FileProblem, UnknownName

_INTEGERS = frozenset({"uint8", "uint16"})
_FLOATS = frozenset({"float16", "float32"})
_ALL = _INTEGERS | _FLOATS | frozenset({"int8", "int16", "uint32", "int32", "float64"})
_BYTES = frozenset({"uint8"})
_COLOUR = frozenset({"gray", "rgb"})


@dataclass(frozen=True, slots=True)
class Format:
    """What a format holds without loss.

    Attributes:
        name: as in :attr:`Picture.format`.
        suffixes: of file names, lower case.
        dtypes: names of the sample types; none where restora only reads the format.
        colours: ``gray``, ``rgb``, ``cmyk``, ``multiband``.
        alpha: it holds opacity.
        premultiplied: it holds colours multiplied by opacity (None: both those and straight ones).
        declares_white: it says which sample value is white.
    """

    name: str
    suffixes: tuple[str, ...]
    dtypes: frozenset[str] = frozenset()
    colours: frozenset[str] = _COLOUR
    alpha: bool = False
    premultiplied: bool | None = False
    declares_white: bool = False


FORMATS = (
    Format("PNG", (".png",), _INTEGERS, alpha=True),
    Format("JPEG", (".jpg", ".jpeg", ".jpe", ".jfif"), _BYTES, _COLOUR | {"cmyk"}),
    Format("TIFF", (".tif", ".tiff"), _ALL, _COLOUR | {"cmyk", "multiband"}, alpha=True, premultiplied=None),
    Format("WEBP", (".webp",), _BYTES, alpha=True),
    Format("BMP", (".bmp", ".dib"), _BYTES),
    Format("PBM", (".pbm",), _BYTES, frozenset({"gray"})),
    Format("PGM", (".pgm",), _INTEGERS, frozenset({"gray"}), declares_white=True),
    Format("PPM", (".ppm",), _INTEGERS, frozenset({"rgb"}), declares_white=True),
    Format("PNM", (".pnm",), _INTEGERS, declares_white=True),
    Format("PFM", (".pfm",), frozenset({"float32"})),
    Format("HEIC", (".heic", ".heif", ".hif"), _BYTES, alpha=True),
    Format("AVIF", (".avif",), _BYTES, alpha=True),
    Format("EXR", (".exr",), _FLOATS, alpha=True, premultiplied=True),
    Format("GIF", (".gif",)),
    Format(
        "RAW",
        (
            ".dng",
            ".cr2",
            ".cr3",
            ".nef",
            ".nrw",
            ".arw",
            ".sr2",
            ".raf",
            ".orf",
            ".rw2",
            ".pef",
            ".srw",
            ".raw",
            ".3fr",
        ),
    ),
)

_UNREAD = (
    (rb"8BPS", "a Photoshop document"),
    (rb"%PDF", "a PDF document"),
    (rb"\0\0\0\x0cjP  |\xff\x4f\xff\x51", "a JPEG 2000 image"),
    (rb"\xff\x0a|\0\0\0\x0cJXL ", "a JPEG XL image"),
    (rb"\s*(<\?xml[^>]*>\s*)?(<!--.*?-->\s*)?<svg", "an SVG drawing"),
    (rb"P7\s", "a PAM image"),
    (rb".{4}ftyp(isom|mp4|qt  |avc1)|\x1aE\xdf\xa3|RIFF.{4}AVI ", "a video"),
    (rb"\x93NUMPY|PK\x03\x04N?", "an archive or array"),
)

_SIGNATURES = (
    (rb"\x89PNG\r\n\x1a\n", "PNG"),
    (rb"\xff\xd8\xff", "JPEG"),
    (rb"RIFF.{4}WEBP", "WEBP"),
    (rb"BM.{12}[\x0c-\x7f]\0\0\0", "BMP"),
    (rb"P[14]\s", "PBM"),
    (rb"P[25]\s", "PGM"),
    (rb"P[36]\s", "PPM"),
    (rb"P[fF]\s", "PFM"),
    (rb"GIF8[79]a", "GIF"),
    (rb"\x76\x2f\x31\x01", "EXR"),
    (rb".{4}ftypavi[fs]", "AVIF"),
    (rb".{4}ftyp(hei[cxms]|hev[cxms]|mif1|msf1)", "HEIC"),
    (rb".{4}ftypcrx |FUJIFILMCCD-RAW|IIU\0|IIR[OS]|MMOR|II\*\0.{4}CR", "RAW"),
    (rb"II[*+]\0|MM\0[*+]", "TIFF"),
)


def format_of_data(data: bytes) -> str:
    """The name of the format, from the first bytes of a file.

    Raises:
        FileProblem: it is no image, or one of a format restora does not read.
    """
    head = bytes(data[:512])
    for signature, name in _SIGNATURES:
        if re.match(signature, head, re.DOTALL):
            return name
    for signature, what in _UNREAD:
        if re.match(signature, head, re.DOTALL):
            raise FileProblem(f"it is {what}, which restora does not read: save it as PNG or TIFF first")
    raise FileProblem("it is not an image restora knows")


def format_of_name(path: PurePath) -> Format:
    """The format that the suffix of a file name stands for.

    Raises:
        FileProblem: the name has no suffix, or one that stands for no format restora writes.
    """
    suffix = path.suffix.lower()
    for form in FORMATS:
        if suffix in form.suffixes and form.dtypes:
            return form
    known = ", ".join(form.suffixes[0] for form in FORMATS if form.dtypes)
    if any(suffix in form.suffixes for form in FORMATS):
        raise FileProblem(f"restora reads {suffix} files but does not write them: choose one of {known}")
    raise FileProblem(f"the suffix {suffix!r} stands for no format restora writes: choose one of {known}")


def format_named(name: str) -> Format:
    """The format of that name, in any case.

    Raises:
        UnknownName: there is none that restora writes.
    """
    writable = {form.name: form for form in FORMATS if form.dtypes}
    if name.upper() not in writable:
        raise UnknownName.among("image format", name, list(writable))
    return writable[name.upper()]


def is_raw_name(path: PurePath | None) -> bool:
    """Whether the suffix of a file name is that of a camera's raw files, many of which begin as TIFF files do."""
    return path is not None and any(path.suffix.lower() in form.suffixes for form in FORMATS if form.name == "RAW")
