import pytest
import torch

from restora.nets.architectures import build
from restora.nets.ipt import IPT
from restora.nets.restormer import Restormer
from restora.nets.scunet import SCUNet
from restora.nets.swinir import SwinIR

SWIN = {"width": 8, "depths": (2, 1), "heads": (2, 1), "window": 3}
IPT_TINY = {"width": 3, "size": 8, "patch": 2, "layers": (1, 2), "heads": 12}
RESTORMER = {"width": 4, "blocks": (1, 2, 1, 1), "refinement": 1, "heads": (1, 2, 2, 4)}
OURS = [
    (SwinIR, SWIN),
    (SwinIR, {**SWIN, "channels": 1, "window": 7, "image_range": 255.0}),
    (SwinIR, {**SWIN, "scale": 4, "upsampler": "pixelshuffle"}),
    (SwinIR, {**SWIN, "scale": 3, "upsampler": "pixelshuffle"}),
    (SwinIR, {**SWIN, "scale": 3, "upsampler": "pixelshuffle-direct"}),
    (SwinIR, {**SWIN, "scale": 4, "upsampler": "nearest-conv", "residual": "3conv"}),
    (SwinIR, {**SWIN, "scale": 2, "upsampler": "nearest-conv"}),
    (Restormer, RESTORMER),
    (Restormer, {**RESTORMER, "channels": 1, "normalisation": "with-bias", "expansion": 1.7}),
    (SCUNet, {"width": 8, "depths": (2, 0, 1, 1, 1, 0, 2), "head_width": 2, "window": 4, "channels": 1}),
    (IPT, {**IPT_TINY, "heads": 6}),
    (IPT, {**IPT_TINY, "tasks": ("x3", "restore")}),
]
KINDS = (SwinIR, Restormer, SCUNet, IPT)


def same_output(network, found):
    """The recognised network, loaded strictly, gives what the network gives."""
    other = build(found.architecture, found.fields)
    other.load_state_dict(dict(found.state), strict=True)
    channels = next(p for p in network.parameters() if p.ndim == 4).shape[1]
    x = torch.rand(1, channels, 8, 8)
    with torch.no_grad():
        return torch.equal(network(x), other(x))


@pytest.mark.parametrize(("kind", "fields"), OURS)
def test_our_own_keys(kind, fields):
    network = kind(**fields)
    state = dict(sorted(network.state_dict().items()))
    found = kind.recognise(state)
    assert found is not None
    assert found.layout == "restora"
    assert {key: found.fields[key] for key in fields if key != "expansion"} == {
        key: value for key, value in fields.items() if key != "expansion"
    }
    assert same_output(network, found)
    assert [other.recognise(state) for other in KINDS if other is not kind] == [None] * 3
    assert kind.recognise({key: value.half() for key, value in state.items()}) is not None


def test_swinirs_buffers_are_left_out():
    network = SwinIR(**SWIN)
    state = network.state_dict()
    for i, depth in enumerate(SWIN["depths"]):
        for j in range(depth):
            block = f"layers.{i}.residual_group.blocks.{j}"
            state[f"{block}.attn.relative_position_index"] = torch.zeros(9, 9, dtype=torch.int64)
            if j % 2:
                state[f"{block}.attn_mask"] = torch.zeros(4, 9, 9)
    found = SwinIR.recognise(state)
    assert found is not None
    assert found.layout == "SwinIR"
    assert same_output(network, found)


def test_the_numbers_of_tensors_of_the_published_files():
    with torch.device("meta"):
        classical = SwinIR(scale=4, upsampler="pixelshuffle").state_dict()
        assert len(classical) + 36 + 18 == 550  # an index a layer, a mask a shifted layer
        assert len(Restormer().state_dict()) == 406
        assert len(SCUNet().state_dict()) == 540
        assert len(as_published(IPT(tasks=("x4",)))) == 317


