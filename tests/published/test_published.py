"""Published numbers, sampled: the first two images of each protocol a method is held to are restored and measured.

``restora bench`` runs the protocols whole, and RESULTS.md tells which bars are met and missed.
"""

import pytest

from restora import catalog
from restora.evaluation.ledger import published_mean
from restora.evaluation.runner import run_bench
from restora.evaluation.suites import suite, suite_names

TOLERANCE = 0.05
"""In dB: what a border rule, the order of summation or a parameter rule may cost a deterministic method."""

BRIEFLY_TRAINED = ("ffdnet", "drunet", "dncnn", "vdsr", "espcn", "srcnn")
"""Methods whose networks had minutes of two cores where their authors had days of a GPU; their records say how long."""
MET_ALL_THE_SAME = {
    ("srcnn", "set5-x3-matlab-bicubic-y-shave3"),
    ("srcnn", "set5-x3-matlab-bicubic-8bit-rgb-shave3"),
    ("srcnn", "set14-x2-matlab-bicubic-8bit-rgb-shave2"),
    ("srcnn", "set14-x3-matlab-bicubic-8bit-rgb-shave3"),
}

HELD = tuple((entry.name, protocol) for entry in catalog.entries() for protocol in entry.spec().published)
IDS = tuple(f"{name}-{protocol}" for name, protocol in HELD)


def suite_of(protocol):
    """The suite that holds a protocol, and its σ or scale as ``restora bench`` takes them."""
    return next(name for name in suite_names() if any(p.id == protocol for p in suite(name)))


@pytest.mark.published
@pytest.mark.parametrize(("method", "protocol"), HELD, ids=IDS)
def test_the_first_images_score_as_published(method, protocol, data_dir, tmp_path):
    if method in BRIEFLY_TRAINED and (method, protocol) not in MET_ALL_THE_SAME:
        pytest.skip("trained for minutes on two cores")
    name = suite_of(protocol)
    of_protocol = next(p for p in suite(name) if p.id == protocol)
    names = of_protocol.images.images(data_dir)[:2]
    metrics = [metric for metric in of_protocol.metrics if metric.startswith("psnr")]
    if not any(published_mean(method, protocol, metric, names, False) for metric in metrics):
        pytest.skip("only the mean over the whole set is published: `restora bench` runs it whole")
    level = next((int(part[1:]) for part in protocol.split("-") if part[0] in "sx" and part[1:].isdigit()), None)
    rows = run_bench(
        name,
        [method],
        sets=[of_protocol.images.name],
        sigmas=[level] if f"-s{level}-" in protocol else [],
        scales=[level] if f"-x{level}-" in protocol else [],
        limit=2,
        data=data_dir,
        out=tmp_path,
    )
    means = [row for row in rows if row.image == "mean" and row.protocol == protocol and row.published is not None]
    assert means
    for row in means:
        if row.metric.startswith("psnr"):
            assert row.value > row.published - TOLERANCE
