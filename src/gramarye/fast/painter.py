"""A feed-forward painter: a photograph in, a painting out, many styles in one network.

Johnson et al. 2016, "Perceptual Losses for Real-Time Style Transfer", with the conditional instance normalisation of
Dumoulin et al. 2016, "A Learned Representation For Artistic Style": all styles share the convolutions, and each has its
own gain and offset for every channel of every normalisation. Styles are mixed by mixing these.

Differs from both, for the sake of an ordinary processor: four by four pixels are taken together before the first
convolution, so that all but the last two work at a quarter of the size, and some at an eighth; and the network paints
what is to be added to the photograph, which therefore need not pass through it. For the sake of the style: what is
painted is normalised once more at the end, so that it has a painting's colours and contrast whatever the photograph's;
and gains and offsets depend on the photograph a little, by means and deviations that the normalisations take away.

`FeedForward` is what the painter of any style (`any_style`) has in common with this one: it is told of a style by a
code, some numbers for each picture, in which gains and offsets are linear. Of many styles the code is their mix.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

WIDTH, BLOCKS, LAST = 64, 5, 24  # channels of the body, its residual blocks, channels at half the size
COARSE, COARSE_BLOCKS = 96, 3  # channels and residual blocks at half the body's size, which see further
KNOWN = 48  # numbers in which the normalisations are told of a photograph
CELL = 4  # pixels on a side that are taken together
HALF = 2
EPSILON = 1e-5  # of the variance
LEAST = 1e-3  # deviation, whose logarithm is told
CONTRAST, MIDDLE = 0.25, 0.5  # deviation and mean of an ordinary painting

Image = Float[Tensor, "batch 3 height width"]
Map = Float[Tensor, "batch channels rows columns"]
Code = Float[Tensor, "batch code"]
Mix = Float[Tensor, "batch styles"]
Known = Float[Tensor, "batch known"]
Channels = Float[Tensor, "batch channels"]
Moments = tuple[Channels, Channels]  # mean and deviation
WideMoments = tuple[Float[Tensor, "batch width"], Float[Tensor, "batch width"]]


class Normalisation(nn.Module):
    """y = γ·(1 + γ')·(x − μ)/σ + β + β' for each picture and channel.

    γ and β are linear in the code of the style, γ' and β' in what is known of the photograph.
    """

    def __init__(self, channels: int, code: int) -> None:
        super().__init__()
        self.gain = nn.Parameter(torch.ones(code, channels))
        self.offset = nn.Parameter(torch.zeros(code, channels))
        self.told = nn.Linear(KNOWN, 2 * channels)
        for parameter in self.told.parameters():
            nn.init.zeros_(parameter)

    def forward(self, found: Map, code: Code, known: Known) -> Map:
        """Normalise `found` over its positions, then scale and shift it as is asked."""
        gain, offset = (each[:, :, None, None].to(found.dtype) for each in self.asked(code, known))
        return torch.addcmul(offset, normalised(found), gain)

    def asked(self, code: Code, known: Known) -> tuple[Channels, Channels]:
        """Gain and offset of every channel of each picture."""
        gain, offset = self.told(known).to(code.dtype).chunk(2, 1)
        return (code @ self.gain) * (1 + gain), code @ self.offset + offset


def normalised(found: Map) -> Map:
    """(x − μ)/σ for each picture and channel."""
    if torch.is_grad_enabled() and found.requires_grad:
        plain: Tensor = _Normalised.apply(found)  # type: ignore[no-untyped-call]
        return plain
    return torch.group_norm(found, found.shape[1], eps=EPSILON)  # a group a channel: reads channels-last as it lies


class _Normalised(torch.autograd.Function):
    """With a gradient of its own, g − mean(g) − y·mean(g·y) over σ: torch's takes 15 times as long on a processor."""

    @staticmethod
    def forward(ctx: Any, found: Tensor) -> Tensor:
        count, channels, *sides = found.shape
        size = (count, channels, math.prod(sides), channels)
        plain, _, inverse = torch.native_group_norm(found, None, None, *size, EPSILON)
        ctx.save_for_backward(plain, inverse.view(count, channels, 1, 1))
        return plain

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> Tensor:
        plain, inverse = ctx.saved_tensors
        (gradient,) = gradients
        mean = gradient.mean((2, 3), keepdim=True)
        along = (gradient * plain).mean((2, 3), keepdim=True)
        return torch.addcmul(gradient - mean, plain, along, value=-1).mul_(inverse.to(plain.dtype))


class Block(nn.Module):
    """x + N(C(ReLU(N(C(x)))))."""

    def __init__(self, width: int, code: int) -> None:
        super().__init__()
        self.first, self.second = convolution(width, width), convolution(width, width)
        self.after_first, self.after_second = Normalisation(width, code), Normalisation(width, code)

    def forward(self, found: Map, code: Code, known: Known) -> Map:
        """The map with what this block adds."""
        inner = F.relu(self.after_first(self.first(found), code, known), inplace=True)
        added: Tensor = self.after_second(self.second(inner), code, known)
        return found + added


class FeedForward(nn.Module):
    """Photographs to paintings by `code` numbers for each."""

    def __init__(
        self, code: int, width: int = WIDTH, blocks: int = BLOCKS, last: int = LAST, coarse: int = COARSE
    ) -> None:
        super().__init__()
        self.sizes = {"width": width, "blocks": blocks, "last": last, "coarse": coarse}
        self.know = nn.Linear(2 * (3 + width), KNOWN)
        self.enter = convolution(3 * CELL**2, width)
        self.after_enter = Normalisation(width, code)
        self.body = nn.ModuleList(Block(width, code) for _ in range(blocks))
        self.down, self.up = nn.Conv2d(width, coarse, 1), nn.Conv2d(coarse, width, 1)
        self.coarse = nn.ModuleList(Block(coarse, code) for _ in range(COARSE_BLOCKS))
        self.widen = convolution(width, last)
        self.after_widen = Normalisation(last, code)
        self.leave = convolution(last, 3 * HALF**2)
        self.of_photograph, self.of_painting = Normalisation(3, code), Normalisation(3, code)
        for parameter in (self.leave.weight, *self.up.parameters()):
            nn.init.zeros_(parameter)  # an untrained painter changes no more than colours
        with torch.no_grad():
            self.of_photograph.gain.mul_(CONTRAST)

    def painted(self, photographs: Image, code: Code) -> Image:
        """Paint pictures of any size; not clipped to [0, 1]."""
        height, width = photographs.shape[2:]
        below, beside = ((side + CELL - 1) // CELL * CELL - side for side in (height, width))
        padded = F.pad(photographs, (0, beside, 0, below), mode="replicate")
        cells = F.pixel_unshuffle(padded, CELL).contiguous(memory_format=torch.channels_last)
        found = self.enter(cells)
        known = self.known(moments(photographs), moments(found))
        found = F.relu(self.after_enter(found, code, known), inplace=True)
        for place, block in enumerate(self.body):
            if place == self.middle:
                found = found + self._further(found, code, known)
            found = block(found, code, known)
        found = F.relu(self.after_widen(self.widen(doubled(found)), code, known), inplace=True)
        added = F.pixel_shuffle(self.leave(found), HALF)[:, :, :height, :width]
        before: Tensor = self.of_photograph(photographs, code, known) + added.to(photographs.dtype)
        painted: Tensor = self.of_painting(before, code, known)
        return painted

    @property
    def middle(self) -> int:
        """Before which block of the body the coarse ones are."""
        return len(self.body) // 2

    def known(self, photograph: Moments, entered: WideMoments) -> Known:
        """What the normalisations are told, by the moments of the photograph and of the first map."""
        told = [each for mean, deviation in (photograph, entered) for each in (mean, deviation.log())]
        return torch.tanh(self.know(torch.cat(told, 1)))

    def _further(self, found: Map, code: Code, known: Known) -> Map:
        """What the coarse blocks add, which see twice as far."""
        coarse = self.down(halved(found))
        for block in self.coarse:
            coarse = block(coarse, code, known)
        return doubled(self.up(coarse))[:, :, : found.shape[2], : found.shape[3]]


class Painter(FeedForward):
    """Photographs to paintings, sRGB in [0, 1]; `styles` are their names."""

    def __init__(self, styles: tuple[str, ...], **sizes: int) -> None:
        super().__init__(len(styles), **sizes)
        self.styles = styles
        with torch.no_grad():
            self.of_painting.gain.mul_(CONTRAST)
            self.of_painting.offset.fill_(MIDDLE)

    def measure(self, paintings: Sequence[Tensor]) -> None:
        """Begin with the means and deviations of the styles' paintings, 1 3 H W each, as those of what is painted."""
        found = [moments(painting) for painting in paintings]
        with torch.no_grad():
            self.of_painting.gain.copy_(torch.cat([deviation for _, deviation in found]))
            self.of_painting.offset.copy_(torch.cat([mean for mean, _ in found]))

    def forward(self, photographs: Image, mix: Mix) -> Image:
        """Paint pictures of any size in a mix of styles each; not clipped to [0, 1]."""
        return self.painted(photographs, mix)


def moments(found: Map) -> Moments:
    """Mean and deviation of each channel over its positions, in float32 or finer; the deviation LEAST or more."""
    wide = found.to(torch.promote_types(found.dtype, torch.float32))
    deviation, mean = torch.std_mean(wide, dim=(2, 3), correction=0)
    return mean, deviation.clamp_min(LEAST)


def halved(found: Map) -> Float[Tensor, "batch channels fewer_rows fewer_columns"]:
    """Means of two by two positions; of an odd number of rows or columns the last counts twice."""
    rows, columns = found.shape[2:]
    return F.avg_pool2d(F.pad(found, (0, columns % HALF, 0, rows % HALF), mode="replicate"), HALF)


def doubled(found: Map) -> Float[Tensor, "batch channels more_rows more_columns"]:
    """Each position as two by two."""
    return F.interpolate(found, scale_factor=HALF, mode="nearest")


def convolution(channels: int, filters: int) -> nn.Conv2d:
    """3×3, of stride 1, whose bias is zero at the beginning; its border repeats the edge."""
    made = nn.Conv2d(channels, filters, 3, padding=1, padding_mode="replicate")
    assert made.bias is not None
    nn.init.zeros_(made.bias)
    made.weight.data = made.weight.data.contiguous(memory_format=torch.channels_last)
    return made
