"""Entrants: who takes part in a benchmark: methods, and networks with several weights side by side."""

from collections.abc import Mapping, Sequence

from restora import catalog
from restora.core.denoiser import Denoiser
from restora.core.errors import CannotSolve, InvalidParameter
from restora.core.parameters import parameters_of
from restora.nets.architectures import class_of
from restora.weights.identify import architecture_of
from restora.weights.store import find

Entrants = Mapping[str, Mapping[str, object]]
"""What the rows call an entrant (``bm3d``, ``dncnn[sigma25]``) -> the parameters it is given."""


def entrants_of(methods: Sequence[str], weights: Sequence[str]) -> Entrants:
    """The methods, those that take weights once with each of them.

    Without methods, each file of weights is run by the method of its architecture. Without either there are none.

    Raises:
        UnknownName: there is no such method.
        MissingWeights: there are no such weights.
        FileProblem: a file is damaged, or of no architecture known here.
        CannotSolve: no method takes the weights.
        InvalidParameter: two files of weights have the same name.
    """
    for method in methods:
        catalog.find(method)
    named = _named(weights)
    if not weights:
        return {method: {} for method in methods}
    if not methods:
        return {
            f"{method}[{name}]": {field_for_weights(method) or "weights": path}
            for name, path in named.items()
            for method in [method_of_weights(path)]
        }
    fields = {method: field_for_weights(method) for method in methods}
    if not any(fields.values()):
        raise CannotSolve(f"none of {', '.join(methods)} takes weights; leave --methods out: the weights choose them")
    entrants: dict[str, Mapping[str, object]] = {}
    for method, field in fields.items():
        entrants |= (
            {method: {}} if field is None else {f"{method}[{name}]": {field: path} for name, path in named.items()}
        )
    return entrants


def method_of(entrant: str) -> str:
    """The method behind a name such as ``dncnn[sigma25]``."""
    return entrant.partition("[")[0]


def _named(weights: Sequence[str]) -> dict[str, str]:
    """The weights by the names of their files without suffix; that is all the rows tell of them."""
    named: dict[str, str] = {}
    for one in weights:
        name = find(one).stem
        if name in named:
            raise InvalidParameter(f"two files of weights are called {name}: copy them to names that tell them apart")
        named[name] = one
    return named


def method_of_weights(weights: str) -> str:
    """The method that runs the network of a file of weights.

    Raises:
        MissingWeights: the weights are not here.
        FileProblem: they are damaged, or of no network known here.
        CannotSolve: no method runs such a network.
    """
    architecture = architecture_of(weights)
    entry = catalog.running(architecture)
    if entry is None:
        raise CannotSolve(f"{weights} are weights of {class_of(architecture)}, which no method runs by itself")
    return entry.name


def field_for_weights(method: str) -> str | None:
    """The parameter of the method that takes weights: its ``weights``, or its denoiser; None where it has neither.

    Raises:
        UnknownName: there is no such method.
    """
    parameters = parameters_of(catalog.find(method).load())
    fields = [one.name for one in parameters if one.name == "weights" or one.type is Denoiser]
    return fields[0] if fields else None
