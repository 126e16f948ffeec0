"""The command that trains: train."""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, cast

import typer

from restora.cli.command import Command
from restora.cli.options import COMPUTING, Quiet
from restora.cli.reporter import Reporter, Stopwatch
from restora.core.errors import InvalidParameter, MissingDependency

if TYPE_CHECKING:
    from torch import Tensor

    from restora.learning.engine import Outcome
    from restora.learning.images import Source
    from restora.learning.recipe import Recipe
    from restora.weights.record import DataFolder, Record


@dataclass(frozen=True, kw_only=True, slots=True)
class Train(Command):
    """Train a network by a recipe, or go on where it was stopped.

    A checkpoint is written every minute and when it is interrupted. At the end, or when the minutes are over, the
    weights lie in the folder as NAME.safetensors, in half precision, with all that made them in NAME.toml.

    Examples:
      restora train recipes/srcnn-x3.toml --data /path/to/train
      restora train recipes/ffdnet-gray.toml --data /path/to/train --minutes 60
    """

    recipe: Annotated[Path, typer.Argument(metavar="RECIPE.toml", help="As in recipes/.")]
    data: Annotated[
        Path, typer.Option("--data", metavar="FOLDER", help="It holds the folders of images the recipe names.")
    ]
    out: Annotated[
        Path | None,
        typer.Option("--out", "-o", metavar="FOLDER", help="Checkpoint, journal, weights. Without it: runs/NAME."),
    ] = None
    minutes: Annotated[
        float | None, typer.Option("--minutes", min=0, help="Stop after so long; the same command goes on.")
    ] = None
    steps: Annotated[int | None, typer.Option("--steps", min=1, help="In place of the recipe's number.")] = None
    vgg: Annotated[
        Path | None, typer.Option("--vgg", metavar="FILE", help="VGG-19 for a perceptual loss; you bring it.")
    ] = None
    accelerator: Annotated[
        str, typer.Option("--device", metavar="auto|cpu|cuda", help="Where to compute.", rich_help_panel=COMPUTING)
    ] = "auto"
    devices: Annotated[int, typer.Option("--devices", min=1, help="How many of them.", rich_help_panel=COMPUTING)] = 1
    quiet: Quiet = False

    def run(self) -> int:
        if _is_of_dictionaries(self.recipe):
            return _train_dictionaries(self.recipe, self.data, self.out, self.quiet)
        try:
            from restora.learning.engine import Setup, train
        except ImportError as error:
            raise MissingDependency("training needs more packages: pip install 'restora[train]'") from error
        from restora.learning.recipe import read_recipe

        logging.getLogger("lightning_fabric").setLevel(logging.WARNING)
        plan = read_recipe(self.recipe)
        if self.steps is not None:
            plan = replace(plan, training=replace(plan.training, steps=self.steps))
        setup = Setup(self.data, _folder(self.out, plan.name), self.accelerator, self.devices, self.minutes)
        reporter = Reporter(quiet=self.quiet)
        features = None if self.vgg is None else _features(self.vgg)
        with reporter.progress(plan.name) as progress:
            outcome = train(plan, setup, initial=_initial(plan), features=features, progress=progress)
        record = _save(plan, self.recipe.name, outcome, setup.out, f"{self.accelerator}, {self.devices} device(s)")
        reporter.say(f"{outcome.steps} of {plan.training.steps} steps, validation {outcome.psnr:.2f} dB")
        _say_saved(reporter, setup.out, record)
        return 0


def _folder(out: Path | None, name: str) -> Path:
    return out or Path("runs") / name


def _say_saved(reporter: Reporter, folder: Path, record: "Record") -> None:
    reporter.say(f"saved   {folder / record.name}.safetensors ({record.bytes / 1e6:.2f} MB)")


def _is_of_dictionaries(recipe: Path) -> bool:
    """The recipe is for a pair of dictionaries, not for a network."""
    from restora.core.reading import read_toml

    return read_toml(recipe).get("kind") == "dictionaries"


