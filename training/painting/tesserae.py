"""The mosaicist's bench: the cartoon under the mosaic, and stones that settle in rows along its forms."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from .materials import Array, pigment, ramp, to_oklab, to_rgb

SIDE = 1408  # twice the finished side
Glaze = str | tuple[Array, str]


@dataclass
class Cartoon:
    """The drawing under the mosaic (all H W): regions, colour, direction of the rows, size of the stones."""

    region: Array
    colour: Array
    angle: Array
    size: Array

    def fill(self, where: Array, region: int, glaze: Glaze, angle: Array | float, size: float) -> None:
        """Draw one region over what is there: a plain pigment, or a tone (H W) and a row of pigments."""
        self.region[where] = region
        self.colour[where] = pigment(glaze) if isinstance(glaze, str) else ramp(glaze[0][where], glaze[1])
        self.angle[where] = np.broadcast_to(np.asarray(angle, np.float32), self.angle.shape)[where]
        self.size[where] = size

    def window(self, x: float, y: float, reach: float) -> tuple[Cartoon, Array, Array]:
        """The part of the drawing around a point (the same memory), with its pixel coordinates."""
        rows, columns = (slice(max(int(c - reach), 0), max(int(c + reach), 1)) for c in (y, x))
        part = Cartoon(*(sheet[rows, columns] for sheet in (self.region, self.colour, self.angle, self.size)))
        down, right = np.indices(part.region.shape, dtype=np.float32)
        return part, right + columns.start, down + rows.start


def grid() -> tuple[Array, Array]:
    """Pixel coordinates x and y (H W)."""
    y, x = np.mgrid[0:SIDE, 0:SIDE].astype(np.float32)
    return x, y


def seeds(cartoon: Cartoon, rng: np.random.Generator) -> Array:
    """First places of the stones: as dense as their size asks (N 2: x, y)."""
    spots = np.mgrid[0:SIDE:5, 0:SIDE:5][::-1].reshape(2, -1).T
    keep = rng.random(len(spots)) < 25 / cartoon.size[spots[:, 1], spots[:, 0]] ** 2
    places = spots[keep].astype(np.float32) + rng.uniform(0, 5, (int(keep.sum()), 2)).astype(np.float32)
    return np.concatenate([places, *missed(cartoon, places)])


def missed(cartoon: Cartoon, places: Array) -> list[Array]:
    """A stone for the middle of every small part of the drawing that chance left empty (each 1 2: x, y)."""
    column, row = np.minimum(places, SIDE - 1).astype(int).T
    middles = []
    for region in np.unique(cartoon.region):
        parts, count = ndimage.label(cartoon.region == region)
        empty = np.setdiff1d(np.arange(1, count + 1), parts[row, column])
        wide = empty[np.bincount(parts.ravel())[empty] > 80]
        middles += [np.array([[x, y]], np.float32) for y, x in ndimage.center_of_mass(parts, parts, wide)]
    return middles


def settle(cartoon: Cartoon, places: Array) -> tuple[Array, Array]:
    """Give every pixel to the nearest stone of its region, squares turned along the rows (Hausner 2001).

    Returns the owner of each pixel (-1: grout) and its distance from the stone's centre in stone sizes.
    """
    owner, nearest = np.full((SIDE, SIDE), -1, np.int32), np.full((SIDE, SIDE), 0.95, np.float32)
    for index, (x, y) in enumerate(places):
        column, row = min(max(int(x), 0), SIDE - 1), min(max(int(y), 0), SIDE - 1)
        size, angle = cartoon.size[row, column], cartoon.angle[row, column]
        reach = int(size * 1.2) + 1
        top, left = max(row - reach, 0), max(column - reach, 0)
        window = np.s_[top : row + reach, left : column + reach]
        dy = np.arange(top, min(row + reach, SIDE), dtype=np.float32)[:, None] - y
        dx = np.arange(left, min(column + reach, SIDE), dtype=np.float32)[None, :] - x
        a, b = np.cos(angle) / size, np.sin(angle) / size
        far = np.maximum(np.abs(dx * a + dy * b), np.abs(dy * a - dx * b))
        far[cartoon.region[window] != cartoon.region[row, column]] = 9
        won = far < nearest[window]
        nearest[window][won], owner[window][won] = far[won], index
    return owner, nearest


def laid(cartoon: Cartoon, rng: np.random.Generator) -> tuple[Array, Array, Array]:
    """Let the stones find their places: each moves to the middle of its own area, again and again."""
    places = seeds(cartoon, rng)
    y, x = np.mgrid[0:SIDE, 0:SIDE]
    for _ in range(7):
        owner, nearest = settle(cartoon, places)
        owned = owner >= 0
        number = np.bincount(owner[owned], minlength=len(places))
        middle = [np.bincount(owner[owned], axis[owned], len(places)) / np.maximum(number, 1) for axis in (x, y)]
        wide = number > 24
        places = np.stack(middle, -1).astype(np.float32)[wide]
    owner, nearest = settle(cartoon, places)
    return places, owner, nearest


def stone_colours(cartoon: Cartoon, places: Array, rng: np.random.Generator) -> Array:
    """Every stone its own piece of glass: the cartoon's colour, varied; gold varies most (N 3)."""
    at = np.clip(places, 0, SIDE - 1).astype(int)
    lab = to_oklab(cartoon.colour[at[:, 1], at[:, 0]])
    gilt = np.isin(cartoon.region[at[:, 1], at[:, 0]], (0, 4))
    lab[:, 0] += rng.normal(0, 1, len(lab)) * np.where(gilt, 0.075, 0.05)
    lab[:, 1:] += rng.normal(0, 0.016, (len(lab), 2))
    strange = rng.random(len(lab)) < 0.04
    lab[strange, 1:] += rng.normal(0, 0.05, (int(strange.sum()), 2))
    return to_rgb(lab)
