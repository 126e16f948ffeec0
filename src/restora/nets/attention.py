"""Attention within windows, shifted in every second layer: what the Swin transformers of restoration share.

The picture is cut into windows of p×p pixels, each attends to itself, head by head:

    softmax(QKᵀ/√d + B) V,   B(i, j) = T(y_i − y_j, x_i − x_j), a learnt number for each displacement.

A shifted layer moves the picture by s pixels up and to the left first, cyclically, and back afterwards. What was moved
around lies in the last row and the last column of windows beside what it does not adjoin; there, pairs of pixels from
different sides of the seam are kept apart by a mask. So there are four kinds of windows (elsewhere, in the last column,
in the last row, in the corner), each with one mask, and no mask of the size of the picture.

Liu, Lin, Cao, Hu, Wei, Zhang, Lin, Guo: "Swin Transformer: hierarchical vision transformer using shifted windows",
ICCV 2021, doi:10.1109/ICCV48922.2021.00986.
"""

from math import isqrt

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn.functional import scaled_dot_product_attention


def displacements(window: int, device: torch.device) -> tuple[Int[Tensor, "n n"], Int[Tensor, "n n"]]:
    """y_i − y_j + p − 1 and x_i − x_j + p − 1, in 0 … 2p − 2, of the n = p² pixels of a window, row by row."""
    i = torch.arange(window**2, device=device)
    y, x = i // window, i % window
    return y[:, None] - y + window - 1, x[:, None] - x + window - 1


def shift_masks(window: int, shift: int, blocked: float, device: torch.device) -> Float[Tensor, "4 n n"]:
    """What is added to QKᵀ/√d where the picture was shifted.

    Args:
        window: side p of a window.
        shift: by how many pixels, in 1 … p − 1.
        blocked: what a pair from two sides of a seam gets; every other pair gets 0.
        device: where the masks shall be.

    Returns:
        The masks of the four kinds: windows elsewhere, in the last column, in the last row, in the corner of both.
    """
    i = torch.arange(window**2, device=device)
    below, right = i // window >= window - shift, i % window >= window - shift
    rows, columns = below[:, None] != below, right[:, None] != right
    apart = torch.stack((torch.zeros_like(rows), columns, rows, rows | columns))
    return torch.zeros(apart.shape, device=device).masked_fill(apart, blocked)


def window_attention(
    x: Float[Tensor, "b h w c"],
    qkv: nn.Linear,
    out: nn.Linear,
    bias: Float[Tensor, "heads n n"],
    *,
    shift: int = 0,
    blocked: float = float("-inf"),
) -> Float[Tensor, "b h w c"]:
    """Multi-head attention within windows of p×p pixels, p = √n; h and w are multiples of p.

    The scores and their softmax are in float32 at least, whatever the dtype of x.

    Args:
        x: features, channels last.
        qkv: c to 3c channels: the queries of all heads, then the keys, then the values.
        out: c to c channels, of the heads side by side.
        bias: B of each head.
        shift: by how many pixels the windows are shifted; 0 is not at all.
        blocked: what is added to the score of two pixels that only the cyclic shift brought together.
    """
    b, h, w, c = x.shape
    p = isqrt(bias.shape[-1])
    if shift:
        x = torch.roll(x, (-shift, -shift), (1, 2))
    tokens = x.reshape(b, h // p, p, w // p, p, c).transpose(2, 3).reshape(b, h // p, w // p, p * p, c)
    projected = qkv(tokens).unflatten(-1, (3, bias.shape[0], -1))
    if shift:
        attended = _attended_by_kind(projected, bias + shift_masks(p, shift, blocked, x.device)[:, None].to(bias.dtype))
    else:
        attended = _attended(projected, bias)
    y = out(attended).reshape(b, h // p, w // p, p, p, c).transpose(2, 3).reshape(b, h, w, c)
    return torch.roll(y, (shift, shift), (1, 2)) if shift else y


def _attended_by_kind(
    projected: Float[Tensor, "b r c n 3 heads d"], biases: Float[Tensor, "4 heads n n"]
) -> Float[Tensor, "b r c n heads*d"]:
    """Attention in r rows and c columns of windows, the last of which have masks of their own."""
    inner, last = slice(None, -1), slice(-1, None)

    def row(rows: slice, left: int) -> Tensor:
        parts = (
            _attended(projected[:, rows, inner], biases[left]),
            _attended(projected[:, rows, last], biases[left + 1]),
        )
        return torch.cat(parts, dim=2)

    return torch.cat((row(inner, 0), row(last, 2)), dim=1)


def _attended(
    projected: Float[Tensor, "b r c n 3 heads d"], bias: Float[Tensor, "heads n n"]
) -> Float[Tensor, "b r c n heads*d"]:
    """softmax(QKᵀ/√d + B) V in every window, the heads side by side."""
    b, r, c, n, _, heads, d = projected.shape
    if projected.numel() == 0:
        return projected.new_zeros((b, r, c, n, heads * d))
    q, k, v = projected.reshape(b * r * c, n, 3, heads, d).permute(2, 0, 3, 1, 4)
    y = scaled_dot_product_attention(q, k, v, attn_mask=bias[None].to(q.dtype))
    return y.transpose(1, 2).reshape(b, r, c, n, heads * d)
