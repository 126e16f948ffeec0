"""IPT: the authors' PyTorch files, for one task or all six, and our own.

Theirs number the tasks; ours name them. The scale of a task shows in the shapes of its tail; tasks that keep the size
are taken in the paper's order if there are three (σ = 30, σ = 50, rain), while a single one is called "restore".
"""

import re
from collections.abc import Mapping
from math import isqrt, prod

from torch import Tensor

from restora.nets.ipt import MEAN, TASKS
from restora.weights.layouts.recognised import Recognised

HEADS = 12  # of the attention, which theirs does not show
DROPPED = ("sub_mean.", "add_mean.", "body.position_encoding.position_ids")
NAMES = (
    (r"^body\.position_encoding\.pe\.weight$", "body.positions"),
    (r"^body\.mlp_head\.0\.", "body.out.0."),
    (r"^body\.mlp_head\.3\.", "body.out.2."),
    (r"^body\.(encoder|decoder)\.layers\.", r"body.\1."),
    (r"\.self_attn\.in_proj_weight$", ".attention.qkv"),
    (r"\.self_attn\.out_proj\.", ".attention.out."),
    (r"\.multihead_attn\.in_proj_weight$", ".cross.qkv"),
    (r"\.multihead_attn\.out_proj\.", ".cross.out."),
    (r"\.linear1\.", ".mlp.0."),
    (r"\.linear2\.", ".mlp.2."),
)


def recognise(state: Mapping[str, Tensor]) -> Recognised | None:
    """The network of a state, None if it is not an IPT, or one whose tasks cannot be told apart.

    The authors' files do not show the number of heads of the attention, which is taken to be 12, as in all they
    released; their mean colour shows the range of the picture, ours does not and is taken to be the network's default.
    """
    if "body.positions" in state and "body.linear_encoding.weight" in state:
        return Recognised("ipt", _fields(state, tuple(_named_tasks(state))), dict(state), "restora")
    if "body.query_embed.weight" not in state or "body.linear_encoding.weight" not in state:
        return None
    tasks = _numbered_tasks(state)
    dim = state["body.linear_encoding.weight"].shape[0]
    if tasks is None or dim % HEADS:
        return None
    ours = _renamed(state, tasks)
    fields = _fields(ours, tasks)
    if "sub_mean.bias" in state:
        fields["image_range"] = float(round(-float(state["sub_mean.bias"][0]) / MEAN[0], 1))
    return Recognised("ipt", fields, ours, "Pretrained-IPT")


def _fields(ours: Mapping[str, Tensor], tasks: tuple[str, ...]) -> dict[str, object]:
    """Fields of a state under our keys."""
    tokens, dim = ours["body.positions"].shape
    width = ours[f"heads.{tasks[0]}.0.weight"].shape[0]
    patch = isqrt(dim // width)
    layers = tuple(
        len({key.split(".")[2] for key in ours if key.startswith(f"body.{part}.")}) for part in ("encoder", "decoder")
    )
    heads = ours["body.encoder.0.attention.qkv"].shape[0] // 3
    size = isqrt(tokens) * patch
    return {"tasks": tasks, "width": width, "size": size, "patch": patch, "layers": layers, "heads": heads}


def _named_tasks(ours: Mapping[str, Tensor]) -> list[str]:
    """The tasks of a state under our keys, in the paper's order."""
    return [task for task in TASKS if f"body.tasks.{task}" in ours]


def _numbered_tasks(state: Mapping[str, Tensor]) -> tuple[str, ...] | None:
    """What each numbered task is; None if that cannot be said."""
    scales = [_scale(state, t) for t in range(state["body.query_embed.weight"].shape[0])]
    same_size: tuple[str, ...] = ("restore",) if scales.count(1) == 1 else ("denoise-30", "denoise-50", "derain")
    if scales.count(1) not in (0, len(same_size)):
        return None
    enlarging: Mapping[int, str] = {2: "x2", 3: "x3", 4: "x4"}
    rest, tasks = iter(same_size), list[str]()
    for scale in scales:
        if scale != 1 and scale not in enlarging:
            return None
        tasks.append(next(rest) if scale == 1 else enlarging[scale])
    return tuple(tasks) if len(set(tasks)) == len(tasks) else None


def _scale(state: Mapping[str, Tensor], t: int) -> int:
    """How many times finer tail number t makes the picture; 0 if there is none."""
    if f"tail.{t}.1.weight" not in state:
        return 0
    shapes = [state[key].shape for key in (f"tail.{t}.0.0.weight", f"tail.{t}.0.2.weight") if key in state]
    return prod(isqrt(shape[0] // shape[1]) for shape in shapes)


def _renamed(state: Mapping[str, Tensor], tasks: tuple[str, ...]) -> dict[str, Tensor]:
    """The state under our keys."""
    ours: dict[str, Tensor] = {}
    for key, value in state.items():
        if key.startswith(DROPPED) or key == "body.query_embed.weight":
            continue
        name = re.sub(r"^(head|tail)\.(\d+)\.", lambda found: f"{found[1]}s.{tasks[int(found[2])]}.", key)
        for theirs, here in NAMES:
            name = re.sub(theirs, here, name)
        ours[name] = value.unflatten(0, (3 * HEADS, -1)) if name.endswith(".qkv") else value
    for task, embedding in zip(tasks, state["body.query_embed.weight"]):
        ours[f"body.tasks.{task}"] = embedding.reshape(ours["body.positions"].shape)
    return ours
