"""Runner: measures methods over the protocols of a suite, image by image, and can be interrupted at any of them."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from statistics import fmean

import torch

from restora import catalog
from restora.core.caches import user_cache
from restora.core.errors import CannotSolve, FileProblem, InvalidParameter, MissingData, RestoraError
from restora.core.problem import Problem
from restora.core.progress import Progress, silent
from restora.core.result import Result
from restora.core.spec import Task
from restora.evaluation.configurations import Configurations, configurations_of, method_of, parameters_in_words
from restora.evaluation.fingerprint import fingerprint
from restora.evaluation.ledger import MEAN, published_mean
from restora.evaluation.measurements import Measurements, Row, labelled, read_rows
from restora.evaluation.meter import Cost, device_name, metered
from restora.evaluation.pictures import Pictures
from restora.evaluation.protocol import Case, Protocol
from restora.evaluation.sets import data_folder
from restora.evaluation.suites import Selection, suite
from restora.front.plan import plan

Restore = Callable[[Problem, str], Result]
"""How a method of that name is applied to a problem; the front door unless another is given."""

WARM_UP_SIDE = 64
"""Side of the corner of the first image on which a method is tried first, so that no compilation is timed."""


def run_bench(  # noqa: PLR0913 (one argument an option of `restora bench`)
    suite_name: str,
    methods: Sequence[str] = (),
    sets: Sequence[str] = (),
    sigmas: Sequence[float] = (),
    scales: Sequence[int] = (),
    limit: int | None = None,
    data: Path | None = None,
    out: Path | None = None,
    device: torch.device | str = "cpu",
    progress: Progress | None = None,
    restore: Restore | None = None,
    weights: Sequence[str] = (),
    parameters: Mapping[str, object] | None = None,
) -> Iterator[Row]:
    """Measure methods on a suite and yield a row for each metric of each image and of each set's mean.

    Rows are appended to ``out/measurements.csv`` as they come, pictures written below ``out/pictures``. What stands
    there already, of the same code, weights, parameters and kind of device, is yielded from there and not computed
    again (for new times give a new folder). A method that does not solve a protocol's H, or fails on an image, is
    skipped, and ``progress`` gets a sentence that says so. Means run over all images of the set measured so far.

    Args:
        suite_name: a suite of ``suites.toml``.
        methods: names of the catalog, or classes ``package.module:Class``; empty means all for the suite's tasks.
        sets: names of image sets, or folders of pictures; empty means all sets of the suite.
        sigmas: noise levels in gray levels of 255 in place of the suite's.
        scales: factors of enlargement in place of the suite's.
        limit: only the first so many images of each set.
        data: the folder of benchmark data; None means that of the environment variable RESTORA_DATA.
        out: the folder of measurements; None means that of :func:`default_folder`.
        device: where to compute.
        progress: called after each image with the number of images done and to do.
        restore: in place of the front door.
        weights: of networks, by name or path. Each is run by every method named that takes weights, or by the method
            of its architecture where none is named, and stands in the rows as ``METHOD[NAME]``.
        parameters: of the one method named, in place of those its paper gives.

    Raises:
        UnknownName: there is no such suite, set or method.
        MissingWeights: there are no such weights.
        InvalidParameter: a limit, σ or scale out of its range, or a CUDA device where there is none.
        MissingData: the folder of data is not given or lacks a set.
        CannotSolve: none of the methods that were named solves any of the protocols, or takes the weights.
        FileProblem: a file cannot be read or written.
    """
    if limit is not None and limit < 1:
        raise InvalidParameter.outside("limit", limit, ">= 1")
    protocols = suite(suite_name, Selection(tuple(sets), tuple(sigmas), tuple(scales)))
    configurations = configurations_of(methods, weights, parameters)
    root = data_folder(data, [protocol.images for protocol in protocols])
    images = {protocol.id: protocol.images.images(root) for protocol in protocols}
    place = torch.device(device)
    if place.type == "cuda" and not torch.cuda.is_available():
        raise InvalidParameter("there is no CUDA device here: use the CPU")
    folder = out or default_folder(suite_name)
    bench = _Bench(
        data=root,
        limit=limit,
        device=place,
        measurements=Measurements(folder / "measurements.csv"),
        pictures=Pictures(folder / "pictures"),
        restore=restore or _front_door(place, configurations),
        configurations=configurations,
        progress=progress or silent,
    )
    return bench.run(protocols, images)


def recorded(
    suite_name: str, methods: Sequence[str] = (), selection: Selection | None = None, out: Path | None = None
) -> Iterator[Row]:
    """What stands in ``out/measurements.csv``, whatever code measured it; nothing is run.

    Args:
        suite_name: a suite of ``suites.toml``.
        methods: as the rows name them, with or without their weights; empty means all.
        selection: the part of the suite.
        out: the folder of measurements; None means that of :func:`default_folder`.

    Raises:
        UnknownName: there is no such suite or set.
        FileProblem: there are no measurements, or they cannot be read.
    """
    protocols = {protocol.id for protocol in suite(suite_name, selection)}
    rows = read_rows((out or default_folder(suite_name)) / "measurements.csv")
    for row in {row.key: row for row in rows}.values():
        if row.protocol in protocols and (not methods or {row.method, method_of(row.method)} & set(methods)):
            yield row


def default_folder(suite_name: str) -> Path:
    """Where the measurements of a suite lie unless a folder is given: ``restora/bench`` in the user's cache."""
    return user_cache() / "bench" / suite_name


