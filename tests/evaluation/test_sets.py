import re

import numpy as np
import pytest
import torch
from PIL import Image

from restora.core.errors import FileProblem, MissingData, UnknownName
from restora.evaluation.sets import ImageSet, find_set, image_sets, read_array, read_image, set_of_folder


def test_a_set_is_found_in_whatever_case():
    assert find_set("bsd68").name == find_set("BSD68").name == "BSD68"


def test_an_unknown_set_is_answered_with_the_nearest():
    with pytest.raises(UnknownName, match=r"did you mean .*Set12"):
        find_set("Set13")


def test_images_of_a_set_are_named_in_order(small_data):
    assert find_set("Set12").images(small_data) == tuple(f"{k:02d}" for k in range(1, 13))
    assert find_set("Set5").images(small_data) == ("baby", "bird", "butterfly", "head", "woman")


def test_a_set_that_lacks_an_image_is_not_measured(small_data):
    (small_data / "test/Set12/07.png").unlink()
    with pytest.raises(MissingData, match=r"Set12 is not complete.*12 images.*holds 11"):
        find_set("Set12").images(small_data)


def test_a_list_that_lacks_an_image_names_it(small_data):
    listed = ImageSet(name="two", folder="test/Set12", names=("01", "absent"), count=2)
    with pytest.raises(MissingData, match="lacks absent"):
        listed.images(small_data)


def test_a_set_that_is_not_there_says_what_is_expected_where(tmp_path):
    with pytest.raises(MissingData, match="CBSD68 should hold 68 images like"):
        find_set("CBSD68").images(tmp_path)


def test_pairs_are_found_by_their_measurement_and_share_references(tmp_path):
    pairs = find_set("text-pan")
    (tmp_path / "blind/text-pan/gt").mkdir(parents=True)
    (tmp_path / "blind/text-pan/blurred").mkdir()
    names = [f"im0{scene}_ker{k:02d}" for scene in (1, 3) for k in range(1, 9)]
    for scene in ("im01", "im03"):
        Image.new("L", (4, 3), 10 * int(scene[-1])).save(tmp_path / f"blind/text-pan/gt/{scene}.png")
    for name in names:
        Image.new("L", (4, 3), 200).save(tmp_path / f"blind/text-pan/blurred/{name}_blur.png")
    assert pairs.images(tmp_path) == tuple(names)
    assert pairs.read_reference(tmp_path, "im03_ker02").unique().item() == pytest.approx(30 / 255)
    assert pairs.read_measured(tmp_path, "im03_ker02").unique().item() == pytest.approx(200 / 255)


def test_pictures_are_read_as_levels_over_255(tmp_path):
    levels = np.arange(60, dtype=np.uint8).reshape(4, 5, 3)
    Image.fromarray(levels).save(tmp_path / "rgb.png")
    Image.fromarray(levels[..., 0]).save(tmp_path / "gray.png")
    torch.testing.assert_close(read_image(tmp_path / "rgb.png")[0], torch.from_numpy(levels / 255).movedim(-1, 0))
    torch.testing.assert_close(read_image(tmp_path / "gray.png")[0, 0], torch.from_numpy(levels[..., 0] / 255))


def test_files_that_cannot_be_read_are_named(tmp_path):
    (tmp_path / "x.png").write_text("no picture")
    (tmp_path / "x.npz").write_text("no arrays")
    with pytest.raises(FileProblem, match=r"x\.png"):
        read_image(tmp_path / "x.png")
    with pytest.raises(FileProblem, match=r"x\.npz"):
        read_array(tmp_path / "x.npz", "k1")


def test_a_folder_is_a_set_named_after_what_it_holds(tmp_path):
    folder = tmp_path / "Scans of 2026"
    folder.mkdir()
    (folder / "notes.txt").write_text("no picture")
    levels = np.arange(12, dtype=np.uint16).reshape(3, 4) * 5000
    Image.fromarray(levels).save(folder / "b.png")
    Image.new("RGB", (4, 3), (10, 20, 30)).save(folder / "a.webp", lossless=True)
    first = set_of_folder(folder)
    assert re.fullmatch("scans_of_2026_[0-9a-f]{8}", first.name)
    assert first.images(tmp_path / "wherever") == ("a.webp", "b.png")
    torch.testing.assert_close(first.read_reference(tmp_path, "b.png")[0, 0], torch.from_numpy(levels / 65535))
    assert set_of_folder(folder) == first
    Image.new("RGB", (4, 3), (10, 20, 31)).save(folder / "a.webp", lossless=True)
    assert set_of_folder(folder).name != first.name
    (tmp_path / "empty").mkdir()
    with pytest.raises(MissingData, match="no pictures"):
        set_of_folder(tmp_path / "empty")


def test_every_set_at_hand_is_complete(data_dir):
    for image_set in image_sets().values():
        assert len(image_set.images(data_dir)) == image_set.count, image_set.name
