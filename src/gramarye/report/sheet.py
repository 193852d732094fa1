"""Contact sheets: pictures side by side, each with its title and, in a corner, what it was painted after."""

from __future__ import annotations

import io
import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from jaxtyping import Float
from torch import Tensor

from gramarye.files import writable, write_atomically
from gramarye.images import to_uint8

CELL = 3.2  # inches
DPI = 140
INSET = 0.3  # of the cell's height
WALL = "#f6f3ec"  # the gallery's warm off-white


@dataclass(frozen=True)
class Cell:
    """One picture of a sheet, 1 3 H W; `inset` is shown small in its lower right corner."""

    title: str
    pixels: Float[Tensor, "1 3 h w"] = field(repr=False)
    inset: Float[Tensor, "1 3 hi wi"] | None = field(default=None, repr=False)


def contact_sheet(cells: Sequence[Cell], path: Path, *, columns: int | None = None) -> None:
    """Draw the cells in rows and write them as PNG; raises ImageError when it cannot be written."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    columns = columns or math.ceil(math.sqrt(len(cells)))
    rows = math.ceil(len(cells) / columns)
    shape = max((cell.pixels.shape[2] / cell.pixels.shape[3] for cell in cells), default=1.0)
    figure = Figure(figsize=(columns * CELL, rows * (CELL * shape + 0.25)), dpi=DPI, facecolor=WALL)
    FigureCanvasAgg(figure)
    axes = figure.subplots(rows, columns, squeeze=False).flatten()
    figure.subplots_adjust(left=0.01, right=0.99, bottom=0.01, top=0.96, wspace=0.03, hspace=0.1)
    for each in axes:
        each.set_axis_off()
    for each, cell in zip(axes, cells, strict=False):
        each.imshow(to_uint8(cell.pixels))
        each.set_title(cell.title, fontsize=9, loc="left", pad=3)
        if cell.inset is not None:
            corner = each.inset_axes((1 - INSET - 0.02, 0.02, INSET, INSET), anchor="SE")
            corner.imshow(to_uint8(cell.inset))
            corner.set(xticks=[], yticks=[])
            for spine in corner.spines.values():
                spine.set(color=WALL, linewidth=2)
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", facecolor=WALL, metadata={"Software": None})
    write_atomically(writable(path), buffer.getvalue())
