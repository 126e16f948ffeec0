"""Layouts of SRResNet and MSRResNet.

SRResNet: our own; Lornatang's (``conv_block1`` or ``conv1``, ``trunk.{i}.rcb``, ``conv_block2``, ``upsampling.{i}``,
``conv_block3``), whose convolutions before batch normalisation have no biases, which is zero biases; leftthomas's
(``block1`` … ``block7``, ``block8.{i}``), whose output passes a tanh, with batch normalisation or PReLU in ``block7``.

MSRResNet: BasicSR's (``body.{i}.conv1``, ``conv_hr``), which are ours, and KAIR's msrresnet1 (``recon_trunk``,
``HRconv``).
"""

import re
from collections.abc import Mapping

import torch
from torch import Tensor

from restora.weights.layouts.dncnn import fits
from restora.weights.layouts.recognised import Recognised

_LORNATANG = (
    (r"conv(?:_block)?1\.", "head."),
    (r"trunk\.(\d+)\.rcb\.", r"body.\1."),
    (r"conv(?:_block)?2\.", "joint."),
    (r"upsampling\.(\d+)\.upsample_block\.", r"up.\1."),
    (r"conv(?:_block)?3\.", "tail."),
)
_LEFTTHOMAS_PARTS = {"conv1": 0, "bn1": 1, "prelu": 2, "conv2": 3, "bn2": 4}


def recognise(state: Mapping[str, Tensor]) -> Recognised | None:
    """SRResNet or MSRResNet, or None."""
    if "head.0.weight" in state and "body.0.0.weight" in state:
        return _srresnet(state, "restora")
    if "trunk.0.rcb.0.weight" in state:
        return _srresnet({_renamed(key, _LORNATANG): tensor for key, tensor in state.items()}, "Lornatang")
    if "block1.0.weight" in state and "block8.0.conv.weight" in state:
        return _srresnet({_from_leftthomas(key): tensor for key, tensor in state.items()}, "leftthomas")
    if "body.0.conv1.weight" in state and "upconv1.weight" in state:
        return _msrresnet(state, "BasicSR")
    if "recon_trunk.0.conv1.weight" in state and "upconv1.weight" in state:
        rules = ((r"recon_trunk\.", "body."), (r"HRconv\.", "conv_hr."))
        return _msrresnet({_renamed(key, rules): tensor for key, tensor in state.items()}, "KAIR")
    return None


def _srresnet(state: Mapping[str, Tensor], layout: str) -> Recognised | None:
    first = state.get("head.0.weight")
    if first is None or first.ndim != 4:
        return None
    width, channels = first.shape[:2]
    ups = [tensor for key, tensor in state.items() if re.fullmatch(r"up\.\d+\.0\.weight", key)]
    fields = {
        "scale": 3 if ups and ups[0].shape[0] == 9 * width else 2 ** len(ups),
        "channels": channels,
        "blocks": sum(re.fullmatch(r"body\.\d+\.0\.weight", key) is not None for key in state),
        "width": width,
        "joint": "norm" if "joint.1.running_mean" in state else "prelu",
        "squashed": layout == "leftthomas",
    }
    if fields["scale"] not in (2, 3, 4, 8):
        return None
    found = Recognised("srresnet", fields, _completed(state), layout)
    return found if fits(found) else None


def _msrresnet(state: Mapping[str, Tensor], layout: str) -> Recognised | None:
    first, up = state.get("conv_first.weight"), state["upconv1.weight"]
    if first is None or first.ndim != 4:
        return None
    width, channels = first.shape[:2]
    step = 3 if up.shape[0] == 9 * width else 2
    fields = {
        "scale": 4 if "upconv2.weight" in state else step,
        "channels": channels,
        "blocks": sum(re.fullmatch(r"body\.\d+\.conv1\.weight", key) is not None for key in state),
        "width": width,
    }
    found = Recognised("msrresnet", fields, state, layout)
    return found if fits(found) else None


def _renamed(key: str, rules: tuple[tuple[str, str], ...]) -> str:
    """The key with the first rule applied that fits its beginning."""
    for pattern, ours in rules:
        renamed, count = re.subn(f"^{pattern}", ours, key)
        if count:
            return renamed
    return key


def _from_leftthomas(key: str) -> str:
    name, *rest = key.split(".")
    number = int(name.removeprefix("block")) if name.removeprefix("block").isdigit() else 0
    if number in (1, 7):
        return ".".join(("head" if number == 1 else "joint", *rest))
    if number == 8:
        return f"up.{rest[0]}.{'0' if rest[1] == 'conv' else '2'}.{rest[2]}" if len(rest) == 3 else f"tail.{rest[-1]}"
    part = _LEFTTHOMAS_PARTS.get(rest[0]) if rest else None
    return key if number == 0 or part is None else f"body.{number - 2}.{part}.{'.'.join(rest[1:])}"


def _completed(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """With zero biases where convolutions before a normalisation had none, and counters older than PyTorch 0.4.1."""
    completed = dict(state)
    for key, tensor in state.items():
        if key.endswith("running_mean"):
            norm = key.removesuffix(".running_mean")
            stem, _, place = norm.rpartition(".")
            if place.isdigit():
                completed.setdefault(f"{stem}.{int(place) - 1}.bias", torch.zeros_like(tensor))
            completed.setdefault(f"{norm}.num_batches_tracked", torch.tensor(0))
    return completed
