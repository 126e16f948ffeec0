import subprocess
import sys

import pytest

# The pages a process has to ask for when it makes and drops an array of 64 MB twenty times.
FAULTS = """
import resource
import sys
import numpy as np
from restora.front.memory import keep_freed_memory
kept = keep_freed_memory() if sys.argv[1] == "kept" else True
np.ones(16_000_000, np.float32)
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(20):
    np.ones(16_000_000, np.float32)
print(kept, resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


def faults(how):
    done = subprocess.run([sys.executable, "-c", FAULTS, how], check=True, capture_output=True, text=True)
    kept, count = done.stdout.split()
    return kept == "True", int(count)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="a setting of glibc")
def test_memory_that_is_kept_is_not_asked_for_again():
    kept, count = faults("kept")
    if not kept:
        pytest.skip("another C library than glibc")
    assert count < faults("given back")[1] / 10