@pytest.mark.parametrize(
    ("kind", "fields", "foreign"),
    [
        (SwinIR, SWIN, "layers.0.residual_group.overlap_attn.qkv.weight"),
        (SwinIR, SWIN, "layers.0.residual_group.blocks.0.conv_block.cab.0.weight"),
        (SwinIR, SWIN, "absolute_pos_embed"),
        (Restormer, RESTORMER, "skip_conv.weight"),
        (Restormer, RESTORMER, "prompt1.linear_layer.weight"),
    ],
)
def test_relatives_are_not_taken_for_them(kind, fields, foreign):
    assert kind.recognise({**kind(**fields).state_dict(), foreign: torch.zeros(1)}) is None
    assert kind.recognise({}) is None


def as_published(network):
    """The state of an IPT as the authors' module would hold it."""
    body, colour = network.body, torch.eye(3)[:, :, None, None]
    mean = torch.tensor([0.4488, 0.4371, 0.4040]) * 255
    state = {"sub_mean.weight": colour, "sub_mean.bias": -mean, "add_mean.weight": colour, "add_mean.bias": mean}
    for t, task in enumerate(network.tasks):
        for part, module in (("head", network.heads[task]), ("tail", network.tails[task])):
            state |= {f"{part}.{t}.{key}": value for key, value in module.state_dict().items()}
    state |= {f"body.linear_encoding.{key}": value for key, value in body.linear_encoding.state_dict().items()}
    for ours, theirs in ((0, 0), (2, 3)):
        state |= {f"body.mlp_head.{theirs}.{key}": value for key, value in body.out[ours].state_dict().items()}
    state["body.query_embed.weight"] = torch.stack([body.tasks[task].flatten() for task in network.tasks])
    state["body.position_encoding.pe.weight"] = body.positions
    state["body.position_encoding.position_ids"] = torch.arange(len(body.positions))[None]
    for name, layers in (("encoder", body.encoder), ("decoder", body.decoder)):
        for i, layer in enumerate(layers):
            prefix = f"body.{name}.layers.{i}"
            pairs = [("self_attn", layer.attention)] + ([("multihead_attn", layer.cross)] if name == "decoder" else [])
            for theirs, attention in pairs:
                state[f"{prefix}.{theirs}.in_proj_weight"] = attention.qkv.flatten(0, 1)
                state[f"{prefix}.{theirs}.out_proj.weight"] = attention.out.weight
            norms = ("norm1", "norm2") if name == "encoder" else ("norm1", "norm2", "norm3")
            parts = {"linear1": layer.mlp[0], "linear2": layer.mlp[2], **{each: getattr(layer, each) for each in norms}}
            for part, module in parts.items():
                state |= {f"{prefix}.{part}.{key}": value for key, value in module.state_dict().items()}
    return state


@pytest.mark.parametrize(
    ("tasks", "found_as"),
    [
        (("x2", "x3", "x4", "denoise-30", "denoise-50", "derain"), None),
        (("x4",), None),
        (("x3",), None),
        (("denoise-50",), ("restore",)),
        (("x2", "derain"), ("x2", "restore")),
    ],
)
def test_ipt_as_published(tasks, found_as):
    network = IPT(**IPT_TINY, tasks=tasks)
    found = IPT.recognise(as_published(network))
    assert found is not None
    assert found.layout == "Pretrained-IPT"
    assert found.fields["tasks"] == (found_as or tasks)
    assert found.fields["image_range"] == 255.0
    assert same_output(network, found)


def test_ipts_whose_tasks_cannot_be_told_apart():
    assert IPT.recognise(as_published(IPT(**IPT_TINY, tasks=("denoise-30", "derain")))) is None
    state = as_published(IPT(**IPT_TINY, tasks=("x2",)))
    state["body.query_embed.weight"] = state["body.query_embed.weight"].repeat(6, 1)
    assert IPT.recognise(state) is None
