"""Protocol: a frozen record of everything a number depends on, and the problem it makes of every image of its set."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor

from restora.core.errors import InvalidParameter
from restora.core.problem import Problem
from restora.core.spec import Task
from restora.evaluation.degradations import Measured, Scene
from restora.evaluation.metrics import aligned_psnr, ms_ssim, psnr, ssim
from restora.evaluation.sets import ImageSet
from restora.numerics.colour import rgb_to_gray, rgb_to_y

Space = Literal["gray", "rgb", "y"]
"""What an image of a protocol is: gray levels, RGB, or MATLAB's Y of 8 bits (a gray file's levels are its Y)."""

Levels = Literal["unclipped", "clipped", "rounded"]
"""What happens to values before they are used: nothing, clipping to [0, 1], or clipping and rounding to 8 bits."""

_METRICS: dict[str, Callable[[Tensor, Tensor, int], Tensor]] = {
    "psnr": lambda x, reference, border: psnr(x, reference, border=border),
    "ssim": lambda x, reference, border: ssim(x, reference, border=border),
    "ms-ssim": lambda x, reference, border: ms_ssim(x, reference, border=border),
    "psnr-aligned": lambda x, reference, border: aligned_psnr(x, reference, border=border),
}

METRICS = (*_METRICS, "isnr", "psnr-y", "ssim-y", "ms-ssim-y")
"""Names of metrics: ``-y`` is on MATLAB's Y, ``isnr`` the gain in PSNR over the measurement, all but SSIM in dB."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Protocol:
    """How a number is obtained. The id is frozen: a protocol that changes gets another.

    Attributes:
        id: such as ``set12-gray-awgn-s25-noclip-seed0``.
        suite: the suite it belongs to.
        task: what is asked of a method.
        images: the set, with its files in order.
        space: what an image is.
        degradation: how y is made of x; the seed, where it has one, is set anew for each image.
        measurement: what happens to y before a method sees it.
        estimate: what happens to the estimate before it is measured.
        border: pixels left out on each side by the metrics.
        metrics: names of :data:`METRICS`, in the order they are reported.

    Raises:
        InvalidParameter: a metric that does not exist.
    """

    id: str
    suite: str
    task: Task
    images: ImageSet
    space: Space
    degradation: Measured
    measurement: Levels = "unclipped"
    estimate: Levels
    border: int = 0
    metrics: tuple[str, ...]

    def __post_init__(self) -> None:
        for metric in self.metrics:
            if metric not in METRICS:
                raise InvalidParameter.outside("metric", metric, f"one of {', '.join(METRICS)}")

    def case(self, data: Path, name: str, crop: int | None = None) -> "Case":
        """The problem of one image, or of its top left ``crop`` pixels a side.

        Raises:
            MissingData: a file it needs is not there.
            FileProblem: a file cannot be read.
        """
        part = (..., slice(crop), slice(crop))
        measured = self.images.read_measured(data, name)
        x = self.degradation.prepare(_in_space(self.images.read_reference(data, name), self.space)[part])
        measured = None if measured is None else _in_space(measured, self.space)[part]
        problem = self.degradation.problem(Scene(name, x, measured, data))
        y = levelled(problem.y, self.measurement).float()
        return Case(name, x, replace(problem, y=y))

    def cases(self, data: Path, limit: int | None = None) -> Iterator["Case"]:
        """The problems of the set's images, or of the first ``limit``, in order."""
        for name in self.images.images(data)[:limit]:
            yield self.case(data, name)

    def measure(self, x: Float[Tensor, "1 c h w"], case: "Case") -> dict[str, float]:
        """Each metric of an estimate of a case.

        Raises:
            InvalidInput: the estimate has another shape than the reference.
        """
        x = levelled(x.to("cpu", torch.float64), self.estimate)
        return {metric: self._one(metric, x, case) for metric in self.metrics}

    def _one(self, metric: str, x: Float[Tensor, "1 c h w"], case: "Case") -> float:
        if metric == "isnr":
            measurement = levelled(case.problem.y.double(), self.estimate)
            return float(
                psnr(x, case.reference, border=self.border) - psnr(measurement, case.reference, border=self.border)
            )
        reference = case.reference
        if metric.endswith("-y") and x.shape[1] == 3:
            x, reference = (rgb_to_y(image, rounded=self.estimate == "rounded") for image in (x, reference))
        return float(_METRICS[metric.removesuffix("-y")](x, reference, self.border))


@dataclass(frozen=True, eq=False, slots=True)
class Case:
    """One image of a protocol.

    Attributes:
        name: of the image.
        reference: the true image, float64 in [0, 1].
        problem: what a method is given, float32.
    """

    name: str
    reference: Float[Tensor, "1 c h w"]
    problem: Problem


def levelled(x: Float[Tensor, "b c h w"], levels: Levels) -> Float[Tensor, "b c h w"]:
    """x as it is, clipped to [0, 1], or clipped and rounded half up to multiples of 1/255."""
    if levels == "unclipped":
        return x
    x = x.clamp(0, 1)
    return x if levels == "clipped" else torch.floor(x * 255 + 0.5) / 255


def _in_space(image: Float[Tensor, "1 c h w"], space: Space) -> Float[Tensor, "1 d h w"]:
    """The image in the protocol's space; a gray file stays a plane of gray levels in all three."""
    if space == "rgb" or image.shape[1] == 1:
        return image
    return rgb_to_y(image, rounded=True) if space == "y" else rgb_to_gray(image, rounded=True)
