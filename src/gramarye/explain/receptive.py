"""Units: the patch of pixels that one looks at, where a channel fires most, and which pixels matter to it."""

from __future__ import annotations

from dataclasses import dataclass, field

import torch
from jaxtyping import Float
from torch import Tensor

from gramarye.errors import SettingsError
from gramarye.statistics.positions import Activation
from gramarye.vgg import VGG

Pixels = Float[Tensor, "1 3 h w"]
Map = Float[Tensor, "1 1 h w"]
Maps = Float[Tensor, "1 c h w"]


@dataclass(frozen=True)
class Box:
    """Pixels from row `top` to before `bottom`, from column `left` to before `right`."""

    top: int
    left: int
    bottom: int
    right: int

    def of(self, pixels: Maps) -> Float[Tensor, "1 c box_h box_w"]:
        """The part of a picture or map that lies in the box."""
        return pixels[:, :, self.top : self.bottom, self.left : self.right]


@dataclass(frozen=True)
class Peak:
    """Where a channel fires most in a picture: the unit, its activation, and the pixels that it sees."""

    row: int
    column: int
    value: float
    box: Box
    crop: Tensor = field(repr=False)  # 1 3 h w


@dataclass(frozen=True)
class Saliency:
    """Which pixels of the photograph matter to the unit at which a channel fires most; `map` is 1 1 H W ≥ 0."""

    layer: str
    channel: int
    row: int
    column: int
    box: Box
    half: float  # the share of the box's pixels that hold half of the map's sum
    map: Tensor = field(repr=False)


def receptive_field(network: VGG, layer: str, row: int, column: int, size: tuple[int, int]) -> Box:
    """The pixels that the unit at `row` and `column` of `layer` sees, in a picture of `size` (height, width).

    For unit k, stride s and receptive field r from k·s − (r − s)/2, r pixels long, clipped at the border: a 3×3
    convolution with a padding of 1 adds its stride on both sides, a 2×2 pool adds its own on the far side alone,
    and all pools together add s − 1. Padding shows nothing from outside the box: zeros are no pixels, and
    what is repeated or mirrored of the border lies in it. Raises SettingsError for an unknown layer or unit.
    """
    known = network.table[network.resolve([layer])[0]]
    rows, columns = size[0] // known.stride, size[1] // known.stride
    if not (0 <= row < rows and 0 <= column < columns):
        raise SettingsError(f"{layer} has {rows}×{columns} units in this picture", f"row {row}, column {column}")
    before = (known.receptive_field - known.stride) // 2
    top, left = row * known.stride - before, column * known.stride - before
    return Box(
        max(top, 0),
        max(left, 0),
        min(top + known.receptive_field, size[0]),
        min(left + known.receptive_field, size[1]),
    )


def peak(network: VGG, layer: str, channel: int, activation: Activation, pixels: Pixels) -> Peak:
    """The unit of `channel` with the highest activation, and the patch of `pixels`, 1 3 H W, that it sees."""
    found = activation[0, channel]
    row, column = divmod(int(found.argmax()), found.shape[1])
    box = receptive_field(network, layer, row, column, (pixels.shape[2], pixels.shape[3]))
    return Peak(row, column, float(found[row, column]), box, box.of(pixels).cpu().clone())


def saliency(network: VGG, pixels: Pixels, layer: str, channel: int, row: int, column: int) -> Map:
    """max over colours c of |∂F/∂x_c|, F being one unit's activation, at every pixel x; 1 1 H W.

    Simonyan, Vedaldi and Zisserman 2014, "Deep Inside Convolutional Networks", section 3. Differs from them in
    that the unit is one of a convolutional layer, not a class's score.
    """
    with torch.enable_grad():
        image = pixels.detach().clone().requires_grad_()
        unit = network(image, [layer])[layer][0, channel, row, column]
        (gradient,) = torch.autograd.grad(unit, image)
    return gradient.abs().amax(1, keepdim=True)


def salient(network: VGG, layer: str, channel: int, at: Peak, pixels: Pixels) -> Saliency:
    """Which of `pixels`, 1 3 H W, matter to the unit where a channel fires most."""
    found = saliency(network, pixels, layer, channel, at.row, at.column)
    held = at.box.of(found).flatten().sort(descending=True).values.cumsum(0)
    half = (int((held < held[-1] / 2).sum()) + 1) / len(held)
    return Saliency(layer, channel, at.row, at.column, at.box, half, found.cpu())
