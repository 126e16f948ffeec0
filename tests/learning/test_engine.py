from dataclasses import replace

import numpy as np
import pytest
import torch
from PIL import Image

pytest.importorskip("lightning_fabric", reason="the engine needs the extra 'train'")

from restora.core.errors import FileProblem, InvalidInput, InvalidParameter
from restora.learning.engine import Setup, train
from restora.learning.journal import read_journal
from restora.learning.recipe import Adversarial, Data, Optimiser, Recipe, Schedule, Training

RECIPE = Recipe(
    name="tiny",
    task="denoise",
    architecture="dncnn",
    fields={"depth": 4, "width": 8, "batch_norm": True},
    data=Data(("photos",), "gray", patch=16, validation=1, validation_crop=48),
    degradation={"noise": "gaussian:25"},
    optimiser=Optimiser("adam", 3e-3),
    schedule=Schedule("cosine"),
    training=Training(steps=30, batch=4, average=0.9, precision="float32", validate_every=10),
)


@pytest.fixture
def place(tmp_path, camera):
    (tmp_path / "data/photos").mkdir(parents=True)
    levels = (camera[0, 0] * 255).byte().numpy()
    for name, window in (("a", levels[:64]), ("b", levels[64:]), ("c", levels[:, :64])):
        Image.fromarray(np.ascontiguousarray(window)).save(tmp_path / f"data/photos/{name}.png")
    return Setup(tmp_path / "data", tmp_path / "out", "cpu")


def same(one, other):
    return all(torch.equal(one[name], other[name]) for name in one)


class Killed(Exception):
    pass


def test_it_learns_and_a_killed_training_goes_on_as_if_nothing_had_been(place, tmp_path):
    whole = train(RECIPE, place)
    rows = read_journal(place.out)
    assert [row["step"] for row in rows] == [10, 20, 30]
    assert rows[-1]["psnr"] > rows[0]["psnr"] + 0.5

    def kill(done, total, note=""):
        if done == 13:
            raise Killed

    cut = replace(place, out=tmp_path / "cut")
    with pytest.raises(Killed):
        train(RECIPE, cut, progress=kill)
    resumed = train(RECIPE, cut)
    assert resumed.steps == whole.steps == 30
    assert same(whole.state, resumed.state)
    assert [(row["step"], row["psnr"]) for row in read_journal(cut.out)] == [(r["step"], r["psnr"]) for r in rows]


def test_minutes_end_it_and_more_minutes_go_on(place):
    first = train(RECIPE, replace(place, minutes=0))
    assert first.steps == 0
    assert (place.out / "checkpoint.pt").exists()
    assert train(RECIPE, place).steps == 30
    assert train(RECIPE, place).steps == 30


def test_a_held_out_image_that_vanishes_in_its_degradation_is_told_before_the_training(place, camera):
    whole = (camera[0, 0] * 255).byte().numpy()
    Image.fromarray(whole).save(place.data / "photos/d.png")
    scales = {"scale": [10], "enlarged": True}  # 40 pixels on each side; patches of 8 fit into d alone
    data = replace(RECIPE.data, patch=8)
    with pytest.raises(InvalidInput, match="nothing is left to validate on"):
        train(replace(RECIPE, degradation=scales, data=data), place)


def test_another_recipe_does_not_take_up_the_checkpoint(place):
    train(RECIPE, replace(place, minutes=0))
    other = replace(RECIPE, optimiser=Optimiser("adam", 1e-3))
    with pytest.raises(InvalidInput, match="another recipe"):
        train(other, place)
    longer = replace(RECIPE, training=replace(RECIPE.training, steps=2))
    assert train(longer, place).steps == 2
    (place.out / "checkpoint.pt").write_bytes(b"half")
    with pytest.raises(FileProblem, match=r"checkpoint\.pt"):
        train(RECIPE, place)


def test_weights_to_begin_with_are_taken(place):
    done = train(RECIPE, place)
    again = train(RECIPE, replace(place, out=place.out / "again", minutes=0), initial=done.state)
    assert same(done.state, again.state)


def test_what_is_kept_may_be_a_blend_with_what_was_begun_with(place, tmp_path):
    begun = train(RECIPE, replace(place, out=tmp_path / "begun")).state
    recipe = replace(RECIPE, training=replace(RECIPE.training, seed=5))
    alone = train(recipe, place, initial=begun).state
    blend = train(replace(recipe, blend=0.25), place, initial=begun).state  # the training itself is over
    for name, value in blend.items():
        if value.is_floating_point():
            torch.testing.assert_close(value, 0.75 * begun[name] + 0.25 * alone[name])
    assert not same(alone, begun)
    for wrong, initial in ((0.0, begun), (0.5, None)):
        with pytest.raises(InvalidParameter, match="blend"):
            train(replace(recipe, blend=wrong), place, initial=initial)


def test_the_seed_matters(place):
    other = replace(RECIPE, training=replace(RECIPE.training, seed=1, steps=3))
    base = replace(RECIPE, training=replace(RECIPE.training, steps=3))
    first = train(base, place).state
    assert not same(first, train(other, replace(place, out=place.out / "other")).state)
    assert same(first, train(base, replace(place, out=place.out / "base")).state)


def test_two_networks_contend(place):
    contest = replace(
        RECIPE,
        task="super-resolve",
        architecture="espcn",
        fields={"scale": 2},
        degradation={"scale": 2},
        adversarial=Adversarial(
            "relativistic", 1e-2, feature_weight=0.1, fields={"size": 16, "channels": 1, "width": 4}, rate=1e-3
        ),
        training=replace(RECIPE.training, steps=6, validate_every=3),
    )
    whole = train(contest, place)

    def kill(done, total, note=""):
        if done == 4:
            raise Killed

    cut = replace(place, out=place.out / "cut")
    with pytest.raises(Killed):
        train(contest, cut, progress=kill)
    assert same(whole.state, train(contest, cut).state)
    plain = train(replace(contest, adversarial=None), replace(place, out=place.out / "plain"))
    assert not same(whole.state, plain.state)


def test_one_network_learns_several_tasks_and_tells_images_apart(place):
    tasks = ["x2", "denoise-30"]
    members = [{"scale": 2, "task": "x2"}, {"noise": "gaussian:30", "task": "denoise-30"}]
    several = replace(
        RECIPE,
        architecture="ipt",
        fields={"tasks": tasks, "width": 4, "size": 12, "heads": 4, "layers": [1, 1]},
        data=replace(RECIPE.data, colour="rgb", patch=24),
        degradation={"side": 12, "members": members},
        contrastive=0.1,
        training=replace(RECIPE.training, steps=4, validate_every=4),
    )
    first = train(several, place)
    assert first.psnr > 5
    other = train(replace(several, contrastive=0.0), replace(place, out=place.out / "other"))
    assert not same(first.state, other.state)
