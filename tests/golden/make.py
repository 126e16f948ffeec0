"""Store what every method makes of its small problems: ``python tests/golden/make.py [METHOD …]``.

Without names all are made anew, with names only theirs. Whoever changes results on purpose runs this and says so in
CHANGELOG.md under *Results changed*; who did not mean to has found a mistake.
"""

import sys
from pathlib import Path

import numpy as np
import torch

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from golden.problems import FILE, goldens, written


def main(methods: list[str]) -> None:
    torch.set_num_threads(1)
    every = {golden.name: golden for golden in goldens()}
    kept = dict(np.load(FILE)) if FILE.is_file() else {}
    stored = {key: array for key, array in kept.items() if key.rpartition(".")[0] in every}
    for name, golden in every.items():
        if (methods and golden.entry.name not in methods) or not golden.is_shipped():
            continue
        x = golden.restored()
        before = stored.get(f"{name}.psnr")
        stored |= {f"{name}.crop": written(x), f"{name}.psnr": np.float64(golden.psnr(x))}
        print(f"{name:<40} {golden.psnr(x):8.4f} dB" + ("" if before is None else f", was {before:.4f}"))
    np.savez_compressed(FILE, **dict(sorted(stored.items())))


if __name__ == "__main__":
    main(sys.argv[1:])
