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
from restora.cli.talk import Stopwatch, Talk
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


@dataclass(frozen=True, eq=False, slots=True)
class Shown:
    """A case after it was run: figures of before and after, and the row of the sheet."""

    case: Case
    command: str
    method: str
    before: tuple[float, float]
    after: tuple[float, float]
    seconds: float
    row: Row


def run_demo(folder: Path, *, overwrite: bool, talk: Talk) -> tuple[Shown, ...]:
    """Run all cases, write their pictures and the sheet, and tell the figures.

    Raises:
        MissingDependency: scikit-image is not installed.
        FileProblem: something is there already, or cannot be written.
    """
    watch = Stopwatch()
    sheet = folder / "sheet.png"
    make_folder(folder)
    for path in (sheet, *(path for case in CASES for path in _paths(case, folder))):
        refuse_existing(path, overwrite)
    talk.say(f"{'':<11} {'method':<16} {'PSNR dB':>16}   {'SSIM':>16} {'seconds':>8}")
    shown: list[Shown] = []
    for case in CASES:
        shown.append(_run(case, _Files.of(case, folder)))
        talk.say(_line(shown[-1]))
    write_picture(sheet, draw_sheet([each.row for each in shown]), overwrite=overwrite)
    talk.say("\nthe same by hand:")
    for each in shown:
        talk.say(f"  {each.command}")
    talk.say(f"\nside by side: {sheet}\neverything:   {folder.resolve()}  ({watch.seconds:.0f} s in all)")
    return tuple(shown)


def _paths(case: Case, folder: Path) -> tuple[Path, ...]:
    files = _Files.of(case, folder)
    return files.reference, files.degraded, files.restored


def _run(case: Case, files: _Files) -> Shown:
    """Degrade and restore a photograph by commands, and measure."""
    reference = _cut(read_picture(photograph(case.photograph)), case.corner)
    write_picture(files.reference, reference, overwrite=True)
    _command("degrade", str(files.reference), *case.degrade, "-o", str(files.degraded), "--overwrite")
    words = [word.format(mask=files.mask) for word in case.restore]
    words.insert(1, str(files.degraded))
    watch = Stopwatch()
    told = _command(*words, "-o", str(files.restored), "--overwrite")
    seconds = watch.seconds
    degraded, restored = read_picture(files.degraded), read_picture(files.restored)
    x, truth = tensor_of(restored), tensor_of(reference)
    y = _as_large(tensor_of(degraded), truth)
    before, after = _figures(y, truth), _figures(x, truth)
    row = Row(case.title, case.told, str(told["method"]), seconds, (degraded, restored, reference), before[0], after[0])
    return Shown(case, shlex.join(["restora", *words]), str(told["method"]), before, after, seconds, row)


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


def _as_large(y: Float[Tensor, "1 c i j"], truth: Float[Tensor, "1 c h w"]) -> Float[Tensor, "1 c h w"]:
    """A reduced picture enlarged bicubically, so that it can be measured; any other as it is."""
    size = truth.shape[-2], truth.shape[-1]
    return y if y.shape == truth.shape else imresize(y, size=size)


def _figures(x: Float[Tensor, "1 c h w"], truth: Float[Tensor, "1 c h w"]) -> tuple[float, float]:
    """PSNR and SSIM."""
    return float(psnr(x, truth)), float(ssim(x, truth))


def _line(shown: Shown) -> str:
    (psnr_before, ssim_before), (psnr_after, ssim_after) = shown.before, shown.after
    return (
        f"{shown.case.name:<11} {shown.method:<16} {psnr_before:>6.2f} -> {psnr_after:>6.2f}   "
        f"{ssim_before:>6.4f} -> {ssim_after:>6.4f} {shown.seconds:>8.1f}"
    )
