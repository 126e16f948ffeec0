import pytest

from restora.cli.holes import colour_from
from restora.core.errors import UnknownName


def test_colours():
    assert colour_from("#ff8000") == (1.0, 128 / 255, 0.0)
    assert colour_from("Black") == (0.0, 0.0, 0.0)
    with pytest.raises(UnknownName, match="magenta"):
        colour_from("magnta")
