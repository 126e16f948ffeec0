"""The picture of the phase transition of sparse recovery, from ``results/phase-transition.csv``."""

import csv
from pathlib import Path

import matplotlib as mpl
import numpy as np

mpl.use("Agg")
from matplotlib import pyplot as plt

PANELS = {"omp": "L0: matching pursuit", "l1": "L1: basis pursuit", "l2": "L2: least norm"}


def draw_phase_transition(table: Path, path: Path) -> None:
    """Three maps of the share of signals found over m/n and k/m: white is all, black none."""
    rows = list(csv.DictReader(table.read_text(encoding="utf-8").splitlines()))
    side = round(len(rows) ** 0.5)
    figure, axes = plt.subplots(1, 3, figsize=(9, 3.3), sharey=True, layout="constrained")
    for axis, (name, title) in zip(axes, PANELS.items()):
        share = np.array([float(row[name]) for row in rows]).reshape(side, side).T
        image = axis.imshow(share, origin="lower", extent=(0, 1, 0, 1), vmin=0, vmax=1, cmap="gray", aspect="equal")
        axis.set(title=title, xlabel="measurements m/n")
    axes[0].set_ylabel("non-zeros k/m")
    figure.colorbar(image, ax=axes, label="share found", shrink=0.8)
    figure.savefig(path, dpi=110)
    plt.close(figure)
