"""The run-time type checker of the test run: beartype, with an int accepted where a float is annotated (PEP 484)."""

from collections.abc import Callable
from typing import Any

from beartype import BeartypeConf, beartype


def check(function: Callable[..., Any]) -> Callable[..., Any]:
    return beartype(function, conf=BeartypeConf(is_pep484_tower=True))
