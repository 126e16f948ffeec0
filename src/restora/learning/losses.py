"""Losses: how far an estimate is from the truth, one number a batch.

Pixel losses are means over all samples, so that they do not depend on the size of patches, except :func:`half_sum`,
which is DnCNN's and VDSR's, on whose scale their learning rates rest.
"""

import math
from collections.abc import Callable, Mapping

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import log_softmax, normalize, softplus

from restora.core.errors import UnknownName

Image = Float[Tensor, "b c h w"]
Scalar = Float[Tensor, ""]


def l1(estimate: Image, x: Image) -> Scalar:
    """Mean of |x̂ − x|."""
    return (estimate - x).abs().mean()


def l2(estimate: Image, x: Image) -> Scalar:
    """Mean of (x̂ − x)²."""
    return (estimate - x).square().mean()


def charbonnier(estimate: Image, x: Image) -> Scalar:
    """Mean of √((x̂ − x)² + ε²) with ε = 1e-3, a smooth L1 (Charbonnier et al. 1994; Lai et al. 2017)."""
    return ((estimate - x).square() + 1e-6).sqrt().mean()


def half_sum(estimate: Image, x: Image) -> Scalar:
    """1/(2N) Σ (x̂ − x)², summed over the pixels and divided by twice the number of patches N."""
    return (estimate - x).square().sum() / (2 * len(x))


def negative_psnr(estimate: Image, x: Image) -> Scalar:
    """Minus the mean PSNR of the images in dB: 10/ln 10 · ln(MSE + 1e-8), the loss of NAFNet and HINet."""
    return 10 / math.log(10) * ((estimate - x).square().mean(dim=(1, 2, 3)) + 1e-8).log().mean()


PIXEL_LOSSES: Mapping[str, Callable[[Tensor, Tensor], Tensor]] = {
    "l1": l1,
    "l2": l2,
    "charbonnier": charbonnier,
    "half-sum": half_sum,
    "negative-psnr": negative_psnr,
}


def pixel_loss(weights: Mapping[str, float]) -> Callable[[Tensor, Tensor], Tensor]:
    """The weighted sum of pixel losses.

    Raises:
        UnknownName: there is no such loss.
    """
    for name in weights:
        if name not in PIXEL_LOSSES:
            raise UnknownName.among("loss", name, list(PIXEL_LOSSES))

    def loss(estimate: Tensor, x: Tensor) -> Tensor:
        return torch.stack([weight * PIXEL_LOSSES[name](estimate, x) for name, weight in weights.items()]).sum()

    return loss


def feature_distance(estimate: Image, x: Image, features: Callable[[Tensor], Tensor]) -> Scalar:
    """The perceptual loss: mean of |φ(x̂) − φ(x)| over features φ, those of x taken as they are.

    φ is VGG-19 (Johnson et al. 2016; Ledig et al. 2017; L1 as in ESRGAN) or the discriminator (Larsen et al. 2016).
    """
    with torch.no_grad():
        wanted = features(x)
    return (features(estimate) - wanted).abs().mean()


def generator_loss(kind: str, real: Float[Tensor, " b"], fake: Float[Tensor, " b"]) -> Scalar:
    """What the generator pays for being found out; the scores are those before the sigmoid.

    ``vanilla``: −log D(x̂), the mean over the batch. ``relativistic``: the relativistic average of Jolicoeur-Martineau
    (2019), in which the real should also look less real than the fake.
    """
    if kind == "vanilla":
        return softplus(-fake).mean()
    return (softplus(-(fake - real.mean())).mean() + softplus(real - fake.mean()).mean()) / 2


def discriminator_loss(kind: str, real: Float[Tensor, " b"], fake: Float[Tensor, " b"]) -> Scalar:
    """What the discriminator pays for its mistakes; see :func:`generator_loss`."""
    if kind == "vanilla":
        return softplus(-real).mean() + softplus(fake).mean()
    return (softplus(-(real - fake.mean())).mean() + softplus(fake - real.mean()).mean()) / 2


def contrastive(features: Float[Tensor, "b p d"], temperature: float = 0.07) -> Scalar:
    """IPT's loss: patches of one image are alike, those of other images are not.

    The supervised form (Khosla et al. 2020): over l2-normalised features f of the p patches of b images,
    −mean over pairs (i, j) of one image of log [exp(fᵢ·fⱼ/τ) / Σ_{k ≠ i} exp(fᵢ·f_k/τ)].
    """
    b, p, _ = features.shape
    f = normalize(features.reshape(b * p, -1).float(), dim=-1)
    itself = torch.eye(b * p, dtype=torch.bool, device=f.device)
    scores = log_softmax((f @ f.T / temperature).masked_fill(itself, -torch.inf), dim=-1)
    image = torch.arange(b, device=f.device).repeat_interleave(p)
    alike = (image[:, None] == image[None, :]) & ~itself
    return -scores[alike].mean()
