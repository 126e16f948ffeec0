"""Commands that restore: auto, denoise, deblur, upscale, inpaint."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from restora.cli.batch import Outcome, Work, run_batch
from restora.cli.command import FilesCommand
from restora.cli.inputs import Source
from restora.cli.options import Device, KnownSigma, MethodName, Parameters, Sigma, Tile, Weights, method_and_parameters
from restora.core.errors import InvalidInput
from restora.core.progress import Progress

if TYPE_CHECKING:
    from restora.core.noise import Noise
    from restora.core.operator import Operator
    from restora.front.arrays import Execution
    from restora.front.pictures import Restored
    from restora.images.picture import Picture


@dataclass(frozen=True, kw_only=True, slots=True)
class RestoringCommand(FilesCommand):
    """A command that restores each picture."""

    device: Device = "cpu"
    tile: Tile = None

    def execution(self) -> "Execution":
        """Where and how to compute."""
        from restora.cli.execution import execution_on

        return execution_on(self.device, self.tile, self.seed)

    def solver(self, H: "Operator", noise: "Noise", method: str, parameters: Mapping[str, object]) -> Work:
        """Return what solves y = Hx + n for a picture y."""
        from restora.front.pictures import restore_picture
        from restora.operators.blur import Blur

        at = self.execution()

        def work(picture: "Picture", source: Source, progress: Progress) -> Outcome:
            if isinstance(H, Blur):
                _require_fits((H.psf.shape[0], H.psf.shape[1]), picture.size)
            execution = at.with_progress(progress)
            restored = restore_picture(picture, H, noise, method=method, parameters=parameters, execution=execution)
            return self.outcome(restored)

        return work

    def outcome(self, restored: "Restored") -> Outcome:
        """What is written and said of a restored picture."""
        facts: dict[str, object] = {
            "command": type(self).__name__.lower(),
            "method": restored.method,
            "status": restored.status.code.value,
            "sigma": None if restored.sigma is None else round(255 * restored.sigma, 3),
            "size": [restored.picture.size[1], restored.picture.size[0]],
            "stats": dict(restored.stats or {}),
        }
        if restored.kernel is not None:
            facts["kernel"] = restored.kernel.tolist()
        unchanged = restored.method is None
        return Outcome(restored.picture, restored.status.sentence, restored.plan.found, facts, unchanged=unchanged)


@dataclass(frozen=True, kw_only=True, slots=True)
class Auto(RestoringCommand):
    """Look at each picture, say what is wrong, and restore it. A clean picture is left alone.

    `restora photo.jpg` is short for `restora auto photo.jpg`. The result lies beside the picture as
    `photo.restored.jpg`, of the same format, depth and quality; it is never written over without --overwrite.

    Examples:
      restora photo.jpg
      restora -r holidays -o restored --skip-existing
      restora '*.tif' --json > log.jsonl
    """

    def run(self) -> int:
        from restora.front.pictures import restore_unknown

        at = self.execution()

        def work(picture: "Picture", source: Source, progress: Progress) -> Outcome:
            return self.outcome(restore_unknown(picture, at.with_progress(progress)))

        return run_batch(self, work)


@dataclass(frozen=True, kw_only=True, slots=True)
class Denoise(RestoringCommand):
    """Remove noise.

    Examples:
      restora denoise photo.jpg
      restora denoise scan.tif --sigma 12 -o clean.tif
      restora denoise night.png --method nlm -p window=31
      restora denoise scan.png --weights dncnn_25
      restora denoise - < noisy.png > clean.png
    """

    sigma: Sigma = None
    method: MethodName = "auto"
    parameter: Parameters = None
    weights: Weights = None

    def run(self) -> int:
        method, parameters = method_and_parameters(self.method, self.parameter, self.weights, "denoise")
        from restora.cli.execution import noise_of_sigma
        from restora.operators.identity import Identity

        return run_batch(self, self.solver(Identity(), noise_of_sigma(self.sigma), method, parameters))


@dataclass(frozen=True, kw_only=True, slots=True)
class Deblur(RestoringCommand):
    """Undo a blur, known or not.

    Examples:
      restora deblur shaken.jpg --kernel motion:15:30
      restora deblur stars.tif --kernel psf.npy --method wiener --sigma 2
      restora deblur soft.png
    """

    kernel: Annotated[
        str | None,
        typer.Option(
            "--kernel",
            "-k",
            metavar="FILE|SPEC",
            help="The blur: an image, .npy, .npz or .mat, or gaussian:SIGMA, disk:RADIUS, motion:LENGTH:DEGREES, "
            "uniform:SIDE. Without it: estimated.",
        ),
    ] = None
    boundary: Annotated[
        Literal["replicate", "reflect", "circular"],
        typer.Option("--boundary", help="What the blur saw beyond the border."),
    ] = "replicate"
    sigma: Sigma = None
    method: MethodName = "auto"
    parameter: Parameters = None
    weights: Weights = None

    def run(self) -> int:
        method, parameters = method_and_parameters(self.method, self.parameter, self.weights, "deblur")
        from restora.cli.execution import noise_of_sigma
        from restora.degradations.words import KERNELS, read_kernel
        from restora.operators.blur import Blur
        from restora.operators.unknown import UnknownBlur

        known = None if self.kernel is None else KERNELS.make(read_kernel(self.kernel), Path())
        H = UnknownBlur() if known is None else Blur(known, self.boundary)
        return run_batch(self, self.solver(H, noise_of_sigma(self.sigma), method, parameters))


@dataclass(frozen=True, kw_only=True, slots=True)
class Upscale(RestoringCommand):
    """Enlarge, as the inverse of an antialiased bicubic reduction.

    Examples:
      restora upscale small.png --scale 3
      restora upscale -r icons -o large --method bicubic
    """

    scale: Annotated[
        float, typer.Option("--scale", "-x", metavar="FACTOR", help="How many times more pixels a side; above 1.")
    ] = 2.0
    sigma: KnownSigma = None
    method: MethodName = "auto"
    parameter: Parameters = None
    weights: Weights = None

    def run(self) -> int:
        method, parameters = method_and_parameters(self.method, self.parameter, self.weights, "super-resolve")
        from restora.cli.execution import noise_of_sigma
        from restora.operators.downsample import Downsample

        H = Downsample(int(self.scale) if self.scale.is_integer() else self.scale)
        return run_batch(self, self.solver(H, noise_of_sigma(self.sigma or 0.0), method, parameters))


@dataclass(frozen=True, kw_only=True, slots=True)
class Inpaint(RestoringCommand):
    """Fill holes.

    Examples:
      restora inpaint old.png --mask scratches.png
      restora inpaint old.png --mask kept.png --missing black
      restora inpaint marked.png --missing '#ff00ff'
      restora inpaint cut.png --missing alpha
    """

    mask: Annotated[
        Path | None,
        typer.Option(
            "--mask",
            metavar="FILE|FOLDER",
            help="A picture of the size of the other that shows what is missing; a folder holds one for each name. "
            "Without it, --missing gives the colour of the holes in the picture itself.",
        ),
    ] = None
    missing: Annotated[
        str | None,
        typer.Option(
            "--missing",
            metavar="white|black|#rrggbb|alpha",
            help="What means missing: white unless said; alpha is whatever is transparent.",
        ),
    ] = None
    sigma: KnownSigma = None
    method: MethodName = "auto"
    parameter: Parameters = None

    def run(self) -> int:
        method, parameters = method_and_parameters(self.method, self.parameter, None, "inpaint")
        if self.mask is None and self.missing is None:
            raise InvalidInput(
                "where are the holes? give --mask FILE, or their colour in the picture: --missing '#ff00ff'"
            )
        from restora.cli.execution import noise_of_sigma
        from restora.cli.holes import Holes
        from restora.front.pictures import inpaint_picture

        noise, holes, at = noise_of_sigma(self.sigma or 0.0), Holes.of(self.mask, self.missing), self.execution()

        def work(picture: "Picture", source: Source, progress: Progress) -> Outcome:
            missing, execution = holes.of_picture(picture, source), at.with_progress(progress)
            restored = inpaint_picture(
                picture, missing, noise, method=method, parameters=parameters, execution=execution
            )
            return self.outcome(restored)

        return run_batch(self, work)


def _require_fits(kernel: tuple[int, int], picture: tuple[int, int]) -> None:
    if kernel[0] > picture[0] or kernel[1] > picture[1]:
        raise InvalidInput(
            f"the kernel is of {kernel[1]} x {kernel[0]} pixels, larger than the picture of {picture[1]} x {picture[0]}"
        )
