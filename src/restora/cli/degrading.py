"""The command that degrades: y = Hx + n, step by step in the order of the equation."""

from typing import TYPE_CHECKING, Annotated

import typer

from restora.cli.batch import Files, Outcome, run_batch
from restora.cli.inputs import Source
from restora.cli.options import (
    DegradedOutput,
    Json,
    Overwrite,
    Pictures,
    Quiet,
    Recursive,
    Seed,
    SkipExisting,
    add_command,
)
from restora.cli.outputs import Naming
from restora.cli.talk import Talk
from restora.core.errors import InvalidInput
from restora.core.progress import Progress

if TYPE_CHECKING:
    from restora.images.picture import Picture


def degrade(
    pictures: Pictures,
    blur: Annotated[
        str | None,
        typer.Option(
            "--blur",
            metavar="FILE|SPEC",
            help="gaussian:SIGMA, disk:RADIUS, motion:LENGTH:DEGREES, uniform:SIDE, shake:SIDE:SEED, or a file. "
            "A number may be a range, LOW..HIGH, here and in the noise.",
            show_default=False,
        ),
    ] = None,
    boundary: Annotated[
        str, typer.Option("--boundary", metavar="KIND", help="Of the blur: replicate or circular.")
    ] = "replicate",
    scale: Annotated[
        float | None,
        typer.Option("--scale", metavar="FACTOR", help="Reduce by MATLAB's bicubic; above 1.", show_default=False),
    ] = None,
    noise: Annotated[
        str | None,
        typer.Option(
            "--noise",
            metavar="SPEC",
            help="gaussian:SIGMA, numpy:SIGMA:SEED, matlab-v4:SIGMA:SEED (sigma in 0..255, or a blurred "
            "signal-to-noise ratio such as 40dB), poisson:PEAK, poisson-gaussian:PEAK:SIGMA, salt:SHARE, "
            "camera:SHOT:READ (variance = shot x + read on 0..1).",
            show_default=False,
        ),
    ] = None,
    mask: Annotated[
        str | None,
        typer.Option(
            "--mask",
            metavar="SPEC",
            help="Holes, black: random:SHARE-KEPT, numpy:SHARE-KEPT:SEED, matlab-v4:SHARE-KEPT:SEED, text:HEIGHT, "
            "or known:FILE, white where a pixel is known. The mask is written beside the output as "
            "NAME.mask.png, white where something is missing.",
            show_default=False,
        ),
    ] = None,
    jpeg: Annotated[
        str | None,
        typer.Option("--jpeg", metavar="QUALITY", help="Compress: 1 to 100, or a range LOW..HIGH.", show_default=False),
    ] = None,
    enlarged: Annotated[
        bool, typer.Option("--enlarged", help="Enlarge by MATLAB's bicubic to the size before --scale, last of all.")
    ] = False,
    floating: Annotated[
        bool, typer.Option("--float", help="Write float32 samples, neither clipped nor rounded: .tif, .pfm, .exr.")
    ] = False,
    output: DegradedOutput = None,
    recursive: Recursive = False,
    overwrite: Overwrite = False,
    skip_existing: SkipExisting = False,
    seed: Seed = 0,
    json: Json = False,
    quiet: Quiet = False,
) -> int:
    """Make a picture worse: blur, reduce, add noise, punch holes, compress, in this order."""
    from restora.cli.degradation import degraded
    from restora.degradations.degradation import Degradation

    words = {"blur": blur, "boundary": boundary, "scale": scale, "noise": noise, "mask": mask, "jpeg": jpeg}
    given = {key: value for key, value in words.items() if value is not None}
    degradation = Degradation.read({**given, "enlarged": enlarged})
    if not degradation.steps:
        raise InvalidInput("nothing is to be done: give --blur, --scale, --noise, --mask or --jpeg")

    def work(picture: "Picture", source: Source, progress: Progress) -> Outcome:
        result, holes = degraded(picture, degradation, seed, floating)
        facts = {"command": "degrade", "steps": list(degradation.steps), "seed": seed}
        beside = {} if holes is None else {"mask": holes}
        return Outcome(result, ", then ".join(degradation.steps), (), facts, beside)

    naming = Naming("degraded", lossless=True, suffix_of_all=".tif" if floating else None)
    files = Files(tuple(pictures), output, recursive, overwrite, skip_existing)
    return run_batch(files, Talk(json, quiet), work, naming)


def add_to(app: typer.Typer) -> None:
    """Put the command into the app."""
    add_command(
        app,
        degrade,
        "Measure",
        (
            "restora degrade photo.png --noise gaussian:25",
            "restora degrade photo.png --blur motion:15:30 --noise gaussian:2 --seed 1",
            "restora degrade photo.png --scale 3 --jpeg 60",
            "restora degrade photo.png --mask text:20",
        ),
    )
