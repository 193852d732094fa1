"""The woodcutter's bench: lines whose thickness is the tone, a block for each ink, and the press."""

from __future__ import annotations

import numpy as np
from scipy import ndimage

from .materials import Array, clouds, noise, pigment, step

SHAPE = (1504, 1120)  # twice the finished size


def grid() -> tuple[Array, Array]:
    """Pixel coordinates x and y (H W)."""
    y, x = np.mgrid[0 : SHAPE[0], 0 : SHAPE[1]].astype(np.float32)
    return x, y


def cut(phase: Array, thickness: Array, period: Array | float) -> Array:
    """Lines at every whole number of `phase`: black where the block was left standing (H W in [0, 1]).

    `thickness` is the black part of the period, `period` the distance of lines in pixels.
    """
    off = np.abs(phase - np.rint(phase)) * period
    half = thickness * period / 2
    return np.clip(half - off + 0.5, 0, 1) * (half > 0.35)


def doubled(angle: Array, far: Array, gap: float, chance: Array | float) -> tuple[Array, Array]:
    """Phase and period of lines that fan out from a point and split in two where they get far apart."""
    count = 2 ** np.clip(np.rint(np.log2(np.maximum(far, 1) / gap) + 0.3 * chance), 0, 9)
    return angle * count, np.maximum(far, 1) / count


class Print:
    """The sheet and its blocks: each ink's coverage (H W in [0, 1])."""

    def __init__(self, rng: np.random.Generator) -> None:
        self.rng = rng
        self.black = np.zeros(SHAPE, np.float32)
        self.inks: dict[str, Array] = {name: np.zeros(SHAPE, np.float32) for name in ("blue", "ochre", "red", "green")}

    def clear(self, mask: Array) -> None:
        """Nothing of what lies behind is printed inside the mask."""
        for name in self.inks:
            self.inks[name] *= 1 - mask
        self.black *= 1 - mask

    def line(self, mask: Array, lines: Array) -> None:
        """Leave lines standing on the key block inside the mask."""
        self.black = np.maximum(self.black, mask * lines)

    def ink(self, name: str, mask: Array, amount: Array | float = 1.0) -> None:
        """Ink one of the colour blocks inside the mask."""
        self.inks[name] = np.maximum(self.inks[name], mask * amount)


def rim(mask: Array, width: float) -> Array:
    """The outline of a shape, as cut by a knife: a line of uneven width."""
    inside = ndimage.distance_transform_edt(mask > 0.5)
    return np.clip(width - inside + 0.5, 0, 1) * (inside > 0)


def printed(sheet: Print) -> Array:
    """Press the blocks, one ink after the other, on warm paper: grain, mottle, and blocks a little off."""
    rng = sheet.rng
    fibre = clouds(SHAPE, 4, rng, 2, 5) + clouds(SHAPE, 4, rng, 2) + noise(SHAPE, 90, rng)
    paper = pigment("f3e6c8") * (1 + 0.013 * fibre[..., None])
    grain = 0.5 * noise(SHAPE, 5, rng, 60) + 0.5 * np.sin(grid()[1] / 7 + 5 * noise(SHAPE, 130, rng, 6))
    for name, code, shift in (
        ("ochre", "eaa83c", (3, -3)),
        ("green", "4f8a5c", (-3, 3)),
        ("blue", "2d62a0", (2, 4)),
        ("red", "d8402a", (-3, -2)),
    ):
        block = ndimage.gaussian_filter(np.roll(sheet.inks[name], shift, (0, 1)), 0.8)
        cover = np.clip(block * (0.9 + 0.10 * grain + 0.04 * fibre), 0, 1)[..., None]
        paper = paper * (1 - cover * (1 - pigment(code)))
    worn = step(0.55 * grain + noise(SHAPE, 3, rng) + 0.5 * noise(SHAPE, 60, rng), -3.2, -1.7)
    key = np.clip(ndimage.gaussian_filter(sheet.black, 0.8) * (0.94 + 0.06 * grain) * (0.45 + 0.55 * worn), 0, 1)[
        ..., None
    ]
    return paper * (1 - key * (1 - pigment("17141c")))
