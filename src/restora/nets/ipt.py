"""IPT: one transformer for many tasks, with a head and a tail for each.

Model, m the mean colour, t the task:

    x = tail_t(F + body(F, t)) + m,   F = head_t(y − m)

head_t is a 3×3 convolution and two residual blocks of 5×5 convolutions; tail_t enlarges by pixel shuffles (for
super-resolution) and ends with a 3×3 convolution. The body is in :mod:`restora.nets.ipt_body`.

Chen, Wang, Guo, Xu, Deng, Liu, Ma, Xu, Xu, Gao: "Pre-trained image processing transformer", CVPR 2021,
doi:10.1109/CVPR46437.2021.01212.
"""

import re
from collections.abc import Mapping
from copy import copy
from math import isqrt, prod
from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor, nn

from restora.core.errors import InvalidInput, InvalidParameter, UnknownName
from restora.nets.beginnings import carry, deliver, silence
from restora.nets.extension import extended
from restora.nets.ipt_body import Body
from restora.nets.network import Network
from restora.nets.recognised import Recognised

PAPER_TASKS = ("x2", "x3", "x4", "denoise-30", "denoise-50", "derain")
"""Super-resolution ×2, ×3, ×4; Gaussian noise of σ = 30/255 and 50/255; rain."""
TASKS = (*PAPER_TASKS, "restore")
"""Those of the paper, and another one that keeps the size."""

CHANNELS = 3
MEAN = (0.4488, 0.4371, 0.4040)  # of DIV2K, red, green, blue

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


