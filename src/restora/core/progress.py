"""Progress: how a long computation reports how much of it is done."""

from typing import Protocol, runtime_checkable


@runtime_checkable
class Progress(Protocol):
    """A function that is called after each step of a long computation.

    ``done`` counts finished steps of ``total``; ``note`` is a short remark such as ``"duality gap 1.2e-4"``. To cancel,
    raise an exception in it (``KeyboardInterrupt`` does): methods have no state that an interruption could damage.
    """

    def __call__(self, done: int, total: int, note: str = "") -> None: ...


def silent(done: int, total: int, note: str = "") -> None:
    """A progress that reports nothing; methods use it where ``progress=None``."""
