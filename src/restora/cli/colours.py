"""Colours by name or as ``#rrggbb``."""

import re

from restora.core.errors import UnknownName

_COLOURS = {
    "white": (1.0, 1.0, 1.0),
    "black": (0.0, 0.0, 0.0),
    "red": (1.0, 0.0, 0.0),
    "green": (0.0, 1.0, 0.0),
    "blue": (0.0, 0.0, 1.0),
    "magenta": (1.0, 0.0, 1.0),
}


def colour_from(text: str) -> tuple[float, float, float]:
    """A colour in [0, 1] from its name or ``#rrggbb``.

    Raises:
        UnknownName: no such colour.
    """
    match = re.fullmatch(r"#?([0-9a-fA-F]{2})([0-9a-fA-F]{2})([0-9a-fA-F]{2})", text)
    if match:
        red, green, blue = (int(pair, 16) / 255 for pair in match.groups())
        return red, green, blue
    if text.lower() not in _COLOURS:
        raise UnknownName.among("colour", text, ["alpha", "#rrggbb", *_COLOURS])
    return _COLOURS[text.lower()]