class IPT(Network):
    """Image processing transformer: (b, 3, size, size) in [0, 1] to (b, 3, scale·size, scale·size), for one task.

    The positions' embedding fixes the size of the input: any other is refused, and :func:`in_windows` restores pictures
    of any size. So the halo is the whole input, None.

    ``task``, which may be set, says which head, tail and embedding are used, and with it ``scale``; :meth:`for_task`
    gives the same weights with another one. A reduced network is, say, ``IPT(width=32, layers=(2, 2), heads=8)``.

    Cost: 34.7 thousand million multiplications a window of 48×48.

    Departures: no dropout (theirs is off by default); fresh weights repeat every pixel, as this is where learning is
    fast; all attention starts from Xavier's weights, while the authors' code gives the encoder's queries, keys and
    values those of a linear map.
    """

    # Not in bfloat16. With two draws of fresh weights the error is 6 and 14 % of the picture less its mean: over 1 dB.

    def __init__(
        self,
        *,
        tasks: tuple[str, ...] = PAPER_TASKS,
        task: str | None = None,
        width: int = 64,
        size: int = 48,
        patch: int = 3,
        layers: tuple[int, int] = (12, 12),
        heads: int = 12,
        image_range: float = 255.0,
    ) -> None:
        """Draw fresh weights: embeddings N(0, 1), attention Xavier's, all else as PyTorch draws it.

        But the first features carry the colours through all layers: untrained, the network repeats every pixel.

        Args:
            tasks: what the network has heads, tails and embeddings for, some of :data:`TASKS`.
            task: the one in use; None is the first.
            width: channels of the features, at least 3.
            size: height and width of the input, a multiple of the patch.
            patch: side of the patches that are tokens; width·patch² is a multiple of heads.
            layers: of the encoder and of the decoder.
            heads: of the attention.
            image_range: by what the picture is multiplied at the entrance and divided at the exit (255 in the authors'
                code; the paper does not say).

        Raises:
            InvalidParameter: a number is outside its range or does not fit another, or a task stands twice.
            UnknownName: there is no such task.
        """
        super().__init__()
        for name in tasks:
            if name not in TASKS:
                raise UnknownName.among("task", name, TASKS)
        if not tasks or len(set(tasks)) < len(tasks):
            raise InvalidParameter.outside("tasks", tasks, "at least one, each once")
        if min(width - 2, size, patch, heads) < 1 or size % patch or width * patch**2 % heads:
            raise InvalidParameter(
                f"width {width} must be at least 3, size {size} a multiple of patch {patch}, "
                f"width · patch² = {width * patch**2} of heads {heads}"
            )
        self.size, self.image_range = size, image_range
        self.heads = nn.ModuleDict({name: _head(width) for name in tasks})
        self.body = Body(width, size, patch, layers, heads, tasks)
        self.body.hand_on(CHANNELS)
        self.tails = nn.ModuleDict({name: _tail(width, scale_of(name)) for name in tasks})
        self.task = tasks[0] if task is None else task

    @classmethod
    def recognise(cls, state: Mapping[str, Tensor]) -> Recognised | None:
        """IPT, or None, also where its tasks cannot be told apart: the authors' files, of one task or six, and ours.

        Theirs number the tasks; ours name them. The scale of a task shows in the shapes of its tail; tasks that keep
        the size are taken in the paper's order if there are three (σ = 30, σ = 50, rain), while a single one is called
        "restore". The authors' files do not show the number of heads of the attention, which is taken to be 12, as in
        all they released; their mean colour shows the range of the picture, ours does not and is taken to be the
        network's default.
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

    @property
    def halo(self) -> None:
        return None

    @property
    def tasks(self) -> tuple[str, ...]:
        """The tasks it has heads, tails and embeddings for."""
        return tuple(self.heads)

    @property
    def task(self) -> str:
        """The one in use."""
        return self._task

    @task.setter
    def task(self, task: str) -> None:
        if task not in self.heads:
            raise UnknownName.among("task of this network", task, self.tasks)
        self._task = task
        self.scale = scale_of(task)

    def for_task(self, task: str) -> "IPT":
        """The same weights, not copied, used for another task.

        Raises:
            UnknownName: it has no such task.
        """
        other = copy(self)
        other.task = task
        return other

    def forward(self, x: Float[Tensor, "b 3 h w"]) -> Float[Tensor, "b 3 i j"]:
        return self.restored(x)[0]

    def features(self, x: Float[Tensor, "b 3 h w"]) -> Float[Tensor, "b n d"]:
        """What the body makes of each patch, row by row: n tokens of d = width·patch² numbers, in the weights' dtype.

        The contrastive loss draws those of one picture together and those of different ones apart.
        """
        return self.restored(x)[1]

    def restored(self, x: Float[Tensor, "b 3 h w"]) -> tuple[Float[Tensor, "b 3 i j"], Float[Tensor, "b n d"]]:
        """The restored pictures, and the features they were made of, in one pass.

        Raises:
            InvalidInput: x is not size×size.
        """
        if x.shape[-2:] != (self.size, self.size):
            raise InvalidInput(
                f"the network takes {self.size}×{self.size} pixels, not {x.shape[-2]}×{x.shape[-1]}: use in_windows"
            )
        mean = x.new_tensor(MEAN)[:, None, None]
        shallow = self.heads[self.task](self.like_weights((x - mean) * self.image_range))
        tokens = self.body(shallow, self.task)
        y = self.tails[self.task](shallow + self.body.laid_back(tokens))
        return y.to(x.dtype) / self.image_range + mean, tokens


def scale_of(task: str) -> int:
    """How many times finer the result of the task is."""
    return int(task[1:]) if task.startswith("x") else 1


class _Residual(nn.Module):
    """x + conv₅(relu(conv₅(x))), which at the start leaves the colours alone."""

    def __init__(self, width: int) -> None:
        super().__init__()
        last = nn.Conv2d(width, width, 5, padding=2)
        silence(last, CHANNELS)
        self.body = nn.Sequential(nn.Conv2d(width, width, 5, padding=2), nn.ReLU(), last)

    def forward(self, x: Float[Tensor, "b c h w"]) -> Float[Tensor, "b c h w"]:
        return x + self.body(x)


def _head(width: int) -> nn.Sequential:
    """Colours to features."""
    first = nn.Conv2d(CHANNELS, width, 3, padding=1)
    carry(first, CHANNELS)
    return nn.Sequential(first, _Residual(width), _Residual(width))


def _tail(width: int, scale: int) -> nn.Sequential:
    """Features to colours on a grid as many times finer: ×3 in one step, ×2 and ×4 in steps of 2."""
    factors = {1: (), 2: (2,), 3: (3,), 4: (2, 2)}[scale]
    enlarging = nn.Sequential()
    for s in factors:
        finer = nn.Conv2d(width, width * s * s, 3, padding=1)
        carry(finer, CHANNELS, copies=s * s)
        enlarging.extend((finer, nn.PixelShuffle(s)))
    last = nn.Conv2d(width, CHANNELS, 3, padding=1)
    deliver(last, CHANNELS, gain=0.5)  # the head's features and the body's are added
    return nn.Sequential(enlarging, last)


def in_windows(
    network: Network, x: Float[Tensor, "b c h w"], *, size: int, stride: int, margin: int, batch: int = 64
) -> Float[Tensor, "b c sh sw"]:
    """Restore pictures of any size by a network for windows of one size, as IPT was tested.

    Windows lie every stride pixels; each loses its margin, but at the border of the picture, and where several overlap
    they are averaged. Pixels left over to the right and below come from one more window, which touches that border and
    meets the last window of the grid in the middle of their overlap. The authors' size, stride and margin are 48, 12
    and 12. A picture smaller than a window, which their code does not take, is extended by its mirror image.

    Args:
        network: takes (n, c, size, size).
        x: the pictures.
        size: side of a window.
        stride: from one window to the next, >= 1.
        margin: how much of each window is not trusted, >= 0; at most (size − stride) / 2.
        batch: windows per call of the network.

    Returns:
        Pictures finer by the network's scale. Cost: about (size / stride)² times each pixel.

    Raises:
        InvalidParameter: a number is outside its range.
    """
    if min(size, stride, batch) < 1 or margin < 0 or stride > size - 2 * margin:
        raise InvalidParameter(f"stride {stride} and margin {margin} leave gaps between windows of {size}")
    h, w, s = x.shape[-2], x.shape[-1], network.scale
    large = extended(x, max(h, size), max(w, size), "symmetric")
    rows, columns = (_windows(n, size, stride, margin, s) for n in large.shape[-2:])
    total = x.new_zeros((*x.shape[:2], large.shape[-2] * s, large.shape[-1] * s))
    weight = x.new_zeros((x.shape[0], 1, *total.shape[-2:]))
    places = [(i, row, column) for i in range(x.shape[0]) for row in rows for column in columns]
    for first in range(0, len(places), batch):
        group = places[first : first + batch]
        cut = [large[i, :, r.start : r.start + size, c.start : c.start + size] for i, r, c in group]
        for (i, r, c), y in zip(group, network(torch.stack(cut))):
            top, left = r.start * s, c.start * s
            kept = y[:, r.first - top : r.end - top, c.first - left : c.end - left]
            total[i, :, r.first : r.end, c.first : c.end] += kept
            weight[i, :, r.first : r.end, c.first : c.end] += 1
    return (total / weight)[..., : h * s, : w * s]


class _Window(NamedTuple):
    """A window along one axis: its first pixel of the input; the first pixel of the result it gives, and the end."""

    start: int
    first: int
    end: int


def _windows(n: int, size: int, stride: int, margin: int, scale: int) -> list[_Window]:
    """The windows along an axis of n >= size pixels: those of the grid and, if pixels are left over, one at the end."""
    rest = (n - size) % stride
    seam = (n - rest) * scale - (size - rest) * scale // 2 if rest else n * scale
    windows = []
    for start in range(0, n - size + 1, stride):
        first = start + margin if start else 0
        end = n if start == n - size else start + size - margin
        windows.append(_Window(start, first * scale, min(end * scale, seam)))
    return [*windows, _Window(n - size, seam, n * scale)] if rest else windows


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
