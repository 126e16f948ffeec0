"""Command that compares methods as the challenges do: challenge."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from restora.cli.command import Command
from restora.cli.options import Data, Device, JsonLines, Quiet, methods_from, words_of
from restora.cli.reporter import Reporter, print_json
from restora.core.errors import InvalidParameter

if TYPE_CHECKING:
    from restora.evaluation.measurements import Row

WORDS = 2
"""The first columns of a table are words."""


@dataclass(frozen=True, kw_only=True, slots=True)
class MeasuringCommand(Command):
    """A command that measures methods on image sets."""

    methods: Annotated[
        str | None,
        typer.Option(
            "--methods",
            "-m",
            metavar="NAME,NAME",
            help="Names, or PACKAGE.MODULE:CLASS. Without it, bench measures all for the suite.",
        ),
    ] = None
    weights: Annotated[
        str | None,
        typer.Option(
            "--weights",
            "-w",
            metavar="NAME,FILE",
            help="Weights of networks, run by the methods named, else by the method of each; they are METHOD[NAME].",
        ),
    ] = None
    sets: Annotated[
        str | None,
        typer.Option(
            "--sets", metavar="NAME|FOLDER,…", help="Image sets, or folders of your own. Without it: all sets."
        ),
    ] = None
    limit: Annotated[int | None, typer.Option("--limit", min=1, help="Only so many images of each set.")] = None
    data: Data = None
    device: Device = "cpu"
    json: JsonLines = False
    quiet: Quiet = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Challenge(MeasuringCommand):
    """Score methods as the challenges on efficient restoration do: quality, size, work, time and memory in one table.

    All is measured anew, the methods in turns, so that times can be compared.

    Examples:
      restora challenge
      restora challenge ntire-esr -m bicubic,srresnet,espcn --baseline srresnet
      restora challenge ntire-esr -m bicubic,srresnet -w mine.pth --sets path/to/DIV2K_LSDIR_valid_HR
      restora challenge ntire-denoise50 -m ffdnet,drunet,cbm3d --sets Kodak24
    """

    name: Annotated[str | None, typer.Argument(metavar="[NAME]", help="Without it the challenges are listed.")] = None
    baseline: Annotated[
        str | None,
        typer.Option(
            "--baseline",
            metavar="NAME",
            help="The scores are relative to it. Without it: the first that has a network.",
        ),
    ] = None
    out: Annotated[
        Path | None,
        typer.Option("--out", "-o", metavar="FILE", help="The table as CSV. Without it: it is only printed."),
    ] = None

    def run(self) -> int:
        import torch

        from restora.cli.execution import require_device
        from restora.evaluation import efficiency
        from restora.evaluation.sets import data_folder

        if self.name is None:
            print("\n".join(efficiency.CHALLENGES))
            return 0
        protocols = efficiency.protocols_of(self.name, words_of(self.sets))
        root = data_folder(self.data, [protocol.images for protocol in protocols])
        device = torch.device(require_device(self.device))
        named = efficiency.candidates_of(methods_from(self.methods), words_of(self.weights), device)
        if not named:
            raise InvalidParameter(
                "nothing to compare: name methods with -m or weights with -w, as in -m bicubic,srresnet"
            )
        reporter = Reporter(self.json, self.quiet)
        candidates = [efficiency.counted(one, protocols[0]) for one in named]
        chosen = efficiency.baseline_of({one.name: one.complexity for one in candidates}, self.baseline)
        with reporter.progress(self.name) as progress:
            entries = [
                entry
                for protocol in protocols
                for entry in efficiency.measure(protocol, candidates, root, device, self.limit, progress)
            ]
        lines = efficiency.table(entries, chosen if self.name == efficiency.SCORED else None)
        print_scores(reporter, self.name, lines)
        if self.out is not None:
            efficiency.write_table(self.out, lines, device)
            reporter.say(f"written: {self.out}")
        return 0


def print_challenge(reporter: Reporter, name: str, rows: Sequence["Row"], weights: Sequence[str], device: str) -> None:
    """Print the rows of ``restora bench`` as the table of the challenge of that name.

    Each method is run once more, on the picture its multiply-adds are counted for.
    """
    import torch

    from restora.evaluation import efficiency
    from restora.evaluation.configurations import method_of

    shown = {row.method for row in rows}
    methods = tuple(dict.fromkeys(method_of(row.method) for row in rows))
    (protocol, *_) = efficiency.protocols_of(name)
    complexities = {
        one.name: efficiency.counted(one, protocol).complexity
        for one in efficiency.candidates_of(methods, weights, torch.device(device))
        if one.name in shown
    }
    entries = list(efficiency.lines_of(rows, complexities))
    baseline = efficiency.baseline_of(complexities) if name == efficiency.SCORED else None
    print_scores(reporter, name, efficiency.table(entries, baseline))


def print_scores(reporter: Reporter, name: str, lines: Sequence[Sequence[str]]) -> None:
    """Print the table of a challenge without its empty columns, words to the left, and published baselines beneath."""
    from restora.evaluation.efficiency import COLUMNS, SCORED, references

    lines = [*lines, *references()] if name == SCORED else lines
    if reporter.json:
        for line in lines:
            print_json({key: _read(word) for key, word in zip(COLUMNS, line)})
        return
    shown = [i for i in range(len(COLUMNS)) if any(line[i] for line in lines)]
    widths = {i: max(len(line[i]) for line in (COLUMNS, *lines)) for i in shown}
    for line in (COLUMNS, *lines):
        words = [line[i].ljust(widths[i]) if i < WORDS else line[i].rjust(widths[i]) for i in shown]
        reporter.say("  ".join(words).rstrip())


def _read(word: str) -> str | float | None:
    """A cell for JSON."""
    try:
        return float(word) if word else None
    except ValueError:
        return word
