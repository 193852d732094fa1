"""Contact sheets: pictures side by side, each with its title and, in a corner, what it was painted after."""

from __future__ import annotations

import io
import math
import textwrap
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

from jaxtyping import Float
from torch import Tensor

from gramarye import images
from gramarye.errors import ImageError
from gramarye.files import writable, write_atomically
from gramarye.images import to_uint8

CELL = 3.2  # inches
DPI = 140
CAPTION = 0.25  # inches above each row
GAP = 0.09  # inches between pictures and around them
EMPTY, TALLEST = 0.3, 2.0  # a cell's height relative to its width: without a picture, and at most
INSET = 0.3  # of the cell's height
LETTERS = 48  # of a title in a cell's width
WALL = "#f6f3ec"  # the gallery's warm off-white
INK = "#5d574d"
COLUMNS, ROWS = 8, 6  # of one page
LONG_SIDE = round(CELL * DPI)  # pixels of a picture on a sheet


@dataclass(frozen=True)
class Cell:
    """One picture of a sheet, 1 3 H W; `inset` is shown small in its lower right corner.

    In place of a picture that is missing there is `note`.
    """

    title: str
    pixels: Float[Tensor, "1 3 h w"] | None = field(repr=False)
    inset: Float[Tensor, "1 3 hi wi"] | None = field(default=None, repr=False)
    note: str = ""


def thumbnail(path: str | Path, long_side: int = LONG_SIDE) -> Float[Tensor, "1 3 h w"] | None:
    """The picture in a file, shrunk to what a sheet shows; None if it cannot be read."""
    try:
        pixels = images.load(path).pixels
    except ImageError:
        return None
    size = (pixels.shape[2], pixels.shape[3])
    return pixels if max(size) <= long_side else images.resize(pixels, images.fitted_size(size, long_side))


def contact_sheets(cells: Iterable[Cell], path: Path, *, columns: int) -> list[Path]:
    """Draw any number of cells on as many sheets as they need and return their paths: sheet.png, sheet-2.png …

    Only one sheet's cells are held at a time. Raises ImageError when one cannot be written.
    """
    columns = min(columns, COLUMNS)
    rest, pages = iter(cells), list[Path]()
    while page := list(islice(rest, columns * ROWS)):
        pages.append(path.with_name(f"{path.stem}-{len(pages) + 1}{path.suffix}") if pages else path)
        contact_sheet(page, pages[-1], columns=columns)
    return pages


def contact_sheet(cells: Sequence[Cell], path: Path, *, columns: int | None = None) -> None:
    """Draw the cells in rows and write them as PNG; raises ImageError when it cannot be written."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    columns = columns or math.ceil(math.sqrt(len(cells)))
    rows = [cells[start : start + columns] for start in range(0, len(cells), columns)]
    heights = [CELL * max(map(_shape, row)) for row in rows]
    width, height = columns * (CELL + GAP) + GAP, sum(heights) + len(rows) * CAPTION + GAP
    figure = Figure(figsize=(width, height), dpi=DPI, facecolor=WALL)
    FigureCanvasAgg(figure)
    top = height
    for row, tall in zip(rows, heights, strict=True):
        top -= CAPTION + tall
        for column, cell in enumerate(row):
            left = GAP + column * (CELL + GAP)
            _draw(figure.add_axes((left / width, top / height, CELL / width, tall / height)), cell)
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", facecolor=WALL, metadata={"Software": None})
    write_atomically(writable(path), buffer.getvalue())


def _shape(cell: Cell) -> float:
    """The height of a cell relative to its width."""
    return EMPTY if cell.pixels is None else min(cell.pixels.shape[2] / cell.pixels.shape[3], TALLEST)


def _draw(axes: Any, cell: Cell) -> None:
    """One cell: the picture, at the top of its place, under its title."""
    axes.set_axis_off()
    axes.set_anchor("N")
    title = textwrap.shorten(cell.title, LETTERS, placeholder=" …").replace("$", r"\$")
    axes.set_title(title or " ", fontsize=9, loc="left", pad=3)
    if cell.pixels is None:
        note = textwrap.fill(textwrap.shorten(cell.note, 6 * LETTERS, placeholder=" …"), LETTERS - 4)
        axes.text(0.5, 0.5, note.replace("$", r"\$"), ha="center", va="center", fontsize=8, color=INK)
        return
    axes.imshow(to_uint8(cell.pixels))
    if cell.inset is not None:
        corner = axes.inset_axes((1 - INSET - 0.02, 0.02, INSET, INSET), anchor="SE")
        corner.imshow(to_uint8(cell.inset))
        corner.set(xticks=[], yticks=[])
        for spine in corner.spines.values():
            spine.set(color=WALL, linewidth=2)
