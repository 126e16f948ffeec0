"""What decoders raise for damaged files, told from mistakes of our own: only the call of a decoder is guarded."""

from collections.abc import Iterator
from contextlib import contextmanager

from restora.core.errors import FileProblem


@contextmanager
def damage(*errors: type[Exception]) -> Iterator[None]:
    """Take ``errors`` of the decoder inside as signs that the file is damaged.

    Raises:
        FileProblem: one of them was raised.
    """
    try:
        yield
    except errors as error:
        reason = str(error).strip().partition("\n")[0] or type(error).__name__
        raise FileProblem(f"the file is damaged or cut short ({reason})") from error
