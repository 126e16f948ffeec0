import hashlib

import numpy as np
import pytest
import torch
from PIL import Image

from restora.core.errors import InvalidInput, MissingData
from restora.learning.images import Images, Patches, held_out, read_images, with_sizes


def images_of(*sizes):
    g = torch.Generator().manual_seed(0)
    return Images(tuple(torch.randint(256, (1, *size), generator=g).to(torch.uint8) for size in sizes), ())


def test_a_folder_is_read_in_the_order_of_its_names_with_its_sum(tmp_path):
    for name, value in (("b.png", 20), ("a.png", 10)):
        Image.fromarray(np.full((3, 4, 3), value, np.uint8)).save(tmp_path / name)
    (tmp_path / "notes.txt").write_text("no image")
    read = read_images(tmp_path.parent, [tmp_path.name], "rgb")
    assert [int(image[0, 0, 0]) for image in read.images] == [10, 20]
    assert [tuple(image.shape) for image in read.images] == [(3, 3, 4)] * 2
    sums = sorted(hashlib.sha256((tmp_path / name).read_bytes()).hexdigest() for name in ("a.png", "b.png"))
    assert read.sources[0].sha256 == hashlib.sha256("\n".join(sums).encode()).hexdigest()
    assert read.sources[0].images == 2


def test_colour_becomes_matlabs_gray_and_luma(tmp_path):
    Image.fromarray(np.full((2, 2, 3), (200, 100, 50), np.uint8)).save(tmp_path / "a.png")
    gray = read_images(tmp_path.parent, [tmp_path.name], "gray").images[0]
    luma = read_images(tmp_path.parent, [tmp_path.name], "y").images[0]
    assert gray.unique().tolist() == [round(0.2989 * 200 + 0.5870 * 100 + 0.1140 * 50)]
    assert luma.unique().tolist() == [round(16 + (65.481 * 200 + 128.553 * 100 + 24.966 * 50) / 255)]


def test_an_empty_folder_is_refused(tmp_path):
    with pytest.raises(MissingData, match="no images"):
        read_images(tmp_path, ["nothing"], "rgb")


def test_validation_images_are_spread_and_not_trained_on():
    images = images_of(*[(5, 5)] * 10)
    train, validation = held_out(images, 2)
    assert len(train.images) == 8
    assert [any(kept is image for image in images.images) for kept in validation.images] == [True, True]
    assert not any(kept is image for kept in validation.images for image in train.images)
    assert validation.images[0] is images.images[2]
    with pytest.raises(InvalidInput, match="none is left"):
        held_out(images, 10)


def test_patches_are_the_eight_symmetries_of_windows():
    image = torch.arange(9, dtype=torch.uint8).reshape(1, 3, 3)
    patches = Patches(Images((image,), ()), 3, torch.device("cpu")).draw(200, torch.Generator().manual_seed(1))
    seen = {tuple((patch * 255).round().flatten().int().tolist()) for patch in patches}
    square = image[0].numpy()
    turned = [np.rot90(one, k) for one in (square, square.T) for k in range(4)]
    assert seen == {tuple(int(v) for v in one.flatten()) for one in turned}


def test_larger_images_are_drawn_more_often_and_small_ones_never():
    images = images_of((4, 4), (10, 40), (2, 9))
    images.images[0].fill_(7)
    patches = Patches(images, 4, torch.device("cpu")).draw(400, torch.Generator().manual_seed(0))
    share = float((patches == 7 / 255).all(dim=(1, 2, 3)).float().mean())
    assert share < 0.02  # 1 of 1 + 7 · 37 places
    with pytest.raises(InvalidInput, match="50 pixels"):
        Patches(images, 50, torch.device("cpu"))


def test_sizes_add_reduced_copies():
    made = with_sizes(images_of((20, 30)), [1.0, 0.5])
    assert [tuple(image.shape) for image in made.images] == [(1, 20, 30), (1, 10, 15)]
