"""Progress: the one way in which long work tells how far it is."""

from typing import Protocol, runtime_checkable


@runtime_checkable
class Progress(Protocol):
    """Called after each step of long work.

    ``done`` counts finished steps of ``total``; ``note`` is a short remark such as ``"duality gap 1.2e-4"``. To cancel,
    raise from inside (``KeyboardInterrupt`` does): methods hold no state that a break could harm.
    """

    def __call__(self, done: int, total: int, note: str = "") -> None: ...


def silent(done: int, total: int, note: str = "") -> None:
    """The progress that says nothing; methods use it where ``progress=None``."""
