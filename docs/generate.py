"""Make the page of every method: ``python docs/generate.py``. Sphinx then builds them with the rest.

A page is put together from what the code itself says: the catalog row, the spec, the docstrings, and the measured
numbers in ``results/``. Its order is always the same. The picture is made on the spot, from a photograph that
scikit-image ships.
"""

import csv
import re
import sys
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

from restora import catalog
from restora.core.parameters import parameters_of
from restora.weights.store import stored

ROOT = Path(__file__).resolve().parent.parent
TARGET = ROOT / "docs" / "methods" / "generated"
SECTIONS = ("Problem", "Model", "Algorithm", "Cost", "Departures from the original", "References")
OPTIONAL = ("Parameters", "When not")
COMMAND = {
    "denoise": "restora denoise photo.png --sigma 25",
    "deblur": "restora deblur photo.png --kernel gaussian:1.6",
    "super-resolve": "restora upscale photo.png --scale 2",
    "inpaint": "restora inpaint photo.png --mask holes.png",
}
CALL = {
    "denoise": 'restored = restora.denoise(image, sigma=25 / 255, method="{name}")',
    "deblur": 'restored = restora.deblur(image, psf, sigma=2 / 255, method="{name}")',
    "super-resolve": 'restored = restora.upscale(image, 2, method="{name}")',
    "inpaint": 'restored = restora.inpaint(image, missing, method="{name}")',
}


NO_PICTURE = (
    "Its weights are not shipped: ``restora weights list`` shows which public ones it runs, and ``--weights FILE``\n"
    "runs any file of its architecture."
)


@dataclass(frozen=True)
class Page:
    """The text of a method's page, part by part."""

    entry: catalog.Entry
    title: str
    sections: dict[str, str]

    @classmethod
    def of(cls, entry: catalog.Entry) -> "Page":
        """Read the docstring of the method's file."""
        text = import_module(entry.target.split(":")[0]).__doc__ or ""
        title, _, body = text.partition("\n")
        heads = "|".join(re.escape(section) for section in SECTIONS + OPTIONAL)
        pieces = re.split(rf"(?m)^({heads})(?: \([^)]*\))?[.:]\s*", body)
        return cls(entry, title.rstrip("."), dict(zip(pieces[1::2], (piece.strip() for piece in pieces[2::2]))))

    def text(self, drawn: bool = True) -> str:
        """The page in reStructuredText; without its picture where that was not drawn."""
        entry, spec = self.entry, self.entry.spec()
        parts = [
            f"{entry.name}\n{'=' * len(entry.name)}\n\n{self.title}.",
            f".. image:: {entry.name}.png\n   :alt: degraded, restored and reference" if drawn else NO_PICTURE,
            _headed("What it solves", _literal(self.sections["Problem"]) + "\n\n" + _facts(spec)),
            _headed("Model", _literal(self.sections["Model"])),
            _headed("Algorithm", _literal(self.sections["Algorithm"])),
            _headed("Parameters", _parameters(entry, self.sections.get("Parameters", ""))),
            _headed("Published and ours", measured(entry.name)),
            _headed("Time and memory", _literal(self.sections["Cost"]) + "\n\n" + timed(entry.name)),
            _headed("Departures from the original", _literal(self.sections["Departures from the original"])),
            _headed("When not to use it", _literal(self.sections.get("When not", "Where its model does not hold."))),
            _headed("Example", _example(entry)),
            _headed("References", _literal(self.sections["References"])),
        ]
        return "\n\n".join(parts) + "\n"


def _headed(title: str, body: str) -> str:
    return f"{title}\n{'-' * len(title)}\n\n{body}"


def _literal(text: str) -> str:
    """The text as it stands: equations and numbered steps keep their lines."""
    return ".. code-block:: text\n\n" + "\n".join(f"   {line}".rstrip() for line in text.splitlines())


def _facts(spec: object) -> str:
    solves = ", ".join(H.__name__ for H in spec.solves).replace("Operator", "every linear operator")
    halo = "the whole image" if spec.halo is None else "a neighbourhood; large pictures are restored in tiles"
    sigma = "needed; estimated where not given" if spec.needs_sigma else "not used"
    rows = [
        ("H", solves),
        ("colour", spec.colour),
        ("looks at", halo),
        ("noise level", sigma),
        ("paper", spec.paper),
        ("DOI", spec.doi or "none"),
    ]
    return "\n".join(f":{key}: {value}" for key, value in rows)


