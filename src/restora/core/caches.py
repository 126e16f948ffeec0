"""Caches: the folder of the user's cache in which files that can be made again are kept."""

import os
from pathlib import Path


def user_cache() -> Path:
    """The folder ``restora`` in XDG_CACHE_HOME, else in ``~/.cache``; it need not exist.

    Raises:
        RuntimeError: the home folder of the user is unknown.
    """
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base).expanduser() if base else Path.home() / ".cache") / "restora"
