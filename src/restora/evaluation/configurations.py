"""Configurations: methods with the parameters and weights they are given, as a benchmark compares them."""

from collections.abc import Mapping, Sequence

from restora import catalog
from restora.core.denoiser import Denoiser
from restora.core.errors import CannotSolve, InvalidParameter, UnknownName
from restora.core.method import Method
from restora.core.parameters import parameters_of
from restora.core.problem import Problem
from restora.nets.architectures import class_of
from restora.weights.identify import architecture_of
from restora.weights.store import find

Configurations = Mapping[str, Mapping[str, object]]
"""The name in the rows (``bm3d``, ``dncnn[sigma25]``, ``package.module:Class``) -> the parameters that are given."""


def configurations_of(
    methods: Sequence[str], weights: Sequence[str] = (), parameters: Mapping[str, object] | None = None
) -> Configurations:
    """The methods, those that take weights once with each of them.

    Without methods, each file of weights is run by the method of its architecture. Without either there are none.

    Args:
        methods: names of the catalog, or classes as ``package.module:Class``.
        weights: names or paths of the weights of networks.
        parameters: fields that are given; of one method, so that it is clear whose they are.

    Raises:
        UnknownName: there is no such method or parameter.
        InvalidInput: a class cannot be imported, or is no method.
        MissingWeights: there are no such weights.
        FileProblem: a file is damaged, or of no architecture known here.
        CannotSolve: no method takes the weights.
        InvalidParameter: two files of weights have the same name, or parameters are given and not one method.
    """
    given = dict(parameters or {})
    if given and len(methods) != 1:
        raise InvalidParameter("parameters are those of one method: name it, and no other")
    for method in methods:
        entry = catalog.find(method)
        known = [one.name for one in parameters_of(entry.load())] if given else []
        for name in given:
            if name not in known:
                raise UnknownName.among("parameter", name, known)
    named = _named(weights)
    if not weights:
        return dict.fromkeys(methods, given)
    if not methods:
        return {
            f"{method}[{name}]": {field_for_weights(method) or "weights": path}
            for name, path in named.items()
            for method in [method_of_weights(path)]
        }
    fields = {method: field_for_weights(method) for method in methods}
    if not any(fields.values()):
        raise CannotSolve(f"none of {', '.join(methods)} takes weights; leave --methods out: the weights choose them")
    configurations: dict[str, Mapping[str, object]] = {}
    for method, field in fields.items():
        configurations |= (
            {method: given}
            if field is None
            else {f"{method}[{name}]": {**given, field: path} for name, path in named.items()}
        )
    return configurations


def method_of(configuration: str) -> str:
    """The method behind a name such as ``dncnn[sigma25]``."""
    return configuration.partition("[")[0]


def parameters_in_words(configuration: str, given: Mapping[str, object], method: Method, problem: Problem) -> str:
    """The parameters in which a method differs from what its paper gives for the problem, such as ``h_over_sigma=0.4``.

    Args:
        configuration: its name; weights that stand in it are not repeated.
        given: the parameters that were given.
        method: configured with them.
        problem: with nothing unknown.
    """
    paper = type(method).for_problem(problem)
    named = field_for_weights(method_of(configuration)) if "[" in configuration else None
    values = {name: (_value(method, name), _value(paper, name)) for name in sorted(given) if name != named}
    return " ".join(f"{name}={ours}" for name, (ours, theirs) in values.items() if ours != theirs)


def _value(method: Method, name: str) -> object:
    value: object = method
    for part in name.split("."):
        value = getattr(value, part)
    return value


def _named(weights: Sequence[str]) -> dict[str, str]:
    """The weights by the names of their files without suffix, as the rows name them."""
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
