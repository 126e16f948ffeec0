"""Outputs: where each picture goes, settled and checked before the first is read."""

import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePath

from restora.cli.inputs import STANDARD, Source
from restora.core.errors import FileProblem, InvalidInput
from restora.images.formats import FORMATS, format_of_name

_LOSSY = (".jpg", ".jpeg", ".jpe", ".jfif", ".webp", ".heic", ".heif", ".hif", ".avif")


@dataclass(frozen=True, slots=True)
class Naming:
    """How outputs are called where no file is named.

    Attributes:
        tag: what stands before the suffix beside the input: ``photo.restored.jpg``.
        lossless: formats that lose something are replaced by PNG.
        suffix_of_all: the suffix of every output; None keeps that of the input.
    """

    tag: str = "restored"
    lossless: bool = False
    suffix_of_all: str | None = None

    def suffix(self, name: PurePath) -> str:
        """The suffix of the output for an input of that name: its own, if restora writes such files."""
        suffix = self.suffix_of_all or name.suffix
        if self.lossless and suffix.lower() in _LOSSY:
            return ".png"
        form = next((form for form in FORMATS if suffix.lower() in form.suffixes), None)
        if form is None or form.dtypes:
            return suffix if form is not None else ".png"
        return ".tif" if form.name == "RAW" else ".png"

    def beside(self, path: Path) -> Path:
        """The output beside an input."""
        return path.with_name(f"{path.stem}.{self.tag}{self.suffix(path)}")

    def within(self, folder: Path, inside: Path) -> Path:
        """The output in a folder of outputs."""
        return folder / inside.with_suffix(self.suffix(inside))


def is_standard(output: str | None, sources: Sequence[Source]) -> bool:
    """Whether the picture goes to standard output: asked for, or because it comes from standard input."""
    return output == STANDARD or (output is None and any(source.path is None for source in sources))


def is_folder(output: str) -> bool:
    """Whether ``-o`` names a folder: one that is there, or a name that ends with a slash or has no suffix."""
    return output.endswith(("/", os.sep)) or os.path.isdir(output) or not Path(output).suffix


def targets(sources: Sequence[Source], output: str | None, naming: Naming) -> list[Path | None]:
    """The file of each source; None is standard output.

    Raises:
        InvalidInput: several pictures would go to one file or to standard output.
        FileProblem: the file has a suffix restora does not write, or its folder is not there or may not be written; or
            standard output is a terminal.
    """
    if is_standard(output, sources):
        return [_standard(sources)]
    if output is not None and not is_folder(output):
        return [_single(sources, Path(output))]
    paths: list[Path | None] = [_place(source, output, naming) for source in sources]
    _refuse_clashes(sources, paths)
    return paths


def make_folder(folder: Path) -> None:
    """Make the folder of an output, with those above it.

    Raises:
        FileProblem: the system does not let it be made.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise FileProblem(f"the folder {folder} cannot be made: {(error.strerror or str(error)).lower()}") from error


def _place(source: Source, output: str | None, naming: Naming) -> Path:
    if output is not None:
        return naming.within(Path(output), source.inside)
    if source.path is None:
        raise InvalidInput("standard input has no folder beside it: say with -o where its picture goes")
    return naming.beside(source.path)


def _standard(sources: Sequence[Source]) -> None:
    if len(sources) > 1:
        raise InvalidInput(f"standard output takes one picture, not {len(sources)}: give a folder with -o")
    if sys.stdout.isatty():
        raise FileProblem("a picture is not written to a terminal: give -o FILE, or send it to a file with >")


def _single(sources: Sequence[Source], path: Path) -> Path:
    if len(sources) > 1:
        raise InvalidInput(
            f"{path} has a suffix, so it is one file, but there are {len(sources)} pictures: give a folder"
        )
    try:
        format_of_name(path)
    except FileProblem as problem:
        raise FileProblem(f"{path} cannot be written: {problem}") from problem
    folder = path.parent
    if not os.path.isdir(folder):
        raise FileProblem(f"{path} cannot be written: there is no folder {folder}")
    if not os.access(folder, os.W_OK):
        raise FileProblem(f"{path} cannot be written: you may not write into {folder}")
    return path


def _refuse_clashes(sources: Sequence[Source], paths: Sequence[Path | None]) -> None:
    seen: dict[Path | None, Source] = {}
    for source, path in zip(sources, paths):
        if path in seen:
            raise InvalidInput(f"{seen[path]} and {source} would both become {path}: give them one after the other")
        seen[path] = source
