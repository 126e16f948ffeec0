"""OpenEXR, through the package of that name (extra ``io``): every compression, half or float, colours times opacity.

Files of one flat image with the channels R, G, B or Y, with or without A, are read. Layers, several parts, deep data,
integer and subsampled channels are refused, since they would be lost. Tiles are written as scan lines, and without
the reduced copies that may lie beside them; compressions that lose precision become ZIP.
"""

import io
from collections.abc import Mapping
from contextlib import redirect_stdout
from typing import Any

import numpy as np

from restora.core.errors import FileProblem
from restora.images.limits import PixelLimit
from restora.images.metadata import ExrEncoding, Metadata
from restora.images.optional import optional_module
from restora.images.picture import Picture, Samples, joined_alpha, kind_of, split_alpha

_ORDERS = ("Y", "YA", "RGB", "RGBA")
_WINDOWS = ("dataWindow", "displayWindow")
_OWN = frozenset({"channels", "compression", "lineOrder", "type", "tiles", "chunkCount", "name"})
"""Attributes that say how the file is laid out, and are made anew."""

_ZIP, _PXR24 = 3, 5
_LOSSLESS = frozenset({0, 1, 2, _ZIP, 4})  # none, RLE, ZIPS, ZIP, PIZ


def decode(data: bytes, limit: PixelLimit) -> Picture:
    """The picture in the bytes of an OpenEXR file.

    Raises:
        FileProblem: it is damaged, cut short, larger than the limit, or of a kind that is not read.
        MissingDependency: the package OpenEXR is not installed.
    """
    header, _ = _read(data, header_only=True)
    (x0, y0), (x1, y1) = header["dataWindow"]
    limit.check(int(y1) - int(y0) + 1, int(x1) - int(x0) + 1, len(data))
    channels: dict[str, tuple[int, int]] = header["channels"]
    order = next((order for order in _ORDERS if set(order) == set(channels)), None)
    if order is None:
        names = ", ".join(channels)
        raise FileProblem(f"it holds the channels {names}: restora reads R, G, B or Y, with or without A")
    if any(sampling != (1, 1) for sampling in channels.values()):
        raise FileProblem("its channels are subsampled: save it with channels of one size first")
    _, planes = _read(data, header_only=False)
    if any(plane.dtype.kind != "f" for plane in planes.values()):
        raise FileProblem("its channels are integers: save it with half or float channels first")
    # The samples are float32 if any channel is, else half.
    pixels, alpha = split_alpha(np.stack([planes[letter] for letter in order], axis=2), "A" in order)
    attributes = {name: value for name, value in header.items() if name not in _OWN}
    encoding = ExrEncoding(int(header["compression"]), attributes)
    metadata = Metadata(premultiplied=alpha is not None, encoding=encoding)
    return Picture(pixels, alpha, kind_of(pixels.shape[2]), "EXR", metadata)


def encode(picture: Picture) -> bytes:
    """The bytes of an OpenEXR file that holds the picture (float16 or float32; gray or RGB; alpha premultiplied).

    Raises:
        MissingDependency: the package OpenEXR is not installed.
    """
    exr = optional_module("OpenEXR", "the format OpenEXR")
    encoding = picture.metadata.encoding if isinstance(picture.metadata.encoding, ExrEncoding) else ExrEncoding()
    letters = ("Y" if picture.pixels.shape[2] == 1 else "RGB") + ("" if picture.alpha is None else "A")
    planes = dict(zip(letters, np.moveaxis(joined_alpha(picture), 2, 0)))
    kept = encoding.compression in _LOSSLESS or (
        encoding.compression == _PXR24 and picture.pixels.dtype == np.float16  # which cuts only float
    )
    header = {
        **_attributes(picture, encoding.attributes),
        "type": exr.scanlineimage,
        "compression": exr.Compression(encoding.compression if kept else _ZIP),
    }
    stream = io.BytesIO()
    exr.File(header, {name: np.ascontiguousarray(plane) for name, plane in planes.items()}).write(stream)
    return stream.getvalue()


def _read(data: bytes, *, header_only: bool) -> tuple[dict[str, Any], dict[str, Samples]]:
    """The header, whose channels map to their sampling, and the samples (h, w) of each channel if they are wanted."""
    exr = optional_module("OpenEXR", "the format OpenEXR")
    try:
        with redirect_stdout(io.StringIO()):  # it also prints what it then raises
            file = exr.File(io.BytesIO(data), separate_channels=True, header_only=header_only)
        parts = file.parts
        header: dict[str, Any] = dict(file.header())
        header["channels"] = {one.name: (one.xSampling, one.ySampling) for one in header["channels"]}
    except (RuntimeError, ValueError) as error:  # ValueError: what has no readable pixels has no part
        raise FileProblem("the file is damaged or cut short: OpenEXR cannot read it") from error
    if len(parts) != 1:
        raise FileProblem(f"it is an OpenEXR file of {len(parts)} parts: save it as one flat image first")
    if header.get("type") in (exr.deepscanline, exr.deeptile):
        raise FileProblem("it is an OpenEXR file of deep data: save it as one flat image first")
    return header, {} if header_only else {name: channel.pixels for name, channel in file.channels().items()}


def _attributes(picture: Picture, attributes: Mapping[str, Any]) -> dict[str, Any]:
    """The attributes of the file, but for windows of another size."""
    (height, width), kept = picture.size, dict(attributes)
    if "dataWindow" in kept:
        first, last = (np.asarray(corner) for corner in kept["dataWindow"])
        if tuple(last - first + 1) != (width, height):
            kept |= dict.fromkeys(_WINDOWS, (np.zeros(2, np.int32), np.array([width - 1, height - 1], np.int32)))
    return kept
