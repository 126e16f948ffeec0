"""The command that shows the library at work: demo."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from restora.cli.command import Command
from restora.cli.options import Overwrite, Quiet
from restora.cli.reporter import Reporter


@dataclass(frozen=True, kw_only=True, slots=True)
class Demo(Command):
    """Degrade photographs, restore them, and show before, after and truth side by side.

    Noise, a known blur, low resolution, holes, and one picture of which nothing is known. The photographs are those
    that scikit-image brings along.

    Examples:
      restora demo
      restora demo -o /tmp/demo --overwrite
    """

    output: Annotated[Path, typer.Option("--output", "-o", metavar="FOLDER", help="Where everything is written.")] = (
        Path("restora-demo")
    )
    overwrite: Overwrite = False
    quiet: Quiet = False

    def run(self) -> int:
        from restora.cli.demo.run import run_demo

        run_demo(self.output, overwrite=self.overwrite, reporter=Reporter(quiet=self.quiet))
        return 0
