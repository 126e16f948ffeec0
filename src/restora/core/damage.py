"""What decoders raise for damaged files, apart from mistakes of our own: only the call of a decoder is guarded."""

import tokenize
import zipfile
import zlib
from collections.abc import Generator
from contextlib import contextmanager

from restora.core.errors import FileProblem, RestoraError

ZIP_ERRORS = (OSError, ValueError, EOFError, RuntimeError, zipfile.BadZipFile, zlib.error)
"""What ``zipfile`` raises for damaged archives; RuntimeError is that of encryption and of unknown compressions."""

NUMPY_ERRORS = (*ZIP_ERRORS, tokenize.TokenError)  # the header of an array is read as Python is
"""What ``numpy.load`` raises for damaged files."""


@contextmanager
def damage(*errors: type[Exception], what: object = "the file") -> Generator[None, None, None]:
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
