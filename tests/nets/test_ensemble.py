import numpy as np
import torch
from torch.nn.functional import conv2d, interpolate

from restora.nets.ensemble import over_symmetries


def test_a_filter_becomes_the_mean_of_its_turned_and_mirrored_selves(generator):
    kernel = torch.randn(3, 3, generator=generator, dtype=torch.float64)
    y = torch.randn(2, 1, 7, 12, generator=generator, dtype=torch.float64)
    turns = [np.rot90(k, quarters) for k in (kernel.numpy(), kernel.numpy().T) for quarters in range(4)]
    mean = torch.from_numpy(np.mean(turns, axis=0))
    x = over_symmetries(lambda image: conv2d(image, kernel[None, None], padding=1), y)
    assert torch.allclose(x, conv2d(y, mean[None, None], padding=1))


def test_every_symmetry_is_asked_once_and_undone(generator):
    y = torch.rand(1, 3, 5, 8, generator=generator)
    asked = []

    def enlarge(image):
        asked.append(image)
        return interpolate(image, scale_factor=2, mode="nearest")

    assert torch.allclose(over_symmetries(enlarge, y), enlarge(y), atol=1e-6)
    seen = {(tuple(image.shape[-2:]), *image[0, 0, 0, :2].tolist()) for image in asked[:8]}
    assert len(seen) == 8
