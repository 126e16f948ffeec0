"""Fresh weights that hand the picture on: what each network gives back before it has learnt anything."""

import pytest
import torch
from torch import nn

from restora.core.errors import InvalidParameter
from restora.nets.architectures import build
from restora.nets.beginnings import carry, deliver, silence

STARTS = (
    ("srcnn", {}, 1, 30),
    ("espcn", {"scale": 3}, 1, 30),
    ("ffdnet", {"depth": 4}, 1, 24),
    ("drunet", {"widths": (8, 8, 8, 8), "blocks": 1}, 1, 35),
    ("srresnet", {"scale": 4, "blocks": 2}, 3, 26),
    ("srresnet", {"scale": 3, "blocks": 2, "joint": "prelu"}, 3, 26),
    ("rrdbnet", {"blocks": 1, "width": 16, "growth": 8}, 3, 35),
)


def repeated(x, scale):
    return x.repeat_interleave(scale, dim=-2).repeat_interleave(scale, dim=-1)


def psnr(a, b):
    """Inside, where no zeros from beyond the border come in."""
    return float(-10 * torch.log10((a - b)[..., 4:-4, 4:-4].square().mean()))


@pytest.mark.parametrize(("architecture", "fields", "channels", "bar"), STARTS)
def test_fresh_weights_give_back_the_picture_where_others_do_not(architecture, fields, channels, bar):
    torch.manual_seed(0)
    x = torch.rand(1, channels, 24, 24)
    found = {}
    for from_identity in (True, False):
        network = build(architecture, {**fields, "from_identity": from_identity}).eval()
        inputs = (x, torch.full_like(x[:, :1], 0.1)) if network.takes_noise_map else (x,)
        with torch.no_grad():
            found[from_identity] = psnr(network(*inputs), repeated(x, network.scale))
    assert found[True] > bar
    assert found[False] < 20


@pytest.mark.parametrize("task", ["x2", "x3", "x4", "denoise-50"])
def test_the_transformer_repeats_every_pixel_in_every_task(task):
    torch.manual_seed(0)
    x = torch.rand(1, 3, 12, 12)
    network = build("ipt", {"width": 16, "size": 12, "layers": (1, 1), "heads": 4, "task": task, "image_range": 1.0})
    with torch.no_grad():
        assert psnr(network(x), repeated(x, network.scale)) > 28


def test_a_residual_of_vdsr_begins_at_zero():
    x = torch.rand(1, 1, 9, 9)
    assert torch.equal(build("vdsr", {"depth": 4})(x), x)


def test_a_folded_picture_cannot_be_handed_on():
    with pytest.raises(InvalidParameter, match="folded=False"):
        build("rrdbnet", {"scale": 2, "blocks": 1, "from_identity": True})


def test_carry_repeats_inputs_in_the_order_of_a_shuffle():
    layer, x = nn.Conv2d(5, 12, 3, padding=1), torch.rand(1, 5, 6, 6)
    before = layer.weight[8:].clone()
    carry(layer, 2, gain=0.5, copies=4)
    torch.testing.assert_close(nn.functional.pixel_shuffle(layer(x)[:, :8], 2), 0.5 * repeated(x[:, :2], 2))
    assert torch.equal(layer.weight[8:], before)


def test_deliver_keeps_the_rest_quietly_and_silence_is_silent():
    layer, x = nn.Conv2d(5, 2, 3, padding=1), torch.rand(1, 5, 6, 6)
    others = torch.cat((torch.zeros(1, 2, 6, 6), x[:, 2:]), dim=1)
    random = nn.functional.conv2d(others, layer.weight, padding=1)
    deliver(layer, 2)
    torch.testing.assert_close(layer(x), x[:, :2] + 0.03 * random)
    silence(layer, 1)
    assert not layer(x)[:, 0].any()
    assert layer(x)[:, 1].any()
