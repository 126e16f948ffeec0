"""Ship weights: ``python recipes/ship.py [NAME …]``.

Copies ``runs/NAME/NAME.safetensors`` and its record into the package, and writes into the records of all shipped files
the purpose their recipes state and what ``restora bench`` measured with them: the rows of ``results/`` of the method
that runs them by default.
"""

import csv
import shutil
import sys
import tomllib
from dataclasses import replace
from pathlib import Path

from restora.weights.record import Record
from restora.weights.store import shipped_folder

ROOT = Path(__file__).resolve().parent.parent

DEFAULTS = {
    "ffdnet-gray": ("ffdnet", ("-gray-",)),
    "ffdnet-colour": ("ffdnet", ("-rgb-",)),
    "drunet-small-gray": ("drunet", ("-gray-",)),
    "drunet-small-colour": ("drunet", ("-rgb-",)),
    "dncnn-s-25": ("dncnn", ("-gray-awgn-s25-",)),
    "dncnn-b-gray": ("dncnn", ("-gray-awgn-s15-", "-gray-awgn-s50-")),
    "dncnn-b-colour": ("dncnn", ("-rgb-",)),
    "dncnn-jpeg": ("dncnn", ("-jpeg-",)),
    "vdsr": ("vdsr", ("-x",)),
    "scn-x2": ("scn", ("-x",)),
    "srgan-x4": ("srgan", ("-x4-",)),
    "rrdb-small-x4": ("rrdb", ("-x4-",)),
    "ipt-small": ("ipt", ("-",)),
}
"""Weights -> the method that runs them by default, and what the ids of the protocols have on which it does. Others are
called after their method and scale, such as ``espcn-x3``."""


def main(names: list[str]) -> None:
    """Copy, then bring the records up to date."""
    for name in names:
        for suffix in (".safetensors", ".toml"):
            shutil.copy(ROOT / "runs" / name / (name + suffix), shipped_folder() / (name + suffix))
    rows = [row for path in sorted((ROOT / "results").glob("*/measurements.csv")) for row in _means(path)]
    for path in sorted(shipped_folder().glob("*.toml")):
        record = Record.read(path)
        measured: dict[str, dict[str, float]] = {}
        for row in rows:
            if _is_of(row, record.name):
                measured.setdefault(row["protocol"], {})[row["metric"]] = float(row["value"])
        replace(record, measured=measured, purpose=_purpose(record.recipe)).write(path)
        print(f"{record.name}: {record.bytes / 1e6:.2f} MB, measured on {len(measured)} protocols")


def _purpose(recipe: str) -> str:
    table = tomllib.loads((ROOT / "recipes" / recipe).read_text(encoding="utf-8"))
    return str(table.get("purpose", ""))


def _means(path: Path) -> list[dict[str, str]]:
    rows = csv.DictReader(path.read_text(encoding="utf-8").splitlines())
    return [row for row in rows if row["image"] == "mean"]


def _is_of(row: dict[str, str], name: str) -> bool:
    stem, _, scale = name.rpartition("-")
    coupled = {"coupled": "coupled-dictionaries"}.get(stem, stem)
    method, parts = DEFAULTS.get(name, (coupled, (f"-{scale}-",)))
    return row["method"] == method and any(part in row["protocol"] for part in parts)


if __name__ == "__main__":
    main(sys.argv[1:])
