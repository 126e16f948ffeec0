"""Files that are either written whole or not at all."""

import errno
import os
import secrets
from pathlib import Path

from restora.core.errors import FileProblem


def refuse_existing(path: Path, overwrite: bool) -> None:
    """Refuse to write where something is already.

    Raises:
        FileProblem: there is a folder of that name, or a file that may not be overwritten.
    """
    if path.is_dir():
        raise FileProblem(f"{path} is a folder: give the name of a file")
    if path.exists() and not overwrite:
        raise FileProblem(f"{path} exists already: choose another name, or allow overwriting")


def write_atomically(path: Path, data: bytes, *, overwrite: bool = False) -> None:
    """Write ``data`` to a new file in the same folder, bring it to the disk, and only then give it the name ``path``.

    Whatever breaks in between (a full disk, Ctrl-C), ``path`` is what it was before, and nothing else is left behind.
    An existing file keeps its permissions; a link stays a link and what it points to is replaced.

    Raises:
        FileProblem: the file exists and may not be overwritten, or the system does not let it be written.
    """
    refuse_existing(path, overwrite)
    target = path.resolve()
    temporary = target.with_name(f".{target.name[:200]}.{secrets.token_hex(4)}.part")
    try:
        _write(temporary, data)
        if target.exists():
            refuse_existing(path, overwrite)  # it may have come up in the meantime
            temporary.chmod(target.stat().st_mode & 0o7777)
        temporary.replace(target)
    except OSError as error:
        raise FileProblem(f"{path} cannot be written: {_reason(error)}") from error
    finally:
        temporary.unlink(missing_ok=True)


def _write(path: Path, data: bytes) -> None:
    """A new file with the permissions the user's mask gives."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), 0o666)
    with open(descriptor, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def _reason(error: OSError) -> str:
    if error.errno == errno.ENOENT:
        return "there is no such folder"
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return "the disk is full"
    return (error.strerror or str(error)).lower()
