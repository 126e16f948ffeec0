from pathlib import Path

import pytest

from restora.core.errors import FileProblem, InvalidParameter, UnknownName
from restora.learning.losses import pixel_loss
from restora.learning.pairs import pairs_from
from restora.learning.recipe import read_recipe
from restora.nets.architectures import build
from restora.nets.network import Network

RECIPES = Path(__file__).parents[2] / "recipes"
NETWORKS = sorted(path for path in RECIPES.glob("*.toml") if "architecture" in path.read_text(encoding="utf-8"))

LEAST = """
name = "a"
task = "denoise"
architecture = "dncnn"
degradation = { noise = "gaussian:0..50" }
[data]
folders = ["X"]
[training]
steps = 10
"""


def written(folder, text):
    path = folder / "recipe.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_what_is_not_said_has_its_default(tmp_path):
    recipe = read_recipe(written(tmp_path, LEAST + "average = 0\n"))
    assert (recipe.name, recipe.data.folders, recipe.data.patch) == ("a", ("X",), 64)
    assert (recipe.training.steps, recipe.training.average, recipe.training.batch) == (10, 0.0, 16)
    assert recipe.losses == {"l1": 1.0}
    assert recipe.adversarial is None


@pytest.mark.parametrize(
    ("text", "error", "says"),
    [
        (LEAST + "stepps = 3\n", UnknownName, "training.steps"),
        (LEAST.replace("steps = 10", "batch = 3"), InvalidParameter, "training.steps is missing"),
        (LEAST.replace("steps = 10", 'steps = "ten"'), InvalidParameter, "training.steps"),
        (LEAST.replace("steps = 10", "steps = true"), InvalidParameter, "training.steps"),
        (LEAST.replace('"denoise"', '"paint"'), InvalidParameter, "task"),
        (LEAST.replace("[training]", "[training"), FileProblem, "recipe.toml"),
    ],
)
def test_a_mistake_is_named_in_one_line(tmp_path, text, error, says):
    with pytest.raises(error, match=says) as refused:
        read_recipe(written(tmp_path, text))
    assert "\n" not in str(refused.value)


def test_a_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(FileProblem, match=r"none\.toml"):
        read_recipe(tmp_path / "none.toml")


@pytest.mark.parametrize("path", NETWORKS, ids=lambda path: path.stem)
def test_every_recipe_of_the_project_can_be_carried_out(path):
    recipe = read_recipe(path)
    assert recipe.name == path.stem
    assert isinstance(build(recipe.architecture, recipe.fields), Network)
    assert recipe.data.patch % pairs_from(recipe.degradation).multiple_of == 0
    assert callable(pixel_loss(recipe.losses))
    assert recipe.data.terms
