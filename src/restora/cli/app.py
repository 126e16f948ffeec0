"""App: the commands, put together."""

from typing import Annotated

import typer

import restora
from restora.cli.benching import Bench, Report
from restora.cli.command import add_commands
from restora.cli.degrading import Degrade
from restora.cli.demonstrating import Demo
from restora.cli.listing import Methods
from restora.cli.looking import Compare, Inspect
from restora.cli.measuring import Challenge
from restora.cli.restoring import Auto, Deblur, Denoise, Inpaint, Upscale
from restora.cli.training import Train
from restora.cli.weighing import weights_commands

app = typer.Typer(
    name="restora",
    help="Restore photographs: noise, blur, low resolution, holes, compression. y = Hx + n, solved for x.",
    epilog="""Examples:
  restora photo.jpg                         look, say what is wrong, restore it
  restora denoise scan.tif --sigma 12       16 bits stay 16 bits
  restora deblur shaken.jpg --kernel motion:15:30
  restora upscale small.png --scale 3
  restora inpaint old.png --mask scratches.png
  restora -r holidays -o restored           a folder, its tree kept
  restora denoise - < noisy.png > clean.png
  restora demo                              see it work""",
    add_completion=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

add_commands(app, "Restore", Auto, Denoise, Deblur, Upscale, Inpaint)
add_commands(app, "Measure", Degrade, Inspect, Compare)
add_commands(app, "Know", Methods)
app.add_typer(weights_commands(), name="weights", rich_help_panel="Know")
add_commands(app, "Know", Bench, Report, Challenge, Train, Demo)


def command_names() -> list[str]:
    """All commands."""
    return [one.name for one in (*app.registered_commands, *app.registered_groups) if one.name]


def _show_version(asked: bool) -> bool:
    if asked:
        print(f"restora {restora.__version__}")
        raise typer.Exit
    return asked


@app.callback()
def _restora(
    version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    """See ``help`` of the app."""
