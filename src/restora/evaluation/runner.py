"""Runner: measures methods over the protocols of a suite, image by image, and can be interrupted at any of them."""

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from importlib.metadata import version
from pathlib import Path
from statistics import fmean

import torch

from restora import catalog
from restora.core.errors import CannotSolve, InvalidParameter, MissingData, RestoraError
from restora.core.operator import Operator
from restora.core.problem import Problem
from restora.core.progress import Progress, silent
from restora.core.result import Result
from restora.core.spec import Task
from restora.evaluation.ledger import MEAN, published_mean
from restora.evaluation.measurements import Measurements, Row
from restora.evaluation.meter import Cost, device_name, metered
from restora.evaluation.pictures import Pictures
from restora.evaluation.protocol import Case, Protocol
from restora.evaluation.suites import Selection, suite

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
) -> Iterator[Row]:
    """Measure methods on a suite and yield a row for each metric of each image and of each set's mean.

    Rows are appended to ``out/measurements.csv`` as they come, pictures written below ``out/pictures``. What stands there
    already, of the same kind of device, is yielded from there and not computed again. A method that does not solve a
    protocol's H is skipped, and ``progress`` is told so in one sentence.

    Args:
        suite_name: a suite of ``suites.toml``.
        methods: names of the catalog; empty means all for the suite's tasks.
        sets: names of image sets; empty means all of the suite.
        sigmas: noise levels in gray levels of 255 in place of the suite's.
        scales: factors of enlargement in place of the suite's.
        limit: only the first so many images of each set; the means are then over these.
        data: the folder of benchmark data; None means that of the environment variable RESTORA_DATA.
        out: the folder of measurements; None means ``results/<suite>`` below the working directory.
        device: where to compute.
        progress: called after each image with the number of images done and to do.
        restore: in place of the front door.

    Raises:
        UnknownName: there is no such suite, set or method.
        InvalidParameter: a limit, σ or scale out of its range.
        MissingData: the folder of data is not given or lacks a set.
        CannotSolve: none of the methods that were named solves any of the protocols.
        FileProblem: a file cannot be read or written.
    """
    if limit is not None and limit < 1:
        raise InvalidParameter.outside("limit", limit, ">= 1")
    protocols = suite(suite_name, Selection(tuple(sets), tuple(sigmas), tuple(scales)))
    for name in methods:
        catalog.find(name)
    root = _data_folder(data)
    images = {protocol.id: protocol.images.images(root) for protocol in protocols}
    place = torch.device(device)
    bench = _Bench(
        data=root,
        limit=limit,
        device=place,
        measurements=Measurements((out or Path("results") / suite_name) / "measurements.csv"),
        pictures=Pictures((out or Path("results") / suite_name) / "pictures"),
        restore=restore or _front_door(place),
        progress=progress or silent,
    )
    return bench.run(protocols, images, tuple(methods))


@dataclass(frozen=True, slots=True)
class _Job:
    """A method on a protocol, over these images."""

    method: str
    protocol: Protocol
    names: tuple[str, ...]
    whole: bool


