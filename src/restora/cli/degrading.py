"""The command that degrades: y = Hx + n, step by step in the order of the equation."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import typer

from restora.cli.batch import Outcome, run_batch
from restora.cli.command import FilesCommand
from restora.cli.inputs import Source
from restora.cli.options import DegradedOutput
from restora.cli.outputs import Naming
from restora.core.errors import InvalidInput
from restora.core.progress import Progress

if TYPE_CHECKING:
    from restora.images.picture import Picture


@dataclass(frozen=True, kw_only=True, slots=True)
class Degrade(FilesCommand):
    """Make a picture worse: blur, reduce, add noise, punch holes, compress, in this order.

    Examples:
      restora degrade photo.png --noise gaussian:25
      restora degrade photo.png --blur motion:15:30 --noise gaussian:2 --seed 1
      restora degrade photo.png --scale 3 --jpeg 60
      restora degrade photo.png --mask text:20
    """

    blur: Annotated[
        str | None,
        typer.Option(
            "--blur",
            metavar="FILE|SPEC",
            help="gaussian:SIGMA, disk:RADIUS, motion:LENGTH:DEGREES, uniform:SIDE, shake:SIDE:SEED, or a file. "
            "A number may be a range, LOW..HIGH, here and in the noise.",
        ),
    ] = None
    boundary: Annotated[str, typer.Option("--boundary", metavar="KIND", help="Of the blur: replicate or circular.")] = (
        "replicate"
    )
    scale: Annotated[
        float | None, typer.Option("--scale", metavar="FACTOR", help="Reduce by MATLAB's bicubic; above 1.")
    ] = None
    noise: Annotated[
        str | None,
        typer.Option(
            "--noise",
            metavar="SPEC",
            help="gaussian:LEVEL, numpy:LEVEL:SEED, matlab-v4:LEVEL:SEED (sigma in 0..255, or a blurred "
            "signal-to-noise ratio such as 40dB), poisson:PEAK, poisson-gaussian:PEAK:LEVEL, salt:SHARE, "
            "camera:SHOT:READ (variance = shot x + read on 0..1).",
        ),
    ] = None
    mask: Annotated[
        str | None,
        typer.Option(
            "--mask",
            metavar="SPEC",
            help="Holes, black: random:SHARE-KEPT, numpy:SHARE-KEPT:SEED, matlab-v4:SHARE-KEPT:SEED, text:HEIGHT, "
            "or known:FILE, white where a pixel is known. The mask is written beside the output as "
            "NAME.mask.png, white where something is missing.",
        ),
    ] = None
    jpeg: Annotated[
        str | None, typer.Option("--jpeg", metavar="QUALITY", help="Compress: 1 to 100, or a range LOW..HIGH.")
    ] = None
    enlarged: Annotated[
        bool, typer.Option("--enlarged", help="Enlarge by MATLAB's bicubic to the size before --scale, last of all.")
    ] = False
    floating: Annotated[
        bool, typer.Option("--float", help="Write float32 samples, neither clipped nor rounded: .tif, .pfm, .exr.")
    ] = False
    output: DegradedOutput = None

    def run(self) -> int:
        from restora.cli.degradation import degraded
        from restora.degradations.degradation import Degradation

        words = {key: getattr(self, key) for key in ("blur", "boundary", "scale", "noise", "mask", "jpeg")}
        given = {key: value for key, value in words.items() if value is not None}
        degradation = Degradation.read({**given, "enlarged": self.enlarged})
        steps = [f"{key} {value}" for key, value in given.items() if key != "boundary"] + ["enlarged"] * self.enlarged
        if not steps:
            raise InvalidInput("nothing is to be done: give --blur, --scale, --noise, --mask or --jpeg")

        def work(picture: "Picture", source: Source, progress: Progress) -> Outcome:
            result, holes = degraded(picture, degradation, self.seed, self.floating)
            facts = {"command": "degrade", "steps": steps, "seed": self.seed}
            beside = {} if holes is None else {"mask": holes}
            return Outcome(result, ", then ".join(steps), (), facts, beside)

        return run_batch(self, work, Naming("degraded", lossless=True, suffix_of_all=".tif" if self.floating else None))
