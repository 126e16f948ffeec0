"""Commands that measure methods: bench, report."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from restora.cli.command import Command
from restora.cli.measuring import MeasuringCommand, print_challenge
from restora.cli.options import Parameters, methods_from, numbers_of, parameters_from, words_of
from restora.cli.reporter import Reporter, print_json
from restora.core.errors import InvalidParameter

if TYPE_CHECKING:
    from restora.evaluation.measurements import Row


@dataclass(frozen=True, kw_only=True, slots=True)
class Bench(MeasuringCommand):
    """Measure methods on published protocols: ours, published, difference, a line each as they come.

    What the same code measured before, with the same weights and parameters, is not measured again, so an interrupted
    run goes on where it was.

    Examples:
      export RESTORA_DATA=/path/to/benchmark/sets
      restora bench
      restora bench denoise-gray --methods nlm,tv --sets Set12 --sigma 15,25,50
      restora bench denoise-gray -m nlm -p h_over_sigma=0.4 --sets path/to/my/pictures --sigma 25
      restora bench denoise-gray --replay
      restora bench denoise-gray --weights dncnn_25,model.pth --sigma 25
    """

    suite: Annotated[str | None, typer.Argument(metavar="[SUITE]", help="Without it the suites are listed.")] = None
    parameter: Parameters = None
    sigma: Annotated[str | None, typer.Option("--sigma", metavar="15,25,50", help="Noise levels in 0..255.")] = None
    scale: Annotated[str | None, typer.Option("--scale", metavar="2,3,4", help="Factors of enlargement.")] = None
    out: Annotated[
        Path | None,
        typer.Option(
            "--out",
            "-o",
            metavar="FOLDER",
            help="Of the measurements. Default: bench/SUITE in the user's cache of restora.",
        ),
    ] = None
    replay: Annotated[
        bool, typer.Option("--replay", help="Print what is recorded in the folder, whatever code measured it.")
    ] = False

    def run(self) -> int:
        from restora.evaluation.suites import Selection, suite_names

        if self.suite is None:
            print("\n".join(suite_names()))
            return 0
        sigmas, scales = numbers_of("sigma", self.sigma), numbers_of("scale", self.scale)
        if any(not factor.is_integer() for factor in scales):
            raise InvalidParameter.outside("scale", self.scale, "whole numbers")
        from restora.cli.execution import require_device
        from restora.evaluation.efficiency import CHALLENGES
        from restora.evaluation.runner import recorded, run_bench

        reporter = Reporter(self.json, self.quiet)
        selection = Selection(words_of(self.sets), sigmas, tuple(int(factor) for factor in scales))
        if self.replay:
            _print_rows(recorded(self.suite, words_of(self.methods), selection, self.out), reporter)
            return 0
        with reporter.progress(self.suite) as progress:
            rows = run_bench(
                self.suite,
                methods_from(self.methods),
                selection.sets,
                selection.sigmas,
                selection.scales,
                self.limit,
                self.data,
                self.out,
                require_device(self.device),
                progress,
                weights=words_of(self.weights),
                parameters=parameters_from(self.parameter, self.methods or ""),
            )
            measured = _print_rows(rows, reporter)
        if self.suite in CHALLENGES and not self.json:
            print_challenge(reporter, self.suite, measured, words_of(self.weights), self.device)
        return 0


@dataclass(frozen=True, kw_only=True, slots=True)
class Report(Command):
    """Make RESULTS.md from the measurements; it is made whole each time and never edited.

    Examples:
      restora report
      restora report results -o R.md
    """

    results: Annotated[Path, typer.Argument(metavar="[RESULTS]", help="The folder of measurements.")] = Path("results")
    output: Annotated[Path, typer.Option("--output", "-o", metavar="FILE", help="The report.")] = Path("RESULTS.md")

    def run(self) -> int:
        from restora.evaluation.report import write_report

        write_report(self.results, self.output)
        print(f"written: {self.output}")
        return 0


def _print_rows(rows: "Iterator[Row]", reporter: Reporter) -> "list[Row]":
    """Print the rows as they come, and keep them."""
    measured: list[Row] = []
    reporter.say(
        f"{'method':<24} {'protocol':<40} {'image':<14} {'metric':<8} {'ours':>8} {'published':>9} {'diff':>7} {'s':>7}"
    )
    for row in rows:
        measured.append(row)
        if reporter.json:
            print_json(asdict(row))
        else:
            reporter.say(_line(row))
    return measured


def _line(row: "Row") -> str:
    published = "" if row.published is None else f"{row.published:.3f}"
    difference = "" if row.difference is None else f"{row.difference:+.3f}"
    return (
        f"{row.label:<24} {row.protocol:<40} {row.image:<14} {row.metric:<8} "
        f"{row.value:>8.3f} {published:>9} {difference:>7} {row.seconds:>7.2f}"
    )
