"""Fixtures every test may use: where the benchmark data lie, and photographs that scikit-image ships."""

import os
from pathlib import Path

import numba
import pytest
import torch
from hypothesis import HealthCheck, settings
from skimage import data as photographs

# The images of tests are small: threads would only wait for each other, most of all where several test processes run.
torch.set_num_threads(1)
numba.set_num_threads(1)

# The same examples in every run, and no deadline: a busy machine is no failure.
settings.register_profile("restora", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("restora")


@pytest.fixture(scope="session")
def data_dir() -> Path:
    """The folder of benchmark data; tests that need it are skipped where it is not given."""
    folder = os.environ.get("RESTORA_DATA")
    if not folder:
        pytest.skip("set RESTORA_DATA to the folder of benchmark data to run this test")
    path = Path(folder).resolve()
    if not path.is_dir():
        pytest.fail(f"RESTORA_DATA={folder} is not a folder")
    return path


def _as_image(array) -> torch.Tensor:
    tensor = torch.from_numpy(array.copy()).float() / 255
    return tensor[None, None] if tensor.ndim == 2 else tensor.movedim(-1, 0)[None]


@pytest.fixture(scope="session")
def camera() -> torch.Tensor:
    """A gray photograph, (1, 1, 128, 128), float32 in [0, 1]."""
    return _as_image(photographs.camera())[:, :, 60:316:2, 120:376:2]


@pytest.fixture(scope="session")
def cat() -> torch.Tensor:
    """A colour photograph, (1, 3, 96, 112), float32 in [0, 1]."""
    return _as_image(photographs.chelsea())[:, :, 60:156, 120:232]


@pytest.fixture
def generator() -> torch.Generator:
    """A generator of known seed."""
    return torch.Generator().manual_seed(0)
