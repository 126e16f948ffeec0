"""Profile: all that is to be said of one method, from its spec, its fields and its docstring."""

import inspect
import re
from dataclasses import asdict, dataclass, fields, is_dataclass

from restora import catalog
from restora.core.operator import Operator
from restora.core.parameters import parameters_of
from restora.core.spec import Spec

_SECTION = re.compile(r"(?ms)^(?:Args|Attributes):\n(.*?)(?=^\S|\Z)")
_ENTRY = re.compile(r"(?ms)^    (\w+)(?: \([^)]*\))?: (.*?)(?=^    \w|\Z)")


@dataclass(frozen=True, slots=True)
class ParameterProfile:
    """A parameter, in words."""

    name: str
    type: str
    default: str
    meaning: str


@dataclass(frozen=True, slots=True)
class Profile:
    """A method, in words."""

    facts: dict[str, str]
    parameters: tuple[ParameterProfile, ...]

    def as_dict(self) -> dict[str, object]:
        """For JSON."""
        return {**self.facts, "parameters": [asdict(parameter) for parameter in self.parameters]}


def profile_of(entry: catalog.Entry) -> Profile:
    """Read what a method says of itself (this imports torch)."""
    spec, method = entry.spec(), entry.load()
    meanings = meanings_of(method.__doc__)
    for table in fields(method):  # type: ignore[arg-type]  # every method is a dataclass
        inner = meanings_of(type(table.default).__doc__) if is_dataclass(table.default) else {}
        meanings |= {f"{table.name}.{name}": meaning for name, meaning in inner.items()}
    parameters = tuple(
        ParameterProfile(p.name, p.words, "none" if p.default is None else str(p.default), meanings.get(p.name, ""))
        for p in parameters_of(method)
    )
    return Profile(_facts(entry, spec), parameters)


def meanings_of(docstring: str | None) -> dict[str, str]:
    """What the docstring of a class says of each parameter, on one line each."""
    section = _SECTION.search(inspect.cleandoc(docstring or ""))
    return {name: " ".join(text.split()) for name, text in _ENTRY.findall(section[1] if section else "")}


def _facts(entry: catalog.Entry, spec: Spec) -> dict[str, str]:
    is_general = Operator in spec.solves
    return {
        "family": entry.family,
        "tasks": ", ".join(entry.tasks),
        "H": "every linear operator" if is_general else ", ".join(H.__name__ for H in spec.solves),
        "colour": spec.colour,
        "noise level": "needed; estimated where not given" if spec.needs_sigma else "not used",
        "looks at": "the whole image" if spec.halo is None else "a neighbourhood; large pictures go in tiles",
        "paper": spec.paper,
        "doi": spec.doi or "none",
        "held to": ", ".join(spec.published) or "nothing published",
    }
