"""SRCNN: three convolutions on the picture enlarged beforehand.

Model, Y the bicubically enlarged picture (the three layers read as patch extraction, non-linear mapping and
reconstruction of sparse coding):

    F(Y) = W₃ * relu(W₂ * relu(W₁ * Y + b₁) + b₂) + b₃

Dong, Loy, He, Tang: "Image super-resolution using deep convolutional networks", IEEE TPAMI 38(2), 2016,
doi:10.1109/TPAMI.2015.2439281 (first at ECCV 2014).
"""

from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from restora.core.errors import InvalidParameter
from restora.nets.beginnings import carry, deliver
from restora.nets.network import Network


class SRCNN(Network):
    """Super-resolution network of three layers: (b, channels, h, w) in [0, 1] to the same shape.

    The input has the size of the output already: it is the bicubic enlargement. Zeros lie outside the picture, as in
    the authors' test code (in training they use no padding, and smaller targets).
    Cost: 8,032 multiplications a pixel for 9-1-5, 57,184 for 9-5-5.
    """

    def __init__(
        self,
        *,
        kernels: tuple[int, int, int] = (9, 1, 5),
        widths: tuple[int, int] = (64, 32),
        channels: int = 1,
        from_identity: bool = False,
    ) -> None:
        """Draw fresh weights, N(0, 0.001²) with biases 0 as in the paper.

        Args:
            kernels: sides of the three filters, odd: 9-1-5 is the basic network, 9-5-5 the best.
            widths: channels of the first two layers.
            channels: of the input and of the output.
            from_identity: fresh weights give back Y, and the rest of them are He's: from there a training needs
                thousands of steps, not millions. It matters to trainings only.

        Raises:
            InvalidParameter: a kernel is even, or a number is below 1.
        """
        super().__init__()
        if min(channels, *kernels, *widths) < 1 or any(side % 2 == 0 for side in kernels):
            raise InvalidParameter(f"kernels {kernels} must be odd, widths {widths} and channels {channels} at least 1")
        self.kernels = kernels
        planes = (channels, *widths, channels)
        self.conv1, self.conv2, self.conv3 = (
            nn.Conv2d(before, after, side, padding=side // 2)
            for before, after, side in zip(planes, planes[1:], kernels)
        )
        for conv in (self.conv1, self.conv2, self.conv3):
            nn.init.normal_(conv.weight, std=0.001)
            nn.init.zeros_(conv.get_parameter("bias"))
        if from_identity:
            self._from_identity(channels)

    def _from_identity(self, channels: int) -> None:
        for conv in (self.conv1, self.conv2, self.conv3):
            nn.init.kaiming_normal_(conv.weight, nonlinearity="relu")
        carry(self.conv1, channels)
        carry(self.conv2, channels)
        deliver(self.conv3, channels)

    @property
    def halo(self) -> int:
        return sum(side // 2 for side in self.kernels)

    def forward(self, x: Float[Tensor, "b c h w"]) -> Float[Tensor, "b c h w"]:
        features = functional.relu(self.conv1(self.entered(x)), inplace=True)
        features = functional.relu(self.conv2(features), inplace=True)
        return self.conv3(features).to(x.dtype)
