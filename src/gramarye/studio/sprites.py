"""Maps as pictures for the page: many channels on one sheet, one alone, and signed ones in blue and orange.

A channel's brightness is on one scale in all three pictures, so that they can be compared: from the level below which
0.5 % of its values lie to that above which 0.5 % do, over the three together, but never from above 0.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor

MOST = 64  # channels of a layer that are shown
SHEET = 448  # pixels of a sheet's long side, at most
LEAST = 24  # pixels of a map's long side: smaller ones are enlarged, a square for each value
LARGEST = 64_000  # bytes of a sheet
QUALITIES = (88, 78, 66, 54, 42)  # of WebP, the first that fits
SMALLER = 0.75  # times the size, of maps that do not fit in any quality
FAINT = 0.005  # of the values, at each end of the scale
SINGLE = 160  # pixels of the long side of a map that is shown by itself
BLUE, WALL, ORANGE = (0.13, 0.40, 0.78), (0.96, 0.95, 0.93), (0.85, 0.42, 0.06)  # −, 0, +


@dataclass(frozen=True)
class Sheet:
    """A picture of many maps, row by row: `cell` is width and height of one, `size` of all, in pixels."""

    cell: tuple[int, int]
    size: tuple[int, int]
    data: bytes = field(repr=False)  # WebP


def grid_of(count: int) -> tuple[int, int]:
    """Columns and rows for so many maps: as square as can be."""
    columns = math.ceil(math.sqrt(count))
    return columns, math.ceil(count / columns)


def side_of(count: int) -> int:
    """The long side of each of so many maps on one sheet, in pixels."""
    return SHEET // max(grid_of(count))


def scaled(maps: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Maps by picture, each K h w, as brightness from 0 to 1; channel k is on one scale in all of them."""
    import torch

    together = torch.cat([each.flatten(1) for each in maps.values()], dim=1)
    low, high = torch.quantile(together, torch.tensor([FAINT, 1 - FAINT]), dim=1)
    low = low.clamp_max(0)
    span = (high - low).clamp_min(1e-12)
    return {name: ((each - low[:, None, None]) / span[:, None, None]).clamp(0, 1) for name, each in maps.items()}


def positive(maps: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Maps by picture, each K h w, as brightness: 0 and below are black, each channel on one scale in all of them."""
    return scaled({name: each.clamp_min(0) for name, each in maps.items()})


def sheet(brightness: Tensor) -> Sheet:
    """K h w in [0, 1] on one sheet in grey; what is left over of the last row is black.

    Maps of nothing but noise are made smaller, until the sheet has LARGEST bytes at most.
    """
    from gramarye.explain.features import small_maps

    made = _sheet(brightness)
    while len(made.data) > LARGEST:
        brightness = small_maps(brightness[None], int(SMALLER * max(brightness.shape[1:])))[0]
        made = _sheet(brightness)
    return made


def _sheet(brightness: Tensor) -> Sheet:
    columns, rows = grid_of(len(brightness))
    maps = enlarged(brightness, LEAST)
    height, width = maps.shape[1:]
    cells = maps.new_zeros(columns * rows, height, width)
    cells[: len(maps)] = maps
    together = cells.view(rows, columns, height, width).transpose(1, 2).reshape(rows * height, columns * width)
    return Sheet((width, height), (columns * width, rows * height), grey(together))


def enlarged(maps: Tensor, least: int) -> Tensor:
    """K h w with the long side at least so many pixels: each value becomes a square of them."""
    factor = math.ceil(least / max(maps.shape[1:]))
    return maps.repeat_interleave(factor, 1).repeat_interleave(factor, 2)


def grey(brightness: Tensor) -> bytes:
    """A map, h w in [0, 1], as WebP."""
    return webp(brightness[None, None].expand(1, 3, -1, -1))


def signed(values: Tensor, most: float) -> bytes:
    """A map, h w, as WebP: blue at −`most`, the wall's colour at 0, orange at `most`."""
    import torch

    blue, wall, orange = (torch.tensor(colour).view(3, 1, 1) for colour in (BLUE, WALL, ORANGE))
    share = (values / max(most, 1e-12)).clamp(-1, 1)[None]
    return webp((wall + share.clamp_min(0) * (orange - wall) - share.clamp_max(0) * (blue - wall))[None])


def photograph(pixels: Tensor, long_side: int) -> bytes:
    """A picture, 1 3 H W, as WebP with its longer side at most so many pixels."""
    from gramarye import inline

    return webp(inline.shrunk(pixels, long_side))


def webp(pixels: Tensor, qualities: Sequence[int] = QUALITIES, largest: int = LARGEST) -> bytes:
    """A picture, 1 3 H W, as WebP in the first of some qualities that takes at most `largest` bytes, or the last."""
    from gramarye import inline

    for quality in qualities:
        data = inline.encoded(pixels, "WEBP", quality=quality)
        if len(data) <= largest:
            break
    return data
