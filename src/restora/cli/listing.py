"""The command that shows the table of contents: methods."""

import json as json_lines
import sys
from typing import Annotated

import typer

from restora import catalog
from restora.cli.options import add_command, find_method, methods_for
from restora.core.errors import UnknownName


def _tasks(incomplete: str) -> list[str]:
    return [task for task in _all_tasks() if task.startswith(incomplete)]


def _families(incomplete: str) -> list[str]:
    return [family for family in _all_families() if family.startswith(incomplete)]


def methods(
    name: Annotated[
        str | None,
        typer.Argument(
            metavar="[NAME]", help="Show one: its parameters, paper, what it solves.", autocompletion=methods_for
        ),
    ] = None,
    task: Annotated[
        str | None,
        typer.Option("--task", "-t", metavar="TASK", help="Only those for it.", autocompletion=_tasks),
    ] = None,
    family: Annotated[
        str | None,
        typer.Option("--family", "-f", metavar="FAMILY", help="Only those of it.", autocompletion=_families),
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False,
) -> int:
    """List the methods, or show one with its parameters."""
    _require("task", task, _all_tasks())
    _require("family", family, _all_families())
    if name is not None:
        return _show(find_method(name), json)
    entries = catalog.entries(task=task, family=family)
    if json:
        for entry in entries:
            print(json_lines.dumps(_row(entry), ensure_ascii=False))
    else:
        _print_table(entries)
    return 0


def add_to(app: typer.Typer) -> None:
    """Put the command into the app."""
    add_command(
        app,
        methods,
        "Know",
        (
            "restora methods",
            "restora methods --task deblur",
            "restora methods nlm",
        ),
    )


def _all_tasks() -> list[str]:
    return list(dict.fromkeys(task for entry in catalog.entries() for task in entry.tasks))


def _all_families() -> list[str]:
    return list(dict.fromkeys(entry.family for entry in catalog.entries()))


def _require(kind: str, name: str | None, known: list[str]) -> None:
    if name is not None and name not in known:
        raise UnknownName.among(kind, name, known)


def _row(entry: catalog.Entry) -> dict[str, object]:
    return {"name": entry.name, "family": entry.family, "tasks": list(entry.tasks), "summary": entry.summary}


def _print_table(entries: tuple[catalog.Entry, ...]) -> None:
    """Wrapped to a terminal; a line a method where something else reads it."""
    from rich.console import Console
    from rich.table import Table

    if not sys.stdout.isatty():
        for entry in entries:
            print(f"{entry.name:<18} {entry.family:<16} {','.join(entry.tasks):<60} {entry.summary}")
        return
    table = Table("name", "family", "tasks", "summary", box=None, header_style="bold", pad_edge=False)
    for entry in entries:
        table.add_row(f"[cyan]{entry.name}[/]", entry.family, ", ".join(entry.tasks), entry.summary)
    Console().print(table)


def _show(entry: catalog.Entry, json: bool) -> int:
    from restora.cli.profile import profile_of

    profile = profile_of(entry)
    if json:
        print(json_lines.dumps({**_row(entry), **profile.as_dict()}, ensure_ascii=False))
        return 0
    print(f"{entry.name}: {entry.summary}\n")
    for label, value in profile.facts.items():
        print(f"  {label:<12}  {value}")
    print("\nparameters (-p NAME=VALUE)\n" if profile.parameters else "\nit has no parameters")
    for parameter in profile.parameters:
        print(f"  {parameter.name}: {parameter.type} = {parameter.default}")
        print(f"      {parameter.meaning}" if parameter.meaning else "", end="\n" if parameter.meaning else "")
    return 0
