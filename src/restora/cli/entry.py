"""Entry: the console script. One line for every mistake, and an exit code that says whose it was.

0 all is well; 1 some pictures of several could not be done; 2 the caller's mistake; 130 interrupted.
"""

import io
import os
import re
import sys
from collections.abc import Sequence
from typing import cast

import typer

from restora.cli.app import app, command_names
from restora.cli.command import Command
from restora.core.errors import RestoraError, UnknownName
from restora.front.memory import keep_freed_memory

_UsageError = cast(type[Exception], typer.BadParameter.__mro__[1])
"""What typer raises for a wrong option or argument; it has no public name that holds for every version."""

_GLOBAL = ("--help", "-h", "--version", "--install-completion", "--show-completion")

INTERRUPTED = 130


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command line and return its exit code.

    Args:
        arguments: the words after ``restora``; None takes those of the process.
    """
    _speak_unicode()
    keep_freed_memory()
    words = list(sys.argv[1:] if arguments is None else arguments)
    try:
        parsed = app(args=with_command(words), prog_name="restora", standalone_mode=False)
        code = parsed.run() if isinstance(parsed, Command) else parsed  # nothing is parsed where help was asked for
        sys.stdout.flush()
    except RestoraError as error:
        return _refused(str(error))
    except _UsageError as error:
        return _refused(_usage_sentence(error))
    except (KeyboardInterrupt, typer.Abort):
        code = INTERRUPTED
    except BrokenPipeError:
        # The reader of the pipe has had enough (`restora methods | head`); nothing more can be said there.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    if code == INTERRUPTED:
        print("restora: interrupted; what was finished is kept, nothing is half-written", file=sys.stderr)
    return code or 0


def with_command(words: Sequence[str]) -> list[str]:
    """The words with the command ``auto`` in front where they begin with a picture or an option instead of a command.

    ``weights`` alone is ``weights list``, and nothing at all asks for help.

    Raises:
        UnknownName: they begin with a word that is neither a command nor anything like a file.
    """
    if not words:
        return ["--help"]
    if list(words) == ["weights"]:
        return ["weights", "list"]
    first = words[0]
    if first in command_names() or first.split("=")[0] in _GLOBAL:
        return list(words)
    if not first.startswith("-") and not _is_path_like(first):
        raise UnknownName.among("command or file", first, command_names())
    return ["auto", *words]


def _is_path_like(word: str) -> bool:
    return os.path.exists(word) or bool(re.search(r"[./\\*?\[]", word))


def _usage_sentence(error: Exception) -> str:
    """What typer has to say about a wrong call, as one line that begins in lower case."""
    text = " ".join(getattr(error, "format_message", error.__str__)().split()).rstrip(".")
    context = getattr(error, "ctx", None)
    path = context.command_path if context is not None else "restora"
    return f"{text[:1].lower()}{text[1:]}; `{path} --help` tells more"


def _refused(sentence: str) -> int:
    print("restora: " + " ".join(sentence.split()), file=sys.stderr)
    return 2


def _speak_unicode() -> None:
    """σ and × must not break on a terminal that does not know them."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")
