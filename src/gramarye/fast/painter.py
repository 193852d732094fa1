"""A feed-forward painter: a photograph in, a painting out, many styles in one network.

Johnson et al. 2016, "Perceptual Losses for Real-Time Style Transfer", with the conditional instance normalisation of
Dumoulin et al. 2016, "A Learned Representation For Artistic Style": all styles share the convolutions, and each has its
own gain and offset for every channel of every normalisation. Styles are mixed by mixing these.

Differs from both, for the sake of an ordinary processor: four by four pixels are taken together before the first
convolution, so that all but the last two work at a quarter of the size; and the network paints what is to be added to
the photograph, which therefore need not pass through it.
"""

from __future__ import annotations

import math
from typing import Any

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

WIDTH, BLOCKS, LAST = 64, 5, 24  # channels of the body, its residual blocks, channels at half the size
CELL = 4  # pixels on a side that are taken together
HALF = 2
EPSILON = 1e-5  # of the variance

Image = Float[Tensor, "batch 3 height width"]
Map = Float[Tensor, "batch channels rows columns"]
Mix = Float[Tensor, "batch styles"]


class Normalisation(nn.Module):
    """y = γ·(x − μ)/σ + β for each picture and channel; γ and β are the mix of the styles' own."""

    def __init__(self, channels: int, styles: int) -> None:
        super().__init__()
        self.gain = nn.Parameter(torch.ones(styles, channels))
        self.offset = nn.Parameter(torch.zeros(styles, channels))

    def forward(self, found: Map, mix: Mix) -> Map:
        """Normalise `found` over its positions, then scale and shift it as the mix of styles says."""
        plain = normalised(found)
        gain, offset = ((mix @ each)[:, :, None, None].to(found.dtype) for each in (self.gain, self.offset))
        return torch.addcmul(offset, plain, gain)


def normalised(found: Map) -> Map:
    """(x − μ)/σ for each picture and channel."""
    if torch.is_grad_enabled() and found.requires_grad:
        plain: Tensor = _Normalised.apply(found)  # type: ignore[no-untyped-call]
        return plain
    return F.group_norm(found, found.shape[1], eps=EPSILON)  # a group a channel: reads channels-last as it lies


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

    def __init__(self, width: int, styles: int) -> None:
        super().__init__()
        self.first, self.second = convolution(width, width), convolution(width, width)
        self.after_first, self.after_second = Normalisation(width, styles), Normalisation(width, styles)

    def forward(self, found: Map, mix: Mix) -> Map:
        """The map with what this block adds."""
        inner = F.relu(self.after_first(self.first(found), mix), inplace=True)
        added: Tensor = self.after_second(self.second(inner), mix)
        return found + added


class Painter(nn.Module):
    """Photographs to paintings, sRGB in [0, 1]; `styles` are their names."""

    def __init__(self, styles: tuple[str, ...], width: int = WIDTH, blocks: int = BLOCKS, last: int = LAST) -> None:
        super().__init__()
        self.styles, count = styles, len(styles)
        self.sizes = {"width": width, "blocks": blocks, "last": last}
        self.enter = convolution(3 * CELL**2, width)
        self.after_enter = Normalisation(width, count)
        self.body = nn.ModuleList(Block(width, count) for _ in range(blocks))
        self.widen = convolution(width, last)
        self.after_widen = Normalisation(last, count)
        self.leave = convolution(last, 3 * HALF**2)
        nn.init.zeros_(self.leave.weight)  # an untrained painter leaves the photograph as it is

    def forward(self, photographs: Image, mix: Mix) -> Image:
        """Paint pictures of any size; not clipped to [0, 1]."""
        height, width = photographs.shape[2:]
        below, beside = ((side + CELL - 1) // CELL * CELL - side for side in (height, width))
        padded = F.pad(photographs, (0, beside, 0, below), mode="replicate")
        cells = F.pixel_unshuffle(padded, CELL).contiguous(memory_format=torch.channels_last)
        found = F.relu(self.after_enter(self.enter(cells), mix), inplace=True)
        for block in self.body:
            found = block(found, mix)
        found = F.interpolate(found, scale_factor=HALF, mode="nearest")
        found = F.relu(self.after_widen(self.widen(found), mix), inplace=True)
        added = F.pixel_shuffle(self.leave(found), HALF)
        return photographs + added[:, :, :height, :width].to(photographs.dtype)


def convolution(channels: int, filters: int) -> nn.Conv2d:
    """3×3, of stride 1, whose bias is zero at the beginning; its border repeats the edge."""
    made = nn.Conv2d(channels, filters, 3, padding=1, padding_mode="replicate")
    assert made.bias is not None
    nn.init.zeros_(made.bias)
    made.weight.data = made.weight.data.contiguous(memory_format=torch.channels_last)
    return made
