"""A sparse signal comes back from too few measurements: by counting (L0) and by L1, not by least squares (L2).

    python examples/phase_transition.py [--out results/phase-transition.csv]

A signal α of n = 80 numbers, k of them not zero, is measured m < n times by a Gaussian matrix: y = Dα. For each
undersampling m/n and each sparsity k/m it counts how many of 15 signals each method finds: orthogonal matching pursuit,
basis pursuit (min ‖α‖₁) and the shortest solution (min ‖α‖₂). The first two have a sharp border between all and none
(Donoho and Tanner 2009); the last finds none anywhere.
"""

import argparse
import csv
from collections.abc import Callable
from pathlib import Path

import torch
from torch import Tensor

from restora.numerics.iterate import Limits
from restora.numerics.sparse.pursuit import basis_pursuit, batch_omp, least_norm

N, TRIALS = 80, 15
SHARES = tuple((i + 0.5) / 10 for i in range(10))
"""Both k/m and m/n."""


def pursuit(D: Tensor, Y: Tensor, k: Tensor) -> Tensor:
    """OMP, told how many atoms each signal has."""
    return torch.cat([batch_omp(D, y[None], most=int(count)) for y, count in zip(Y, k)])


def l1(D: Tensor, Y: Tensor, k: Tensor) -> Tensor:
    """Basis pursuit."""
    return basis_pursuit(D, Y, limits=Limits(1e-5, 500, every=50)).x


def l2(D: Tensor, Y: Tensor, k: Tensor) -> Tensor:
    """The shortest solution."""
    return least_norm(D, Y)


METHODS: dict[str, Callable[[Tensor, Tensor, Tensor], Tensor]] = {"omp": pursuit, "l1": l1, "l2": l2}


def successes(m: int, counts: list[int], trials: int, seed: int = 0) -> dict[str, Tensor]:
    """The share of signals found for each k of ``counts``: relative error below 1 %."""
    generator = torch.Generator().manual_seed(1000 * seed + m)
    D = torch.randn(m, N, generator=generator, dtype=torch.float64)
    D = D / D.norm(dim=0)
    k = torch.tensor(counts).repeat_interleave(trials)
    places = torch.rand(len(k), N, generator=generator).argsort(1).argsort(1)
    codes = torch.randn(len(k), N, generator=generator, dtype=torch.float64) * (places < k[:, None])
    found = {name: method(D, codes @ D.mT, k) for name, method in METHODS.items()}
    error = {name: (x - codes).norm(dim=1) / codes.norm(dim=1) for name, x in found.items()}
    return {name: (e < 0.01).double().reshape(-1, trials).mean(1) for name, e in error.items()}


def main() -> None:
    """Fill the grid and write it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=Path("results/phase-transition.csv"))
    out = parser.parse_args().out
    with out.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["undersampling", "sparsity", *METHODS])
        for delta in SHARES:
            m = max(1, round(delta * N))
            found = successes(m, [max(1, round(rho * m)) for rho in SHARES], TRIALS)
            for i, rho in enumerate(SHARES):
                writer.writerow([f"{delta:.4f}", f"{rho:.4f}", *(f"{float(found[name][i]):.2f}" for name in METHODS)])
            row = "  ".join(f"{name} {float(found[name].mean()):.2f}" for name in METHODS)
            print(f"m/n = {delta:.2f}: {row}", flush=True)


if __name__ == "__main__":
    main()
