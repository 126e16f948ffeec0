"""Commands that measure methods: bench, report."""

import json as json_lines
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from restora.cli.measuring import tell_rows
from restora.cli.options import (
    Data,
    Device,
    Parameters,
    Quiet,
    add_command,
    methods_from,
    numbers_of,
    parameters_from,
    words_of,
)
from restora.cli.talk import Talk
from restora.core.errors import InvalidParameter

if TYPE_CHECKING:
    from restora.evaluation.measurements import Row

PANEL = "Know"


def bench(
    suite: Annotated[
        str | None, typer.Argument(metavar="[SUITE]", help="Without it the suites are listed.", show_default=False)
    ] = None,
    methods: Annotated[
        str | None,
        typer.Option(
            "--methods",
            "-m",
            metavar="NAME,NAME",
            help="Or PACKAGE.MODULE:CLASS. Without it: all for the suite.",
            show_default=False,
        ),
    ] = None,
    parameter: Parameters = None,
    weights: Annotated[
        str | None,
        typer.Option(
            "--weights",
            "-w",
            metavar="NAME,FILE",
            help="Weights of networks, run by the methods named, else by the method of each; "
            "rows are called METHOD[NAME].",
            show_default=False,
        ),
    ] = None,
    sets: Annotated[
        str | None,
        typer.Option(
            "--sets",
            metavar="NAME|FOLDER,…",
            help="Image sets, or folders of your own. Without it: all sets.",
            show_default=False,
        ),
    ] = None,
    sigma: Annotated[
        str | None,
        typer.Option("--sigma", metavar="15,25,50", help="Noise levels in 0..255.", show_default=False),
    ] = None,
    scale: Annotated[
        str | None, typer.Option("--scale", metavar="2,3,4", help="Factors of enlargement.", show_default=False)
    ] = None,
    limit: Annotated[
        int | None, typer.Option("--limit", min=1, help="Only so many images of each set.", show_default=False)
    ] = None,
    data: Data = None,
    out: Annotated[
        Path | None,
        typer.Option(
            "--out",
            "-o",
            metavar="FOLDER",
            help="Of the measurements. Default: bench/SUITE in the user's cache of restora.",
            show_default=False,
        ),
    ] = None,
    replay: Annotated[
        bool, typer.Option("--replay", help="Print what is recorded in the folder, whatever code measured it.")
    ] = False,
    device: Device = "cpu",
    json: Annotated[bool, typer.Option("--json", help="One JSON object a row.")] = False,
    quiet: Quiet = False,
) -> int:
    """Measure methods on published protocols: ours, published, difference, a line each as they come.

    What the same code measured before, with the same weights and parameters, is not measured again, so an interrupted
    run goes on where it was.
    """
    from restora.evaluation.suites import suite_names

    if suite is None:
        print("\n".join(suite_names()))
        return 0
    sigmas, scales = numbers_of("sigma", sigma), numbers_of("scale", scale)
    if any(not factor.is_integer() for factor in scales):
        raise InvalidParameter.outside("scale", scale, "whole numbers")
    from restora.cli.execution import require_device
    from restora.evaluation.efficiency import CHALLENGES
    from restora.evaluation.runner import recorded, run_bench
    from restora.evaluation.suites import Selection

    talk = Talk(json, quiet)
    scales_asked = tuple(int(factor) for factor in scales)
    if replay:
        _tell(recorded(suite, words_of(methods), Selection(words_of(sets), sigmas, scales_asked), out), talk)
        return 0
    with talk.progress(suite) as progress:
        rows = run_bench(
            suite,
            methods_from(methods),
            words_of(sets),
            sigmas,
            scales_asked,
            limit,
            data,
            out,
            require_device(device),
            progress,
            weights=words_of(weights),
            parameters=parameters_from(parameter, methods or ""),
        )
        told = _tell(rows, talk)
    if suite in CHALLENGES and not json:
        tell_rows(talk, suite, told, words_of(weights), device)
    return 0


def report(
    results: Annotated[Path, typer.Argument(metavar="[RESULTS]", help="The folder of measurements.")] = Path("results"),
    output: Annotated[Path, typer.Option("--output", "-o", metavar="FILE", help="The report.")] = Path("RESULTS.md"),
) -> int:
    """Make RESULTS.md from the measurements; it is made whole each time and never edited."""
    from restora.evaluation.report import write_report

    write_report(results, output)
    print(f"written: {output}")
    return 0


def add_to(app: typer.Typer) -> None:
    """Put the commands into the app."""
    add_command(
        app,
        bench,
        PANEL,
        (
            "export RESTORA_DATA=/path/to/benchmark/sets",
            "restora bench",
            "restora bench denoise-gray --methods nlm,tv --sets Set12 --sigma 15,25,50",
            "restora bench denoise-gray -m nlm -p h_over_sigma=0.4 --sets path/to/my/pictures --sigma 25",
            "restora bench denoise-gray --replay",
            "restora bench denoise-gray --weights dncnn_25,model.pth --sigma 25",
        ),
    )
    add_command(
        app,
        report,
        PANEL,
        (
            "restora report",
            "restora report results -o R.md",
        ),
    )


def _tell(rows: "Iterator[Row]", talk: Talk) -> "list[Row]":
    """Print the rows as they come, and keep them."""
    told: list[Row] = []
    head = (
        f"{'method':<24} {'protocol':<40} {'image':<14} {'metric':<8} {'ours':>8} {'published':>9} {'diff':>7} {'s':>7}"
    )
    talk.say(head)
    for row in rows:
        told.append(row)
        if talk.json:
            print(json_lines.dumps(asdict(row)), flush=True)
        else:
            talk.say(_line(row))
    return told


def _line(row: "Row") -> str:
    published = "" if row.published is None else f"{row.published:.3f}"
    difference = "" if row.difference is None else f"{row.difference:+.3f}"
    return (
        f"{row.label:<24} {row.protocol:<40} {row.image:<14} {row.metric:<8} "
        f"{row.value:>8.3f} {published:>9} {difference:>7} {row.seconds:>7.2f}"
    )
