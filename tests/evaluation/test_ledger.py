import re

import pytest

from restora.core.errors import FileProblem
from restora.evaluation import ledger as module
from restora.evaluation.ledger import find_published, ledger, published_mean, standing_of
from restora.evaluation.protocol import METRICS
from restora.evaluation.sets import image_sets
from restora.evaluation.suites import Selection, suite, suite_names

HEADER = "method,protocol,image,metric,value,status,source\n"


def test_every_row_names_a_method_a_metric_and_a_source():
    assert len(ledger()) > 2000
    for row in ledger():
        assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*(\[[A-Za-z0-9_-]+\])?", row.method), row
        assert row.metric in METRICS, row
        assert row.source.strip(), row
        low, high = (0, 1) if "ssim" in row.metric else (-5, 50)
        assert low < row.value < high, row


@pytest.mark.parametrize(
    ("method", "protocol", "metric", "image", "value", "status"),
    [
        ("gaussian", "set12-gray-awgn-s25-noclip-seed0", "psnr", "mean", 26.57, "measured"),
        ("bm3d", "bsd68-gray-awgn-s50-noclip-seed0", "psnr", "mean", 25.60, "published-verified"),
        ("bm3d", "bm3d-gray11-gray-awgn-s25-noclip-matlabv4", "psnr", "house256", 32.86, "published-verified"),
        ("wnnm", "wnnm20-gray-awgn-s100-noclip-matlabv4", "psnr", "house256", 26.68, "published-verified"),
        ("wnnm", "wnnm20-gray-awgn-s50-noclip-matlabv4", "psnr", "mean", 26.752, "published-verified"),
        ("ncsr", "ncsr-denoise12-gray-awgn-s50-noclip-matlabv4", "psnr", "straw256", 22.48, "published-verified"),
        ("lssc", "ncsr-denoise12-gray-awgn-s20-noclip-matlabv4", "psnr", "mean", 30.85, "published-verified"),
        ("swinir", "kodak24-rgb-awgn-s50-noclip-seed0", "psnr", "mean", 29.79, "published-verified"),
        ("restormer", "set12-gray-awgn-s15-noclip-seed0", "psnr", "mean", 33.42, "unverified"),
        ("dncnn[DnCNN3]", "classic5-jpeg-y-q20", "ssim-y", "mean", 0.8610, "published-verified"),
        ("bicubic", "set5-x3-matlab-bicubic-y-shave3", "psnr-y", "mean", 30.39, "published-verified"),
        ("back-projection", "set14-x4-matlab-bicubic-y-shave4", "ssim-y", "mean", 0.7289, "measured"),
        ("wiener", "deblur4-gray-scenario5-noclip-matlabv4", "isnr", "cameraman256", 2.49, "measured"),
        ("tv-inpainting", "inpaint4-gray-missing80-seed0", "psnr", "house256", 27.58, "measured"),
        ("mcwnnm", "cc15-rgb-real", "psnr", "5dmark3_iso3200_1", 41.13, "published-verified"),
    ],
)
def test_cells_of_the_tables_are_found(method, protocol, metric, image, value, status):
    row = find_published(method, protocol, metric, image)
    assert row is not None
    assert (row.value, row.status) == (value, status)


def _all_ids():
    denoising = Selection(sigmas=(5, 10, 15, 20, 25, 30, 35, 40, 50, 60, 75, 80, 100))
    protocols = [p for name in suite_names() for p in suite(name)]
    protocols += [p for name in ("denoise-gray", "denoise-colour") for p in suite(name, denoising)]
    return {protocol.id: protocol for protocol in protocols}


def test_the_ledger_speaks_of_protocols_that_can_be_run():
    known = _all_ids()
    # Urban100 is in the tables of everyone and in few hands: its rows wait for a user who has it.
    strange = {
        row.protocol for row in ledger() if row.protocol not in known and not row.protocol.startswith("urban100-")
    }
    assert not strange


def test_single_images_of_the_ledger_are_in_their_sets():
    known, sets = _all_ids(), image_sets()
    for row in ledger():
        protocol = known.get(row.protocol)
        if protocol is None or row.image == "mean":
            continue
        names = sets[protocol.images.name].names
        assert not names or row.image in names, row


def test_means_of_the_wnnm_table_are_those_of_its_columns():
    # The NCSR column at σ = 100 is printed with an average that its entries do not have; the others agree to rounding.
    images = image_sets()["wnnm20"].names
    for sigma in (10, 30, 50, 100):
        protocol = f"wnnm20-gray-awgn-s{sigma}-noclip-matlabv4"
        for method in ("nnm", "bm3d", "epll", "lssc", "ncsr", "saist", "wnnm"):
            rows = [find_published(method, protocol, "psnr", image) for image in images]
            mean, printed = sum(row.value for row in rows) / 20, find_published(method, protocol, "psnr").value
            tolerance = 0.06 if (method, sigma) == ("ncsr", 100) else 0.01
            assert mean == pytest.approx(printed, abs=tolerance), (method, sigma)


def test_a_mean_is_the_sets_average_or_that_of_the_single_images():
    protocol = "set12-gray-awgn-s25-noclip-seed0"
    assert published_mean("gaussian", protocol, "psnr", ["01", "02"], whole=True) == 26.57
    assert published_mean("gaussian", protocol, "psnr", ["01", "02"], whole=False) == pytest.approx((25.46 + 27.98) / 2)
    assert published_mean("gaussian", protocol, "psnr", ["01", "99"], whole=False) is None
    assert published_mean("gaussian", protocol, "psnr", [], whole=False) is None


def test_standing_of_a_mean_is_that_of_the_worst_image():
    scenario = "deblur4-gray-scenario1-noclip-matlabv4"
    assert standing_of("bm3d-deb", scenario, "isnr") == "unverified"
    assert standing_of("wiener", scenario, "isnr") == "measured"
    assert standing_of("wiener", scenario, "isnr", "lena512") is None
    assert standing_of("nobody", scenario, "isnr") is None


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ("a,p,mean,psnr,1.0,measured,s\na,p,mean,psnr,2.0,measured,s\n", "line 3.*twice"),
        ("a,p,mean,psnr,high,measured,s\n", "line 2.*could not convert"),
        ("a,p,mean,psnr,1.0,rumour,s\n", "unknown status 'rumour'"),
    ],
)
def test_a_faulty_ledger_is_refused_with_its_line(rows, message):
    with pytest.raises(FileProblem, match=message):
        module._parsed(HEADER + rows)
