"""Network denoisers: trained networks as the priors of plug-and-play methods."""

from dataclasses import dataclass

from jaxtyping import Float
from torch import Tensor

from restora.core.errors import CannotSolve
from restora.nets.architectures import architectures, class_of
from restora.nets.precision import Precision
from restora.weights.load import load
from restora.weights.run import run_network


@dataclass(frozen=True, slots=True)
class NetworkDenoiser:
    """A network that takes the noise level: FFDNet, DRUNet, FDnCNN or IRCNN; a :class:`restora.core.denoiser.Denoiser`.

    Nothing is loaded until it is called; a network that was loaded is kept for the next call.

    Attributes:
        weights: a name of the store, or the path of a file.
        precision: in which numbers the network computes.
    """

    weights: str
    precision: Precision = "auto"

    def __call__(self, x: Float[Tensor, "b c h w"], sigma: float) -> Float[Tensor, "b c h w"]:
        """The images without noise of standard deviation ``sigma`` on [0, 1].

        Raises:
            MissingWeights: there are no such weights on this machine.
            FileProblem: the file cannot be read or is of no architecture known here.
            CannotSolve: the network does not take the noise level.
        """
        trained = load(self.weights, tuple(architectures()), x.device, self.precision, sigma)
        if not trained.network.takes_noise_map:
            takers = "an FFDNet, DRUNet, FDnCNN or IRCNN"
            raise CannotSolve(
                f"{self.weights} holds a {class_of(trained.architecture)}, which does not take the noise level; "
                f"plug-and-play methods ask for many levels: give the weights of {takers}"
            )
        return run_network(trained, x, sigma)

    def __str__(self) -> str:
        return self.weights


FFDNET_GRAY = NetworkDenoiser("ffdnet-gray")
"""The default of plug-and-play methods; it runs on each channel of what is not gray."""

FFDNET_COLOUR = NetworkDenoiser("ffdnet-colour")
"""Their default for three channels."""


def ffdnet_for(channels: int) -> NetworkDenoiser:
    """The FFDNet for images of so many channels."""
    return FFDNET_COLOUR if channels == 3 else FFDNET_GRAY
