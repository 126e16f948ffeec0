"""The convolutions of VGG19, whose features perceptual losses compare.

Five groups of 2, 2, 4, 4, 4 convolutions 3×3 with relu, of 64, 128, 256, 512, 512 channels, and a maximum over 2×2
after each group. ``convI_J`` names the features of the J-th convolution of group I before relu, ``reluI_J`` after it.
SRGAN compares ``relu5_4`` (φ₅,₄) or ``relu2_2``, ESRGAN ``conv5_4``.

Simonyan, Zisserman: "Very deep convolutional networks for large-scale image recognition", ICLR 2015, arXiv:1409.1556.
"""

from collections.abc import Mapping

import torch
from jaxtyping import Float
from torch import Tensor, nn

from restora.core.errors import InvalidInput, InvalidParameter, UnknownName

GROUPS = ((2, 64), (2, 128), (4, 256), (4, 512), (4, 512))
"""Number of convolutions and their channels."""


def _names() -> tuple[str, ...]:
    """What each layer gives, in the order in which torchvision numbers them."""
    names: list[str] = []
    for group, (convolutions, _) in enumerate(GROUPS, start=1):
        for layer in range(1, convolutions + 1):
            names += [f"conv{group}_{layer}", f"relu{group}_{layer}"]
        names.append(f"pool{group}")
    return tuple(names)


NAMES = _names()


class VGG19(nn.Module):
    """Features of RGB pictures in [0, 1], (b, 3, h, w), by name: each (b, k, h/2^g, w/2^g) after g poolings.

    No weights are shipped: :meth:`load` takes those of torchvision's ``vgg19``. The network is frozen; gradients flow
    through it to the picture. The normalisation of ImageNet happens inside.
    """

    mean: Tensor
    deviation: Tensor

    def __init__(self, *, taps: tuple[str, ...] = ("conv5_4",)) -> None:
        """Layers down to the deepest tap, with random weights.

        Args:
            taps: which features to return.

        Raises:
            UnknownName: there is no such layer.
            InvalidParameter: no tap.
        """
        super().__init__()
        if not taps:
            raise InvalidParameter("VGG19 needs at least one tap, such as 'conv5_4'")
        for tap in taps:
            if tap not in NAMES:
                raise UnknownName.among("layer of VGG19", tap, NAMES)
        self.taps = taps
        layers: list[nn.Module] = []
        before = 3
        for convolutions, width in GROUPS:
            for _ in range(convolutions):
                layers += [nn.Conv2d(before, width, 3, padding=1), nn.ReLU()]
                before = width
            layers.append(nn.MaxPool2d(2))
        self.features = nn.Sequential(*layers[: 1 + max(NAMES.index(tap) for tap in taps)])
        self.register_buffer("mean", torch.tensor([0.485, 0.456, 0.406])[:, None, None], persistent=False)
        self.register_buffer("deviation", torch.tensor([0.229, 0.224, 0.225])[:, None, None], persistent=False)
        self.requires_grad_(False)

    def load(self, state: Mapping[str, Tensor]) -> None:
        """Take the weights ``features.N.weight`` and ``features.N.bias`` of torchvision's ``vgg19``; ignore the rest.

        Raises:
            InvalidInput: a weight is missing or has another shape.
        """
        wanted = self.state_dict()
        for key, tensor in wanted.items():
            if key not in state or state[key].shape != tensor.shape:
                raise InvalidInput(
                    f"these are not weights of VGG19: {key} must be there with shape {list(tensor.shape)}"
                )
        self.load_state_dict({key: state[key] for key in wanted})

    def forward(self, x: Float[Tensor, "b 3 h w"]) -> dict[str, Float[Tensor, "b _k _i _j"]]:
        pools = sum(name.startswith("pool") for name in NAMES[: len(self.features)])
        if min(x.shape[-2:]) < 2**pools:
            raise InvalidInput(
                f"VGG19 needs sides of at least {2**pools} pixels for {self.taps}, not {tuple(x.shape[-2:])}"
            )
        found = {}
        features = (x - self.mean) / self.deviation
        for name, layer in zip(NAMES, self.features):
            features = layer(features)
            if name in self.taps:
                found[name] = features
        return found
