"""Time and memory of every denoiser from 0.25 to 16 megapixels: both must grow as the number of pixels does.

    python -m benchmarks.scaling [--methods NAME,NAME] [--most 16] [--out results/scaling.csv]

Gray, σ = 25/255, with the parameters each method takes for that noise, on the whole image (no tiles). ``memory`` is
what the run needs beside its input and the program, over the size of the input. Each method runs in a process of its
own; a size at which it would take more than 20 seconds is left out.
"""

import argparse
import csv
import multiprocessing
import resource
import time
from dataclasses import astuple, dataclass, fields
from multiprocessing.connection import Connection
from pathlib import Path

import numpy as np
from skimage import data

SIDES = (512, 1024, 2048, 4096)
SIGMA = 25 / 255
LARGEST_FOR_BM3D = 20.0


@dataclass(frozen=True)
class Row:
    """A line of the results; times in seconds, memory in inputs."""

    method: str
    megapixels: float
    seconds: float
    seconds_per_megapixel: float
    memory: float


def picture(side: int) -> np.ndarray:
    """A photograph, repeated, with noise."""
    tile = np.tile(data.camera() / 255, (-(-side // 512),) * 2)[:side, :side]
    return (tile + np.random.default_rng(0).normal(0, SIGMA, tile.shape)).astype(np.float32)


def peak() -> int:
    """Most memory that the process has held since :func:`forget_peak`, in bytes."""
    for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
        if line.startswith("VmHWM"):
            return int(line.split()[1]) * 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def forget_peak() -> None:
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")


def measure(name: str, most: float, sink: Connection) -> None:
    import torch  # noqa: PLC0415

    from restora import catalog  # noqa: PLC0415
    from restora.core.problem import Problem  # noqa: PLC0415
    from restora.noise.gaussian import Gaussian  # noqa: PLC0415
    from restora.operators.identity import Identity  # noqa: PLC0415

    method = catalog.find(name).load()

    def run(y: np.ndarray) -> None:
        problem = Problem(torch.from_numpy(y)[None, None], Identity(), Gaussian(SIGMA))
        method.for_problem(problem).run(problem)

    run(picture(128))
    run(picture(1024))  # kernels for larger images are compiled
    elapsed = 0.0
    for side in SIDES:
        megapixels = side**2 / 1e6
        if megapixels > most * 1.1 or 4 * elapsed > LARGEST_FOR_BM3D:
            break
        y = picture(side)
        forget_peak()
        before, start = peak(), time.perf_counter()
        run(y)
        elapsed = time.perf_counter() - start
        memory = (peak() - before) / y.nbytes
        sink.send(Row(name, round(megapixels, 2), round(elapsed, 3), round(elapsed / megapixels, 3), round(memory, 1)))
    sink.send(None)


def measure_all(names: list[str], most: float, out: Path) -> None:
    """A process for each method; the CSV is written anew after each."""
    found: list[Row] = []
    context = multiprocessing.get_context("spawn")
    for name in names:
        source, sink = context.Pipe(duplex=False)
        process = context.Process(target=measure, args=(name, most, sink))
        process.start()
        sink.close()
        try:
            while (row := source.recv()) is not None:
                found.append(row)
                print(f"{row.method:<24}{row.megapixels:>7} Mpx{row.seconds:>10} s{row.memory:>8} inputs", flush=True)
        except EOFError:
            print(f"{name} failed")
        process.join()
        write(found, out)


def write(found: list[Row], out: Path) -> None:
    out.parent.mkdir(parents=True, exist_ok=True)
    with out.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(field.name for field in fields(Row))
        writer.writerows(astuple(row) for row in found)


def main() -> None:
    from restora import catalog  # noqa: PLC0415

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--methods", default="", metavar="NAME,NAME")
    parser.add_argument("--most", type=float, default=16.0, metavar="MPX")
    parser.add_argument("--out", type=Path, default=Path("results/scaling.csv"))
    arguments = parser.parse_args()
    names = [n for n in arguments.methods.split(",") if n] or [e.name for e in catalog.entries("denoise")]
    measure_all(names, arguments.most, arguments.out)


if __name__ == "__main__":
    main()
