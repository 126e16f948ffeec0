import numpy as np
import pytest
from PIL import Image
from scipy.io import savemat

from restora.core.errors import FileProblem, InvalidInput
from restora.operators.psf_files import read_psf

PSF = np.array([[0, 1, 0], [2, 4, 1], [0, 3, 0]])


def _is_psf(read, expected=PSF):
    np.testing.assert_allclose(read.numpy(), expected / expected.sum(), rtol=1e-12)


def test_arrays_and_images_of_all_kinds_give_the_same_psf(tmp_path):
    np.save(tmp_path / "k.npy", PSF)
    np.savez(tmp_path / "k.npz", k1=PSF.astype(np.float32), k2=PSF.T)
    savemat(tmp_path / "k.mat", {"kernel": PSF})
    Image.fromarray((PSF * 10).astype(np.uint8)).save(tmp_path / "gray.png")
    Image.fromarray(np.repeat((PSF * 10).astype(np.uint8)[..., None], 3, 2)).save(tmp_path / "rgb.png")
    Image.fromarray((PSF * 9000).astype(np.uint16)).save(tmp_path / "deep.png")
    Image.fromarray(PSF.astype(np.float32)).save(tmp_path / "float.tif")
    opaque = np.stack([(PSF * 10).astype(np.uint8), np.full(PSF.shape, 255, np.uint8)], -1)
    Image.fromarray(opaque).save(tmp_path / "alpha.png")
    for name in ("k.npy", "k.mat", "gray.png", "rgb.png", "deep.png", "float.tif", "alpha.png"):
        _is_psf(read_psf(tmp_path / name))
    _is_psf(read_psf(str(tmp_path / "k.npz"), "k2"), PSF.T)
    _is_psf(read_psf(tmp_path / "k.mat", "kernel"))


def test_even_sides_grow_at_the_end_so_that_the_centre_stays(tmp_path):
    np.save(tmp_path / "even.npy", np.ones((2, 4)))
    psf = read_psf(tmp_path / "even.npy")
    assert psf.shape == (3, 5)
    assert float(psf[:2, :4].min()) == pytest.approx(1 / 8)
    assert float(psf[2].sum() + psf[:, 4].sum()) == 0


def test_centring_moves_the_mass_into_the_middle_and_loses_none(tmp_path):
    k = np.zeros((7, 9))
    k[0, 6:9] = 1
    np.save(tmp_path / "off.npy", k)
    psf = read_psf(tmp_path / "off.npy", centre=True).numpy()
    assert psf.shape[0] % 2 == psf.shape[1] % 2 == 1
    middle = psf.shape[0] // 2, psf.shape[1] // 2
    np.testing.assert_allclose(psf[middle[0], middle[1] - 1 : middle[1] + 2], 1 / 3)
    assert psf.sum() == pytest.approx(1)


@pytest.mark.parametrize(
    ("array", "said"),
    [
        (np.zeros((3, 3)), "sums to 0"),
        (np.full((3, 3), np.nan), "NaN"),
        (np.ones(5), "two-dimensional"),
        (np.ones((3, 3, 3)), "two-dimensional"),
        (np.ones((3, 3), complex), "two-dimensional"),
        (-np.ones((3, 3)), "sums to -9"),
    ],
)
def test_what_is_no_psf_is_refused_in_a_sentence(tmp_path, array, said):
    np.save(tmp_path / "bad.npy", array)
    with pytest.raises(InvalidInput, match=said):
        read_psf(tmp_path / "bad.npy")


def test_a_choice_among_several_arrays_is_asked_for(tmp_path):
    np.savez(tmp_path / "two.npz", a=PSF, b=PSF)
    with pytest.raises(InvalidInput, match="several arrays: give as key one of a, b"):
        read_psf(tmp_path / "two.npz")
    with pytest.raises(InvalidInput, match="no 'c'"):
        read_psf(tmp_path / "two.npz", "c")


def test_files_that_cannot_be_read_are_named(tmp_path):
    with pytest.raises(FileProblem, match="no file"):
        read_psf(tmp_path / "absent.png")
    for name in ("x.png", "x.npy", "x.npz", "x.mat"):
        (tmp_path / name).write_bytes(b"this is not what its name says, by far" * 10)
        with pytest.raises(FileProblem, match=name):
            read_psf(tmp_path / name)
    # The header of a MATLAB 7.3 file: 116 bytes of text, offset, version 2.0, byte order.
    (tmp_path / "new.mat").write_bytes(b"MATLAB 7.3 MAT-file".ljust(124) + b"\x00\x02IM" + bytes(512))
    with pytest.raises(FileProblem, match=r"MATLAB 7\.3"):
        read_psf(tmp_path / "new.mat")


def test_the_kernels_of_levin_are_those_of_their_blurred_images(data_dir):
    for number in (1, 4):
        stored = read_psf(data_dir / "kernels" / "levin09.npz", f"k{number}")
        used = read_psf(data_dir / "blind" / "levin16" / f"im01_ker0{number}.mat", "f")
        np.testing.assert_allclose(stored.numpy(), used.numpy(), rtol=1e-12)
    large = read_psf(data_dir / "kernels" / "k_large_2.png")
    assert large.shape == (71, 71)
