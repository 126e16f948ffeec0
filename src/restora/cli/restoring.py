"""Commands that restore: auto, denoise, deblur, upscale, inpaint."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from restora.cli.batch import Files, Outcome, run_batch
from restora.cli.inputs import Source
from restora.cli.options import (
    Device,
    Json,
    KnownSigma,
    MethodName,
    Output,
    Overwrite,
    Parameters,
    Pictures,
    Quiet,
    Recursive,
    Seed,
    Sigma,
    SkipExisting,
    Tile,
    Weights,
    add_command,
    method_and_parameters,
    parameters_from,
    require_method_for,
)
from restora.cli.talk import Talk
from restora.core.errors import InvalidInput
from restora.core.progress import Progress

if TYPE_CHECKING:
    from restora.front.pictures import Restored
    from restora.images.picture import Picture

PANEL = "Restore"


def auto(
    pictures: Pictures,
    output: Output = None,
    recursive: Recursive = False,
    overwrite: Overwrite = False,
    skip_existing: SkipExisting = False,
    device: Device = "cpu",
    tile: Tile = None,
    seed: Seed = 0,
    json: Json = False,
    quiet: Quiet = False,
) -> int:
    """Look at each picture, say what is wrong, and mend that. A clean picture is left alone.

    `restora photo.jpg` is short for `restora auto photo.jpg`. The result lies beside the picture as
    `photo.restored.jpg`, of the same format, depth and quality; it is never written over without --overwrite.
    """
    from restora.cli.execution import execution_on
    from restora.front.pictures import restore_unknown

    at = execution_on(device, tile, seed)

    def work(picture: "Picture", source: Source, progress: Progress) -> Outcome:
        return _outcome("auto", restore_unknown(picture, at.with_progress(progress)))

    return run_batch(_files(pictures, output, recursive, overwrite, skip_existing), Talk(json, quiet), work)


def denoise(
    pictures: Pictures,
    sigma: Sigma = None,
    method: MethodName = "auto",
    parameter: Parameters = None,
    weights: Weights = None,
    output: Output = None,
    recursive: Recursive = False,
    overwrite: Overwrite = False,
    skip_existing: SkipExisting = False,
    device: Device = "cpu",
    tile: Tile = None,
    seed: Seed = 0,
    json: Json = False,
    quiet: Quiet = False,
) -> int:
    """Remove noise."""
    method, parameters = method_and_parameters(method, parameter, weights, "denoise", "denoise")
    from restora.cli.execution import execution_on, noise_of_sigma
    from restora.front.pictures import restore_picture
    from restora.operators.identity import Identity

    at, noise = execution_on(device, tile, seed), noise_of_sigma(sigma)

    def work(picture: "Picture", source: Source, progress: Progress) -> Outcome:
        restored = restore_picture(
            picture, Identity(), noise, method=method, parameters=parameters, execution=at.with_progress(progress)
        )
        return _outcome("denoise", restored)

    return run_batch(_files(pictures, output, recursive, overwrite, skip_existing), Talk(json, quiet), work)


def deblur(
    pictures: Pictures,
    kernel: Annotated[
        str | None,
        typer.Option(
            "--kernel",
            "-k",
            metavar="FILE|SPEC",
            help="The blur: an image, .npy, .npz or .mat, or gaussian:SIGMA, disk:RADIUS, motion:LENGTH:DEGREES, "
            "uniform:SIDE. Without it: estimated.",
            show_default=False,
        ),
    ] = None,
    boundary: Annotated[
        Literal["replicate", "reflect", "circular"],
        typer.Option("--boundary", help="What the blur saw beyond the border."),
    ] = "replicate",
    sigma: Sigma = None,
    method: MethodName = "auto",
    parameter: Parameters = None,
    weights: Weights = None,
    output: Output = None,
    recursive: Recursive = False,
    overwrite: Overwrite = False,
    skip_existing: SkipExisting = False,
    device: Device = "cpu",
    tile: Tile = None,
    seed: Seed = 0,
    json: Json = False,
    quiet: Quiet = False,
) -> int:
    """Undo a blur, known or not."""
    method, parameters = method_and_parameters(method, parameter, weights, "deblur", "deblur")
    from restora.cli.execution import execution_on, noise_of_sigma
    from restora.degradations.kernels import kernel as kernel_of
    from restora.degradations.kernels import read_kernel
    from restora.front.pictures import restore_picture
    from restora.operators.blur import Blur
    from restora.operators.unknown import UnknownBlur

    at, noise = execution_on(device, tile, seed), noise_of_sigma(sigma)
    H = UnknownBlur() if kernel is None else Blur(kernel_of(read_kernel(kernel)), boundary)

    def work(picture: "Picture", source: Source, progress: Progress) -> Outcome:
        if isinstance(H, Blur):
            _require_fits((H.psf.shape[0], H.psf.shape[1]), picture.size)
        restored = restore_picture(
            picture, H, noise, method=method, parameters=parameters, execution=at.with_progress(progress)
        )
        return _outcome("deblur", restored)

    return run_batch(_files(pictures, output, recursive, overwrite, skip_existing), Talk(json, quiet), work)


def upscale(
    pictures: Pictures,
    scale: Annotated[
        float, typer.Option("--scale", "-x", metavar="FACTOR", help="How many times more pixels a side; above 1.")
    ] = 2.0,
    sigma: KnownSigma = None,
    method: MethodName = "auto",
    parameter: Parameters = None,
    weights: Weights = None,
    output: Output = None,
    recursive: Recursive = False,
    overwrite: Overwrite = False,
    skip_existing: SkipExisting = False,
    device: Device = "cpu",
    tile: Tile = None,
    seed: Seed = 0,
    json: Json = False,
    quiet: Quiet = False,
) -> int:
    """Enlarge, as the inverse of an antialiased bicubic reduction."""
    method, parameters = method_and_parameters(method, parameter, weights, "super-resolve", "enlarge")
    from restora.cli.execution import execution_on, noise_of_sigma
    from restora.front.pictures import restore_picture
    from restora.operators.downsample import Downsample

    at, noise = execution_on(device, tile, seed), noise_of_sigma(sigma or 0.0)
    H = Downsample(int(scale) if float(scale).is_integer() else scale)

    def work(picture: "Picture", source: Source, progress: Progress) -> Outcome:
        restored = restore_picture(
            picture, H, noise, method=method, parameters=parameters, execution=at.with_progress(progress)
        )
        return _outcome("upscale", restored)

    return run_batch(_files(pictures, output, recursive, overwrite, skip_existing), Talk(json, quiet), work)


def inpaint(
    pictures: Pictures,
    mask: Annotated[
        Path | None,
        typer.Option(
            "--mask",
            metavar="FILE|FOLDER",
            help="A picture of the size of the other that shows what is missing; a folder holds one for each name. "
            "Without it, --missing tells the colour of the holes in the picture itself.",
            show_default=False,
        ),
    ] = None,
    missing: Annotated[
        str | None,
        typer.Option(
            "--missing",
            metavar="white|black|#rrggbb|alpha",
            help="What means missing: white unless said; alpha is whatever is transparent.",
            show_default=False,
        ),
    ] = None,
    sigma: KnownSigma = None,
    method: MethodName = "auto",
    parameter: Parameters = None,
    output: Output = None,
    recursive: Recursive = False,
    overwrite: Overwrite = False,
    skip_existing: SkipExisting = False,
    device: Device = "cpu",
    tile: Tile = None,
    seed: Seed = 0,
    json: Json = False,
    quiet: Quiet = False,
) -> int:
    """Fill holes."""
    require_method_for(method, "inpaint", "inpaint")
    parameters = parameters_from(parameter, method)
    if mask is None and missing is None:
        raise InvalidInput("where are the holes? give --mask FILE, or their colour in the picture: --missing '#ff00ff'")
    from restora.cli.execution import execution_on, noise_of_sigma
    from restora.cli.holes import Holes
    from restora.front.pictures import inpaint_picture

    at, noise = execution_on(device, tile, seed), noise_of_sigma(sigma or 0.0)
    holes = Holes.of(mask, missing)

    def work(picture: "Picture", source: Source, progress: Progress) -> Outcome:
        restored = inpaint_picture(
            picture,
            holes.of_picture(picture, source),
            noise,
            method=method,
            parameters=parameters,
            execution=at.with_progress(progress),
        )
        return _outcome("inpaint", restored)

    return run_batch(_files(pictures, output, recursive, overwrite, skip_existing), Talk(json, quiet), work)


_EXAMPLES = {
    auto: (
        "restora photo.jpg",
        "restora -r holidays -o restored --skip-existing",
        "restora '*.tif' --json > log.jsonl",
    ),
    denoise: (
        "restora denoise photo.jpg",
        "restora denoise scan.tif --sigma 12 -o clean.tif",
        "restora denoise night.png --method nlm -p window=31",
        "restora denoise scan.png --weights dncnn_25",
        "restora denoise - < noisy.png > clean.png",
    ),
    deblur: (
        "restora deblur shaken.jpg --kernel motion:15:30",
        "restora deblur stars.tif --kernel psf.npy --method wiener --sigma 2",
        "restora deblur soft.png",
    ),
    upscale: (
        "restora upscale small.png --scale 3",
        "restora upscale -r icons -o large --method bicubic",
    ),
    inpaint: (
        "restora inpaint old.png --mask scratches.png",
        "restora inpaint old.png --mask kept.png --missing black",
        "restora inpaint marked.png --missing '#ff00ff'",
        "restora inpaint cut.png --missing alpha",
    ),
}


def add_to(app: typer.Typer) -> None:
    """Put the commands into the app."""
    for command, lines in _EXAMPLES.items():
        add_command(app, command, PANEL, lines)


def _files(pictures: list[str], output: str | None, recursive: bool, overwrite: bool, skip_existing: bool) -> Files:
    return Files(tuple(pictures), output, recursive, overwrite, skip_existing)


def _require_fits(kernel: tuple[int, int], picture: tuple[int, int]) -> None:
    if kernel[0] > picture[0] or kernel[1] > picture[1]:
        raise InvalidInput(
            f"the kernel is of {kernel[1]} x {kernel[0]} pixels, larger than the picture of {picture[1]} x {picture[0]}"
        )


def _outcome(command: str, restored: "Restored") -> Outcome:
    """What is written and told of a restored picture."""
    sigma = None if restored.sigma is None else round(255 * restored.sigma, 3)
    facts: dict[str, object] = {
        "command": command,
        "method": restored.method,
        "status": restored.status.code.value,
        "sigma": sigma,
        "size": [restored.picture.size[1], restored.picture.size[0]],
        "stats": dict(restored.stats or {}),
    }
    if restored.kernel is not None:
        facts["kernel"] = restored.kernel.tolist()
    unchanged = restored.method is None
    return Outcome(restored.picture, restored.status.sentence, restored.plan.found, facts, unchanged=unchanged)
