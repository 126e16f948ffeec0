"""Spec: what a method declares about itself, so that the front door, the tests and the docs need not ask it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from restora.core.operator import Operator

Task = Literal["denoise", "deblur", "super-resolve", "inpaint", "deblock", "demosaick"]
Colour = Literal["native", "per-channel", "luma-chroma"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Spec:
    """Capabilities and provenance of a method; the constant ``SPEC`` of its file.

    Attributes:
        name: its name in the catalog and on the command line.
        tasks: what it is for.
        solves: the classes of H it accepts; ``(Operator,)`` means every H.
        colour: ``native`` takes all channels at once; ``per-channel`` is run on each; ``luma-chroma`` on Y of YCbCr.
        paper: authors, title, venue, year.
        doi: of the paper, or an empty string where there is none.
        needs_sigma: it uses the noise level, so the front door must know or estimate it.
        blind: it also finds what is unknown in H.
        halo: radius in pixels of y that one output pixel depends on, as a function of the configured method; None, or a
            function that gives None, when it depends on the whole image.
        min_size: smallest side it takes.
        multiple_of: it works on a grid of so many pixels of y: tiles begin at multiples of it. What it pads, it pads
            itself.
        deterministic: the same input gives the same output without a generator.
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
    needs_sigma: bool = True
    blind: bool = False
    halo: Callable[[Any], int | None] | None = None
    min_size: int = 1
    multiple_of: int = 1
    deterministic: bool = True
    keeps_constants: bool = True
    continuous: bool = True
    weights: tuple[str, ...] = ()
    published: tuple[str, ...] = ()
