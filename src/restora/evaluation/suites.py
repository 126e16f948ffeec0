"""Suites: the protocols of each benchmark, made from the tables of ``suites.toml``."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import product
from pathlib import Path
from typing import Any

from restora.core.errors import InvalidParameter, UnknownName
from restora.core.reading import read_toml
from restora.evaluation.degradations import measured_from
from restora.evaluation.protocol import Protocol
from restora.evaluation.sets import ImageSet, find_set, image_sets, set_of_folder


@dataclass(frozen=True, slots=True)
class Selection:
    """Which part of a suite is run; empty means all.

    Attributes:
        sets: names of image sets, in whatever case, and folders of pictures.
        sigmas: noise levels in gray levels of 255, in place of those of the suite; what has no such axis is left out.
        scales: factors of enlargement, likewise.
    """

    sets: tuple[str, ...] = ()
    sigmas: tuple[float, ...] = ()
    scales: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        for sigma in self.sigmas:
            if not sigma > 0:
                raise InvalidParameter.outside("sigma", sigma, "> 0, in gray levels of 255")
        for scale in self.scales:
            if scale < 1:
                raise InvalidParameter.outside("scale", scale, ">= 1")


def suite_names() -> tuple[str, ...]:
    """Names of all suites, in the order of ``suites.toml``."""
    return tuple(_tables())


def suite(name: str, selection: Selection | None = None) -> tuple[Protocol, ...]:
    """The protocols of a suite, or of the selected part of it, in order.

    Raises:
        UnknownName: there is no such suite, no such set, or the suite does not use the set.
        InvalidParameter: no protocol of the suite has an axis that was selected on.
    """
    tables = _tables()
    if name not in tables:
        raise UnknownName.among("suite", name, tuple(tables))
    selection = selection or Selection()
    own, named = _selected(selection.sets)
    used = {s for block in tables[name] for s in block["sets"]}
    for s in sorted(named - used):
        raise UnknownName.among(f"image set of the suite {name}", s, tuple(sorted(used)))
    protocols = {
        protocol.id: protocol
        for block in tables[name]
        for protocol in _protocols(name, block, _sets_of(block, own, named, chosen=bool(selection.sets)), selection)
    }
    if not protocols:
        raise InvalidParameter(
            f"nothing of the suite {name} is left: its protocols do not vary in what was selected on"
        )
    return tuple(protocols.values())


def _selected(sets: Sequence[str]) -> tuple[tuple[ImageSet, ...], set[str]]:
    """Folders of pictures as sets, and the names of known sets; a name comes before a folder that is called so."""
    known = {name.lower() for name in image_sets()}
    folders = [s for s in sets if s.lower() not in known and Path(s).is_dir()]
    return tuple(set_of_folder(Path(s)) for s in folders), {find_set(s).name for s in sets if s not in folders}


def _sets_of(block: Mapping[str, Any], own: Sequence[ImageSet], named: set[str], chosen: bool) -> tuple[ImageSet, ...]:
    """The sets on which a block is run; what was photographed degraded has no place for other pictures."""
    ours = [find_set(s) for s in block["sets"] if not chosen or find_set(s).name in named]
    return (*ours, *(() if "photographed" in block["degradation"] else own))


@cache
def _tables() -> dict[str, list[dict[str, Any]]]:
    return read_toml(Path(__file__).parent / "suites.toml")


def _protocols(
    name: str, block: Mapping[str, Any], sets: Sequence[ImageSet], selection: Selection
) -> Iterator[Protocol]:
    for images, values in product(sets, _values(block, selection)):
        yield Protocol(
            id=block["id"].format(set=images.name.lower(), **{k: _written(v) for k, v in values.items()}),
            suite=name,
            task=block["task"],
            images=images,
            space=block["space"],
            degradation=measured_from(block["degradation"], values),
            measurement=block.get("measurement", "unclipped"),
            estimate=block["estimate"],
            border=values[border] if isinstance(border := block.get("border", 0), str) else border,
            metrics=tuple(block["metrics"]),
        )


def _values(block: Mapping[str, Any], selection: Selection) -> list[dict[str, Any]]:
    """All combinations of what varies in a block; none where it lacks an axis that was selected on."""
    axes: dict[str, Sequence[Any]] = dict(block.get("over", {}))
    for axis, chosen in (("sigma", selection.sigmas), ("scale", selection.scales)):
        if chosen and axis not in axes:
            return []
        if chosen:
            axes[axis] = chosen
    combinations = [dict(zip(axes, point)) for point in product(*axes.values())]
    return [{**entry, **point} for entry in block.get("each", [{}]) for point in combinations]


def _written(value: object) -> str:
    return f"{value:g}" if isinstance(value, int | float) else str(value)
