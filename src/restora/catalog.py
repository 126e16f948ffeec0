"""The table of contents: a row a method, readable without torch.

To add a method: write its file under ``methods/``, then add its row here. Everything else (the front door, the command
line, the benchmark, the contract tests, the docs page) reads this table.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING

from restora.core.errors import UnknownName

if TYPE_CHECKING:
    from restora.core.method import Method
    from restora.core.spec import Spec, Task


@dataclass(frozen=True, slots=True)
class Entry:
    """A row: what a method is called, where it belongs, what it is for, and where its class lies.

    Attributes:
        name: the name by which it is asked for.
        family: its chapter, a folder of ``methods/``.
        tasks: what it is for, in the words of ``SPEC.tasks``.
        summary: one line for a person.
        target: ``"module:Class"``.
    """

    name: str
    family: str
    tasks: tuple[Task, ...]
    summary: str
    target: str

    def load(self) -> type[Method]:
        """Import the class (this imports torch)."""
        module, name = self.target.split(":")
        return getattr(import_module(module), name)

    def spec(self) -> Spec:
        """Import what the method declares about itself (this imports torch)."""
        return import_module(self.target.split(":")[0]).SPEC


_M = "restora.methods."

# fmt: off
_ENTRIES = (
    Entry("gaussian", "filters", ("denoise",), "Gaussian filter, its scale matched to the noise",
          _M + "filters.gaussian:GaussianFilter"),
    Entry("nlm", "filters", ("denoise", "deblock"), "non-local means, patchwise (Buades, Coll, Morel 2005, 2011)",
          _M + "filters.nonlocal_means:NonLocalMeans"),
    Entry("bayes-shrink", "transforms", ("denoise",), "adaptive wavelet soft threshold (Chang, Yu, Vetterli 2000)",
          _M + "transforms.bayes_shrink:BayesShrink"),
    Entry("tv", "variational", ("denoise", "deblur", "super-resolve", "inpaint", "deblock", "demosaick"),
          "total variation for any H (Rudin, Osher, Fatemi 1992; Chambolle, Pock 2011)",
          _M + "variational.total_variation:TotalVariation"),
    Entry("harmonic", "variational", ("inpaint",), "harmonic inpainting: Laplace's equation on the holes",
          _M + "variational.harmonic:HarmonicInpainting"),
    Entry("tv-inpainting", "variational", ("inpaint",), "total-variation inpainting (Chan, Shen 2002)",
          _M + "variational.tv_inpainting:TVInpainting"),
    Entry("wiener", "deblurring", ("deblur",), "Wiener deconvolution with a gradient prior (Wiener 1949; Hunt 1973)",
          _M + "deblurring.wiener:Wiener"),
    Entry("hyper-laplacian", "deblurring", ("deblur",), "deconvolution with sparse gradients (Krishnan, Fergus 2009)",
          _M + "deblurring.hyper_laplacian:HyperLaplacian"),
    Entry("bicubic", "superresolution", ("super-resolve",), "bicubic interpolation, MATLAB-true (Keys 1981)",
          _M + "superresolution.bicubic:Bicubic"),
    Entry("back-projection", "superresolution", ("super-resolve",), "iterative back-projection (Irani, Peleg 1991)",
          _M + "superresolution.back_projection:BackProjection"),
)
# fmt: on


def entries(task: str | None = None, family: str | None = None) -> tuple[Entry, ...]:
    """The rows, in the order of the book; only those for a task or of a family where one is named."""
    return tuple(e for e in _ENTRIES if (task is None or task in e.tasks) and (family is None or family == e.family))


def names() -> tuple[str, ...]:
    """All method names."""
    return tuple(entry.name for entry in _ENTRIES)


def find(name: str) -> Entry:
    """The row of that name.

    Raises:
        UnknownName: there is none; the message names the nearest.
    """
    for entry in _ENTRIES:
        if entry.name == name:
            return entry
    raise UnknownName.among("method", name, names())
