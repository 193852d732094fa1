"""A feed-forward painter of any painting: its layers take means and deviations that follow from the painting's.

Huang and Belongie 2017, "Arbitrary Style Transfer in Real-time with Adaptive Instance Normalization": with f the
features of the photograph and s those of the painting

    AdaIN(f, s) = σ(s)·(f − μ(f))/σ(f) + μ(s)

Differs from the paper: there it stands once, between an encoder and a decoder, and σ(s) and μ(s) are the painting's own
at relu4_1. Here it stands after every convolution of the painter, whose channels are not the encoder's; so σ(s) and
μ(s) are learned, as functions of the painting's means and deviations at TAPS of the embedded network. That is the
network of Ghiasi et al. 2017, "Exploring the structure of a real-time, arbitrary neural artistic stylization network",
with statistics for a style instead of a second network's guess. In the same time of training it painted better
(`docs/networks.md`), and the photograph need not be looked at through the encoder.

The colours are the painting's own mean and deviation from the beginning. α mixes what is known of the painting with
what is known of the photograph itself, seen as if it were one:

    t = α·(μ, σ)(s) + (1 − α)·(μ, σ)(photograph)
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import torch
from jaxtyping import Float
from torch import Tensor, nn

from gramarye import weights
from gramarye.fast.painter import Code, FeedForward, Image, Normalisation, moments
from gramarye.vgg import VGG
from gramarye.weights.places import EMBEDDED_NETWORK

TAPS = ("pixels", "relu1_1", "relu2_1", "relu3_1", "relu4_1", "relu5_1")
HIDDEN = 256  # numbers in which a painting is described
LEAST = 1e-2  # deviation of a number over paintings, by which is divided at least

Described = Float[Tensor, "batch numbers"]
Moment = Float[Tensor, "batch channels"]


@dataclass(frozen=True)
class Manner:
    """What a painting is to the painter: mean and deviation of every channel at every tap, for a batch of paintings."""

    moments: Mapping[str, tuple[Moment, Moment]]

    @classmethod
    def mixed(cls, manners: Sequence[Manner], shares: Sequence[float | Tensor]) -> Manner:
        """The mean of several manners by their shares, which need not sum to one."""
        total = sum(shares)

        def mean(tap: str, which: int) -> Tensor:
            parts = zip(manners, shares, strict=True)
            return torch.stack([share / total * manner.moments[tap][which] for manner, share in parts]).sum(0)

        return cls({tap: (mean(tap, 0), mean(tap, 1)) for tap in manners[0].moments})

    @classmethod
    def batch(cls, manners: Sequence[Manner]) -> Manner:
        """One after the other, a picture each."""

        def joined(tap: str, which: int) -> Tensor:
            return torch.cat([manner.moments[tap][which] for manner in manners])

        return cls({tap: (joined(tap, 0), joined(tap, 1)) for tap in manners[0].moments})

    @property
    def numbers(self) -> Described:
        """Means and logarithms of deviations, tap by tap."""
        return torch.cat([each for mean, deviation in self.moments.values() for each in (mean, deviation.log())], 1)


def encoder(dtype: torch.dtype = torch.float32) -> VGG:
    """The embedded network as the painter looks through it: without calibration, its borders repeated."""
    return VGG(replace(weights.load(EMBEDDED_NETWORK), calibration={}), padding="replicate", dtype=dtype)


class AnyStyle(FeedForward):
    """Photographs to paintings, sRGB in [0, 1]. `encoder`, a vgg19-lite, looks at paintings and is not trained."""

    def __init__(self, encoder: VGG) -> None:
        super().__init__(1 + HIDDEN + 6)  # one, the description, deviation and mean of the painting's colours
        self.encoder = encoder
        count = 2 * sum(_channels(encoder, tap) for tap in TAPS)
        self.describe = nn.Sequential(nn.Linear(count, HIDDEN), nn.ReLU(), nn.Linear(HIDDEN, HIDDEN), nn.ReLU())
        self.register_buffer("usual", torch.zeros(count))
        self.register_buffer("spread", torch.ones(count))
        with torch.no_grad():
            for layer in self.modules():
                if isinstance(layer, Normalisation):
                    layer.gain[1:] = 0.0
            self.of_painting.gain[0] = 0.0
            self.of_painting.gain[-6:-3] = self.of_painting.offset[-3:] = torch.eye(3)

    def measure(self, paintings: Sequence[Tensor]) -> None:
        """Set what is usual of a painting's numbers, by which they are scaled: their mean and deviation over some."""
        numbers = torch.cat([self.remember(painting).numbers for painting in paintings])
        deviation, mean = torch.std_mean(numbers, dim=0, correction=0)
        self.get_buffer("usual").copy_(mean)
        self.get_buffer("spread").copy_(deviation.clamp_min(LEAST))

    def remember(self, paintings: Image) -> Manner:
        """What there is to know of some paintings of one size."""
        with torch.no_grad():
            return Manner({tap: moments(found) for tap, found in self.encoder(paintings, TAPS).items()})

    def forward(self, photographs: Image, manner: Manner, alpha: float | Tensor = 1.0) -> Image:
        """Paint pictures of any size, not clipped to [0, 1]; `manner` of one painting, or of one for each picture."""
        return self.painted(photographs, self.code(photographs, manner, alpha))

    def code(self, photographs: Image, manner: Manner, alpha: float | Tensor = 1.0) -> Code:
        """What the layers are told of the manner in which each of the photographs is to be painted."""
        if not (isinstance(alpha, float) and alpha == 1.0):
            manner = Manner.mixed([manner, self.remember(photographs)], [alpha, 1 - alpha])
        described = self.describe((manner.numbers - self.get_buffer("usual")) / self.get_buffer("spread"))
        mean, deviation = manner.moments["pixels"]
        code = torch.cat((torch.ones_like(mean[:, :1]), described.to(mean.dtype), deviation, mean), 1)
        return code.expand(len(photographs), -1)


def _channels(encoder: VGG, tap: str) -> int:
    return 3 if tap == "pixels" else len(encoder.get_buffer(f"{tap.replace('relu', 'conv')}_weight"))
