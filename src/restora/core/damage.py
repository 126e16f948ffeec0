"""Errors that decoders raise for damaged files. Only the call of a decoder is guarded, not code of ours."""

import tokenize
import zipfile
import zlib
from collections.abc import Generator
from contextlib import contextmanager

from restora.core.errors import FileProblem, RestoraError

ZIP_ERRORS = (OSError, ValueError, EOFError, RuntimeError, zipfile.BadZipFile, zlib.error)
"""Exceptions that ``zipfile`` raises for damaged archives; RuntimeError: encryption and unknown compressions."""

NUMPY_ERRORS = (*ZIP_ERRORS, tokenize.TokenError)  # the header of an array is read as Python is
"""Exceptions that ``numpy.load`` raises for damaged files."""


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
