"""The command for the weights of networks: weights list, info, where, verify, fetch."""

import json as json_lines
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from restora import catalog
from restora.cli.options import Quiet, examples, help_of, weights_for
from restora.cli.talk import Talk
from restora.core.errors import MissingWeights, UnknownName

if TYPE_CHECKING:
    from restora.weights.identify import Identified
    from restora.weights.public import Public
    from restora.weights.record import Record
    from restora.weights.store import Stored

Json = Annotated[bool, typer.Option("--json", help="As JSON, an object a line.")]

_MIB = 1 << 20

Row = Mapping[str, object]


def public_for(incomplete: str) -> list[str]:
    """Completion: the names of published weights."""
    from restora.weights.public import public_weights

    return [one.name for one in public_weights() if one.name.startswith(incomplete)]


Name = Annotated[str, typer.Argument(metavar="NAME|FILE", autocompletion=weights_for, show_default=False)]


def list_(json: Json = False) -> int:
    """List the weights that are here, and the published ones that can be fetched."""
    from restora.weights.public import public_weights
    from restora.weights.store import stored

    public = {one.name: one for one in public_weights()}
    here = stored()
    rows = [_row_of_stored(one, public.get(one.name)) for one in here]
    others = [one for name, one in public.items() if name not in {one.name for one in here}]
    rows += [_row_of_public(one) for one in sorted(others, key=lambda one: (one.architecture, one.name))]
    if json:
        _print_json(rows)
    else:
        _print_table(rows)
    return 0


def info(weights: Name, json: Json = False) -> int:
    """Show what is known of weights: their record, or what a file turns out to be."""
    from restora.weights.public import public_weights

    public = {one.name: one for one in public_weights()}
    try:
        facts = {**_facts(weights), **_provenance(public.get(weights))}
    except MissingWeights:
        if weights not in public:
            raise
        facts = _facts_of_public(public[weights])
    if json:
        _print_json([facts])
    else:
        _print_facts(facts)
    return 0


def where(
    weights: Annotated[
        str | None, typer.Argument(metavar="[NAME]", autocompletion=weights_for, show_default=False)
    ] = None,
    json: Json = False,
) -> int:
    """Show the file of weights; without a name, the folders in which weights lie."""
    from restora.weights.store import cache_folder, find, shipped_folder

    if weights is not None:
        facts = {"name": weights, "path": str(find(weights))}
        print(json_lines.dumps(facts, ensure_ascii=False) if json else facts["path"])
        return 0
    folders = {"shipped": str(shipped_folder()), "cached": str(cache_folder())}
    if json:
        _print_json([folders])
    else:
        for place, folder in folders.items():
            print(f"{place:<8} {folder}")
    return 0


def verify(
    weights: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[NAME]...",
            help="Without names: all that are here.",
            autocompletion=weights_for,
            show_default=False,
        ),
    ] = None,
    json: Json = False,
) -> int:
    """Compare the SHA-256 sums of weights with those they should have. The exit code is 1 where one differs."""
    from restora.weights.store import expected_sum, sha256_of, stored

    here = {one.name: one for one in stored()}
    for name in weights or []:
        if name not in here:
            raise UnknownName.among("file of weights here called", name, list(here))
    rows: list[dict[str, object]] = []
    for name in weights or here:
        expected, found = expected_sum(here[name].path), sha256_of(here[name].path)
        state = "no sum known" if not expected else "right" if found == expected else "DIFFERS"
        rows.append({"name": name, "state": state, "sha256": found, "expected": expected, "path": str(here[name].path)})
    if json:
        _print_json(rows)
    else:
        for row in rows:
            print(f"{row['state']:<13} {row['name']:<40} {row['path']}")
    return int(any(row["state"] == "DIFFERS" for row in rows))


def fetch(
    weights: Annotated[list[str], typer.Argument(metavar="NAME...", autocompletion=public_for, show_default=False)],
    json: Json = False,
    quiet: Quiet = False,
) -> int:
    """Bring published weights into the cache; the licence of their authors is shown. An interrupted fetch goes on.

    Nothing is ever fetched unasked.
    """
    from restora.weights.fetch import fetch as fetch_weights
    from restora.weights.public import find_public

    talk = Talk(json, quiet)
    for one in [find_public(name) for name in weights]:
        talk.say(f"{one.name}: {one.task}; of {one.source}, licence: {one.licence}")
        with talk.progress(one.name) as progress:
            fetched = fetch_weights(one, progress)
        talk.say(
            f"  {_sum_sentence(fetched.checked)}\n  {'here already' if fetched.already else 'saved'}: {fetched.path}"
        )
        if json:
            facts = {"path": str(fetched.path), "sha256": fetched.sha256, "checked": fetched.checked}
            _print_json([{**_row_of_public(one), **facts, "already": fetched.already, "where": "cached"}])
    return 0


