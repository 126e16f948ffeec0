"""Optional packages of the extra ``io``, imported when they are first needed."""

from importlib import import_module
from typing import Any

from restora.core.errors import MissingDependency


def optional_module(name: str, purpose: str) -> Any:
    """The module, or the sentence that says how to install it.

    Raises:
        MissingDependency: it is not installed.
    """
    try:
        return import_module(name)
    except ImportError as error:
        raise MissingDependency(f'{purpose} needs the package {name}: pip install "restora[io]"') from error
