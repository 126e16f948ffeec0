"""What decoders raise for damaged files, told from mistakes of our own: only the call of a decoder is guarded."""

from collections.abc import Iterator
from contextlib import contextmanager

from restora.core.errors import FileProblem, RestoraError


@contextmanager
def damage(*errors: type[Exception], what: object = "the file") -> Iterator[None]:
    """Take ``errors`` of the decoder inside as signs that the file, called ``what``, is damaged.

    Raises:
        FileProblem: one of them was raised.
    """
    try:
        yield
    except errors as error:
        if isinstance(error, RestoraError):  # some of ours are ValueErrors, and say more
            raise
        reason = str(error).strip().partition("\n")[0][:200] or type(error).__name__
        raise FileProblem(f"{what} is damaged or cut short ({reason})") from error
