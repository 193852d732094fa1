"""A feed-forward painter of any painting: the photograph's features take the painting's means and deviations.

Huang and Belongie 2017, "Arbitrary Style Transfer in Real-time with Adaptive Instance Normalization". With f the
features of the photograph and s those of the painting, at every tap

    AdaIN(f, s) = σ(s)·(f − μ(f))/σ(f) + μ(s),      t = (1 − α)·f + α·AdaIN(f, s)

and a decoder paints from t. The encoder is the embedded network, frozen.

Differs from the paper: there are several taps, not relu4_1 alone, which enter the decoder where it has their size, so
that fine strokes need not be made up; the pixels are one of them, and the decoder paints what is to be added to the
photograph in the painting's colours; the last two layers work at half the size. Residual blocks at a quarter of the
size are told of the painting besides, what gain and offset each of their channels is to have: as Ghiasi et al. 2017,
"Exploring the structure of a real-time, arbitrary neural artistic stylization network", but without normalisation.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from gramarye import weights
from gramarye.fast.painter import HALF, convolution
from gramarye.vgg import VGG
from gramarye.weights.places import EMBEDDED_NETWORK

TAPS = ("pixels", "relu2_1", "relu3_1", "relu4_1")
CELL = 8  # the stride of the deepest tap: sides are made multiples of it
LEAST = {"pixels": 0.02}  # deviation by which is divided at least; of the other taps EPSILON
EPSILON = 1e-3
BLOCKS = 4
KNOWN = 64  # numbers in which the blocks are told of a painting

Image = Float[Tensor, "batch 3 height width"]
Map = Float[Tensor, "batch channels rows columns"]
Moment = Float[Tensor, "batch channels 1 1"]
Moments = tuple[Moment, Moment]  # mean and deviation
Known = Float[Tensor, "batch known"]


@dataclass(frozen=True)
class Manner:
    """What a painting is to the painter: mean and deviation of every channel at every tap, for a batch of paintings."""

    moments: Mapping[str, Moments]

    @classmethod
    def mixed(cls, manners: Sequence[Manner], shares: Sequence[float]) -> Manner:
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


def encoder(dtype: torch.dtype = torch.float32) -> VGG:
    """The embedded network as the painter looks through it: without calibration, its borders repeated."""
    return VGG(replace(weights.load(EMBEDDED_NETWORK), calibration={}), padding="replicate", dtype=dtype)


class Block(nn.Module):
    """x + C(ReLU((1 + γ)·C(x) + β)), with γ and β linear in what is known of the painting."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.first, self.second = convolution(width, width), convolution(width, width)
        self.told = nn.Linear(KNOWN, 2 * width)
        for layer in (self.second, self.told):
            nn.init.zeros_(layer.weight)  # an untrained block changes nothing

    def forward(self, found: Map, known: Known) -> Map:
        """The map with what this block adds."""
        gain, offset = self.told(known)[:, :, None, None].to(found.dtype).chunk(2, 1)
        inner = self.first(found)
        added: Tensor = self.second(F.relu(torch.addcmul(inner + offset, inner, gain), inplace=True))
        return found + added


