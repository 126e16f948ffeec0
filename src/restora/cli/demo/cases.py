"""Cases: five photographs, how each is made worse, and what restora knows when it restores it."""

import sys
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from restora.core.errors import FileProblem, MissingDependency

WIDTH, HEIGHT = 402, 300
"""Size of what is cut out of each photograph: small enough to be quick, and a multiple of three."""


@dataclass(frozen=True, slots=True)
class Case:
    """A photograph and two command lines.

    Attributes:
        name: of its files.
        title: what is wrong with it.
        known: what restora knows of it.
        photograph: a file of scikit-image.
        corner: top left corner, (left, top), of the cut.
        degrade: options of ``restora degrade``.
        restore: words of the command that restores it; ``{mask}`` stands for the mask's file.
    """

    name: str
    title: str
    known: str
    photograph: str
    corner: tuple[int, int]
    degrade: tuple[str, ...]
    restore: tuple[str, ...]


CASES = (
    Case(
        "noise",
        "Noise, sigma 25 of 255",
        "given the noise level",
        "astronaut.png",
        (96, 0),
        ("--noise", "gaussian:25"),
        ("denoise", "--sigma", "25"),
    ),
    Case(
        "blur",
        "Motion blur, 11 pixels at 30°, and noise",
        "given the kernel and the noise level",
        "coffee.png",
        (118, 2),
        ("--blur", "motion:11:30", "--noise", "gaussian:2"),
        ("deblur", "--kernel", "motion:11:30", "--sigma", "2"),
    ),
    Case(
        "resolution",
        "A ninth of the pixels",
        "given the factor, 3",
        "motorcycle_left.png",
        (180, 118),
        ("--scale", "3"),
        ("upscale", "--scale", "3"),
    ),
    Case(
        "holes",
        "Written over",
        "given the mask",
        "chelsea.png",
        (20, 0),
        ("--mask", "text:14"),
        ("inpaint", "--mask", "{mask}"),
    ),
    Case(
        "unknown",
        "Noise and JPEG compression",
        "given nothing",
        "rocket.jpg",
        (119, 120),
        ("--noise", "gaussian:12", "--jpeg", "90"),
        ("auto",),
    ),
)


def photograph(name: str) -> Path:
    """The file of a photograph that scikit-image ships; scikit-image itself is not imported.

    Raises:
        MissingDependency: scikit-image is not installed.
        FileProblem: it no longer ships that file.
    """
    spec = find_spec("skimage") if "skimage" not in sys.modules else sys.modules["skimage"].__spec__
    if spec is None or spec.origin is None:
        raise MissingDependency('the demo shows photographs of scikit-image: pip install "restora[demo]"')
    path = Path(spec.origin).parent / "data" / name
    if not path.is_file():
        raise FileProblem(f"this scikit-image does not bring {name} along: the demo needs {path}")
    return path
