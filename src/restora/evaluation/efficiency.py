"""Efficiency: methods side by side, as the challenges on efficient restoration score them.

The challenges are those of the workshop New Trends in Image Restoration and Enhancement (NTIRE, CVPR): efficient
super-resolution ×4, and denoising of σ = 50. Quality is PSNR and SSIM on RGB over a set of images, speed the mean time
an image, size and work those of :mod:`restora.evaluation.complexity` for a picture of 3×256×256. Methods take turns,
image by image, so that whatever else a machine does falls on all alike.

Efficient super-resolution is scored relative to a baseline measured in the same run, lower being better:

    score = a exp(2 t/t₀) + b exp(2 F/F₀) + c exp(2 P/P₀)       t seconds, F multiply-adds, P parameters

with (a, b, c) = (0.7, 0.15, 0.15) in 2024 and 2025 and (0.8, 0.1, 0.1) in 2026. The baseline itself has e² = 7.389.
"""

import csv
import io
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import partial
from importlib.metadata import version
from math import exp, inf
from pathlib import Path
from statistics import fmean

import torch

from restora.core.errors import FileProblem, InvalidParameter, UnknownName
from restora.core.problem import Problem
from restora.core.progress import Progress, silent
from restora.core.result import Result
from restora.evaluation.complexity import SIZE, Complexity, complexity_of_run
from restora.evaluation.configurations import configurations_of, method_of
from restora.evaluation.degradations import Scene, Simulated
from restora.evaluation.ledger import MEAN
from restora.evaluation.measurements import Row
from restora.evaluation.meter import Cost, device_name, metered
from restora.evaluation.protocol import Case, Protocol, levelled
from restora.evaluation.suites import Selection, suite
from restora.front.restore import restore

CHALLENGES: tuple[str, ...] = ("ntire-esr", "ntire-denoise50")
"""The suites that are challenges."""

SCORED = "ntire-esr"
"""The one that has a score beside PSNR."""


@dataclass(frozen=True, slots=True)
class Shares:
    """How much runtime, multiply-adds and parameters weigh in the score; together 1."""

    runtime: float
    macs: float
    parameters: float


SHARES: Mapping[str, Shares] = {"2025": Shares(0.7, 0.15, 0.15), "2026": Shares(0.8, 0.1, 0.1)}
"""By edition; that of 2024 scored as 2025 did."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A method, or anything else that restores, to be compared with others.

    Attributes:
        name: in the table.
        restore: of a measurement.
        complexity: for 3×256×256; None before it is :func:`counted`, and of methods without a network.
    """

    name: str
    restore: Callable[[Problem], Result]
    complexity: Complexity | None = None


def candidates_of(
    methods: Sequence[str], weights: Sequence[str] = (), device: torch.device | str = "cpu"
) -> tuple[Candidate, ...]:
    """Methods through the front door, named and given weights as ``restora bench`` does.

    Raises:
        As :func:`restora.evaluation.configurations.configurations_of`.
    """
    return tuple(
        Candidate(name, partial(restore, method=method_of(name), parameters=parameters, device=device))
        for name, parameters in configurations_of(methods, weights).items()
    )


@dataclass(frozen=True, slots=True)
class Line:
    """A line of the table: a method on a set.

    Attributes:
        method: its name.
        set: name of the image set.
        images: how many of it were restored.
        psnr: mean over the images, in dB.
        ssim: likewise.
        seconds: mean time an image.
        peak_mib: most memory during any of them, in MiB; None where it cannot be known.
        complexity: for 3×256×256; None of methods without a network.
    """

    method: str
    set: str
    images: int
    psnr: float
    ssim: float
    seconds: float
    peak_mib: float | None
    complexity: Complexity | None


@dataclass(frozen=True, slots=True)
class Reference:
    """A baseline of the challenge on efficient super-resolution, as its report prints it.

    Attributes:
        name: of the network.
        edition: the year whose baseline it was.
        psnr: on the validation set of DIV2K and LSDIR, 200 images, and on the test set of that edition, in dB.
        parameters: numbers of the network.
        macs: for 3×256×256; the reports call them FLOPs.
        seconds: mean time an image of those sets.
        machine: on which; empty where it is not known.
    """

    name: str
    edition: str
    psnr: tuple[float, float]
    parameters: float
    macs: float
    seconds: float
    machine: str


