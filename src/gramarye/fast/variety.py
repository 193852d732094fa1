"""More paintings from a few, so that a painter of any painting meets many: cuttings, other colours, photographs.

A dozen paintings are too few to learn from what any painting's means and deviations look like. So the painter also
meets parts of them, turned, mirrored and at other sizes, parts in other colours, and photographs as if they were
paintings: their statistics are yet others.
"""

from __future__ import annotations

import math
import random
from collections.abc import Iterator, Sequence
from pathlib import Path

import torch
from jaxtyping import Float
from kornia.enhance import adjust_hue, adjust_saturation
from torch import Tensor

from gramarye import images
from gramarye.images import SMALLEST_SIDE

CUT_FROM = 1024  # px, the long side at most of a painting from which parts are cut
CUTTINGS = 40  # of each painting; every other one in other colours
SHARES = (0.3, 0.85)  # of the painting's sides
CUTTING = (224, 384)  # px, the long side at most of a part
INVERTED = 0.3  # of those in other colours
HUE, SATURATION, GAMMA = (-math.pi, math.pi), (0.5, 1.4), (0.7, 1.4)
MOST = 2500  # paintings and cuttings
EVERY, PHOTOGRAPH = 2, 320  # every other photograph is a painting too, of this long side in px

Painting = Float[Tensor, "1 3 height width"]
Smaller = Float[Tensor, "1 3 rows columns"]


def at_most(pixels: Painting, long_side: int) -> Smaller:
    """A painting with a long side of so many pixels, never enlarged; its short side never below SMALLEST_SIDE."""
    size = (pixels.shape[2], pixels.shape[3])
    if max(size) <= long_side:
        return pixels
    height, width = images.fitted_size(size, long_side)
    return images.resize(pixels, (max(height, SMALLEST_SIDE), max(width, SMALLEST_SIDE)))


def pool(files: Sequence[str], photographs: Sequence[Path], size: int, seed: int) -> Iterator[Tensor]:
    """The paintings at a long side of `size` px, each with its cuttings; then some of the photographs.

    Of more paintings there are fewer cuttings, and of very many paintings only some, evenly chosen, so that from the
    paintings there come MOST at the most. Raises ImageError.
    """
    draw = random.Random(seed)
    chosen = files[:: math.ceil(len(files) / MOST)]
    for file in chosen:
        painting = images.load(file).pixels
        yield at_most(painting, size)
        larger = at_most(painting, CUT_FROM)
        for number in range(min(CUTTINGS, MOST // len(chosen) - 1)):
            cutting = _cutting(larger, draw)
            yield _recoloured(cutting, draw) if number % 2 else cutting
    for photograph in photographs[::EVERY]:
        yield at_most(images.load(photograph).pixels, PHOTOGRAPH)


def _cutting(painting: Painting, draw: random.Random) -> Smaller:
    """A part of a painting, of its aspect ratio, in one of eight positions."""
    share, sides = draw.uniform(*SHARES), painting.shape[2:]
    height, width = (max(round(share * side), min(SMALLEST_SIDE, side)) for side in sides)
    top, left = draw.randrange(sides[0] - height + 1), draw.randrange(sides[1] - width + 1)
    part = at_most(painting[:, :, top : top + height, left : left + width], draw.randint(*CUTTING))
    turned = torch.rot90(part, draw.randrange(4), (2, 3))
    return turned.flip(3) if draw.random() < 0.5 else turned


def _recoloured(painting: Painting, draw: random.Random) -> Painting:
    """With its channels exchanged, sometimes inverted, of another hue and saturation, brightened or darkened."""
    order = list(range(3))
    draw.shuffle(order)
    exchanged = painting[:, order]
    if draw.random() < INVERTED:
        exchanged = 1 - exchanged
    hued = adjust_hue(exchanged.clamp(0, 1), draw.uniform(*HUE))
    recoloured: Tensor = adjust_saturation(hued, draw.uniform(*SATURATION)).clamp(0, 1) ** draw.uniform(*GAMMA)
    return recoloured
