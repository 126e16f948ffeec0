"""RRDB: residual-in-residual dense blocks, the network of ESRGAN and Real-ESRGAN.

Problem. y = Hx, an image reduced by bicubic interpolation by 4 (also 1, 2, 8); no noise. RGB. With the weights of
Real-ESRGAN also what real cameras and compression do to a small picture, though not in the sense of a model.

Model. A convolution, 23 blocks of three dense blocks of five convolutions, each block's output added by a fifth, a long
skip, two enlargements by nearest neighbours with a convolution each, two convolutions.

Algorithm. The network, once.

Cost. 18 million multiplications a pixel of y at ×4; that of the small one that ships, its page says.

Departures from the original. None at test time. The network that ships is a small one (its fields are in the manifest)
trained on 391 photographs; the authors' files load by path.

References. X. Wang et al., "ESRGAN: Enhanced super-resolution generative adversarial networks", ECCV Workshops 2018,
doi:10.1007/978-3-030-11021-5_5.
"""

from dataclasses import dataclass
from typing import ClassVar

from restora.core.spec import Spec
from restora.weights.network_method import NetworkMethod, super_resolution_spec


@dataclass(frozen=True, slots=True)
class RRDB(NetworkMethod):
    """RRDBNet with the weights of RRDB_PSNR, ESRGAN, Real-ESRGAN or ours.

    Attributes:
        weights: name or path of a network for the scale of the problem.
        precision: of the computation.
    """

    spec: ClassVar[Spec] = super_resolution_spec(
        "rrdb",
        'X. Wang et al., "ESRGAN: Enhanced super-resolution generative adversarial networks", ECCVW 2018',
        "10.1007/978-3-030-11021-5_5",
        colour="native",
        # At ×2 and ×1 the network folds y by 2 and 4: tiles begin at such multiples.
        multiple_of=4,
        weights=("rrdb-small-x4",),
    )
    architectures: ClassVar[tuple[str, ...]] = ("rrdbnet",)

    weights: str = "rrdb-small-x4"