def add_to(app: typer.Typer) -> None:
    """Put the command into the app."""
    group = typer.Typer(
        help="List, check and fetch the weights of networks. Without a command: list.",
        epilog=examples(
            "restora weights list",
            "restora weights info dncnn_25",
            "restora weights fetch dncnn_25",
            "restora denoise scan.png --weights dncnn_25",
        ),
    )
    commands: dict[str, Callable[..., int]] = {"list": list_, "info": info, "where": where}
    for name, command in {**commands, "verify": verify, "fetch": fetch}.items():
        group.command(name, help=help_of(command), epilog=examples(_EXAMPLES[name]))(command)
    app.add_typer(group, name="weights", rich_help_panel="Know")


_EXAMPLES = {
    "list": "restora weights list --json",
    "info": "restora weights info model.pth",
    "where": "restora weights where",
    "verify": "restora weights verify",
    "fetch": "restora weights fetch drunet_color",
}


def _row_of_stored(stored: "Stored", public: "Public | None") -> Row:
    record = stored.record
    return {
        "name": stored.name,
        "architecture": record.architecture if record else public.architecture if public else "",
        "task": (record.purpose or record.task) if record else public.task if public else "",
        "bytes": stored.path.stat().st_size,
        "where": stored.place,
        "licence": record.licence if record else public.licence if public else "",
    }


def _row_of_public(public: "Public") -> Row:
    row = {"name": public.name, "architecture": public.architecture, "task": public.task, "bytes": public.bytes}
    return {**row, "where": "public", "licence": public.licence}


def _facts(weights: str) -> Row:
    """What there is to say of a file that is here."""
    from restora.nets.architectures import architectures
    from restora.weights.identify import identify, record_of
    from restora.weights.store import find, sha256_of

    path = find(weights)
    record = record_of(path)
    facts: dict[str, object] = {"name": path.stem}
    if record is None or record.architecture in architectures():
        facts |= _facts_of_network(identify(weights))
    facts |= {"path": str(path), "bytes": path.stat().st_size, "sha256": sha256_of(path)}
    return facts if record is None else {**facts, **_facts_of_record(record)}


def _facts_of_network(identified: "Identified") -> Row:
    from restora.nets.network import parameter_count
    from restora.weights.load import network_of

    found = identified.found
    entry = catalog.running(found.architecture)
    return {
        "architecture": found.architecture,
        "fields": dict(found.fields),
        "parameters": parameter_count(network_of(identified)),
        "method": "" if entry is None else entry.name,
        "layout": found.layout,
    }


def _facts_of_record(record: "Record") -> Row:
    from dataclasses import asdict

    known = asdict(record)
    names = ("architecture", "fields", "task", "channels", "recipe", "trained", "terms", "licence")
    return {key: known[key] for key in (*names, "data", "validation", "measured")}


def _provenance(public: "Public | None") -> Row:
    """Whose weights they are, of those that were fetched."""
    return {} if public is None else {"task": public.task, "licence": public.licence, "source": public.source}


def _facts_of_public(public: "Public") -> Row:
    facts = {**_row_of_public(public), "url": public.url, "source": public.source, "sha256": public.sha256}
    return {**facts, "where": f"public: `restora weights fetch {public.name}` brings it"}


def _print_json(rows: Sequence[Row]) -> None:
    for row in rows:
        print(json_lines.dumps(row, ensure_ascii=False), flush=True)


def _print_facts(facts: Row) -> None:
    for label, value in facts.items():
        words = _size(value) if label == "bytes" else _words(value)
        print(f"{label:<13} {words or 'not told'}")


def _words(value: object) -> str:
    """A field, a table of them, the folders of the data, or the metrics of each protocol."""
    if isinstance(value, float):
        return f"{value:.6g}"
    if isinstance(value, Mapping):
        return ", ".join(f"{key} {_words(inner)}" for key, inner in value.items())
    if isinstance(value, tuple | list):
        return "; ".join(_words(inner) for inner in value)
    return str(value)


def _print_table(rows: Sequence[Row]) -> None:
    """Wrapped to a terminal; a line a row where something else reads it."""
    from rich.console import Console
    from rich.table import Table

    cells = [tuple(str(row[key]) for key in ("name", "architecture", "task")) for row in rows]
    ends = [(_size(row["bytes"]), str(row["where"])) for row in rows]
    if not sys.stdout.isatty():
        for (name, architecture, task), (size, place) in zip(cells, ends):
            print(f"{name:<48} {architecture:<10} {task:<64} {size:>10} {place}")
        return
    table = Table("name", "architecture", "task", "size", "where", box=None, header_style="bold", pad_edge=False)
    for (name, architecture, task), (size, place) in zip(cells, ends):
        table.add_row(f"[cyan]{name}[/]", architecture, task, size, place)
    Console().print(table)


def _size(count: object) -> str:
    return f"{count / _MIB:.2f} MiB" if isinstance(count, int) and count else ""


def _sum_sentence(checked: bool) -> str:
    if checked:
        return "its SHA-256 sum is right"
    return "no SHA-256 sum was known of it; the one it came with is recorded and holds from now on"
