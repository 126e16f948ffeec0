import numpy as np
import pytest
import torch

from restora.numerics.smoothing.box import box_mean
from restora.numerics.smoothing.guided import guided


def windows(n, radius):
    return [slice(max(i - radius, 0), i + radius + 1) for i in range(n)]


@pytest.mark.parametrize("size", [(1, 1), (1, 20), (45, 3), (40, 37)], ids=str)
@pytest.mark.parametrize("radius", [1, 2, 3, 11])
def test_a_box_mean_is_the_mean_of_the_window_cut_at_the_border(size, radius):
    x = np.random.default_rng(0).random(size)
    expected = [[x[i, j].mean() for j in windows(size[1], radius)] for i in windows(size[0], radius)]
    y = torch.from_numpy(x)[None, None]
    assert np.allclose(box_mean(y, radius)[0, 0].numpy(), expected, rtol=0, atol=1e-14)
    assert np.allclose(box_mean(y.clone().requires_grad_(True), radius)[0, 0].detach().numpy(), expected, atol=1e-14)
    assert np.allclose(box_mean(y.float(), radius)[0, 0].numpy(), expected, rtol=0, atol=1e-6)


def test_the_threaded_box_is_the_serial_one(monkeypatch):
    x = torch.rand(2, 3, 70, 40)
    serial = box_mean(x, 4)
    monkeypatch.setattr("restora.numerics.smoothing.box._SERIAL", 0)
    assert torch.equal(box_mean(x, 4), serial)


def by_least_squares(p, I, radius, epsilon):
    """Ridge regression in each window, then the mean of all predictions for a pixel."""
    d, h, w = I.shape
    q, count = np.zeros((h, w)), np.zeros((h, w))
    for i in windows(h, radius):
        for j in windows(w, radius):
            X, y = I[:, i, j].reshape(d, -1).T, p[i, j].ravel()
            centred = X - X.mean(0)
            a = np.linalg.solve(centred.T @ centred / len(y) + epsilon * np.eye(d), centred.T @ (y - y.mean()) / len(y))
            q[i, j] += (y.mean() + centred @ a).reshape(q[i, j].shape)
            count[i, j] += 1
    return q / count


@pytest.mark.parametrize("channels", [1, 2, 3])
def test_it_is_ridge_regression_in_every_window(channels):
    I, p = np.random.default_rng(0).random((channels, 14, 11)), np.random.default_rng(1).random((2, 14, 11))
    found = guided(torch.from_numpy(p)[None], torch.from_numpy(I)[None], radius=2, epsilon=0.01)[0].numpy()
    for channel in range(2):
        assert np.allclose(found[channel], by_least_squares(p[channel], I, 2, 0.01), rtol=0, atol=1e-12)


@pytest.mark.parametrize("colour", [False, True])
def test_inside_it_is_opencvs_filter(colour, camera, cat):
    ximgproc = pytest.importorskip("cv2").ximgproc
    x = cat if colour else camera
    array = np.ascontiguousarray(x[0].movedim(0, -1).numpy())
    expected = ximgproc.guidedFilter(array, array, 3, 0.02).reshape(array.shape)
    found = guided(x, x, radius=3, epsilon=0.02)[0].movedim(0, -1).numpy()
    assert np.allclose(found[6:-6, 6:-6], expected[6:-6, 6:-6], rtol=0, atol=5e-5)


def test_an_image_guides_itself_as_its_copy_does_and_in_bands_as_whole(monkeypatch):
    x = torch.rand(1, 3, 90, 20, dtype=torch.float64)
    whole = guided(x, x, radius=2, epsilon=0.01)
    assert torch.allclose(guided(x, x.clone(), radius=2, epsilon=0.01), whole, rtol=0, atol=1e-12)
    monkeypatch.setattr("restora.numerics.smoothing.guided._BAND", 0)
    assert torch.allclose(guided(x, x, radius=2, epsilon=0.01), whole, rtol=0, atol=1e-12)


def test_the_fast_form_fits_the_reduced_image_and_enlarges_its_coefficients():
    cv2 = pytest.importorskip("cv2")
    x = np.random.default_rng(2).random((24, 16))
    small = x.reshape(12, 2, 8, 2).mean((1, 3))
    a, b = np.zeros_like(small), np.zeros_like(small)
    for row, i in enumerate(windows(12, 2)):
        for column, j in enumerate(windows(8, 2)):
            window = small[i, j]
            a[row, column] = window.var() / (window.var() + 0.02)
            b[row, column] = (1 - a[row, column]) * window.mean()
    means = (np.array([[z[i, j].mean() for j in windows(8, 2)] for i in windows(12, 2)]) for z in (a, b))
    a, b = (cv2.resize(z, (16, 24), interpolation=cv2.INTER_LINEAR) for z in means)
    y = torch.from_numpy(x)[None, None]
    found = guided(y, y, radius=4, epsilon=0.02, subsampling=2)[0, 0].numpy()
    assert np.allclose(found, a * x + b, rtol=0, atol=1e-6)


def test_gradients_pass():
    y = torch.rand(1, 3, 4, 5, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda y: guided(y, y, radius=1, epsilon=0.1), (y,))
