"""The table of contents: a row a method, readable without torch.

To add a method: write its file under ``methods/``, then add its row here; a method that runs a network has its row in
``networks.toml``, beside the network. Everything else (the front door, the command line, the benchmark, the contract
tests, the docs page) reads this table.

A package of somebody else adds rows by the entry-point group ``restora.methods``, whose values are ``module:Class``;
a class that no package announces is found by that name too.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from importlib.metadata import entry_points
from typing import TYPE_CHECKING

from restora.core.errors import InvalidInput, UnknownName
from restora.core.networks import network_table

if TYPE_CHECKING:
    from restora.core.method import Method
    from restora.core.spec import Spec, Task


@dataclass(frozen=True, slots=True)
class Entry:
    """A row: what a method is called, where it belongs, what it is for, and where its class lies.

    Attributes:
        name: the name by which it is asked for.
        family: its chapter, a folder of ``methods/``; the name of the package where it is of another.
        tasks: what it is for, in the words of ``spec.tasks``.
        summary: one line for a person.
        target: ``"module:Class"``.
        architectures: of the weights it runs: names of networks, or of a pair of dictionaries.
    """

    name: str
    family: str
    tasks: tuple[Task, ...]
    summary: str
    target: str
    architectures: tuple[str, ...] = ()

    def load(self) -> type[Method]:
        """Import the class (this imports torch)."""
        module, name = self.target.split(":")
        return getattr(import_module(module), name)

    def spec(self) -> Spec:
        """Import what the method declares about itself (this imports torch)."""
        return self.load().spec


_FAMILIES = (
    "filters",
    "transforms",
    "variational",
    "sparse",
    "lowrank",
    "deblurring",
    "superresolution",
    "deep",
    "generative",
    "plug_and_play",
)
"""The chapters in their order."""

_M = "restora.methods."

# fmt: off
_ENTRIES = (
    Entry("gaussian", "filters", ("denoise",), "Gaussian filter, its scale matched to the noise",
          _M + "filters.gaussian:GaussianFilter"),
    Entry("median", "filters", ("denoise",), "median of windows, for impulses (Tukey 1977; Huang, Yang, Tang 1979)",
          _M + "filters.median:Median"),
    Entry("bilateral", "filters", ("denoise",), "bilateral filter, plain or joint (Tomasi, Manduchi 1998)",
          _M + "filters.bilateral:Bilateral"),
    Entry("bilateral-grid", "filters", ("denoise",), "bilateral filter on a grid of places and values (Chen 2007)",
          _M + "filters.bilateral_grid:BilateralGrid"),
    Entry("domain-transform", "filters", ("denoise",), "domain transform: NC, IC or RF (Gastal, Oliveira 2011)",
          _M + "filters.domain_transform:DomainTransform"),
    Entry("domain-transform-joint", "filters", ("denoise",), "domain transform guided by the smoothed image",
          _M + "filters.domain_transform_joint:JointDomainTransform"),
    Entry("guided", "filters", ("denoise",), "guided filter, plain or joint (He, Sun, Tang 2013)",
          _M + "filters.guided:GuidedFilter"),
    Entry("perona-malik", "filters", ("denoise",), "anisotropic diffusion that stops at edges (Perona, Malik 1990)",
          _M + "filters.perona_malik:PeronaMalik"),
    Entry("catte-diffusion", "filters", ("denoise",),
          "regularised Perona–Malik diffusion (Catté, Lions, Morel, Coll 1992)", _M + "filters.catte:CatteDiffusion"),
    Entry("eed", "filters", ("denoise",), "edge-enhancing diffusion with a tensor (Weickert 1996)",
          _M + "filters.edge_enhancing:EdgeEnhancingDiffusion"),
    Entry("eed-inpainting", "filters", ("inpaint",), "edge-enhancing diffusion into the holes (Galić et al. 2008)",
          _M + "filters.edge_enhancing_inpainting:EdgeEnhancingInpainting"),
    Entry("ced", "filters", ("denoise",), "coherence-enhancing diffusion: lines grow together (Weickert 1999)",
          _M + "filters.coherence_enhancing:CoherenceEnhancingDiffusion"),
    Entry("trace-diffusion", "filters", ("denoise",), "trace-based colour diffusion (Tschumperlé, Deriche 2005)",
          _M + "filters.trace_diffusion:TraceDiffusion"),
    Entry("lic-diffusion", "filters", ("denoise",),
          "curvature-preserving diffusion by line integrals, GREYCstoration (Tschumperlé 2006)",
          _M + "filters.curvature_preserving:CurvaturePreservingDiffusion"),
    Entry("nlm", "filters", ("denoise", "deblock"), "non-local means, patchwise (Buades, Coll, Morel 2005, 2011)",
          _M + "filters.nonlocal_means:NonLocalMeans"),
    Entry("low-pass", "transforms", ("denoise",), "Fourier low-pass filter: Gaussian, Butterworth or ideal",
          _M + "transforms.low_pass:LowPass"),
    Entry("local-wiener", "transforms", ("denoise",), "local Wiener filter (Lee 1980)",
          _M + "transforms.local_wiener:LocalWiener"),
    Entry("fourier-wiener", "transforms", ("denoise", "deblur"), "Wiener filter, power-law spectrum (Wiener 1949)",
          _M + "transforms.fourier_wiener:FourierWiener"),
    Entry("visu-shrink", "transforms", ("denoise",), "universal wavelet soft threshold (Donoho, Johnstone 1994)",
          _M + "transforms.visu_shrink:VisuShrink"),
    Entry("sure-shrink", "transforms", ("denoise",), "wavelet soft threshold by SURE (Donoho, Johnstone 1995)",
          _M + "transforms.sure_shrink:SureShrink"),
    Entry("bayes-shrink", "transforms", ("denoise",), "adaptive wavelet soft threshold (Chang, Yu, Vetterli 2000)",
          _M + "transforms.bayes_shrink:BayesShrink"),
    Entry("wavelet-hard", "transforms", ("denoise",), "wavelet hard threshold (Donoho, Johnstone 1994)",
          _M + "transforms.wavelet_hard:WaveletHard"),
    Entry("swt-hard", "transforms", ("denoise",), "undecimated wavelet hard threshold (Coifman, Donoho 1995)",
          _M + "transforms.undecimated_hard:UndecimatedHard"),
    Entry("bi-shrink", "transforms", ("denoise",), "bivariate shrinkage, dual-tree wavelets (Şendur, Selesnick 2002)",
          _M + "transforms.bi_shrink:BiShrink"),
    Entry("bls-gsm", "transforms", ("denoise",), "Gaussian scale mixtures, steerable pyramid (Portilla et al. 2003)",
          _M + "transforms.bls_gsm:BlsGsm"),
    Entry("curvelets", "transforms", ("denoise",), "curvelet hard threshold (Starck, Candès, Donoho 2002)",
          _M + "transforms.curvelet_shrinkage:CurveletShrinkage"),
    Entry("ridgelets", "transforms", ("denoise",), "local or finite ridgelets, hard threshold (Starck et al. 2002)",
          _M + "transforms.ridgelet_shrinkage:RidgeletShrinkage"),
    Entry("bandlets", "transforms", ("denoise",), "hard threshold in the best bandlet basis (Peyré, Mallat 2005)",
          _M + "transforms.bandlet_shrinkage:BandletShrinkage"),
    Entry("sliding-dct", "transforms", ("denoise",), "sliding cosine transform, two passes (Yu, Sapiro 2011)",
          _M + "transforms.sliding_dct:SlidingDCT"),
    Entry("bm3d", "transforms", ("denoise",), "block matching and 3-D filtering (Dabov et al. 2007)",
          _M + "transforms.bm3d:BM3D"),
    Entry("cbm3d", "transforms", ("denoise",), "BM3D of colour images, grouped by luminance (Dabov et al. 2007)",
          _M + "transforms.cbm3d:CBM3D"),
    Entry("tv", "variational", ("denoise", "deblur", "super-resolve", "inpaint", "deblock", "demosaick"),
          "total variation for any H (Rudin, Osher, Fatemi 1992; Chambolle, Pock 2011)",
          _M + "variational.total_variation:TotalVariation"),
    Entry("harmonic", "variational", ("inpaint",), "harmonic inpainting: Laplace's equation on the holes",
          _M + "variational.harmonic:HarmonicInpainting"),
    Entry("tv-inpainting", "variational", ("inpaint",), "total-variation inpainting (Chan, Shen 2002)",
          _M + "variational.tv_inpainting:TVInpainting"),
    Entry("tv-l1", "variational", ("denoise", "deblur", "super-resolve", "inpaint"),
          "total variation with least absolute deviations, for outliers (Nikolova 2004; Chan, Esedoglu 2005)",
          _M + "variational.tv_l1:TVL1"),
    Entry("tgv", "variational", ("denoise", "deblur", "super-resolve", "inpaint", "deblock", "demosaick"),
          "total generalised variation: ramps without stairs (Bredies, Kunisch, Pock 2010)",
          _M + "variational.tgv:TotalGeneralizedVariation"),
    Entry("l0-gradient", "variational", ("denoise", "deblock"),
          "as few jumps as possible: cartoons, edge-preserving smoothing (Xu, Lu, Xu, Jia 2011)",
          _M + "variational.l0_gradient:L0Gradient"),
    Entry("sparse-map", "variational", ("denoise", "deblur", "super-resolve", "inpaint", "demosaick"),
          "MAP under a sparse prior in a tight frame, p = 0, 1, 2, any H (Elad, Milanfar, Rubinstein 2007)",
          _M + "variational.sparse_map:SparseMAP"),
    Entry("wiener", "deblurring", ("deblur",), "Wiener deconvolution with a gradient prior (Wiener 1949; Hunt 1973)",
          _M + "deblurring.wiener:Wiener"),
    Entry("hyper-laplacian", "deblurring", ("deblur",), "deconvolution with sparse gradients (Krishnan, Fergus 2009)",
          _M + "deblurring.hyper_laplacian:HyperLaplacian"),
    Entry("bm3d-deb", "deblurring", ("deblur",), "BM3D after regularised inversion (Dabov et al. 2008)",
          _M + "deblurring.bm3d_deb:BM3DDeblurring"),
    Entry("bicubic", "superresolution", ("super-resolve",), "bicubic interpolation, MATLAB-true (Keys 1981)",
          _M + "superresolution.bicubic:Bicubic"),
    Entry("back-projection", "superresolution", ("super-resolve",), "iterative back-projection (Irani, Peleg 1991)",
          _M + "superresolution.back_projection:BackProjection"),
    Entry("scsr", "superresolution", ("super-resolve",), "sparse coding over a pair of dictionaries (Yang et al. 2010)",
          _M + "superresolution.scsr:ScSR", ("scsr",)),
    Entry("coupled-dictionaries", "superresolution", ("super-resolve",),
          "ScSR with dictionaries trained as a pair (Yang et al. 2012)",
          _M + "superresolution.coupled_dictionaries:CoupledDictionaries"),
    Entry("pnp-admm", "plug_and_play", ("deblur", "super-resolve", "inpaint", "demosaick", "denoise"),
          "ADMM with any denoiser for a prior, any H (Venkatakrishnan, Bouman, Wohlberg 2013)",
          _M + "plug_and_play.pnp_admm:PnPADMM"),
    Entry("pnp-hqs", "plug_and_play", ("deblur", "super-resolve", "inpaint", "demosaick", "denoise"),
          "half-quadratic splitting with any denoiser, any H (Zhang et al. 2017)",
          _M + "plug_and_play.pnp_hqs:PnPHQS"),
    Entry("red", "plug_and_play", ("deblur", "super-resolve", "inpaint", "demosaick", "denoise"),
          "regularisation by denoising, any H (Romano, Elad, Milanfar 2017)", _M + "plug_and_play.red:RED"),
    Entry("dpir", "plug_and_play", ("deblur", "super-resolve", "demosaick", "inpaint", "denoise"),
          "plug and play with DRUNet, any H (Zhang et al. 2022)", _M + "plug_and_play.dpir:DPIR"),
)
# fmt: on


GROUP = "restora.methods"
"""The entry points by which installed packages add methods."""


def entries(task: str | None = None, family: str | None = None) -> tuple[Entry, ...]:
    """The rows, in the order of the book; only those for a task or of a family where one is named.

    Those of other packages come last; to read them imports their modules, and torch. A package that cannot be imported
    is left out with a warning.
    """
    rows = _own_entries() + _announced()
    return tuple(e for e in rows if (task is None or task in e.tasks) and (family is None or family == e.family))


def names() -> tuple[str, ...]:
    """All method names."""
    return tuple(entry.name for entry in _own_entries()) + tuple(point.name for point in entry_points(group=GROUP))


def find(name: str) -> Entry:
    """The row of that name, or of a class given as ``package.module:Class``.

    Raises:
        UnknownName: there is none; the message names the nearest.
        InvalidInput: the class cannot be imported, or does not keep the contract of a method.
    """
    for entry in _own_entries():
        if entry.name == name:
            return entry
    if ":" in name:
        return _foreign(name)
    for point in entry_points(group=GROUP):
        if point.name == name:
            return _foreign(point.value, name)
    raise UnknownName.among("method", name, names())


def running(architecture: str) -> Entry | None:
    """The row of the method that runs weights of this architecture where none is named; None where none does."""
    return next((entry for entry in entries() if architecture in entry.architectures), None)


@cache
def _own_entries() -> tuple[Entry, ...]:
    """The rows of restora itself, those of networks in their chapters."""
    networks = tuple(
        Entry(
            row["name"], row["family"], tuple(row["tasks"]), row["summary"], row["target"], tuple(row["architectures"])
        )
        for row in network_table()["methods"]
    )
    return tuple(sorted(_ENTRIES + networks, key=lambda entry: _FAMILIES.index(entry.family)))


def _announced() -> tuple[Entry, ...]:
    rows = []
    for point in entry_points(group=GROUP):
        try:
            rows.append(_foreign(point.value, point.name))
        except InvalidInput as error:  # one package that does not work must not hide all methods
            warnings.warn(str(error), stacklevel=3)
    return tuple(rows)


def _foreign(target: str, called: str | None = None) -> Entry:
    """The row of a class of another package, as its spec describes it; ``called`` is the name that it announces."""
    from restora.core.method import Method  # noqa: PLC0415 (imports torch, which this table does not need)

    module, _, name = target.partition(":")
    try:
        method = getattr(import_module(module), name)
    except (ImportError, AttributeError, ValueError) as error:
        raise InvalidInput(f"the method {target} cannot be imported: {error}") from error
    if not (isinstance(method, type) and issubclass(method, Method) and hasattr(method, "spec")):
        raise InvalidInput(f"{target} is no method: derive it from restora.Method and give it a spec")
    spec, summary = method.spec, (method.__doc__ or "").strip().partition("\n")[0]
    architectures: tuple[str, ...] = getattr(method, "architectures", ())
    return Entry(called or spec.name, module.partition(".")[0], spec.tasks, summary, target, architectures)
