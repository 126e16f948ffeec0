"""Run: each case through the very commands a user types, measured against the truth."""

import io
import json
import shlex
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path

from jaxtyping import Float
from torch import Tensor

from restora.cli.demo.cases import CASES, HEIGHT, WIDTH, Case, photograph
from restora.cli.demo.sheet import Row, draw_sheet
from restora.cli.outputs import make_folder
from restora.cli.reporter import Reporter, Stopwatch
from restora.core.errors import FileProblem, RestoraError
from restora.evaluation.metrics import psnr, ssim
from restora.front.pictures import tensor_of
from restora.images.atomic import refuse_existing
from restora.images.metadata import Metadata
from restora.images.picture import Picture
from restora.images.read import read_picture
from restora.images.write import write_picture
from restora.numerics.imresize import imresize


@dataclass(frozen=True, slots=True)
class _Files:
    """The files of a case."""

    reference: Path
    degraded: Path
    restored: Path
    mask: Path

    @classmethod
    def of(cls, case: Case, folder: Path) -> "_Files":
        reference, degraded, restored = (
            folder / f"{case.name}-{number}-{what}.png"
            for number, what in ((3, "reference"), (1, "degraded"), (2, "restored"))
        )
        return cls(reference, degraded, restored, folder / f"{case.name}-1-degraded.mask.png")


def run_demo(folder: Path, *, overwrite: bool, reporter: Reporter) -> None:
    """Run all cases, write their pictures and the sheet, and print the figures.

    Raises:
        MissingDependency: scikit-image is not installed.
        FileProblem: something is there already, or cannot be written.
    """
    watch = Stopwatch()
    sheet = folder / "sheet.png"
    make_folder(folder)
    for files in (_Files.of(case, folder) for case in CASES):
        for path in (sheet, files.reference, files.degraded, files.restored):
            refuse_existing(path, overwrite)
    reporter.say(f"{'':<11} {'method':<16} {'PSNR dB':>16}   {'SSIM':>16} {'seconds':>8}")
    rows: list[Row] = []
    for case in CASES:
        rows.append(_run(case, _Files.of(case, folder)))
        reporter.say(_line(rows[-1]))
    write_picture(sheet, draw_sheet(rows), overwrite=overwrite)
    reporter.say("\nthe same by hand:")
    for row in rows:
        reporter.say(f"  {row.command}")
    reporter.say(f"\nside by side: {sheet}\neverything:   {folder.resolve()}  ({watch.seconds:.0f} s in all)")


def _run(case: Case, files: _Files) -> Row:
    """Degrade and restore a photograph by commands, and measure."""
    reference = _cut(read_picture(photograph(case.photograph)), case.corner)
    write_picture(files.reference, reference, overwrite=True)
    _command("degrade", str(files.reference), *case.degrade, "-o", str(files.degraded), "--overwrite")
    words = [word.format(mask=files.mask) for word in case.restore]
    words.insert(1, str(files.degraded))
    watch = Stopwatch()
    said = _command(*words, "-o", str(files.restored), "--overwrite")
    seconds = watch.seconds
    degraded, restored = read_picture(files.degraded), read_picture(files.restored)
    truth = tensor_of(reference)
    before, after = _figures(tensor_of(degraded), truth), _figures(tensor_of(restored), truth)
    command = shlex.join(["restora", *words])
    return Row(case, command, str(said["method"]), seconds, (degraded, restored, reference), before, after)


def _command(*words: str) -> dict[str, object]:
    """Run a command line in this process and return what it says in JSON.

    Raises:
        RestoraError: it failed.
    """
    from restora.cli.entry import main

    out, err = io.StringIO(), io.StringIO()
    with redirect_stdout(out), redirect_stderr(err):
        code = main([*words, "--json"])
    if code == 130:
        raise KeyboardInterrupt
    if code:
        raise RestoraError(err.getvalue().strip().removeprefix("restora: "))
    return json.loads(out.getvalue())


def _cut(picture: Picture, corner: tuple[int, int]) -> Picture:
    """The part of a photograph that is shown, as a plain PNG."""
    left, top = corner
    pixels = picture.pixels[top : top + HEIGHT, left : left + WIDTH]
    if pixels.shape[:2] != (HEIGHT, WIDTH):
        raise FileProblem(f"the photograph is of {picture.size[1]} x {picture.size[0]} pixels: too small for the demo")
    return Picture(pixels, None, "rgb", "PNG", Metadata())


def _figures(x: Float[Tensor, "1 c i j"], truth: Float[Tensor, "1 c h w"]) -> tuple[float, float]:
    """PSNR and SSIM; a reduced picture is enlarged bicubically, so that it can be measured."""
    if x.shape != truth.shape:
        x = imresize(x, size=(truth.shape[-2], truth.shape[-1]))
    return float(psnr(x, truth)), float(ssim(x, truth))


def _line(row: Row) -> str:
    (psnr_before, ssim_before), (psnr_after, ssim_after) = row.before, row.after
    return (
        f"{row.case.name:<11} {row.method:<16} {psnr_before:>6.2f} -> {psnr_after:>6.2f}   "
        f"{ssim_before:>6.4f} -> {ssim_after:>6.4f} {row.seconds:>8.1f}"
    )
