import math

import torch

from restora.noise.salt_and_pepper import SaltAndPepper


def test_shares_of_white_black_and_kept_are_those_asked_for():
    x = torch.full((1, 1, 400, 400), 0.5)
    y = SaltAndPepper(0.4, 0.25).sample(x, torch.Generator().manual_seed(0))
    for value, share in ((1.0, 0.1), (0.0, 0.3), (0.5, 0.6)):
        found = float((y == value).float().mean())
        assert abs(found - share) < 5 * math.sqrt(share * (1 - share) / x.numel())


def test_a_value_no_impulse_makes_is_impossible():
    x = torch.full((1, 1, 1, 2), 0.5)
    assert float(SaltAndPepper(0.5).log_likelihood(x + 0.1, x)) == -math.inf
    assert float(SaltAndPepper(1.0).log_likelihood(x, x)) == -math.inf