@dataclass(frozen=True, slots=True)
class _Job:
    """A method, as the rows name it, on a protocol: the images of this run, and all of the set's."""

    method: str
    protocol: Protocol
    names: tuple[str, ...]
    every: tuple[str, ...]
    code: str
    parameters: str


@dataclass(frozen=True, eq=False, slots=True, kw_only=True)
class _Bench:
    """Where a run reads, writes and computes."""

    data: Path
    limit: int | None
    device: torch.device
    measurements: Measurements
    pictures: Pictures
    restore: Restore
    configurations: Configurations
    progress: Progress

    def run(self, protocols: Sequence[Protocol], images: dict[str, tuple[str, ...]]) -> Iterator[Row]:
        jobs, refusals = self._jobs(protocols, images)
        done, total = 0, sum(len(job.names) for job in jobs)
        for sentence in refusals:
            self.progress(done, total, sentence)
        for job in jobs:
            yield from self._one(job, done, total)
            done += len(job.names)

    def _jobs(self, protocols: Sequence[Protocol], images: dict[str, tuple[str, ...]]) -> tuple[list[_Job], list[str]]:
        """What is to be run, protocol by protocol, and a sentence for each method and protocol that is not."""
        jobs: list[_Job] = []
        refusals: list[str] = []
        for protocol in protocols:
            every = images[protocol.id]
            first = protocol.case(self.data, every[0]).problem
            for method in tuple(self.configurations) or _methods_for(protocol.task):
                try:
                    code, parameters = self._identity(method, first)
                except RestoraError as refusal:
                    refusals.append(f"{method} skipped on {protocol.id}: {refusal}")
                else:
                    jobs.append(_Job(method, protocol, every[: self.limit], every, code, parameters))
        if self.configurations and not jobs:
            raise CannotSolve("none of the methods named solves any protocol selected: " + "; ".join(refusals[:3]))
        return jobs, refusals

    def _identity(self, configuration: str, problem: Problem) -> tuple[str, str]:
        """What a number of a method depends on beside the protocol: its code, and its parameters in words."""
        entry = catalog.find(method_of(configuration))
        reason = entry.spec().refusal(problem.H)
        if reason is not None:
            raise CannotSolve(reason)
        given = self.configurations.get(configuration, {})
        planned = plan(problem, entry.load(), parameters=given)
        if planned.method is None:  # nothing is to be restored: what it is configured as does not matter
            return fingerprint(entry, entry.load()()), ""
        parameters = parameters_in_words(configuration, given, planned.method, planned.problem)
        return fingerprint(entry, planned.method), parameters

    def _one(self, job: _Job, done: int, total: int) -> Iterator[Row]:
        """The rows of a job; where the method gives up on an image, those before it and a sentence."""
        cold = True
        for count, name in enumerate(job.names, start=1):
            rows = self._known(job, name)
            try:
                if not rows:
                    rows = self._measured(job, name, cold)
                    cold = False
            except (FileProblem, MissingData):
                raise
            except RestoraError as refusal:
                self.progress(done + len(job.names), total, f"{job.method} skipped on {job.protocol.id}: {refusal}")
                return
            yield from rows
            self.progress(done + count, total, f"{job.method} on {job.protocol.id}: {name}")
        yield from self._means(job)

    def _known(self, job: _Job, name: str) -> list[Row]:
        """The rows of an image that was measured before; none unless every metric is there."""
        kind = device_name(self.device).partition(" ")[0]
        method = labelled(job.method, job.parameters)
        rows = [
            self.measurements.get((method, job.protocol.id, name, metric, kind), job.code)
            for metric in job.protocol.metrics
        ]
        known = [row for row in rows if row is not None]
        return known if len(known) == len(rows) else []

    def _measured(self, job: _Job, name: str, cold: bool) -> list[Row]:
        """Restore an image, measure it, write its rows and pictures."""
        case = job.protocol.case(self.data, name)
        if cold:
            self._warm_up(job, name)
        result, cost = metered(lambda: self.restore(case.problem, job.method), self.device)
        self.pictures.save_once(case.problem.y, job.protocol.id, name)
        self.pictures.save(result.x, job.method, job.protocol.id, name)
        rows = self._rows(job, case, result, cost)
        self.measurements.append(rows)
        return rows

    def _warm_up(self, job: _Job, name: str) -> None:
        """Run once on a corner of the image; a method that finds it too small is timed without."""
        try:
            self.restore(job.protocol.case(self.data, name, crop=WARM_UP_SIDE).problem, job.method)
        except RestoraError:
            return

    def _rows(self, job: _Job, case: Case, result: Result, cost: Cost) -> list[Row]:
        values = job.protocol.measure(result.x, case)
        return [self._row(job, case.name, metric, value, cost, (case.name,)) for metric, value in values.items()]

    def _means(self, job: _Job) -> list[Row]:
        """A row a metric for the mean over all images of the set measured so far; the same is not written twice."""
        measured = {name: rows for name in job.every if (rows := self._known(job, name))}
        means: list[Row] = []
        for index, metric in enumerate(job.protocol.metrics):
            of_metric = [rows[index] for rows in measured.values()]
            peaks = [row.peak_mib for row in of_metric if row.peak_mib is not None]
            cost = Cost(fmean(row.seconds for row in of_metric), max(peaks) if peaks else None)
            mean = self._row(job, MEAN, metric, fmean(row.value for row in of_metric), cost, tuple(measured))
            before = self.measurements.get(mean.key, job.code)
            if before is not None and (before.value, before.published) == (mean.value, mean.published):
                means.append(before)
            else:
                self.measurements.append([mean])
                means.append(mean)
        return means

    def _row(self, job: _Job, image: str, metric: str, value: float, cost: Cost, names: Sequence[str]) -> Row:
        whole = image == MEAN and len(names) == len(job.every)
        method = labelled(job.method, job.parameters)  # other parameters than the paper's have no published number
        published = published_mean(method, job.protocol.id, metric, names, whole)
        return Row(
            suite=job.protocol.suite,
            method=job.method,
            protocol=job.protocol.id,
            set=job.protocol.images.name,
            image=image,
            metric=metric,
            value=round(value, 4),
            published=published if published is None else round(published, 4),
            difference=None if published is None else round(value - published, 4),
            seconds=round(cost.seconds, 4),
            peak_mib=None if cost.peak_mib is None else round(cost.peak_mib, 1),
            device=device_name(self.device),
            version=version("restora"),
            date=datetime.now(UTC).isoformat(timespec="seconds"),
            code=job.code,
            parameters=job.parameters,
        )


def _methods_for(task: Task) -> tuple[str, ...]:
    return tuple(entry.name for entry in catalog.entries(task=task))


def _front_door(device: torch.device, configurations: Configurations) -> Restore:
    """The front door on a device, with the parameters of each configuration."""
    from restora.front.restore import restore as front  # noqa: PLC0415 (methods load when the first is run)

    def run(problem: Problem, method: str) -> Result:
        return front(problem, method_of(method), parameters=configurations.get(method), device=device, seed=0)

    return run
