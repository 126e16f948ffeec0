"""Recipe: all that a training depends on, in one TOML file.

A recipe names an architecture and its fields, the folders of training images, what is done to them, the loss, the
optimiser and its schedule. With the same recipe, the same images and the same seed a training is the same, however
often it was stopped and taken up again.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from restora.core.reading import from_table, read_toml
from restora.core.spec import Task

Colour = Literal["gray", "rgb", "y"]
"""What a training image is: MATLAB's rgb2gray, RGB, or the luma of rgb2ycbcr; rounded to 8 bits."""


@dataclass(frozen=True, slots=True)
class Data:
    """The images.

    Attributes:
        folders: names of folders below the folder of training data.
        colour: what is made of each file.
        patch: side of the patches the loss sees, in pixels of x.
        sizes: every image is also used reduced by these factors (MATLAB's imresize), as papers do to have more of them.
        validation: so many images, spread evenly over all, are kept out of the training to validate on.
        validation_crop: side of the middle part of them that is used.
        terms: on which the images may be used, for the record of the weights.
    """

    folders: tuple[str, ...]
    colour: Colour = "rgb"
    terms: str = ""
    patch: int = 64
    sizes: tuple[float, ...] = (1.0,)
    validation: int = 10
    validation_crop: int = 192


@dataclass(frozen=True, slots=True)
class Optimiser:
    """How weights follow gradients.

    Attributes:
        kind: ``sgd`` (with momentum where that is not 0), ``adam`` or ``adamw``.
        rate: the learning rate η.
        momentum: of SGD.
        betas: of Adam.
        weight_decay: λ.
        slower: name of a part of the network -> factor on η for it (SRCNN's last layer learns ten times slower).
    """

    kind: Literal["sgd", "adam", "adamw"] = "adam"
    rate: float = 1e-4
    momentum: float = 0.9
    betas: tuple[float, ...] = (0.9, 0.999)
    weight_decay: float = 0.0
    slower: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Schedule:
    """How the learning rate goes, as a factor on it over the part of the steps that is done.

    Attributes:
        kind: ``constant``, ``steps`` (× ``factor`` at each of ``at``), ``cosine`` or ``exponential`` (both down to
            ``factor``).
        at: parts of all steps, in (0, 1), for ``steps``.
        factor: see ``kind``.
        warm_up: part of the steps in which the rate rises linearly from 0.
    """

    kind: Literal["constant", "steps", "cosine", "exponential"] = "constant"
    at: tuple[float, ...] = ()
    factor: float = 0.1
    warm_up: float = 0.0


@dataclass(frozen=True, slots=True)
class Training:
    """The loop.

    Attributes:
        steps: updates of the weights in all.
        batch: patches a step and device.
        average: decay of the exponential moving average of the weights that is kept in the end; 0 keeps the last.
        clip_norm: largest norm of the gradient; 0 does not clip.
        clip_value: θ of VDSR's clipping of each number to ±θ/η; 0 does not clip.
        precision: ``float32``, or ``bfloat16`` for mixed precision (weights stay in float32).
        seed: of all randomness.
        validate_every: steps.
        checkpoint_every: minutes.
    """

    steps: int
    batch: int = 16
    average: float = 0.999
    clip_norm: float = 0.0
    clip_value: float = 0.0
    precision: Literal["float32", "bfloat16"] = "bfloat16"
    seed: int = 0
    validate_every: int = 500
    checkpoint_every: float = 1.0


@dataclass(frozen=True, slots=True)
class Adversarial:
    """The second network of a GAN, and how much its opinion counts.

    Attributes:
        kind: ``vanilla`` (Goodfellow et al. 2014) or ``relativistic`` (the relativistic average of ESRGAN).
        weight: of the adversarial loss of the generator.
        feature_weight: of the distance between features of the discriminator (Larsen et al. 2016), a perceptual loss
            for those who have no VGG weights.
        fields: of :class:`restora.nets.discriminator.Discriminator`.
        rate: learning rate of the discriminator.
    """

    kind: Literal["vanilla", "relativistic"] = "vanilla"
    weight: float = 1e-3
    feature_weight: float = 0.0
    fields: Mapping[str, object] = field(default_factory=dict)
    rate: float = 1e-4


@dataclass(frozen=True, slots=True)
class Recipe:
    """A training.

    Attributes:
        name: of the weights it makes, and of its files.
        purpose: a sentence for the manifest.
        task: what the network is for, in the words of ``Spec.tasks``.
        architecture: of :func:`restora.nets.architectures.architectures`.
        fields: what the network is built with.
        data: the images.
        degradation: what is done to them, see :class:`restora.degradations.degradation.Degradation`.
        losses: name of :mod:`restora.learning.losses` -> weight.
        optimiser: of the network.
        schedule: of every learning rate.
        training: the loop.
        adversarial: for a GAN.
        contrastive: weight of IPT's contrastive loss, beside pixels on [0, 1]; for networks that give their features.
        initial: name or path of weights to begin with, or an empty string.
        blend: α of network interpolation (Wang et al. 2018): what is kept in the end is α times the weights found and
            1 − α times those begun with. It takes the artefacts of a GAN back, and some of its sharpness.
        licence: of the weights.
    """

    name: str
    task: Task
    architecture: str
    data: Data
    degradation: Mapping[str, object]
    training: Training
    purpose: str = ""
    fields: Mapping[str, object] = field(default_factory=dict)
    losses: Mapping[str, float] = field(default_factory=lambda: {"l1": 1.0})
    optimiser: Optimiser = Optimiser()
    schedule: Schedule = Schedule()
    adversarial: Adversarial | None = None
    contrastive: float = 0.0
    initial: str = ""
    blend: float = 1.0
    licence: str = "BSD-3-Clause"


def read_recipe(path: Path) -> Recipe:
    """Read the recipe in a TOML file.

    Raises:
        FileProblem: it cannot be read, or is not TOML.
        UnknownName: it holds a key that no recipe has.
        InvalidParameter: a value is missing or of the wrong type.
    """
    return from_table(Recipe, read_toml(path), str(path))
