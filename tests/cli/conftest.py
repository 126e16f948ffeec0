"""A command line run in this process, and small pictures to run it on."""

import io
import sys
from dataclasses import dataclass
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

from restora.cli import main


@dataclass(frozen=True)
class Ran:
    code: int
    data: bytes
    err: str

    @property
    def out(self):
        return self.data.decode()

    @property
    def complaint(self):
        """The only line of standard error."""
        lines = self.err.splitlines()
        assert len(lines) == 1, self.err
        assert lines[0].startswith("restora: ")
        return lines[0]


@pytest.fixture
def run(capfdbinary, monkeypatch):
    def call(*words, stdin=b""):
        monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(stdin)))
        code = main([str(word) for word in words])
        sys.stdout.flush()
        captured = capfdbinary.readouterr()
        return Ran(code, captured.out, captured.err.decode())

    return call


@pytest.fixture
def levels():
    """A colour picture of 24 x 32 pixels, uint8: a smooth ramp with an edge and a little noise."""
    rng = np.random.default_rng(0)
    rows, columns = np.mgrid[:24, :32]
    ramp = np.stack([60 + 3 * columns, 200 - 2 * rows, 100 + 40 * (columns > 16)], axis=-1)
    return np.clip(ramp + rng.normal(0, 8, ramp.shape), 0, 255).astype(np.uint8)


@pytest.fixture
def photo(tmp_path, levels):
    path = tmp_path / "photo.png"
    Image.fromarray(levels).save(path)
    return path


@pytest.fixture
def opened():
    """A picture as Pillow reads it; from its bytes, so that no file stays open."""

    def call(path):
        return Image.open(io.BytesIO(path.read_bytes()))

    return call
