from pathlib import Path

import numpy as np
import pytest
from PIL import Image


def write_picture(path: Path, shape: tuple[int, ...], seed: int = 0) -> np.ndarray:
    levels = np.random.RandomState(seed).randint(0, 256, shape).astype(np.uint8)
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(levels).save(path)
    return levels


@pytest.fixture
def small_data(tmp_path) -> Path:
    """A folder of benchmark data in the layout of the real one, with small random pictures for Set12 and Set5."""
    for index in range(12):
        write_picture(tmp_path / "data/test/Set12" / f"{index + 1:02d}.png", (24, 30), seed=index)
    for index, name in enumerate(("baby", "bird", "butterfly", "head", "woman")):
        write_picture(tmp_path / "data/test/Set5" / f"{name}_GT.png", (47, 41, 3), seed=index)
    return tmp_path / "data"
