"""Spec: what a method declares about itself, for the front door, the tests and the documentation."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from restora.core.operator import Operator

Task = Literal["denoise", "deblur", "super-resolve", "inpaint", "deblock", "demosaick"]
Colour = Literal["native", "per-channel", "luma-chroma"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Spec:
    """Capabilities and provenance of a method: its class variable ``spec``.

    Attributes:
        name: its name in the catalog and on the command line.
        tasks: what it is for.
        solves: the classes of H it accepts; ``(Operator,)`` means every H that is known.
        among: a further condition on an H of these classes, as (words, test): ``("bicubic", lambda H: …)``; None where
            every one will do.
        colour: ``native`` takes all channels at once; ``per-channel`` is run on each; ``luma-chroma`` on Y of YCbCr.
        paper: authors, title, venue, year.
        doi: of the paper, or an empty string where there is none.
        needs_sigma: it uses the noise level, so the front door must know or estimate it.
        blind: it also finds what is unknown in H.
        leaves_noiseless: a measurement without noise (σ = 0) is left alone.
        halo: radius in pixels of y that one output pixel depends on, as a function of the configured method; None, or a
            function that gives None, when it depends on the whole image.
        min_size: smallest side it takes.
        multiple_of: it works on a grid of so many pixels of y: tiles begin at multiples of it. What it pads, it pads
            itself.
        keeps_constants: a constant image comes back unchanged.
        continuous: a small change of y changes the result little. Not so where a threshold or a match is decided: then
            results in single and double precision differ here and there.
        weights: names of the weights it needs, in the manifest.
        published: ids of the protocols its numbers are held to.
    """

    name: str
    tasks: tuple[Task, ...]
    solves: tuple[type[Operator], ...]
    colour: Colour
    paper: str
    doi: str = ""
    among: tuple[str, Callable[[Any], bool]] | None = None
    needs_sigma: bool = True
    blind: bool = False
    leaves_noiseless: bool = False
    halo: Callable[[Any], int | None] | None = None
    min_size: int = 1
    multiple_of: int = 1
    keeps_constants: bool = True
    continuous: bool = True
    weights: tuple[str, ...] = ()
    published: tuple[str, ...] = ()

    def refusal(self, H: Operator) -> str | None:
        """Why the method does not solve this H; None where it does."""
        if not H.is_known and not self.blind:
            return f"{self.name} needs to know H: estimate the blur first, or use a blind method"
        fits = isinstance(H, self.solves)
        if fits and (self.among is None or self.among[1](H)):
            return None
        solvable = "any operator" if Operator in self.solves else " or ".join(cls.__name__ for cls in self.solves)
        kind, found = "" if self.among is None else f"{self.among[0]} ", "this" if fits else type(H).__name__
        return f"{self.name} solves {kind}{solvable}, not {found}; `restora methods` lists what solves which task"

    def reach(self, method: Any) -> int | None:
        """Radius in pixels of y that one pixel of x depends on under this configured method; None for all of y."""
        return None if self.halo is None else self.halo(method)


def awgn_protocols(*images: str, sigmas: tuple[int, ...] = (15, 25, 50)) -> tuple[str, ...]:
    """The ids of the usual protocols of denoising: white noise on these sets, unclipped, drawn from seed 0."""
    return tuple(f"{name}-awgn-s{sigma}-noclip-seed0" for name in images for sigma in sigmas)


def bicubic_protocols(*images: str, scales: tuple[int, ...] = (2, 3, 4)) -> tuple[str, ...]:
    """The ids of the usual protocols of super-resolution: these sets reduced by MATLAB's imresize, measured on Y."""
    return tuple(f"{name}-x{scale}-matlab-bicubic-y-shave{scale}" for name in images for scale in scales)