REFERENCES: tuple[Reference, ...] = (
    Reference("RLFN", "2024", (26.96, 27.07), 0.317e6, 19.67e9, 13.54e-3, "RTX 3090"),
    Reference("EFDN", "2025", (26.93, 27.01), 0.276e6, 16.70e9, 16.69e-3, "RTX A6000"),
    Reference("SPAN", "2026", (26.94, 27.01), 0.151e6, 9.83e9, 7.74e-3, ""),
)
"""The published baselines."""


def protocols_of(challenge: str, sets: Sequence[str] = ()) -> tuple[Protocol, ...]:
    """The protocols of a challenge, one for each set.

    Args:
        challenge: one of :data:`CHALLENGES`.
        sets: names of image sets, and folders of true images, such as those of DIV2K or LSDIR, which are not among the
            sets; empty means all sets of the challenge.

    Raises:
        UnknownName: there is no such challenge, or it does not use such a set.
        MissingData: a folder holds no pictures.
    """
    if challenge not in CHALLENGES:
        raise UnknownName.among("challenge", challenge, CHALLENGES)
    return suite(challenge, Selection(sets=tuple(sets)))


def measure(
    protocol: Protocol,
    candidates: Sequence[Candidate],
    data: Path,
    device: torch.device,
    limit: int | None = None,
    progress: Progress | None = None,
) -> tuple[Line, ...]:
    """Restore the images of a protocol by all candidates, in turns, and give a line for each.

    Args:
        protocol: of :func:`protocols_of`.
        candidates: at least one, :func:`counted`, so that whatever they compile or load is there.
        data: the folder of benchmark data.
        device: on which the candidates compute, whose memory is looked at.
        limit: only the first so many images.
        progress: called after each image.

    Raises:
        RestoraError: a candidate cannot solve the problem, its weights or the images are not there.
    """
    tell = progress or silent
    names = protocol.images.images(data)[:limit]
    scores = [_Score(one) for one in candidates]
    for done, name in enumerate(names):
        case = protocol.case(data, name)
        for turn, score in enumerate(scores, start=1):
            score.add(protocol, case, device)
            tell(done * len(scores) + turn, len(names) * len(scores), f"{score.candidate.name}: {name}")
    return tuple(score.entry(protocol.images.name) for score in scores)


def counted(candidate: Candidate, protocol: Protocol) -> Candidate:
    """The candidate with its complexity: it is run on a measurement of 3×256×256, degraded as the protocol says."""
    return replace(candidate, complexity=complexity_of_run(lambda: candidate.restore(_standard(protocol)))[1])


def lines_of(rows: Iterable[Row], complexities: Mapping[str, Complexity | None]) -> Iterator[Line]:
    """The lines for what ``restora bench`` measured: rows of images and means with metrics psnr and ssim.

    Args:
        rows: of one suite.
        complexities: by method, of all methods in the rows.
    """
    rows = tuple(rows)
    for psnr in rows:
        if psnr.image != MEAN or psnr.metric != "psnr":
            continue
        of_series = [row for row in rows if (row.method, row.protocol) == (psnr.method, psnr.protocol)]
        ssim = next(row.value for row in of_series if row.image == MEAN and row.metric == "ssim")
        images = len({row.image for row in of_series if row.image != MEAN})
        yield Line(
            psnr.method, psnr.set, images, psnr.value, ssim, psnr.seconds, psnr.peak_mib, complexities[psnr.method]
        )


def baseline_of(complexities: Mapping[str, Complexity | None], name: str | None = None) -> str | None:
    """The method the others are scored against: the one of that name, else the first that has a network.

    Args:
        complexities: by method, of all that are compared, in order.
        name: the one asked for.

    Raises:
        UnknownName: it is not compared.
        InvalidParameter: it has no network.
    """
    if name is None:
        return next((method for method, complexity in complexities.items() if complexity is not None), None)
    if name not in complexities:
        raise UnknownName.among("candidate", name, sorted(complexities))
    if complexities[name] is None:
        raise InvalidParameter(f"{name} cannot be the baseline: it has no network, so no parameters and multiply-adds")
    return name


def esr_score(entry: Line, baseline: Line, shares: Shares) -> float | None:
    """The score of efficient super-resolution, see the module; None where either has no network."""
    ours, base = entry.complexity, baseline.complexity
    if ours is None or base is None:
        return None
    return (
        shares.runtime * exp(2 * entry.seconds / baseline.seconds)
        + shares.macs * exp(2 * ours.macs / base.macs)
        + shares.parameters * exp(2 * ours.parameters / base.parameters)
    )


