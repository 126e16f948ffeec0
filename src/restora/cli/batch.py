"""Batch: read, work, write and report, one picture at a time; a bad picture does not stop the good ones.

Only one picture is in memory. What is finished is on the disk, so that an interrupted run goes on with
``--skip-existing``.
"""

import os
import sys
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from restora.cli.command import FilesCommand
from restora.cli.inputs import Found, Source, find_pictures
from restora.cli.outputs import Naming, is_folder, is_standard, make_folder, targets
from restora.cli.reporter import Report, Reporter, Stopwatch
from restora.core.errors import FileProblem, InvalidInput, InvalidParameter, RestoraError, UnknownName
from restora.core.progress import Progress

if TYPE_CHECKING:
    from restora.images.picture import Picture


@dataclass(frozen=True, eq=False, slots=True)
class Outcome:
    """What the work on a picture gave.

    Attributes:
        picture: to be written.
        done: what was done, in words.
        seen: what was found wrong, in words.
        facts: what JSON says of it.
        beside: pictures to be written beside it, by the tag in their names.
        unchanged: the picture is the input as it was.
    """

    picture: "Picture"
    done: str
    seen: tuple[str, ...] = ()
    facts: Mapping[str, object] = field(default_factory=dict)
    beside: Mapping[str, "Picture"] = field(default_factory=dict)
    unchanged: bool = False


RESTORED = Naming()
"""How restored pictures are called."""

Work = Callable[["Picture", Source, Progress], Outcome]
"""What is done to each picture."""


@dataclass(eq=False, slots=True)
class _Tally:
    """What became of the pictures so far."""

    done: int = 0
    skipped: int = 0
    failures: list[str] = field(default_factory=list)


def run_batch(command: FilesCommand, work: Work, naming: Naming = RESTORED) -> int:
    """Work through the pictures and return the exit code: 0, or 1 where some of several failed.

    Raises:
        RestoraError: the only picture could not be done, or the call itself is wrong.
    """
    folder = Path(command.output) if command.output and is_folder(command.output) else None
    found = find_pictures(command.pictures, recursive=command.recursive, leave_out=folder)
    to_standard = is_standard(command.output, found.sources)
    if command.json and to_standard:
        raise InvalidInput("the picture and --json both want standard output: give -o FILE")
    reporter = Reporter(command.json, command.quiet, to_standard)
    places = targets(found.sources, command.output, naming)
    tally = _Tally(failures=list(found.unreadable))
    try:
        for number, (source, target) in enumerate(zip(found.sources, places), start=1):
            title = f"{number}/{len(places)} {source.inside.name}" if found.is_batch else source.inside.name
            job = _Job(source, target, title)
            if command.skip_existing and target is not None and os.path.exists(target):
                tally.skipped += 1
                reporter.say(f"{source}\n  exists  {target} is there already: skipped")
                continue
            with _noted(job, reporter, tally, found.is_batch):
                reporter.report(_do(job, command, reporter, work))
                tally.done += 1
    finally:
        if found.is_batch:
            _conclude(tally, found, reporter)
    return 1 if tally.failures else 0


@dataclass(frozen=True, slots=True)
class _Job:
    """A picture, where it goes (None is standard output), and what the bar calls it."""

    source: Source
    target: Path | None
    title: str


@contextmanager
def _noted(job: _Job, reporter: Reporter, tally: _Tally, is_batch: bool) -> Generator[None, None, None]:
    """Note why a picture could not be done, and go on where there are others."""
    try:
        yield
    except BrokenPipeError:
        raise
    except (RestoraError, OSError) as error:
        refusal = error if isinstance(error, RestoraError) else FileProblem(f"{job.source}: {error.strerror or error}")
        reporter.failed(str(job.source), refusal)
        if not is_batch or isinstance(error, UnknownName | InvalidParameter):  # the latter are of the call itself
            raise refusal from error
        tally.failures.append(_naming(job.source, refusal))


def _do(job: _Job, command: FilesCommand, reporter: Reporter, work: Work) -> Report:
    from restora.images.atomic import refuse_existing
    from restora.images.read import read_picture

    if job.target is not None:
        refuse_existing(job.target, command.overwrite)
    watch = Stopwatch()
    content = job.source.content()
    picture = read_picture(content)
    with reporter.progress(job.title) as progress:
        outcome = work(picture, job.source, progress)
    written = _write(job, outcome, content, command)
    return Report(str(job.source), written, outcome.done, watch.seconds, outcome.seen, outcome.facts)


def _write(job: _Job, outcome: Outcome, content: Path | bytes, command: FilesCommand) -> str | None:
    """Write what came out, and say where it lies; what was left alone is copied byte for byte, or not at all."""
    from restora.images.atomic import write_atomically
    from restora.images.formats import format_of_name
    from restora.images.write import write_picture

    picture = outcome.picture
    if job.target is None:
        _to_standard(outcome, content)
        return "standard output"
    if outcome.unchanged and command.output is None:
        return None  # a clean picture needs no copy beside itself
    make_folder(job.target.parent)
    for tag, other in outcome.beside.items():
        write_picture(Naming(tag, lossless=True).beside(job.target), other, overwrite=command.overwrite)
    if outcome.unchanged and format_of_name(job.target).name == picture.format:
        write_atomically(job.target, _bytes(content), overwrite=command.overwrite)
    else:
        write_picture(job.target, picture, overwrite=command.overwrite)
    return str(job.target)


def _to_standard(outcome: Outcome, content: Path | bytes) -> None:
    from restora.images.write import encode_picture

    if outcome.beside:
        raise InvalidInput(f"the {', '.join(outcome.beside)} needs a file beside the picture: give -o FILE")
    data = _bytes(content) if outcome.unchanged else encode_picture(outcome.picture, _writable(outcome.picture.format))
    sys.stdout.buffer.write(data)
    sys.stdout.buffer.flush()


def _bytes(content: Path | bytes) -> bytes:
    if isinstance(content, bytes):
        return content
    try:
        return content.read_bytes()
    except OSError as error:
        raise FileProblem(f"{content} cannot be read: {(error.strerror or str(error)).lower()}") from error


def _writable(format: str) -> str:
    """The format of the input, or what stands in for one that restora only reads."""
    return {"GIF": "PNG", "RAW": "TIFF"}.get(format, format)


def _naming(source: Source, error: Exception) -> str:
    """The sentence, with the name of the picture if it does not hold it."""
    return str(error) if str(source) in str(error) else f"{source}: {error}"


def _conclude(tally: _Tally, found: Found, reporter: Reporter) -> None:
    """The last lines of a batch: counts, and what failed."""
    counts = [f"{tally.done} done"]
    counts += [f"{tally.skipped} skipped as they exist"] if tally.skipped else []
    counts += [f"{len(tally.failures)} failed"] if tally.failures else []
    left = len(found.sources) + len(found.unreadable) - tally.done - tally.skipped - len(tally.failures)
    counts += [f"{left} not reached"] if left else []
    counts += [f"{found.others} other files left out"] if found.others else []
    reporter.say(", ".join(counts))
    for sentence in tally.failures:
        reporter.warn(sentence)
