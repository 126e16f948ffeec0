"""Commands that only look: inspect, compare."""

import json as json_lines
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import typer

from restora.cli.inputs import Source, find_pictures
from restora.cli.options import Pictures, Recursive, add_command
from restora.cli.talk import Talk
from restora.core.errors import RestoraError

PANEL = "Measure"

JsonObject = Annotated[bool, typer.Option("--json", help="One JSON object a line, and nothing else.")]


def inspect(pictures: Pictures, recursive: Recursive = False, json: JsonObject = False) -> int:
    """Tell what a file holds, and what the estimators see in it: noise, JPEG compression, blur, enlargement."""
    found = find_pictures(pictures, recursive=recursive)
    failures = list(found.unreadable)
    talk = Talk(json=json)
    for source in found.sources:
        try:
            _inspect_one(source, json)
        except RestoraError as error:
            talk.failed(str(source), error)
            if not found.is_batch:
                raise
            failures.append(str(error))
    for sentence in failures:
        talk.warn(sentence)
    return 1 if failures else 0


def compare(
    first: Annotated[Path, typer.Argument(metavar="A", help="A picture.", show_default=False)],
    second: Annotated[Path, typer.Argument(metavar="B", help="The reference.", show_default=False)],
    border: Annotated[int, typer.Option("--border", "-b", min=0, help="Pixels left out on each side.")] = 0,
    json: JsonObject = False,
) -> int:
    """Measure how far one picture is from another: PSNR, SSIM, and the largest difference.

    PSNR and SSIM are those of all channels and, in colour, of MATLAB's luma (y). Both pictures are taken to [0, 1] by
    their own depth, so that 8 and 16 bits compare; the difference is in levels of 0..255.
    """
    from restora.cli.figures import compared

    figures = compared(first, second, border)
    if json:
        print(json_lines.dumps({"a": str(first), "b": str(second), "border": border, **figures}))
    else:
        _print_rows({name.replace("_", " "): f"{value:.4f}" for name, value in figures.items()})
    return 0


def add_to(app: typer.Typer) -> None:
    """Put the commands into the app."""
    add_command(
        app,
        inspect,
        PANEL,
        (
            "restora inspect photo.jpg",
            "restora inspect -r scans --json",
        ),
    )
    add_command(app, compare, PANEL, ("restora compare restored.png truth.png --border 4",))


def _inspect_one(source: Source, json: bool) -> None:
    from restora.cli.figures import facts_of, seen_in
    from restora.images.read import read_picture

    picture = read_picture(source.content())
    facts, seen = facts_of(picture), seen_in(picture)
    if json:
        line = {"input": str(source), **facts, **seen.figures, "sentences": list(seen.sentences)}
        print(json_lines.dumps(line, ensure_ascii=False), flush=True)
        return
    print(source)
    _print_rows({name: _written(value) for name, value in facts.items()}, indent="  ")
    for sentence in seen.sentences:
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
