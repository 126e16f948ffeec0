"""Extension of a picture beyond its right and bottom border, for networks that need sides of certain lengths.

``torch.nn.functional.pad`` refuses to reflect further than the picture is large; here a 1×1 picture can be extended to
64×64.
"""

from typing import Literal

import torch
from jaxtyping import Float, Int
from torch import Tensor

Beyond = Literal["symmetric", "reflect", "replicate"]
"""What lies beyond the last pixel c of a, b, c: c b a a b (symmetric), b a b c b (reflect) or c c c c c (replicate)."""


def extended(x: Float[Tensor, "b c h w"], height: int, width: int, beyond: Beyond) -> Float[Tensor, "b c i j"]:
    """x with rows and columns appended until it is (height, width), neither below (h, w)."""
    h, w = x.shape[-2], x.shape[-1]
    if height > h:
        x = x.index_select(2, _source(h, height, beyond, x.device))
    if width > w:
        x = x.index_select(3, _source(w, width, beyond, x.device))
    return x


def up_to_multiple(length: int, of: int) -> int:
    """The smallest multiple that is not below the length."""
    return -(-length // of) * of


def _source(n: int, target: int, beyond: Beyond, device: torch.device) -> Int[Tensor, " t"]:
    """Which of the n pixels each of the target pixels repeats."""
    i = torch.arange(target, device=device)
    if beyond == "replicate" or n == 1:
        return i.clamp(max=n - 1)
    if beyond == "symmetric":
        i = i % (2 * n)
        return torch.minimum(i, 2 * n - 1 - i)
    i = i % (2 * n - 2)
    return torch.minimum(i, 2 * n - 2 - i)
