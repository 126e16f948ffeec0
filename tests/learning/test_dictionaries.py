import numpy as np
import pytest
import torch
from scipy.optimize import minimize
from scipy.signal import convolve2d
from skimage import data as photographs

from restora.core.errors import InvalidInput, InvalidParameter, UnknownName
from restora.core.reading import from_table
from restora.images.write import write_picture
from restora.learning.dictionaries.coupled import Descent, coupled_gradient, direction_error, train_coupled
from restora.learning.dictionaries.joint import Joint, stacked, train_joint
from restora.learning.dictionaries.lagrange_dual import best_dictionary
from restora.learning.dictionaries.recipe import DictionaryRecipe, train_dictionaries
from restora.learning.dictionaries.samples import draw_samples
from restora.numerics.imresize import imresize
from restora.numerics.sparse.feature_sign import feature_sign
from restora.patches.coded_patches import normalised_atoms


def unit_atoms(rows, columns, generator):
    return normalised_atoms(torch.randn(rows, columns, generator=generator, dtype=torch.float64))


def test_the_dictionary_is_the_best_with_short_atoms(generator):
    A = torch.randn(5, 60, generator=generator, dtype=torch.float64)
    X = 0.5 * torch.randn(3, 60, generator=generator, dtype=torch.float64) + 3 * A[:3]
    D = best_dictionary(A @ A.mT, A @ X.mT)

    def error(d):
        return float(((X.numpy() - d.reshape(3, 5) @ A.numpy()) ** 2).sum())

    short = [{"type": "ineq", "fun": lambda d, k=k: 1 - (d.reshape(3, 5)[:, k] ** 2).sum()} for k in range(5)]
    other = minimize(error, np.zeros(15), method="SLSQP", constraints=short, options={"ftol": 1e-12, "maxiter": 500})
    assert D.norm(dim=0).max() <= 1 + 1e-9
    assert D.norm(dim=0)[:3] == pytest.approx(1, abs=1e-3)  # the constraint counts
    assert error(D.numpy()) == pytest.approx(other.fun, rel=1e-4)


def test_without_the_constraint_it_is_least_squares(generator):
    A = torch.randn(5, 60, generator=generator, dtype=torch.float64)
    X = 0.01 * torch.randn(3, 60, generator=generator, dtype=torch.float64)
    A[4] = 0
    D = best_dictionary(A @ A.mT, A @ X.mT)
    assert torch.allclose(D[:, :4], torch.linalg.lstsq(A[:4].mT, X.mT).solution.mT, atol=1e-6)
    assert torch.equal(D[:, 4], torch.zeros(3, dtype=D.dtype))


@pytest.mark.parametrize("gamma", [0.5, 1.0])
def test_the_gradient_is_that_of_finite_differences(generator, gamma):
    D_l, D_h = unit_atoms(12, 30, generator), unit_atoms(7, 30, generator)
    x, y = unit_atoms(7, 6, generator).mT, unit_atoms(12, 6, generator).mT
    _, slope = coupled_gradient(x, y, (D_h, D_l), 0.2, gamma)
    for _ in range(4):
        step = torch.randn(D_l.shape, generator=generator, dtype=torch.float64)
        up, down = (coupled_gradient(x, y, (D_h, D_l + h * step), 0.2, gamma)[0] for h in (1e-6, -1e-6))
        assert float((slope * step).sum()) == pytest.approx((up - down) / 2e-6, rel=1e-4, abs=1e-7)


def image_of(array):
    return torch.from_numpy(array.copy())[None, None].float() / 255


