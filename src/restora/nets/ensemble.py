"""Ensemble: a network is asked eight times, about the picture turned and mirrored, and the answers are averaged.

R. Timofte, R. Rothe and L. Van Gool, "Seven ways to improve example-based single image super resolution", CVPR 2016,
doi:10.1109/CVPR.2016.206. Papers print a + behind the name of a method run so.
"""

from collections.abc import Callable

from jaxtyping import Float
from torch import Tensor

Mapping = Callable[[Float[Tensor, "b c h w"]], Float[Tensor, "b d i j"]]


def over_symmetries(restore: Mapping, y: Float[Tensor, "b c h w"]) -> Float[Tensor, "b d i j"]:
    """Mean of restore(y) over the symmetries of the square, each undone after; eight times the cost.

    Args:
        restore: may change the size of the picture by one factor along both sides.
        y: the picture.
    """
    answers: list[Tensor] = []
    for mirrored in ((), (-1,), (-2,), (-2, -1)):
        turned = y.flip(mirrored)
        answers.append(restore(turned).flip(mirrored))
        answers.append(restore(turned.transpose(-2, -1).contiguous()).transpose(-2, -1).flip(mirrored))
    total = answers[0]
    for answer in answers[1:]:
        total = total + answer
    return total / len(answers)
