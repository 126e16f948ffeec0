"""A stack from the command to a kernel stays short enough to be read."""

import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import restora
from restora.cli.entry import main
from restora.patches import nonlocal_means

MOST_FRAMES = 12
PACKAGE = str(Path(restora.__file__).parent)


@pytest.mark.parametrize(
    "words", [("--method", "nlm"), ("--method", "nlm", "--sigma", "20")], ids=["told", "estimated"]
)
def test_from_the_command_to_the_kernel(words, tmp_path, monkeypatch):
    picture = tmp_path / "noisy.png"
    noise = np.random.default_rng(0).normal(128, 20, (48, 48))
    Image.fromarray(noise.clip(0, 255).astype(np.uint8)).save(picture)
    stacks = []
    original = nonlocal_means.nonlocal_means

    def recorded(*arguments, **named):
        frame, found = sys._getframe(1), []
        while frame is not None:
            if frame.f_code.co_filename.startswith(PACKAGE):
                found.append(f"{Path(frame.f_code.co_filename).name}:{frame.f_code.co_name}")
            frame = frame.f_back
        stacks.append(found)
        return original(*arguments, **named)

    for name, module in list(sys.modules.items()):
        if name.startswith("restora.") and getattr(module, "nonlocal_means", None) is original:
            monkeypatch.setattr(module, "nonlocal_means", recorded)
    assert main(["denoise", str(picture), *words, "-q"]) == 0
    assert stacks
    # The function that was recorded calls the kernel: two more frames at the most.
    assert len(stacks[0]) + 2 <= MOST_FRAMES, stacks[0]
