"""All classical rooms beside what people use: time at 1 and 2 threads, PSNR of both, and who is ahead. Losses stay in.

    python -m benchmarks.filters [--only NAME] [--out results/speed-filters.csv]

NAME is a part of a file's name (patches, local, wavelets …) or of our method's.
"""

import argparse
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

from benchmarks.contest import Contest, hold

TOPICS = tuple(sorted(path.stem for path in Path(__file__).parent.glob("contests_*.py")))


def contests(only: str) -> Iterator[Contest]:
    for topic in TOPICS:
        for contest in import_module(f"benchmarks.{topic}").contests():
            if only in topic or only in contest.method:
                yield contest


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", default="", metavar="NAME")
    parser.add_argument("--out", type=Path, default=Path("results/speed-filters.csv"))
    arguments = parser.parse_args()
    hold(contests(arguments.only), arguments.out)
