import pytest
import torch

from restora.core.errors import InvalidParameter, UnknownName
from restora.learning.pairs import pairs_from
from restora.numerics.imresize import imresize
from restora.operators.blur import Blur
from restora.operators.psf import motion_psf


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def test_noise_has_the_level_it_says():
    x = torch.full((6, 1, 128, 128), 0.5)
    batch = pairs_from({"noise": "gaussian:10..60"})(x, seeded())
    measured = (batch.y - batch.x).std(dim=(1, 2, 3)) * 255
    levels = batch.sigma[:, 0, 0, 0] * 255
    assert torch.allclose(measured, levels, rtol=0.02)
    assert levels.min() >= 10
    assert levels.max() <= 60
    assert levels.std() > 5
    assert batch.sigma.shape == (6, 1, 128, 128)


@pytest.mark.parametrize("scale", [2, 3, 4])
def test_a_patch_is_reduced_as_the_whole_image_is(scale, camera):
    image = camera[..., :120, :120].double()
    pairs = pairs_from({"scale": scale})
    m, side, at = pairs.margin, 12 * scale, 4 * scale
    window = image[..., at - m : at + side + m, at - m : at + side + m]
    batch = pairs(window, seeded())
    small = imresize(image, scale=1 / scale)[..., 4:16, 4:16]
    assert torch.allclose(batch.y, small, atol=1e-12)
    assert torch.equal(batch.x, image[..., at : at + side, at : at + side])


def test_enlarged_patches_are_those_of_the_whole_image(camera):
    image = camera[..., :120, :120].double()
    pairs = pairs_from({"scale": [2, 3], "enlarged": True})
    m = pairs.margin
    assert (pairs.multiple_of, m % 6) == (6, 0)
    window = image[..., 36 - m : 60 + m, 36 - m : 60 + m]
    seen = set()
    for seed in range(8):
        batch = pairs(window, seeded(seed))
        whole = {s: imresize(imresize(image, scale=1 / s), scale=s)[..., 36:60, 36:60] for s in (2, 3)}
        fits = [s for s in whole if torch.allclose(batch.y, whole[s], atol=1e-12)]
        assert len(fits) == 1
        seen.add(fits[0])
    assert seen == {2, 3}


def test_jpeg_patches_lie_anywhere_on_the_grid(camera):
    pairs = pairs_from({"jpeg": "10..10"})
    phases = set()
    for seed in range(12):
        batch = pairs(camera[..., :64, :64], seeded(seed))
        assert batch.y.shape == batch.x.shape == (1, 1, 48, 48)
        jumps = (batch.y[..., 1:] - batch.y[..., :-1]).abs().mean(dim=(0, 1, 2))
        phases.add(int(torch.stack([jumps[k::8].mean() for k in range(8)]).argmax()))
        assert 0.01 < float((batch.y - batch.x).square().mean().sqrt()) < 0.1
    assert len(phases) >= 4


def test_one_of_several_is_drawn():
    several = pairs_from(
        {
            "side": 12,
            "members": [
                {"noise": "gaussian:5", "task": "denoise-30"},
                {"scale": 2, "task": "x2"},
            ],
        }
    )
    side = 12 * several.scale + 2 * several.margin
    batches = [several(torch.rand(2, 1, side, side), seeded(seed)) for seed in range(10)]
    seen = {(batch.task, batch.y.shape[-1], batch.x.shape[-1]) for batch in batches}
    assert seen == {("denoise-30", 12, 12), ("x2", 12, 24)}


def test_mistakes_are_named():
    with pytest.raises(UnknownName, match="gaussian"):
        pairs_from({"noise": "gausian:5"})
    with pytest.raises(UnknownName, match="did you mean scale"):
        pairs_from({"scales": 2})
    with pytest.raises(InvalidParameter, match="low <= high"):
        pairs_from({"noise": "gaussian:9..5"})
    with pytest.raises(InvalidParameter, match="whole number in a recipe"):
        pairs_from({"scale": 1.5})


@pytest.mark.parametrize(("scales", "multiple", "margin"), [((2, 3, 4), 12, 24), ((3,), 3, 12), ((2, 3), 6, 12)])
def test_the_margin_is_no_wider_than_it_must_be(scales, multiple, margin):
    pairs = pairs_from({"scale": list(scales), "enlarged": True})
    assert (pairs.multiple_of, pairs.margin) == (multiple, margin)


def test_blurred_patches_are_those_of_the_whole_image(camera):
    image = camera[..., :96, :96].double()
    pairs = pairs_from({"blur": "motion:9:30", "scale": 2})
    m = pairs.margin
    assert m % 2 == 0
    batch = pairs(image[..., 32 - m : 64 + m, 32 - m : 64 + m], seeded())
    whole = imresize(Blur(motion_psf(9, 30), "replicate")(image), scale=1 / 2)[..., 16:32, 16:32]
    assert torch.allclose(batch.y, whole, atol=1e-12)
    assert torch.equal(batch.x, image[..., 32:64, 32:64])


def test_a_jpeg_of_a_reduced_patch_stays_in_step_with_it(camera):
    pairs = pairs_from({"scale": 2, "jpeg": 95})
    for seed in range(4):
        batch = pairs(camera[..., :80, :80], seeded(seed))
        assert batch.x.shape[-1] == 2 * batch.y.shape[-1]
        assert float((imresize(batch.x, scale=1 / 2) - batch.y)[..., 2:-2, 2:-2].square().mean().sqrt()) < 0.02