def _parameters(entry: catalog.Entry, remark: str) -> str:
    method = entry.load()
    rows = ["**" + p.name + "** (" + p.words + f", default {p.default!r})" for p in parameters_of(method)]
    text = _dedented(method.__doc__ or "").strip() + ("\n\n" + remark if remark else "")
    return "\n".join(f"- {row}" for row in rows) + "\n\n" + _literal(text)


def _dedented(text: str) -> str:
    first, _, rest = text.partition("\n")
    return first + "\n" + "\n".join(line.removeprefix("    ") for line in rest.splitlines())


def _example(entry: catalog.Entry) -> str:
    task = entry.tasks[0]
    python = ["import restora", "", CALL[task].format(name=entry.name)]
    shell = f"{COMMAND[task]} --method {entry.name}"
    return (
        ".. code-block:: python\n\n" + "\n".join(f"   {line}".rstrip() for line in python) + "\n\n"
        f".. code-block:: sh\n\n   {shell}"
    )


def measured(name: str) -> str:
    """The table of ours beside published, from ``results/``."""
    rows = [
        row
        for path in sorted((ROOT / "results").rglob("measurements.csv"))
        for row in csv.DictReader(path.read_text(encoding="utf-8").splitlines())
        if row["method"] == name and row["image"] == "mean"
    ]
    if not rows:
        return "Not measured yet."
    table = ["protocol", "metric", "ours", "published", "difference", "seconds an image"]
    cells = [[r["protocol"], r["metric"], r["value"], r["published"], r["difference"], r["seconds"]] for r in rows]
    return _table(table, sorted(cells))


def timed(name: str) -> str:
    """The table of times beside peers, from ``results/speed-*.csv``."""
    rows = [
        row
        for path in sorted((ROOT / "results").glob("speed-*.csv"))
        for row in csv.DictReader(path.read_text(encoding="utf-8").splitlines())
        if row["method"] == name
    ]
    if not rows:
        return "Not timed yet."
    columns = {
        "benchmark": "what",
        "size": "size",
        "threads": "threads",
        "ours_seconds": "ours, s",
        "peer": "peer",
        "peer_seconds": "peer, s",
        "ratio": "peer over ours",
        "ours_psnr": "ours, dB",
        "peer_psnr": "peer, dB",
    }
    shown = [column for column in columns if any(row.get(column) for row in rows)]
    return _table([columns[c] for c in shown], [[row.get(c) or "" for c in shown] for row in rows])


def _table(head: list[str], rows: list[list[str]]) -> str:
    lines = [".. list-table::", "   :header-rows: 1", ""]
    for row in [head, *rows]:
        lines += [("   * - " if i == 0 else "     - ") + (cell or "–") for i, cell in enumerate(row)]
    return "\n".join(lines)


def shipped() -> str:
    """The table of the weights that ship: what for, how they were trained, and their first figure."""
    rows = []
    for record in (one.record for one in stored() if one.location == "shipped"):
        protocol, numbers = next(iter(record.measured.items()), ("", {}))
        psnr = next((value for metric, value in numbers.items() if metric.startswith("psnr")), None)
        figure = "" if psnr is None else f"{psnr:.2f} dB on ``{protocol}``"
        rows.append([f"``{record.name}``", record.purpose, f"{record.bytes / 1e6:.2f}", record.trained, figure])
    return _table(["name", "for", "MB", "trained", "PSNR"], rows)


def main() -> None:
    """Write all pages and their index."""
    sys.path.insert(0, str(ROOT / "docs"))
    from phase_transition import draw_phase_transition
    from pictures import draw
    from reference import write_reference
    from scaling import draw_scaling

    TARGET.mkdir(parents=True, exist_ok=True)
    for entry in catalog.entries():
        drawn = draw(entry, TARGET / f"{entry.name}.png")
        (TARGET / f"{entry.name}.rst").write_text(Page.of(entry).text(drawn), encoding="utf-8")
    draw_phase_transition(ROOT / "results" / "phase-transition.csv", TARGET / "phase-transition.png")
    draw_scaling(ROOT / "results" / "scaling.csv", TARGET / "scaling.png")
    rows = [[f":doc:`{e.name}`", e.family, ", ".join(e.tasks), e.summary] for e in catalog.entries()]
    names = "\n".join(f"   {entry.name}" for entry in catalog.entries())
    index = (
        f"All methods\n===========\n\n{_table(['name', 'family', 'tasks', 'summary'], rows)}\n\n"
        f".. toctree::\n   :hidden:\n\n{names}\n"
    )
    (TARGET / "shipped.txt").write_text(shipped() + "\n", encoding="utf-8")
    (TARGET / "index.rst").write_text(index, encoding="utf-8")
    write_reference(ROOT / "docs" / "reference" / "generated")


if __name__ == "__main__":
    main()
