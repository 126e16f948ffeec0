"""Options: the words every command shares, each declared once."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from restora import catalog
from restora.core.errors import CannotSolve, InvalidParameter

FILES, COMPUTING, MESSAGES = "Files", "Computing", "Messages"


def methods_for(incomplete: str) -> list[str]:
    """Completion: the names of methods."""
    return [name for name in ("auto", *catalog.names()) if name.startswith(incomplete)]


def weights_for(incomplete: str) -> list[str]:
    """Completion: the names of weights that are here."""
    from restora.weights.store import stored

    return [one.name for one in stored() if one.name.startswith(incomplete)]


Pictures = Annotated[list[str], typer.Argument(metavar="PICTURE", help="Files, folders, globs; - is standard input.")]

_OUTPUT = "A name with a suffix is a file, any other a folder, - is standard output. Without it: "

Output = Annotated[
    str | None,
    typer.Option(
        "--output",
        "-o",
        metavar="FILE|FOLDER|-",
        help=_OUTPUT + "NAME.restored.SUFFIX beside the picture.",
        rich_help_panel=FILES,
    ),
]

DegradedOutput = Annotated[
    str | None,
    typer.Option(
        "--output",
        "-o",
        metavar="FILE|FOLDER|-",
        help=_OUTPUT + "NAME.degraded.SUFFIX beside the picture, .png where its own format loses something.",
        rich_help_panel=FILES,
    ),
]

Recursive = Annotated[
    bool,
    typer.Option("--recursive", "-r", help="Folders with all below them; the tree is kept.", rich_help_panel=FILES),
]

Overwrite = Annotated[
    bool, typer.Option("--overwrite", help="Replace files that exist; else they are refused.", rich_help_panel=FILES)
]

SkipExisting = Annotated[
    bool,
    typer.Option(
        "--skip-existing",
        help="Pass over pictures whose output exists: goes on where a run was stopped.",
        rich_help_panel=FILES,
    ),
]

MethodName = Annotated[
    str,
    typer.Option(
        "--method",
        "-m",
        metavar="NAME",
        help="As in `restora methods`, or PACKAGE.MODULE:CLASS; auto chooses and says why.",
        autocompletion=methods_for,
    ),
]

Parameters = Annotated[
    list[str] | None,
    typer.Option(
        "--parameter",
        "-p",
        metavar="NAME=VALUE",
        help="A parameter of the method, as in `restora methods NAME`; may be repeated.",
    ),
]

Weights = Annotated[
    str | None,
    typer.Option(
        "--weights",
        "-w",
        metavar="NAME|FILE",
        help="Weights of a network, as in `restora weights list`, or a checkpoint; --method auto follows them.",
        autocompletion=weights_for,
    ),
]

Sigma = Annotated[
    float | None,
    typer.Option(
        "--sigma",
        "-s",
        metavar="0..255",
        min=0,
        max=255,
        help="Standard deviation of the noise in levels of 0..255, whatever the depth of the file. "
        "Without it: estimated.",
    ),
]

KnownSigma = Annotated[
    float | None,
    typer.Option(
        "--sigma",
        "-s",
        metavar="0..255",
        min=0,
        max=255,
        help="Standard deviation of the noise in levels of 0..255. Without it: no noise.",
    ),
]

Device = Annotated[
    str, typer.Option("--device", metavar="cpu|cuda|cuda:N", help="Where to compute.", rich_help_panel=COMPUTING)
]

Tile = Annotated[
    int | None,
    typer.Option(
        "--tile",
        metavar="PIXELS",
        min=1,
        help="Side of the tiles of large pictures. Without it: decided by size.",
        rich_help_panel=COMPUTING,
    ),
]

Seed = Annotated[int, typer.Option("--seed", help="Of all randomness.", rich_help_panel=COMPUTING)]

Json = Annotated[
    bool,
    typer.Option("--json", help="One JSON object a picture, a line each, and nothing else.", rich_help_panel=MESSAGES),
]

JsonLines = Annotated[bool, typer.Option("--json", help="One JSON object a line, and nothing else.")]

Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Errors only.", rich_help_panel=MESSAGES)]

Data = Annotated[
    Path | None, typer.Option("--data", envvar="RESTORA_DATA", metavar="FOLDER", help="The benchmark data.")
]


def words_of(text: str | None) -> tuple[str, ...]:
    """The words of a list such as ``nlm,tv``; none of nothing."""
    return tuple(word.strip() for word in (text or "").split(",") if word.strip())


def numbers_of(name: str, text: str | None) -> tuple[float, ...]:
    """The numbers of a list such as ``15,25,50``.

    Raises:
        InvalidParameter: one of them is none.
    """
    try:
        return tuple(float(word) for word in words_of(text))
    except ValueError as error:
        raise InvalidParameter.outside(name, text, "numbers separated by commas") from error


def parameters_from(pairs: list[str] | None, method: str) -> dict[str, object]:
    """From ``["h=0.4", …]`` to a mapping.

    Raises:
        InvalidParameter: a pair without a name or a value, or parameters for a method that is not named.
    """
    if pairs and method == "auto":
        raise InvalidParameter("-p sets a parameter of one method: name it with --method")
    parameters: dict[str, object] = {}
    for pair in pairs or []:
        name, equals, value = pair.partition("=")
        if not (name and equals and value):
            raise InvalidParameter(f"-p {pair} is not allowed: write -p NAME=VALUE, such as -p iterations=50")
        parameters[name.strip()] = value.strip()
    return parameters


def method_and_parameters(
    method: str, pairs: list[str] | None, weights: str | None, task: str
) -> tuple[str, dict[str, object]]:
    """The method to run and its parameters, weights among them; all that can be refused before a picture is read, is.

    Raises:
        UnknownName: there is no such method.
        CannotSolve: it is not for this task, or takes no weights.
        InvalidParameter: a pair without a name or a value, or weights given twice.
        MissingWeights: the weights are not here.
        FileProblem: they are damaged, or of no network known here.
    """
    if weights is None:
        _require_for(method, task)
        return method, parameters_from(pairs, method)
    from restora.evaluation.configurations import field_for_weights, method_of_weights
    from restora.weights.store import find

    find(weights)
    method = method_of_weights(weights) if method == "auto" else method
    _require_for(method, task)
    parameters = parameters_from(pairs, method)
    field = field_for_weights(method)
    if field is None:
        raise CannotSolve(f"{method} takes no weights; leave --method out: the weights choose it")
    if field in parameters:
        raise InvalidParameter("the weights are given twice: by --weights and by -p")
    return method, {**parameters, field: weights}


def methods_from(text: str | None) -> tuple[str, ...]:
    """The methods of a list such as ``nlm,package.module:Class``.

    Raises:
        UnknownName: there is none of that name.
        InvalidInput: a class cannot be imported, or is no method.
    """
    names = words_of(text)
    for name in names:
        find_method(name)
    return names


def find_method(name: str) -> catalog.Entry:
    """The row of a method, or of a class ``module:Class`` that may lie in the working directory.

    Raises:
        UnknownName: there is none of that name.
        InvalidInput: the class cannot be imported, or is no method.
    """
    if ":" in name:
        sys.path.append(str(Path.cwd()))
    return catalog.find(name)


def _require_for(method: str, task: str) -> None:
    """Refuse, before anything is loaded, a method that is not there or is for another task."""
    if method == "auto":
        return
    entry = find_method(method)
    if task not in entry.tasks:
        verb = "enlarge" if task == "super-resolve" else task
        good = ", ".join(e.name for e in catalog.entries(task=task))
        raise CannotSolve(f"{method} does not {verb} (it is for: {', '.join(entry.tasks)}); these do: {good}")
