"""The command that shows the library at work: demo."""

from pathlib import Path
from typing import Annotated

import typer

from restora.cli.options import Overwrite, Quiet, add_command
from restora.cli.talk import Talk


def demo(
    output: Annotated[
        Path, typer.Option("--output", "-o", metavar="FOLDER", help="Where everything is written.")
    ] = Path("restora-demo"),
    overwrite: Overwrite = False,
    quiet: Quiet = False,
) -> int:
    """Degrade photographs, restore them, and show before, after and truth side by side.

    Noise, a known blur, low resolution, holes, and one picture of which nothing is told. The photographs are those that
    scikit-image brings along.
    """
    from restora.cli.demo.run import run_demo

    run_demo(output, overwrite=overwrite, talk=Talk(quiet=quiet))
    return 0


def add_to(app: typer.Typer) -> None:
    """Put the command into the app."""
    add_command(
        app,
        demo,
        "Know",
        (
            "restora demo",
            "restora demo -o /tmp/demo --overwrite",
        ),
    )
