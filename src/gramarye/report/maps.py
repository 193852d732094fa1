"""Maps beside pictures: in one colour or around zero, with frames on them, in rows of one height."""

from __future__ import annotations

from typing import Any

from torch import Tensor

from gramarye.explain.receptive import Box
from gramarye.report.drawing import CONTENT, INK, STYLE, WIDTH, diverging, sequential

COLORS = {"photograph": CONTENT, "painting": STYLE, "result": INK}
TITLE = 0.25  # inches above each row
TALLEST = 1.5  # of a picture in a row, relative to its width


def frame(axes: Any, box: Box, *, color: str = INK, scale: tuple[float, float] = (1.0, 1.0)) -> None:
    """A box drawn on a picture, or on a map that has `scale` (rows, columns) of its pixels."""
    from matplotlib.patches import Rectangle

    down, across = scale
    corner = (box.left * across - 0.5, box.top * down - 0.5)
    size = ((box.right - box.left) * across, (box.bottom - box.top) * down)
    axes.add_patch(Rectangle(corner, *size, fill=False, edgecolor="white", linewidth=2.6))
    axes.add_patch(Rectangle(corner, *size, fill=False, edgecolor=color, linewidth=1.3))


def show_positive(axes: Any, values: Tensor, title: str, *, most: float | None = None, color: str = INK) -> None:
    """A map from the wall (0 and below) to a colour (`most`, by default the map's largest value)."""
    top = most or float(values.max()) or 1.0
    axes.imshow(values.float().numpy(), cmap=sequential(color), vmin=0, vmax=max(top, 1e-12))
    _finish(axes, title)


def show_signed(axes: Any, values: Tensor, title: str, *, most: float | None = None) -> None:
    """A map around zero from blue to orange, `most` (by default its largest size) being full colour."""
    top = max(most or float(values.abs().max()), 1e-12)
    axes.imshow(values.float().numpy(), cmap=diverging(), vmin=-top, vmax=top)
    _finish(axes, title)


def rooted(matrix: Tensor) -> Tensor:
    """sign(G)·√|G| of a matrix 1 1 b b: a few loud channels would drown all others."""
    return matrix[0, 0].sign() * matrix[0, 0].abs().sqrt()


def row_height(pixels: Tensor, columns: int) -> float:
    """Inches that a row of so many pictures of this shape takes, with its titles."""
    return WIDTH / columns * min(pixels.shape[2] / pixels.shape[3], TALLEST) + TITLE


def _finish(axes: Any, title: str) -> None:
    axes.set_title(title, fontsize=8.5, loc="left", pad=3)
    axes.set_axis_off()
    axes.set_anchor("NW")
