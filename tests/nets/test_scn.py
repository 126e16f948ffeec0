import numpy as np
import pytest
import torch
from scipy.signal import convolve2d
from sklearn.linear_model import Lasso

from restora.core.errors import InvalidInput, InvalidParameter
from restora.nets.network import parameter_count
from restora.nets.scn import SCN


def dictionaries(atoms=40, seed=3):
    random = np.random.default_rng(seed)
    D_l = random.standard_normal((100, atoms))
    D_h = random.standard_normal((25, atoms))
    return torch.tensor(D_h, dtype=torch.float32), torch.tensor(D_l / np.linalg.norm(D_l, axis=0), dtype=torch.float32)


def test_it_has_the_numbers_of_the_released_files():
    # conv, mean2, diffms, wd, usd1, ud, addp
    assert parameter_count(SCN()) == 81 * 100 + 169 + 81 * 25 + 100 * 128 + 128 * 128 + 128 * 25 + 25


def gradients_of(u, i, j):
    """Four derivatives of the 5×5 patch around (i, j), column after column, as sparse coding takes them."""
    kernels = [np.array([[-1, 0, 1]]), np.array([[1, 0, -2, 0, 1]])]
    maps = [convolve2d(u, k, "same") for k in (kernels[0], kernels[0].T, kernels[1], kernels[1].T)]
    return np.concatenate([m[i - 2 : i + 3, j - 2 : j + 3].ravel(order="F") for m in maps])


def test_it_computes_the_codes_of_sparse_coding_with_its_dictionaries(generator):
    D_h, D_l = dictionaries()
    threshold, stages = 0.1, 2000
    network = SCN.from_dictionaries(D_h, D_l, threshold=threshold, stages=stages).double()
    u = 255 * torch.rand(1, 1, 9, 9, generator=generator, dtype=torch.float64)
    f = gradients_of(u[0, 0].numpy(), 4, 4)
    f /= np.linalg.norm(f)
    with torch.no_grad():
        c = torch.nn.functional.normalize(network.features(u), dim=1)
        w = network.encode(c)
        z = torch.nn.functional.softshrink(w, 1.0)
        for _ in range(stages):
            z = torch.nn.functional.softshrink(network.recur(z) + w, 1.0)
        patch = network.decode(z)[0, :, 0, 0].numpy().reshape(5, 5)
    lasso = Lasso(alpha=threshold / 100, fit_intercept=False, tol=1e-10, max_iter=100000).fit(D_l.double().numpy(), f)
    assert 0 < np.count_nonzero(lasso.coef_) < 40
    np.testing.assert_allclose(patch, (D_h.double().numpy() @ lasso.coef_).reshape(5, 5, order="F"), atol=1e-5)


def test_mean_and_contrast_are_those_of_overlapping_patches(generator):
    u = torch.rand(1, 1, 13, 13, generator=generator)
    network = SCN()
    patches = [u[..., a : a + 5, b : b + 5] for a in range(2, 7) for b in range(2, 7)]
    assert torch.allclose(network.mean(u).squeeze(), torch.stack(patches).mean(), atol=1e-6)
    middle = u[..., 4:9, 4:9]
    assert torch.allclose(network.contrast(u[..., 2:11, 2:11]).flatten(), (middle - middle.mean()).flatten(), atol=1e-6)


def test_a_patch_gets_its_mean_and_1_1_times_its_contrast():
    """One atom that every patch uses: each place of each patch is known in closed form."""
    edge = torch.zeros(25, 1)
    edge[20:] = 1  # the last column of the patch
    D_l = torch.zeros(100, 1)
    D_l[:25] = 1  # the first derivative along rows
    network = SCN.from_dictionaries(edge, D_l, threshold=0.01).double()
    x = (torch.arange(20.0, dtype=torch.float64) / 100).expand(1, 1, 20, 20)
    # The convolution with [-1 0 1] of a rising ramp is negative everywhere, and so is the code.
    contrast = 0.01 * (5 * (4 + 1 + 0 + 1 + 4)) ** 0.5
    mean = x[0, 0, 10, 10]  # of the patches around a pixel of a ramp
    expected = mean - 1.1 * contrast / 5**0.5 * 5 / 25  # 5 of the 25 patches have it in their last column
    assert network(x)[0, 0, 10, 10].item() == pytest.approx(expected.item(), abs=1e-6)  # filters drawn in float32


def test_flat_pictures_stay_and_have_finite_gradients():
    x = torch.full((1, 1, 8, 7), 0.5, requires_grad=True)
    network = SCN()
    result = network(x)
    result.square().sum().backward()
    assert torch.allclose(result, x, atol=1e-5)
    assert all(p.grad is not None and p.grad.isfinite().all() for p in [x, *network.parameters()])


def test_a_pixel_reaches_as_far_as_the_halo(generator):
    network = SCN().double()
    x = torch.rand(1, 1, 25, 25, generator=generator, dtype=torch.float64, requires_grad=True)
    (gradient,) = torch.autograd.grad(network(x)[0, 0, 12, 12], x)
    assert gradient[0, 0].nonzero().sub(12).abs().amax(0).tolist() == [network.halo, network.halo]


def test_strips_change_nothing(monkeypatch):
    network, x = SCN(atoms=8), torch.rand(2, 1, 31, 17)
    whole = network(x).detach()
    monkeypatch.setattr("restora.nets.scn.PIXELS", 7 * 2 * (17 + 12))
    with torch.no_grad():
        torch.testing.assert_close(network(x), whole)


def test_tiles_with_the_halo_agree_with_the_whole(generator):
    network = SCN().double()
    x = torch.rand(1, 1, 20, 20, generator=generator, dtype=torch.float64)
    whole, halo = network(x), network.halo
    assert torch.allclose(network(x[..., :14, : 8 + halo])[..., :8, :8], whole[..., :8, :8], atol=1e-12)
    assert torch.allclose(network(x[..., 10 - halo :, 4:])[..., halo:, halo:], whole[..., 10:, 4 + halo :], atol=1e-12)


def test_small_pictures_are_mirrored_again_and_again(generator):
    network = SCN().double()
    x = torch.rand(1, 1, 2, 3, generator=generator, dtype=torch.float64)
    tiled = torch.tensor(np.pad(x[0, 0].numpy(), 12, mode="symmetric"))[None, None]
    assert torch.allclose(network(x), network(tiled)[..., 12:14, 12:15], atol=1e-12)
    assert network(x[..., :1, :1]).shape == (1, 1, 1, 1)


def test_bfloat16_keeps_the_means_of_the_picture():
    x = torch.rand(1, 1, 12, 12)
    network = SCN()
    exact, rounded = network(x), network.bfloat16()(x)
    assert rounded.dtype == x.dtype
    assert (rounded - exact).abs().mean() < 0.01


def test_impossible_networks_are_refused():
    D_h, D_l = dictionaries()
    with pytest.raises(InvalidInput, match=r"\(25, 39\) and \(100, 40\)"):
        SCN.from_dictionaries(D_h[:, 1:], D_l)
    with pytest.raises(InvalidParameter):
        SCN.from_dictionaries(D_h, D_l, threshold=0.0)
    with pytest.raises(InvalidParameter):
        SCN(stages=-1)
