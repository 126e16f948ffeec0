import math

import pytest
import torch
from safetensors.torch import save_file

from restora.core.errors import CannotSolve, InvalidParameter
from restora.core.problem import Problem
from restora.front.restore import restore
from restora.learning.dictionaries.coupled import direction_error
from restora.learning.dictionaries.samples import draw_samples
from restora.learning.images import held_out, read_images
from restora.methods.superresolution.coupled_dictionaries import CoupledDictionaries
from restora.methods.superresolution.scsr import ScSR
from restora.noise.gaussian import Gaussian
from restora.numerics.imresize import imresize
from restora.operators.downsample import Downsample
from restora.operators.identity import Identity
from restora.patches.coded_patches import normalised_atoms
from restora.weights.dictionaries import dictionaries


def measured(x, scale):
    H = Downsample(scale, size=(x.shape[-2], x.shape[-1]))
    return Problem(H(x), H, Gaussian(0.0))


def psnr(x, y):
    return -10 * math.log10(float((x - y).square().mean()))


def test_it_is_scsr_over_atoms_of_length_one(tmp_path, camera, generator):
    D_h, D_l = torch.randn(25, 30, generator=generator), torch.randn(100, 30, generator=generator)
    path = str(tmp_path / "pair.safetensors")
    save_file({"D_h": D_h, "D_l": normalised_atoms(D_l)}, path)
    problem = measured(camera[..., :40, :44], 2)
    assert torch.allclose(
        CoupledDictionaries(path, lam=0.2).run(problem).x, ScSR(path, lam=0.2).run(problem).x, atol=1e-5
    )


def test_atoms_are_used_as_they_were_trained(tmp_path, camera, generator):
    """Atoms of half the length over which λ is half as large, that is features of twice the length, code the same."""
    D_h, D_l = torch.randn(25, 30, generator=generator), normalised_atoms(torch.randn(100, 30, generator=generator))
    problem = measured(camera[..., :40, :44], 2)
    results = []
    for name, factor in (("whole", 1.0), ("half", 0.5)):
        save_file({"D_h": D_h, "D_l": factor * D_l}, tmp_path / f"{name}.safetensors")
        method = CoupledDictionaries(str(tmp_path / f"{name}.safetensors"), lam=factor * 0.2, back_projections=0)
        results.append(method.run(problem).x)
    assert torch.allclose(*results, atol=1e-4)


def test_patches_of_little_variance_stay_as_they_are(camera):
    problem = measured(camera[..., :80, :80], 2)
    m = imresize(problem.y, scale=2)
    all_flat = CoupledDictionaries(least_variance=1.0, back_projections=0).run(problem).x
    assert torch.allclose(all_flat, m, atol=1e-6)
    some = CoupledDictionaries(least_variance=10 / 255**2).run(problem).x
    assert psnr(some, CoupledDictionaries().run(problem).x) > 45


def test_scales_choose_their_dictionaries_and_photographs_gain(camera):
    for scale in (2, 3, 4):
        problem = measured(camera[..., :84, :84], scale)
        method = CoupledDictionaries.for_problem(problem)
        assert method.weights == f"coupled-x{scale}"
        assert dictionaries(method.weights)[1].norm(dim=0).max() < 1.001
        x = camera[..., :84, :84]
        assert psnr(method.run(problem).x, x) > psnr(imresize(problem.y, scale=scale), x) + 0.3


def test_tiles_equal_the_whole(camera):
    problem = measured(camera[..., :40, :], 2)  # a window is 54 of 64 pixels
    whole, tiled = (restore(problem, CoupledDictionaries(back_projections=1), tile=tile).x for tile in (None, 32))
    assert torch.allclose(tiled, whole, atol=1e-5)


def test_what_is_wrong_is_refused(camera):
    with pytest.raises(CannotSolve, match="Downsample"):
        CoupledDictionaries().run(Problem(camera, Identity(), Gaussian(0.0)))
    for field, value in (("lam", -1.0), ("contrast", 0.0), ("overlap", -1), ("least_variance", math.nan)):
        with pytest.raises(InvalidParameter, match=field):
            CoupledDictionaries(**{field: value})


@pytest.mark.published
def test_test_codes_give_better_patches_than_those_of_the_joint_pair(data_dir):
    """On images that neither pair was trained on."""
    _, images = held_out(read_images(data_dir / "train", ["T91"], "y"), 9)
    luma = [image[None].float() / 255 for image in images.images]
    generator = torch.Generator().manual_seed(5)
    samples = draw_samples(luma, scale=2, patch=5, count=5000, generator=generator)
    joint = dictionaries("scsr-x2")
    joint_error = direction_error(samples, (joint[0], normalised_atoms(joint[1])), 0.15)
    assert direction_error(samples, dictionaries("coupled-x2"), 0.15) < joint_error
