import pytest
import torch

from restora.core.errors import InvalidParameter, UnknownName
from restora.learning.degradations import degradation_from
from restora.numerics.imresize import imresize


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def test_noise_has_the_level_it_says():
    x = torch.full((6, 1, 128, 128), 0.5)
    batch = degradation_from({"kind": "WhiteNoise", "low": 10, "high": 60})(x, seeded())
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
    degradation = degradation_from({"kind": "Bicubic", "scale": scale})
    m, side, at = degradation.margin, 12 * scale, 4 * scale
    window = image[..., at - m : at + side + m, at - m : at + side + m]
    batch = degradation(window, seeded())
    small = imresize(image, scale=1 / scale)[..., 4:16, 4:16]
    assert torch.allclose(batch.y, small, atol=1e-12)
    assert torch.equal(batch.x, image[..., at : at + side, at : at + side])


def test_enlarged_patches_are_those_of_the_whole_image(camera):
    image = camera[..., :120, :120].double()
    degradation = degradation_from({"kind": "BicubicEnlarged", "scales": [2, 3]})
    m = degradation.margin
    assert (degradation.multiple_of, m % 6) == (6, 0)
    window = image[..., 36 - m : 60 + m, 36 - m : 60 + m]
    seen = set()
    for seed in range(8):
        batch = degradation(window, seeded(seed))
        whole = {s: imresize(imresize(image, scale=1 / s), scale=s)[..., 36:60, 36:60] for s in (2, 3)}
        fits = [s for s in whole if torch.allclose(batch.y, whole[s], atol=1e-12)]
        assert len(fits) == 1
        seen.add(fits[0])
    assert seen == {2, 3}


def test_jpeg_patches_lie_anywhere_on_the_grid(camera):
    degradation = degradation_from({"kind": "JpegCompression", "low": 10, "high": 10})
    phases = set()
    for seed in range(12):
        batch = degradation(camera[..., :64, :64], seeded(seed))
        assert batch.y.shape == batch.x.shape == (1, 1, 48, 48)
        jumps = (batch.y[..., 1:] - batch.y[..., :-1]).abs().mean(dim=(0, 1, 2))
        phases.add(int(torch.stack([jumps[k::8].mean() for k in range(8)]).argmax()))
        assert 0.01 < float((batch.y - batch.x).square().mean().sqrt()) < 0.1
    assert len(phases) >= 4


def test_one_of_several_is_drawn():
    several = degradation_from(
        {
            "side": 12,
            "members": [
                {"kind": "WhiteNoise", "low": 5, "high": 5, "task": "denoise-30"},
                {"kind": "Bicubic", "scale": 2, "task": "x2"},
            ],
        }
    )
    side = 12 * several.scale + 2 * several.margin
    batches = [several(torch.rand(2, 1, side, side), seeded(seed)) for seed in range(10)]
    seen = {(batch.task, batch.y.shape[-1], batch.x.shape[-1]) for batch in batches}
    assert seen == {("denoise-30", 12, 12), ("x2", 12, 24)}


def test_mistakes_are_named():
    with pytest.raises(UnknownName, match="WhiteNoise"):
        degradation_from({"kind": "WhiteNoize"})
    with pytest.raises(UnknownName, match="factor"):
        degradation_from({"kind": "Bicubic", "factor": 2})
    with pytest.raises(InvalidParameter, match="low <= high"):
        degradation_from({"kind": "WhiteNoise", "low": 9, "high": 5})


@pytest.mark.parametrize(("scales", "multiple", "margin"), [((2, 3, 4), 12, 24), ((3,), 3, 12), ((2, 3), 6, 12)])
def test_the_margin_is_no_wider_than_it_must_be(scales, multiple, margin):
    degradation = degradation_from({"kind": "BicubicEnlarged", "scales": list(scales)})
    assert (degradation.multiple_of, degradation.margin) == (multiple, margin)
