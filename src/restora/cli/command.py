"""Command: a command line, parsed; its fields are the options, and its docstring is the help."""

import inspect
from abc import ABC, abstractmethod
from dataclasses import dataclass

import typer

from restora.cli.options import Json, Output, Overwrite, Pictures, Quiet, Recursive, Seed, SkipExisting


@dataclass(frozen=True, kw_only=True, slots=True)
class Command(ABC):
    """A command of the class's name in lower case. Typer makes it from the words of the command line.

    The fields are its options, in the order of ``--help``; those of base classes come first. The docstring is the
    help, and what stands below ``Examples:`` its last lines.
    """

    @abstractmethod
    def run(self) -> int:
        """Carry it out and return the exit code."""


@dataclass(frozen=True, kw_only=True, slots=True)
class FilesCommand(Command):
    """A command that makes a picture of each of the pictures."""

    pictures: Pictures
    output: Output = None
    recursive: Recursive = False
    overwrite: Overwrite = False
    skip_existing: SkipExisting = False
    seed: Seed = 0
    json: Json = False
    quiet: Quiet = False


def add_commands(app: typer.Typer, panel: str | None, *commands: type[Command]) -> None:
    """Put commands into a panel of the app: their docstrings are the help, a line a paragraph, then the examples."""
    for command in commands:
        text, _, lines = inspect.cleandoc(command.__doc__ or "").partition("\n\nExamples:\n")
        paragraphs = [" ".join(paragraph.split()) for paragraph in text.split("\n\n")]
        register = app.command(
            command.__name__.lower(), help="\n\n".join(paragraphs), epilog="Examples:\n" + lines, rich_help_panel=panel
        )
        register(command)