class AnyStyle(nn.Module):
    """Photographs to paintings, sRGB in [0, 1]; what is trained is the decoder. `encoder` is a vgg19-lite."""

    def __init__(self, encoder: VGG) -> None:
        super().__init__()
        self.encoder = encoder
        second, third, fourth = (encoder.get_buffer(f"conv{block}_1_weight").shape[0] for block in (2, 3, 4))
        self.from_fourth = convolution(fourth, third)
        self.from_third = convolution(2 * third, third)
        self.know = nn.Linear(2 * (3 + second + third + fourth), KNOWN)
        self.body = nn.ModuleList(Block(third) for _ in range(BLOCKS))
        self.after_third = convolution(third, second)
        self.from_second = convolution(2 * second, second)
        self.after_second = convolution(second, second)
        self.leave = convolution(second, 3 * HALF**2)
        nn.init.zeros_(self.leave.weight)  # an untrained painter takes over the colours
        for tap, channels in zip(TAPS[1:], (second, third, fourth), strict=True):
            self.register_buffer(f"{tap}_size", torch.ones(1, channels, 1, 1))

    def measure(self, paintings: Sequence[Tensor]) -> None:
        """Set by what each channel is divided before it is decoded: its root mean square over some paintings."""
        manners = [self.remember(painting) for painting in paintings]
        for tap in TAPS[1:]:
            squares = [
                mean.square() + deviation.square() for mean, deviation in (each.moments[tap] for each in manners)
            ]
            self.get_buffer(f"{tap}_size").copy_(torch.stack(squares).mean(0).sqrt().clamp_min(EPSILON))

    def remember(self, paintings: Image) -> Manner:
        """What there is to know of some paintings of one size."""
        with torch.no_grad():
            return Manner(
                {tap: moments(found, LEAST.get(tap, EPSILON)) for tap, found in self._seen(paintings).items()}
            )

    def forward(self, photographs: Image, manner: Manner, alpha: float | Tensor = 1.0) -> Image:
        """Paint pictures of any size, not clipped to [0, 1]; `manner` of one painting, or of one for each picture."""
        height, width = photographs.shape[2:]
        below, beside = ((side + CELL - 1) // CELL * CELL - side for side in (height, width))
        padded = F.pad(photographs, (0, beside, 0, below), mode="replicate")
        return self.on_cells(padded, manner, alpha)[:, :, :height, :width]

    def on_cells(
        self, photographs: Image, manner: Manner, alpha: float | Tensor = 1.0, own: Mapping[str, Moments] | None = None
    ) -> Image:
        """As `forward`, of sides that are multiples of CELL; `own` are the moments of the photographs at the taps.

        Without `own` they are found here; with it, `photographs` may be parts of larger ones.
        """
        with torch.no_grad():
            there = self._seen(photographs)
            own = own or {tap: moments(found, LEAST.get(tap, EPSILON)) for tap, found in there.items()}
            styled = {tap: self._moments_of_t(tap, own[tap], manner, alpha) for tap in TAPS}
            seen = {tap: _moved(there[tap], own[tap], styled[tap]) for tap in TAPS}
        known = F.relu(self.know(torch.cat([each for tap in TAPS for each in styled[tap]], 1).flatten(1)))
        found = F.relu(self.from_fourth(seen["relu4_1"]), inplace=True)
        found = torch.cat((_twice(found), seen["relu3_1"]), 1)
        found = F.relu(self.from_third(found), inplace=True)
        for block in self.body:
            found = block(found, known)
        found = F.relu(self.after_third(found), inplace=True)
        found = torch.cat((_twice(found), seen["relu2_1"]), 1)
        found = F.relu(self.after_second(F.relu(self.from_second(found), inplace=True)), inplace=True)
        return seen["pixels"] + F.pixel_shuffle(self.leave(found), HALF).to(photographs.dtype)

    def _seen(self, pictures: Image) -> dict[str, Tensor]:
        found: dict[str, Tensor] = self.encoder(pictures, TAPS)
        return found

    def _moments_of_t(self, tap: str, own: Moments, manner: Manner, alpha: float | Tensor) -> Moments:
        """Mean and deviation of t of the module's formula, divided by the tap's size."""
        size = 1.0 if tap == "pixels" else self.get_buffer(f"{tap}_size")
        mixed = (alpha * theirs + (1 - alpha) * ours for ours, theirs in zip(own, manner.moments[tap], strict=True))
        mean, deviation = (each / size for each in mixed)
        return mean, deviation


def _moved(found: Map, own: Moments, wanted: Moments) -> Map:
    """`found`, of mean and deviation `own`, with those that are wanted."""
    gain = wanted[1] / own[1]
    return torch.addcmul((wanted[0] - own[0] * gain).to(found.dtype), found, gain.to(found.dtype))


def moments(found: Map, least: float) -> Moments:
    """Mean and deviation of each channel over its positions, in float32; the deviation is `least` at the least."""
    deviation, mean = torch.std_mean(found.float(), dim=(2, 3), keepdim=True, correction=0)
    return mean, deviation.clamp_min(least)


def _twice(found: Map) -> Float[Tensor, "batch channels more_rows more_columns"]:
    return F.interpolate(found, scale_factor=HALF, mode="nearest")
