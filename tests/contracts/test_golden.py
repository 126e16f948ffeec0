"""Every method gives what it gave when its results were stored, so that a changed parameter of a paper is seen.

The stored crops are made by ``tests/golden/make.py``. They say nothing about whether a result is right, which the tests
of each method do. Between processors, threads and float32 and float64, results differ by less than a tenth of
``RMS``; a threshold, weight or window changed by a few percent moves them by more.
"""

import numpy as np
import pytest

from golden.problems import FILE, crop, goldens, read

RMS = 2e-5
"""Root mean square of the differences; rounding to 16 bits alone makes 9e-6, other processors and threads 1e-6."""

STORED = np.load(FILE)


@pytest.mark.parametrize("golden", goldens(), ids=lambda golden: golden.name)
def test_it_gives_what_was_stored(golden):
    if not golden.is_shipped():
        pytest.skip("its weights are not shipped")
    x = golden.restored()
    difference = crop(x) - read(STORED[f"{golden.name}.crop"])
    assert golden.psnr(x) == pytest.approx(float(STORED[f"{golden.name}.psnr"]), abs=0.02)
    assert float(difference.square().mean().sqrt()) < RMS


def test_nothing_is_stored_that_is_not_run():
    known = {f"{golden.name}.{what}" for golden in goldens() for what in ("crop", "psnr")}
    assert set(STORED.files) <= known
