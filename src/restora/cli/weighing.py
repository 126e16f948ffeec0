"""The command for the weights of networks: weights list, info, where, verify, fetch."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import typer

from restora import catalog
from restora.cli.command import Command, add_commands
from restora.cli.options import JsonLines, Quiet, weights_for
from restora.cli.reporter import Reporter, print_json, print_table
from restora.core.errors import MissingWeights, UnknownName

if TYPE_CHECKING:
    from restora.weights.identify import Identified
    from restora.weights.public import Public
    from restora.weights.record import Record
    from restora.weights.store import Stored

_MIB = 1 << 20

Row = Mapping[str, object]


def public_for(incomplete: str) -> list[str]:
    """Completion: the names of published weights."""
    return [name for name in _public() if name.startswith(incomplete)]


@dataclass(frozen=True, kw_only=True, slots=True)
class List(Command):
    """List the weights that are here, and the published ones that can be fetched.

    Examples:
      restora weights list --json
    """

    json: JsonLines = False

    def run(self) -> int:
        from restora.weights.store import stored

        public, here = _public(), stored()
        rows = [_row_of_stored(one, public.get(one.name)) for one in here]
        others = [one for name, one in public.items() if name not in {one.name for one in here}]
        rows += [_row_of_public(one) for one in sorted(others, key=lambda one: (one.architecture, one.name))]
        if self.json:
            for row in rows:
                print_json(row)
        else:
            cells = [(*(str(row[key]) for key in _TOLD), _size(row["bytes"]), str(row["where"])) for row in rows]
            print_table((*_TOLD, "size", "where"), ("<48", "<10", "<64", ">10", ""), cells)
        return 0


_TOLD = ("name", "architecture", "task")


@dataclass(frozen=True, kw_only=True, slots=True)
class Info(Command):
    """Show what is known of weights: their record, or what a file turns out to be.

    Examples:
      restora weights info model.pth
    """

    weights: Annotated[str, typer.Argument(metavar="NAME|FILE", autocompletion=weights_for)]
    json: JsonLines = False

    def run(self) -> int:
        public = _public().get(self.weights)
        try:
            facts = dict(_facts(self.weights))
            if public is not None:
                facts |= {"task": public.task, "licence": public.licence, "source": public.source}
        except MissingWeights:
            if public is None:
                raise
            facts = _facts_of_public(public)
        if self.json:
            print_json(facts)
            return 0
        for label, value in facts.items():
            words = _size(value) if label == "bytes" else _words(value)
            print(f"{label:<13} {words or 'not known'}")
        return 0


@dataclass(frozen=True, kw_only=True, slots=True)
class Where(Command):
    """Show the file of weights; without a name, the folders in which weights lie.

    Examples:
      restora weights where
    """

    weights: Annotated[str | None, typer.Argument(metavar="[NAME]", autocompletion=weights_for)] = None
    json: JsonLines = False

    def run(self) -> int:
        from restora.weights.store import cache_folder, find, shipped_folder

        if self.weights is not None:
            path = str(find(self.weights))
            if self.json:
                print_json({"name": self.weights, "path": path})
            else:
                print(path)
            return 0
        folders = {"shipped": str(shipped_folder()), "cached": str(cache_folder())}
        if self.json:
            print_json(folders)
        else:
            print("\n".join(f"{place:<8} {folder}" for place, folder in folders.items()))
        return 0


@dataclass(frozen=True, kw_only=True, slots=True)
class Verify(Command):
    """Compare the SHA-256 sums of weights with those they should have. The exit code is 1 where one differs.

    Examples:
      restora weights verify
    """

    weights: Annotated[
        list[str] | None,
        typer.Argument(metavar="[NAME]...", help="Without names: all that are here.", autocompletion=weights_for),
    ] = None
    json: JsonLines = False

    def run(self) -> int:
        from restora.weights.store import expected_sum, sha256_of, stored

        here = {one.name: one.path for one in stored()}
        for name in self.weights or []:
            if name not in here:
                raise UnknownName.among("file of weights here called", name, list(here))
        differs = False
        for name in self.weights or here:
            expected, found = expected_sum(here[name]), sha256_of(here[name])
            state = "no sum known" if not expected else "right" if found == expected else "DIFFERS"
            differs |= state == "DIFFERS"
            if self.json:
                sums = {"sha256": found, "expected": expected}
                print_json({"name": name, "state": state, **sums, "path": str(here[name])})
            else:
                print(f"{state:<13} {name:<40} {here[name]}")
        return int(differs)


@dataclass(frozen=True, kw_only=True, slots=True)
class Fetch(Command):
    """Bring published weights into the cache; the licence of their authors is shown. An interrupted fetch goes on.

    Nothing is ever fetched unasked.

    Examples:
      restora weights fetch drunet_color
    """

    weights: Annotated[list[str], typer.Argument(metavar="NAME...", autocompletion=public_for)]
    json: JsonLines = False
    quiet: Quiet = False

    def run(self) -> int:
        from restora.weights.fetch import fetch
        from restora.weights.public import find_public

        reporter = Reporter(self.json, self.quiet)
        for one in [find_public(name) for name in self.weights]:
            reporter.say(f"{one.name}: {one.task}; of {one.source}, licence: {one.licence}")
            with reporter.progress(one.name) as progress:
                found = fetch(one, progress)
            unknown = "no SHA-256 sum was known of it; the one it came with is recorded and holds from now on"
            reporter.say("  " + ("its SHA-256 sum is right" if found.checked else unknown))
            reporter.say(f"  {'here already' if found.already else 'saved'}: {found.path}")
            if self.json:
                facts = {"path": str(found.path), "sha256": found.sha256, "checked": found.checked}
                print_json({**_row_of_public(one), **facts, "already": found.already, "where": "cached"})
        return 0


def weights_commands() -> typer.Typer:
    """``restora weights list`` and its siblings."""
    group = typer.Typer(
        help="List, check and fetch the weights of networks. Without a command: list.",
        epilog="Examples:\n"
        "  restora weights list\n"
        "  restora weights info dncnn_25\n"
        "  restora weights fetch dncnn_25\n"
        "  restora denoise scan.png --weights dncnn_25",
    )
    add_commands(group, None, List, Info, Where, Verify, Fetch)
    return group


def _public() -> "dict[str, Public]":
    """The published weights by name."""
    from restora.weights.public import public_weights

    return {one.name: one for one in public_weights()}


def _row_of_stored(stored: "Stored", public: "Public | None") -> Row:
    record = stored.record
    known = record or public
    return {
        "name": stored.name,
        "architecture": known.architecture if known else "",
        "task": (record and record.purpose) or (known.task if known else ""),
        "bytes": stored.path.stat().st_size,
        "where": stored.location,
        "licence": known.licence if known else "",
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


def _facts_of_public(public: "Public") -> Row:
    facts = {**_row_of_public(public), "url": public.url, "source": public.source, "sha256": public.sha256}
    return {**facts, "where": f"public: `restora weights fetch {public.name}` brings it"}


def _words(value: object) -> str:
    """A field, a table of them, the folders of the data, or the metrics of each protocol."""
    if isinstance(value, float):
        return f"{value:.6g}"
    if isinstance(value, Mapping):
        return ", ".join(f"{key} {_words(inner)}" for key, inner in value.items())
    if isinstance(value, tuple | list):
        return "; ".join(_words(inner) for inner in value)
    return str(value)


def _size(count: object) -> str:
    return f"{count / _MIB:.2f} MiB" if isinstance(count, int) and count else ""
