"""The command that shows the table of contents: methods."""

from dataclasses import dataclass
from typing import Annotated

import typer

from restora import catalog
from restora.cli.command import Command
from restora.cli.options import JsonLines, find_method, methods_for
from restora.cli.reporter import print_json, print_table
from restora.core.errors import UnknownName


def _tasks(incomplete: str) -> list[str]:
    return [task for task in _all_tasks() if task.startswith(incomplete)]


def _families(incomplete: str) -> list[str]:
    return [family for family in _all_families() if family.startswith(incomplete)]


@dataclass(frozen=True, kw_only=True, slots=True)
class Methods(Command):
    """List the methods, or show one with its parameters.

    Examples:
      restora methods
      restora methods --task deblur
      restora methods nlm
    """

    name: Annotated[
        str | None,
        typer.Argument(
            metavar="[NAME]", help="Show one: its parameters, paper, what it solves.", autocompletion=methods_for
        ),
    ] = None
    task: Annotated[
        str | None, typer.Option("--task", "-t", metavar="TASK", help="Only those for it.", autocompletion=_tasks)
    ] = None
    family: Annotated[
        str | None, typer.Option("--family", "-f", metavar="FAMILY", help="Only those of it.", autocompletion=_families)
    ] = None
    json: JsonLines = False

    def run(self) -> int:
        _require("task", self.task, _all_tasks())
        _require("family", self.family, _all_families())
        if self.name is not None:
            return _show(find_method(self.name), self.json)
        entries = catalog.entries(task=self.task, family=self.family)
        if self.json:
            for entry in entries:
                print_json(_row(entry))
        else:
            rows = [(entry.name, entry.family, ", ".join(entry.tasks), entry.summary) for entry in entries]
            print_table(("name", "family", "tasks", "summary"), ("<18", "<16", "<60", ""), rows)
        return 0


def _all_tasks() -> list[str]:
    return list(dict.fromkeys(task for entry in catalog.entries() for task in entry.tasks))


def _all_families() -> list[str]:
    return list(dict.fromkeys(entry.family for entry in catalog.entries()))


def _require(kind: str, name: str | None, known: list[str]) -> None:
    if name is not None and name not in known:
        raise UnknownName.among(kind, name, known)


def _row(entry: catalog.Entry) -> dict[str, object]:
    return {"name": entry.name, "family": entry.family, "tasks": list(entry.tasks), "summary": entry.summary}


def _show(entry: catalog.Entry, json: bool) -> int:
    from restora.cli.profile import profile_of

    profile = profile_of(entry)
    if json:
        print_json({**_row(entry), **profile.as_dict()})
        return 0
    print(f"{entry.name}: {entry.summary}\n")
    for label, value in profile.facts.items():
        print(f"  {label:<12}  {value}")
    print("\nparameters (-p NAME=VALUE)\n" if profile.parameters else "\nit has no parameters")
    for parameter in profile.parameters:
        print(f"  {parameter.name}: {parameter.type} = {parameter.default}")
        if parameter.meaning:
            print(f"      {parameter.meaning}")
    return 0
