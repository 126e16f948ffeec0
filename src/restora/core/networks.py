"""Networks: the table ``networks.toml``, in which a network is registered once; readable without torch."""

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from restora.core.reading import read_toml

TABLE = Path(__file__).parents[1] / "networks.toml"
"""The methods that run a network, the architectures, and the published checkpoints of these."""


@cache
def network_table() -> Mapping[str, Any]:
    """The table as TOML gives it: ``methods`` and ``architectures``. Each room reads of it what is its own."""
    return read_toml(TABLE)
