"""The engine: one loop for all recipes, on one device or several, that goes on where it was stopped.

All randomness of a step comes from a generator seeded by the recipe's seed, the step and the device's rank. So nothing
of it has to be saved, and a training killed at any moment, taken up from its last checkpoint, is the same training.
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from lightning_fabric import Fabric
from torch import Tensor

from restora.core.errors import InvalidParameter
from restora.core.progress import Progress, silent
from restora.learning.adversarial import Adversarial
from restora.learning.checkpoints import load_checkpoint, save_checkpoint
from restora.learning.images import Images, Patches, Source, held_out, read_images, with_sizes
from restora.learning.journal import Journal
from restora.learning.learners import Contrastive, Supervised
from restora.learning.pairs import Batch, pairs_from
from restora.learning.recipe import Recipe
from restora.learning.validation import Validation
from restora.nets.architectures import build
from restora.nets.ipt import IPT
from restora.nets.network import Network
from restora.nets.winograd import use_winograd

_RANKS = 1009  # ranks, that is devices, a seed has room for
_STEPS = 1_000_003


@dataclass(frozen=True, eq=False, slots=True)
class Outcome:
    """What a training came to.

    Attributes:
        state: the averaged weights, on the CPU.
        sources: the folders of images.
        steps: done, of ``recipe.training.steps``.
        seconds: spent in the loop, over all times it was taken up.
        psnr: on the held-out images, in dB.
    """

    state: Mapping[str, Tensor]
    sources: tuple[Source, ...]
    steps: int
    seconds: float
    psnr: float


@dataclass(frozen=True, slots=True)
class Setup:
    """Where a training runs and lies, and for how long.

    Attributes:
        data: the folder that holds the folders of images.
        out: the folder of checkpoint and journal.
        accelerator: ``cpu``, ``cuda`` or ``auto``.
        devices: how many.
        minutes: stop after so long, the checkpoint written; None runs to the end.
    """

    data: Path
    out: Path
    accelerator: str = "auto"
    devices: int = 1
    minutes: float | None = None


def train(
    recipe: Recipe,
    setup: Setup,
    *,
    initial: Mapping[str, Tensor] | None = None,
    features: Callable[[Tensor], Tensor] | None = None,
    progress: Progress | None = None,
) -> Outcome:
    """Train, or go on training.

    Args:
        recipe: what.
        setup: where.
        initial: weights to begin with.
        features: φ of the perceptual loss of an adversarial recipe, such as VGG-19.
        progress: called after every step.

    Raises:
        MissingData: there are no images.
        InvalidInput: they are too small, or the checkpoint belongs to another recipe.
        InvalidParameter: the recipe cannot be carried out.
        UnknownName: it names something that is not there.
        FileProblem: the checkpoint cannot be read or written.
    """
    precision = "bf16-mixed" if recipe.training.precision == "bfloat16" else "32-true"
    fabric = Fabric(accelerator=setup.accelerator, devices=setup.devices, precision=precision)
    fabric.launch()
    fabric.seed_everything(recipe.training.seed, verbose=False)
    network = build(recipe.architecture, recipe.fields).to(fabric.device)
    network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # torch declares it only with others
    use_winograd(network)
    if not 0 < recipe.blend <= 1 or (recipe.blend < 1 and initial is None):
        raise InvalidParameter.outside("blend", recipe.blend, "0 < blend <= 1, and 1 without initial weights")
    if initial is not None:
        network.begin_with(initial)
    images = read_images(setup.data, recipe.data.folders, recipe.data.colour)
    return _Run(recipe, setup, fabric, network, images, features).go(progress or silent)


def _learner(
    recipe: Recipe, network: Network, fabric: Fabric, features: Callable[[Tensor], Tensor] | None
) -> Supervised:
    """What changes the weights."""
    if recipe.adversarial is not None:
        return Adversarial(recipe, network, fabric, features)
    if recipe.contrastive and isinstance(network, IPT):
        return Contrastive(recipe, network, fabric)
    return Supervised(recipe, network, fabric)


class _Run:
    """One sitting of a training."""

    def __init__(
        self,
        recipe: Recipe,
        setup: Setup,
        fabric: Fabric,
        network: Network,
        images: Images,
        features: Callable[[Tensor], Tensor] | None,
    ) -> None:
        self.recipe, self.setup, self.fabric, self.network = recipe, setup, fabric, network
        self.pairs = pairs_from(recipe.degradation)
        kept, validation = held_out(images, recipe.data.validation)
        side = recipe.data.patch + 2 * self.pairs.margin
        self.patches = Patches(with_sizes(kept, recipe.data.sizes), side, fabric.device)
        crop = recipe.data.validation_crop
        self.validation = Validation(validation, crop, self.pairs, fabric.device)
        self.learner = _learner(recipe, network, fabric, features)
        self.sources = images.sources
        self.begun_with = {name: value.detach().clone() for name, value in network.state_dict().items()}
        setup.out.mkdir(parents=True, exist_ok=True)
        self.step, self.before = load_checkpoint(setup.out, recipe, self.learner, fabric.device)
        self.start = self.saved = time.monotonic()
        self.psnr = float("nan")

    def go(self, progress: Progress) -> Outcome:
        """The loop; however it ends, what was done is saved."""
        total = self.recipe.training.steps
        journal = Journal(self.setup.out, self.step) if self.fabric.is_global_zero else None
        losses: list[float] = []
        try:
            while self.step < total and not self._out_of_time():
                losses.append(self.learner.update(self._batch(), self.step)["loss"])
                self.step += 1
                if self.step % self.recipe.training.validate_every == 0 or self.step == total:
                    self._write_row(journal, losses)
                    losses = []
                if time.monotonic() - self.saved > 60 * self.recipe.training.checkpoint_every:
                    self._save()
                progress(self.step, total, self._note(losses))
        finally:
            self._save()
            if journal is not None:
                journal.close()
        self.learner.average.go_back(self.begun_with, 1 - self.recipe.blend)
        self.psnr = self.validation.psnr(self.network, self.learner.average)
        state = {name: value.detach().cpu() for name, value in self.learner.average.state.items()}
        return Outcome(state, self.sources, self.step, self._seconds(), self.psnr)

    def _batch(self) -> Batch:
        training = self.recipe.training
        seed = (training.seed * _STEPS + self.step) * _RANKS + self.fabric.global_rank
        generator = torch.Generator().manual_seed(seed)
        self.network.train()
        return self.pairs(self.patches.draw(training.batch, generator), generator)

    def _write_row(self, journal: Journal | None, losses: list[float]) -> None:
        self.psnr = self.validation.psnr(self.network, self.learner.average)
        if journal is not None:
            rate = self.learner.rate(self.step)
            mean = sum(losses) / len(losses)
            journal.add(self.step, {"seconds": self._seconds(), "rate": rate, "loss": mean, "psnr": self.psnr})

    def _save(self) -> None:
        if self.fabric.is_global_zero:
            save_checkpoint(self.setup.out, self.recipe, self.learner, self.step, self._seconds())
        self.saved = time.monotonic()

    def _seconds(self) -> float:
        return self.before + time.monotonic() - self.start

    def _out_of_time(self) -> bool:
        return self.setup.minutes is not None and time.monotonic() - self.start > 60 * self.setup.minutes

    def _note(self, losses: list[float]) -> str:
        loss = f"loss {losses[-1]:.3g}" if losses else ""
        return f"{loss}, validation {self.psnr:.2f} dB" if self.psnr == self.psnr else loss
