import pytest

from restora.core.damage import damage
from restora.core.errors import FileProblem, InvalidInput


def test_what_a_decoder_raises_is_damage_said_in_one_line():
    with pytest.raises(FileProblem, match=r"^a\.bin is damaged or cut short \(odd\)$"), damage(OSError, what="a.bin"):
        raise OSError("odd\nthing")
    with pytest.raises(FileProblem, match=r"\(EOFError\)"), damage(OSError, EOFError):
        raise EOFError


def test_other_errors_and_those_of_restora_pass():
    with pytest.raises(TypeError, match="ours"), damage(OSError, ValueError):
        raise TypeError("ours")
    with pytest.raises(InvalidInput, match="ours"), damage(ValueError):  # which is a ValueError
        raise InvalidInput("ours")