@dataclass(frozen=True, eq=False, slots=True, kw_only=True)
class _Bench:
    """Where a run reads, writes and computes."""

    data: Path
    limit: int | None
    device: torch.device
    measurements: Measurements
    pictures: Pictures
    restore: Restore
    progress: Progress

    def run(
        self, protocols: Sequence[Protocol], images: dict[str, tuple[str, ...]], methods: tuple[str, ...]
    ) -> Iterator[Row]:
        jobs, refusals = self._jobs(protocols, images, methods)
        total = sum(len(job.names) for job in jobs)
        for sentence in refusals:
            self.progress(0, total, sentence)
        done = 0
        for job in jobs:
            rows: list[Row] = []
            cold = True
            for name in job.names:
                image_rows = self._known(job, name)
                try:
                    if image_rows is None:
                        image_rows = self._measured(job, name, cold)
                        cold = False
                except CannotSolve as refusal:
                    done += len(job.names) - job.names.index(name)
                    self.progress(done, total, f"{job.method} skipped on {job.protocol.id}: {refusal}")
                    break
                rows.extend(image_rows)
                yield from image_rows
                done += 1
                self.progress(done, total, f"{job.method} on {job.protocol.id}: {name}")
            else:
                yield from self._means(job, rows)

    def _jobs(
        self, protocols: Sequence[Protocol], images: dict[str, tuple[str, ...]], methods: tuple[str, ...]
    ) -> tuple[list[_Job], list[str]]:
        """What is to be run, protocol by protocol, and a sentence for each method and protocol that is not."""
        jobs: list[_Job] = []
        refusals: list[str] = []
        for protocol in protocols:
            every = images[protocol.id]
            names = every[: self.limit]
            H = protocol.case(self.data, names[0]).problem.H
            for method in methods or _methods_for(protocol.task):
                spec = catalog.find(method).spec()
                if isinstance(H, spec.solves) and not (spec.blind and protocol.suite == "deblur"):
                    jobs.append(_Job(method, protocol, names, len(names) == len(every)))
                else:
                    solved = "every operator" if Operator in spec.solves else ", ".join(k.__name__ for k in spec.solves)
                    refusals.append(
                        f"{method} skipped on {protocol.id}: it solves {solved}, not {type(H).__name__}"
                    )
        if methods and not jobs:
            raise CannotSolve("none of the methods named solves any protocol selected: " + "; ".join(refusals[:3]))
        return jobs, refusals

    def _known(self, job: _Job, name: str) -> list[Row] | None:
        """The rows of an image that was measured before; None unless every metric is there."""
        kind = device_name(self.device).partition(" ")[0]
        rows = [
            self.measurements.get((job.method, job.protocol.id, name, metric, kind)) for metric in job.protocol.metrics
        ]
        known = [row for row in rows if row is not None]
        return known if len(known) == len(rows) else None

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

    def _means(self, job: _Job, rows: Sequence[Row]) -> list[Row]:
        """A row a metric for the mean over the images; written unless the same stands there already."""
        means: list[Row] = []
        for metric in job.protocol.metrics:
            of_metric = [row for row in rows if row.metric == metric]
            peaks = [row.peak_mib for row in of_metric if row.peak_mib is not None]
            cost = Cost(fmean(row.seconds for row in of_metric), max(peaks) if peaks else None)
            mean = self._row(job, MEAN, metric, fmean(row.value for row in of_metric), cost, job.names)
            before = self.measurements.get(mean.key)
            same = before is not None and (round(before.value, 4), before.published) == (round(mean.value, 4), mean.published)
            means.append(before if before is not None and same else mean)
        self.measurements.append([mean for mean in means if self.measurements.get(mean.key) is not mean])
        return means

    def _row(self, job: _Job, image: str, metric: str, value: float, cost: Cost, names: Sequence[str]) -> Row:
        whole = image == MEAN and job.whole
        published = published_mean(job.method, job.protocol.id, metric, names, whole)
        return Row(
            suite=job.protocol.suite,
            method=job.method,
            protocol=job.protocol.id,
            set=job.protocol.images.name,
            image=image,
            metric=metric,
            value=value,
            published=published,
            difference=None if published is None else value - published,
            seconds=cost.seconds,
            peak_mib=cost.peak_mib,
            device=device_name(self.device),
            version=version("restora"),
            date=datetime.now(timezone.utc).isoformat(timespec="seconds"),
        )


def _methods_for(task: Task) -> tuple[str, ...]:
    return tuple(entry.name for entry in catalog.entries(task=task))


def _data_folder(data: Path | None) -> Path:
    """The folder of benchmark data, given or of the environment."""
    given = data or (Path(os.environ["RESTORA_DATA"]) if os.environ.get("RESTORA_DATA") else None)
    if given is None:
        raise MissingData("where are the benchmark data? give --data FOLDER, or set RESTORA_DATA")
    if not given.is_dir():
        raise MissingData(f"the folder of benchmark data {given} is not there")
    return given


def _front_door(device: torch.device) -> Restore:
    """The front door on a device."""
    from restora.front.restore import restore as front  # noqa: PLC0415 (methods load when the first is run)

    def run(problem: Problem, method: str) -> Result:
        return front(problem, method, device=device, seed=0)

    return run
