"""The picture of time and memory over the number of pixels, from ``results/scaling.csv``."""

import csv
from collections import defaultdict
from pathlib import Path

import matplotlib as mpl

mpl.use("Agg")
from matplotlib import pyplot as plt


def draw_scaling(table: Path, path: Path) -> None:
    """A line a method: seconds, and memory in inputs, over megapixels; what is linear runs along the gray lines."""
    lines: defaultdict[str, list[tuple[float, float, float]]] = defaultdict(list)
    for row in csv.DictReader(table.read_text(encoding="utf-8").splitlines()):
        lines[row["method"]].append((float(row["megapixels"]), float(row["seconds"]), float(row["memory"])))
    figure, (time, memory) = plt.subplots(1, 2, figsize=(11, 7), layout="constrained")
    colours = plt.get_cmap("tab20")
    for index, (name, points) in enumerate(sorted(lines.items(), key=lambda item: -item[1][-1][1])):
        megapixels, seconds, inputs = zip(*points)
        style = {"color": colours(index % 20), "marker": "o^s"[index // 20], "markersize": 4, "linewidth": 1}
        time.loglog(megapixels, seconds, label=name, **style)
        memory.semilogx(megapixels, inputs, **style)
    for factor in (1e-3, 1e-2, 0.1, 1, 10):
        time.loglog((0.26, 16.8), (0.26 * factor, 16.8 * factor), color="0.85", linewidth=0.8, zorder=0)
    memory.set_yscale("symlog", linthresh=16)
    memory.axhline(12, color="0.6", linewidth=0.8)
    time.set(xlabel="megapixels", ylabel="seconds, two threads")
    memory.set(xlabel="megapixels", ylabel="memory beside the input, in inputs")
    figure.legend(loc="outside right upper", fontsize="small")
    figure.savefig(path, dpi=90)
    plt.close(figure)
