import math

import pytest
import torch
from torch.nn.functional import binary_cross_entropy_with_logits, huber_loss, l1_loss, mse_loss

from restora.core.errors import UnknownName
from restora.learning.losses import (
    charbonnier,
    contrastive,
    discriminator_loss,
    feature_distance,
    generator_loss,
    half_sum,
    negative_psnr,
    pixel_loss,
)


@pytest.fixture
def pair(generator):
    return tuple(torch.rand(3, 2, 5, 4, generator=generator, dtype=torch.float64) for _ in range(2))


def test_pixel_losses_are_those_of_torch(pair):
    estimate, x = pair
    assert torch.allclose(pixel_loss({"l1": 2.0, "l2": 3.0})(estimate, x), 2 * l1_loss(*pair) + 3 * mse_loss(*pair))
    assert float(half_sum(estimate, x)) == pytest.approx(float(mse_loss(*pair)) * 40 / 2)
    assert float(charbonnier(estimate, x)) == pytest.approx(float(huber_loss(*pair, delta=1e-3)) / 1e-3, abs=1e-3)
    mean = sum(-10 * math.log10(float(mse_loss(a, b))) for a, b in zip(*pair)) / 3
    assert float(negative_psnr(estimate, x)) == pytest.approx(-mean, abs=1e-6)
    with pytest.raises(UnknownName, match="l1"):
        pixel_loss({"l3": 1.0})


def test_adversarial_losses_are_cross_entropies(generator):
    real, fake = (torch.randn(6, generator=generator, dtype=torch.float64) for _ in range(2))
    ones, zeros = torch.ones(6).double(), torch.zeros(6).double()
    entropy = binary_cross_entropy_with_logits
    assert torch.allclose(generator_loss("vanilla", real, fake), entropy(fake, ones))
    assert torch.allclose(discriminator_loss("vanilla", real, fake), entropy(real, ones) + entropy(fake, zeros))
    a, b = real - fake.mean(), fake - real.mean()
    assert torch.allclose(generator_loss("relativistic", real, fake), (entropy(b, ones) + entropy(a, zeros)) / 2)
    assert torch.allclose(discriminator_loss("relativistic", real, fake), (entropy(a, ones) + entropy(b, zeros)) / 2)


def test_features_of_the_truth_are_not_followed(pair):
    estimate, x = (one.requires_grad_() for one in pair)
    loss = feature_distance(estimate, x, lambda image: image.square())
    loss.backward()
    assert torch.allclose(loss, (estimate**2 - x**2).abs().mean())
    assert x.grad is None
    assert torch.allclose(estimate.grad, 2 * estimate * (estimate - x).sign() / estimate.numel())


def test_the_contrastive_loss_by_loops(generator):
    f = torch.randn(3, 4, 5, generator=generator)
    unit = (f / f.norm(dim=-1, keepdim=True)).reshape(12, 5)
    terms = []
    for i in range(12):
        others = [k for k in range(12) if k != i]
        below = sum(math.exp(float(unit[i] @ unit[k]) / 0.07) for k in others)
        terms += [-math.log(math.exp(float(unit[i] @ unit[j]) / 0.07) / below) for j in others if j // 4 == i // 4]
    assert float(contrastive(f)) == pytest.approx(sum(terms) / len(terms), rel=1e-5)
