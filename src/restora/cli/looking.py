"""Commands that only look: inspect, compare."""

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from restora.cli.command import Command
from restora.cli.inputs import Source, find_pictures
from restora.cli.options import JsonLines, Pictures, Recursive
from restora.cli.reporter import Reporter, print_json
from restora.core.errors import RestoraError


@dataclass(frozen=True, kw_only=True, slots=True)
class Inspect(Command):
    """Show what a file holds, and what the estimators see in it: noise, JPEG compression, blur, enlargement.

    Examples:
      restora inspect photo.jpg
      restora inspect -r scans --json
    """

    pictures: Pictures
    recursive: Recursive = False
    json: JsonLines = False

    def run(self) -> int:
        found = find_pictures(self.pictures, recursive=self.recursive)
        failures = list(found.unreadable)
        reporter = Reporter(json=self.json)
        for source in found.sources:
            try:
                _inspect_one(source, self.json)
            except RestoraError as error:
                reporter.failed(str(source), error)
                if not found.is_batch:
                    raise
                failures.append(str(error))
        for sentence in failures:
            reporter.warn(sentence)
        return 1 if failures else 0


@dataclass(frozen=True, kw_only=True, slots=True)
class Compare(Command):
    """Measure how far one picture is from another: PSNR, SSIM, and the largest difference.

    PSNR and SSIM are those of all channels and, in colour, of MATLAB's luma (y). Both pictures are taken to [0, 1] by
    their own depth, so that 8 and 16 bits compare; the difference is in levels of 0..255.

    Examples:
      restora compare restored.png truth.png --border 4
    """

    first: Annotated[Path, typer.Argument(metavar="A", help="A picture.")]
    second: Annotated[Path, typer.Argument(metavar="B", help="The reference.")]
    border: Annotated[int, typer.Option("--border", "-b", min=0, help="Pixels left out on each side.")] = 0
    json: JsonLines = False

    def run(self) -> int:
        from restora.cli.figures import compared

        figures = compared(self.first, self.second, self.border)
        if self.json:
            print_json({"a": str(self.first), "b": str(self.second), "border": self.border, **figures})
        else:
            _print_rows({name.replace("_", " "): f"{value:.4f}" for name, value in figures.items()})
        return 0


def _inspect_one(source: Source, json: bool) -> None:
    from restora.cli.figures import facts_of, seen_in
    from restora.images.read import read_picture

    picture = read_picture(source.content())
    facts, (figures, sentences) = facts_of(picture), seen_in(picture)
    if json:
        print_json({"input": str(source), **facts, **figures, "sentences": list(sentences)})
        return
    print(source)
    _print_rows({name: _written(value) for name, value in facts.items()}, indent="  ")
    for sentence in sentences:
        print(f"  {sentence}")
    sys.stdout.flush()


def _written(value: object) -> str:
    if value is None:
        return "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return " x ".join(map(str, value)) if isinstance(value, list) else str(value)


def _print_rows(rows: Mapping[str, str], indent: str = "") -> None:
    width = max(map(len, rows), default=0)
    for name, value in rows.items():
        print(f"{indent}{name:<{width}}  {value}")
