from dataclasses import replace

import pytest

from restora.core.errors import InvalidParameter, UnknownName
from restora.degradations.degradation import Degradation
from restora.evaluation.degradations import Simulated
from restora.evaluation.suites import Selection, suite, suite_names

FROZEN = {
    "ntire-esr": [f"{s}-ntire-esr-x4-rgb-shave4" for s in ("set5", "set14", "urban100-5")],
    "ntire-denoise50": [f"{s}-ntire-denoise50-rgb-8bit-crop8-seed0" for s in ("cbsd68", "kodak24")],
    "denoise-gray": [
        *[f"{s}-gray-awgn-s{k}-noclip-seed0" for s in ("set12", "bsd68") for k in (15, 25, 50)],
        *[f"wnnm20-gray-awgn-s{k}-noclip-matlabv4" for k in (10, 30, 50, 100)],
        *[f"{s}-gray-awgn-s{k}-noclip-matlabv4" for s in ("bm3d-gray11", "ncsr-denoise12") for k in (20, 50)],
    ],
    "denoise-colour": [
        f"{s}-rgb-awgn-s{k}-noclip-seed0" for s in ("cbsd68", "kodak24", "mcmaster") for k in (15, 25, 50)
    ],
    "real-noise": ["cc15-rgb-real", "polyu5-rgb-real"],
    "deblur": [
        *[f"deblur4-gray-scenario{k}-noclip-matlabv4" for k in range(1, 7)],
        "ncsr-deblur10-y-uniform-9-s1.41-noclip-matlabv4",
        "ncsr-deblur10-y-gaussian-25-1.6-s1.41-noclip-matlabv4",
        *[f"set3c-rgb-levin-{k}-s{s}-noclip-seed0" for k in (2, 4) for s in ("2.55", "7.65")],
        "levin16-gray-true-kernel-aligned-shave15",
    ],
    "deblur-blind": ["levin16-gray-blind-aligned-shave15", "text-pan-rgb-blind-aligned-shave20"],
    "super-resolve": [
        f"{s}-x{k}-matlab-bicubic-{how}-shave{k}"
        for how in ("y", "8bit-rgb")
        for s in ("set5", "set14", "urban100-5")
        for k in (2, 3, 4)
    ],
    "inpaint": [
        "inpaint4-gray-missing50-seed0",
        "inpaint4-gray-missing80-seed0",
        "gsr2-y-missing80-matlabv4",
        "gsr2-y-text",
    ],
    "deblock": [f"{s}-jpeg-y-q{q}" for s in ("classic5", "live1-y") for q in (10, 20, 30, 40)],
}


def test_the_ids_are_frozen():
    assert {name: [protocol.id for protocol in suite(name)] for name in suite_names()} == FROZEN


def _simulated(**table):
    return Simulated(Degradation.read(table))


def test_what_an_id_says_is_what_the_protocol_does():
    by_id = {protocol.id: protocol for name in suite_names() for protocol in suite(name)}
    noise = by_id["set12-gray-awgn-s25-noclip-seed0"]
    assert noise.degradation == _simulated(noise="numpy:25")
    assert (noise.measurement, noise.estimate, noise.border, noise.space) == ("unclipped", "clipped", 0, "gray")
    assert by_id["wnnm20-gray-awgn-s30-noclip-matlabv4"].degradation == _simulated(noise="matlab-v4:30")
    third = by_id["deblur4-gray-scenario3-noclip-matlabv4"].degradation
    assert third == _simulated(blur="uniform-9", boundary="circular", noise="matlab-v4:40dB")
    small = by_id["set14-x3-matlab-bicubic-8bit-rgb-shave3"]
    assert (small.degradation, small.border, small.measurement) == (_simulated(scale=3), 3, "rounded")
    assert by_id["gsr2-y-missing80-matlabv4"].degradation == _simulated(mask="matlab-v4:0.2")


def test_a_selection_takes_sets_and_sets_levels():
    protocols = suite("denoise-gray", Selection(sets=("set12",), sigmas=(7.5, 30)))
    assert [p.id for p in protocols] == ["set12-gray-awgn-s7.5-noclip-seed0", "set12-gray-awgn-s30-noclip-seed0"]
    assert protocols[0].degradation == _simulated(noise="numpy:7.5")
    assert [p.border for p in suite("super-resolve", Selection(sets=("Set5",), scales=(8,)))] == [8, 8]


def test_protocols_without_the_axis_selected_on_are_left_out():
    assert {p.images.name for p in suite("deblur", Selection(sigmas=(2,)))} == {"set3c"}
    with pytest.raises(InvalidParameter, match="nothing of the suite deblock is left"):
        suite("deblock", Selection(sigmas=(25,)))


def test_unknown_names_are_answered_with_the_nearest():
    with pytest.raises(UnknownName, match="did you mean denoise-gray"):
        suite("denoise-grey")
    with pytest.raises(UnknownName, match=r"did you mean .*BSD68"):
        suite("denoise-gray", Selection(sets=("BSD86",)))
    with pytest.raises(UnknownName, match="image set of the suite denoise-gray 'Set5'"):
        suite("denoise-gray", Selection(sets=("Set5",)))


@pytest.mark.parametrize("selection", [{"sigmas": (0,)}, {"sigmas": (-1, 25)}, {"scales": (0,)}])
def test_impossible_levels_are_refused(selection):
    with pytest.raises(InvalidParameter):
        Selection(**selection)


def test_a_metric_that_does_not_exist_is_refused():
    with pytest.raises(InvalidParameter, match="'lpips'"):
        replace(suite("denoise-gray")[0], metrics=("psnr", "lpips"))