COLUMNS = (
    "set",
    "method",
    "images",
    "psnr",
    "ssim",
    "parameters_m",
    "macs_g",
    "activations_m",
    "milliseconds",
    "peak_mib",
    *(f"score_{edition}" for edition in SHARES),
)
"""Of a table: parameters and activations in millions, multiply-adds in thousands of millions, time an image."""


def table(entries: Sequence[Line], baseline: str | None) -> list[tuple[str, ...]]:
    """The lines of the table under :data:`COLUMNS`, set by set: the best score first, without scores the best PSNR.

    Args:
        entries: of one challenge.
        baseline: the method the scores are relative to, whose own is e² = 7.389; None leaves them out.
    """
    bases = {entry.set: entry for entry in entries if entry.method == baseline}
    ranked: list[tuple[int, float, float, tuple[str, ...]]] = []
    sets = list(dict.fromkeys(entry.set for entry in entries))
    for entry in entries:
        base = bases.get(entry.set)
        scores = [None if base is None else esr_score(entry, base, shares) for shares in SHARES.values()]
        latest = inf if scores[-1] is None else scores[-1]
        ranked.append((sets.index(entry.set), latest, -entry.psnr, _cells(entry, scores)))
    return [cells for *_, cells in sorted(ranked)]


def references() -> list[tuple[str, ...]]:
    """The published baselines as lines under :data:`COLUMNS`, their PSNR that of the validation set."""
    return [
        (
            "DIV2K+LSDIR valid",
            f"{one.name} (NTIRE {one.edition}{', ' + one.machine if one.machine else ''})",
            "200",
            f"{one.psnr[0]:.2f}",
            "",
            f"{one.parameters / 1e6:.3f}",
            f"{one.macs / 1e9:.2f}",
            "",
            f"{one.seconds * 1e3:.2f}",
            "",
            *("" for _ in SHARES),
        )
        for one in REFERENCES
    ]


def write_table(path: Path, lines: Iterable[Sequence[str]], device: torch.device) -> None:
    """Write a table as CSV, with device, version and date behind each line.

    Raises:
        FileProblem: the file cannot be written.
    """
    place = (device_name(device), version("restora"), datetime.now(UTC).date().isoformat())
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow((*COLUMNS, "device", "version", "date"))
    writer.writerows((*line, *place) for line in lines)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text.getvalue(), encoding="utf-8")
    except OSError as problem:
        raise FileProblem(f"cannot write {path}: {problem}") from problem


def _cells(entry: Line, scores: Sequence[float | None]) -> tuple[str, ...]:
    size = entry.complexity
    return (
        entry.set,
        entry.method,
        str(entry.images),
        f"{entry.psnr:.2f}",
        f"{entry.ssim:.4f}",
        "" if size is None else f"{size.parameters / 1e6:.3f}",
        "" if size is None else f"{size.macs / 1e9:.2f}",
        "" if size is None else f"{size.activations / 1e6:.2f}",
        f"{entry.seconds * 1e3:.2f}",
        "" if entry.peak_mib is None else f"{entry.peak_mib:.0f}",
        *("" if score is None else f"{score:.3f}" for score in scores),
    )


@dataclass(frozen=True, eq=False, slots=True)
class _Score:
    """What was measured of a candidate so far."""

    candidate: Candidate
    values: list[dict[str, float]] = field(default_factory=list)
    costs: list[Cost] = field(default_factory=list)

    def add(self, protocol: Protocol, case: Case, device: torch.device) -> None:
        """Restore one image and measure the result."""
        result, cost = metered(lambda: self.candidate.restore(case.problem), device)
        self.values.append(protocol.measure(result.x, case))
        self.costs.append(cost)

    def entry(self, of_set: str) -> Line:
        peaks = [cost.peak_mib for cost in self.costs if cost.peak_mib is not None]
        return Line(
            self.candidate.name,
            of_set,
            len(self.values),
            fmean(values["psnr"] for values in self.values),
            fmean(values["ssim"] for values in self.values),
            fmean(cost.seconds for cost in self.costs),
            max(peaks) if peaks else None,
            self.candidate.complexity,
        )


def _standard(protocol: Protocol) -> Problem:
    """A measurement of 3×256×256, degraded as the protocol says, of a ramp of gray levels."""
    channels, height, width = SIZE
    source = protocol.degradation
    scale = int(max(source.degradation.scales, default=1)) if isinstance(source, Simulated) else 1
    ramp = torch.linspace(0, 1, width * scale, dtype=torch.float64).expand(1, channels, height * scale, -1).contiguous()
    problem = protocol.degradation.problem(Scene("ramp", ramp, None, Path()))
    return problem.with_y(levelled(problem.y, protocol.measurement).float())