def test_samples_are_what_filters_and_windows_say(generator):
    image = image_of(photographs.camera()[100:160, 200:270])
    samples = draw_samples([image], scale=2, patch=5, count=50, generator=generator)
    coarse = imresize(imresize(image, scale=0.5), scale=2)[0, 0].double().numpy()
    kernels = [np.array([[-1, 0, 1]]), np.array([[-1], [0], [1]])]
    kernels += [np.array([[1, 0, -2, 0, 1]]), np.array([[1, 0, -2, 0, 1]]).T]
    planes = [convolve2d(coarse, kernel, mode="same") for kernel in kernels]
    fine = image[0, 0].double().numpy()
    matches = 0
    for i in range(5, 51):
        for j in range(5, 61):
            patch = fine[i : i + 5, j : j + 5].ravel(order="F")
            patch = patch - patch.mean()
            near = np.abs(samples.x.numpy() - patch / np.linalg.norm(patch)).max(1) < 1e-4
            if near.any():
                y = np.concatenate([plane[i : i + 5, j : j + 5].ravel(order="F") for plane in planes])
                assert np.allclose(samples.y[near].numpy(), y / np.linalg.norm(y), atol=1e-4)
                matches += int(near.sum())
    assert matches == len(samples.x) > 20


def test_flat_images_give_no_samples(generator):
    with pytest.raises(InvalidInput, match="structure"):
        draw_samples([torch.full((1, 1, 40, 40), 0.5)], scale=2, patch=5, count=20, generator=generator)


@pytest.fixture(scope="module")
def samples():
    image = image_of(photographs.camera()[::2, ::2])
    of = [image[..., :128], image[..., 128:]]
    return [
        draw_samples([one], scale=2, patch=3, count=2000, generator=torch.Generator().manual_seed(k))
        for k, one in enumerate(of)
    ]


def test_training_lowers_what_it_minimises(samples):
    objectives = []

    def progress(done, total, note=""):
        objectives.append(float(note.split()[1].rstrip(",")))

    train, held_out = samples
    generator = torch.Generator().manual_seed(1)
    pair = train_joint(train, Joint(2, atoms=40, iterations=6), generator, progress)
    D = torch.cat(pair)
    assert len(objectives) == 6
    assert objectives[-1] < objectives[1] < objectives[0]
    assert D.norm(dim=0).max() <= 1 + 1e-5
    X = stacked(train)
    A = feature_sign(D, X, 0.15)
    assert float(0.5 * (X - A @ D.mT).square().sum() + 0.15 * A.abs().sum()) / len(X) < objectives[-1] + 1e-4

    start = (pair[0], normalised_atoms(pair[1]))
    coupled = train_coupled(train, held_out, pair, 0.15, Descent(passes=2, batch=64), generator)
    assert direction_error(held_out, coupled, 0.15) < direction_error(held_out, start, 0.15)
    assert coupled[1].norm(dim=0).max() <= 1 + 1e-5


LEAST = {"scale": 2, "atoms": 24, "patch": 3, "lambda": 0.15, "samples": 600, "iterations": 2, "validation": 1}


def recipe(descent, **fields):
    table = {"name": "a", "kind": "dictionaries", "data": {"folders": ["few"]}, "dictionaries": {**LEAST, **fields}}
    return from_table(DictionaryRecipe, {**table, "descent": descent}, "a.toml")


def test_a_recipe_trains_and_its_seed_decides(tmp_path):
    from restora.images.picture import Picture

    (tmp_path / "few").mkdir()
    for k in range(3):
        pixels = photographs.camera()[k * 60 : k * 60 + 60, 200:280, None]
        write_picture(tmp_path / "few" / f"{k}.png", Picture(pixels.copy(), kind="gray"))
    first, again = (train_dictionaries(recipe({"passes": 1}), tmp_path) for _ in range(2))
    other = train_dictionaries(recipe({"passes": 1}, seed=1), tmp_path)
    assert first[0].shape == (9, 24)
    assert first[1].shape == (36, 24)
    assert all(torch.equal(one, two) for one, two in zip(first, again))
    assert not torch.equal(first[1], other[1])


def test_what_a_recipe_may_hold():
    read = recipe({"gamma": 0.25})
    assert (read.dictionaries.lam, read.descent.gamma) == (0.15, 0.25)
    with pytest.raises(UnknownName, match="atoms"):
        recipe({}, atom=3)
    with pytest.raises(InvalidParameter, match="atoms"):
        recipe({}, atoms="many")
    with pytest.raises(InvalidParameter, match="dictionaries: scale"):
        recipe({}, scale=1)
    with pytest.raises(InvalidParameter, match="descent: gamma"):
        recipe({"gamma": 0.0})