def _train_dictionaries(recipe: Path, data: Path, out: Path | None, quiet: bool) -> int:
    """A pair of dictionaries; minutes, so they are trained in one sitting."""
    from restora.core.reading import from_table, read_toml
    from restora.learning.dictionaries.recipe import DictionaryRecipe, train_dictionaries
    from restora.learning.images import source_of
    from restora.weights.dictionaries import ARCHITECTURE, save_dictionaries
    from restora.weights.record import Record

    plan = from_table(DictionaryRecipe, read_toml(recipe), str(recipe))
    reporter, watch = Reporter(quiet=quiet), Stopwatch()
    with reporter.progress(plan.name) as progress:
        pair = train_dictionaries(plan, data, progress)
    sources = [source_of(data, folder) for folder in plan.data.folders]
    record = Record(
        name=plan.name,
        architecture=ARCHITECTURE,
        fields={"scale": plan.dictionaries.scale, "atoms": pair[0].shape[1]},
        task="super-resolve",
        channels=1,
        purpose=plan.purpose,
        recipe=recipe.name,
        trained=f"{watch.seconds / 60:.0f} minutes on the CPU, {_today()}",
        data=_folders_of(sources),
        terms=plan.data.terms,
        licence="BSD-3-Clause",
    )
    folder = _folder(out, plan.name)
    _say_saved(reporter, folder, save_dictionaries(pair, folder, record))
    return 0


def _initial(recipe: "Recipe") -> "dict[str, Tensor] | None":
    """The weights to begin with."""
    if not recipe.initial:
        return None
    from restora.weights.dictionaries import ARCHITECTURE, dictionaries
    from restora.weights.identify import identify, record_of
    from restora.weights.store import find

    record = record_of(find(recipe.initial))
    if record is not None and record.architecture == ARCHITECTURE and recipe.architecture == "scn":
        from restora.nets.scn import SCN

        return dict(SCN.from_dictionaries(*dictionaries(recipe.initial)).state_dict())
    found = identify(recipe.initial).found
    if found.architecture != recipe.architecture:
        raise InvalidParameter(f"{recipe.initial} holds {found.architecture}, the recipe trains {recipe.architecture}")
    return {name: value.float() if value.is_floating_point() else value for name, value in found.state.items()}


def _save(recipe: "Recipe", file: str, outcome: "Outcome", folder: Path, device: str) -> "Record":
    """Half-precision weights and their record."""
    from restora.weights.record import Plain, Record
    from restora.weights.save import save_weights

    done = f"{outcome.steps} of {recipe.training.steps} steps of {recipe.training.batch} patches"
    record = Record(
        name=recipe.name,
        architecture=recipe.architecture,
        fields=cast("dict[str, Plain]", dict(recipe.fields)),
        task=recipe.task,
        channels=3 if recipe.data.colour == "rgb" else 1,
        purpose=recipe.purpose,
        recipe=file,
        trained=f"{done}, {outcome.seconds / 60:.0f} minutes on {device}, {_today()}",
        data=_folders_of(outcome.sources),
        terms=recipe.data.terms,
        licence=recipe.licence,
        validation={"psnr": round(outcome.psnr, 3)},
    )
    state = {name: value.half() if value.is_floating_point() else value for name, value in outcome.state.items()}
    return save_weights(state, record, folder)


def _folders_of(sources: "Sequence[Source]") -> "tuple[DataFolder, ...]":
    from restora.weights.record import DataFolder

    return tuple(DataFolder(folder=one.folder, images=one.images, sha256=one.sha256) for one in sources)


def _today() -> str:
    return datetime.now(UTC).date().isoformat()


def _features(path: Path) -> "Callable[[Tensor], Tensor]":
    """φ of the perceptual loss: the last convolution of VGG-19 before its ReLU, as in ESRGAN."""
    from restora.nets.vgg19 import VGG19
    from restora.weights.files import read_state

    network = VGG19(taps=("conv5_4",))
    network.load(read_state(path))

    def features(x: "Tensor") -> "Tensor":
        return network.to(x.device)(x)["conv5_4"]

    return features
