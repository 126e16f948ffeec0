"""The journal of a training: a CSV a person can plot, and TensorBoard where it is installed."""

import csv
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any

NAME = "journal.csv"
_COLUMNS = ("step", "seconds", "rate", "loss", "psnr")


class Journal:
    """One row a validation: steps, seconds, learning rate, mean loss since the last row, PSNR on held-out images.

    Args:
        folder: where ``journal.csv`` lies; TensorBoard's files lie in ``tensorboard/`` below it.
        step: steps done; later rows, of a run that was cut off, are dropped.
    """

    def __init__(self, folder: Path, step: int) -> None:
        self._path = folder / NAME
        self._rows = [row for row in read_journal(folder) if int(row["step"]) <= step]
        self._write()
        self._board: Any = None
        if find_spec("tensorboard") is not None:
            from torch.utils.tensorboard import SummaryWriter  # noqa: PLC0415 (slow to import, not always there)

            self._board = SummaryWriter(str(folder / "tensorboard"), purge_step=step + 1)

    def add(self, step: int, row: Mapping[str, float]) -> None:
        """Write a row."""
        self._rows.append({"step": float(step), **row})
        self._write()
        if self._board is not None:
            for name, value in row.items():
                self._board.add_scalar(name, value, step)

    def close(self) -> None:
        """Let TensorBoard finish."""
        if self._board is not None:
            self._board.close()

    def _write(self) -> None:
        with self._path.open("w", newline="", encoding="utf-8") as stream:
            writer = csv.writer(stream, lineterminator="\n")
            writer.writerow(_COLUMNS)
            for row in self._rows:
                writer.writerow([int(row["step"]), *(f"{row.get(name, float('nan')):.6g}" for name in _COLUMNS[1:])])


def read_journal(folder: Path) -> list[dict[str, float]]:
    """The rows of a journal; none where there is no journal."""
    path = folder / NAME
    if not path.exists():
        return []
    with path.open(newline="", encoding="utf-8") as stream:
        return [{name: float(value) for name, value in row.items()} for row in csv.DictReader(stream)]
