"""The drawings of a report: one look for all of them. Content is blue, style is orange, everywhere."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from jaxtyping import Float
from torch import Tensor

from gramarye.images import to_uint8

if TYPE_CHECKING:
    from matplotlib.figure import Figure

WALL = "#f6f3ec"  # the gallery's warm off-white
INK = "#3b3630"
QUIET = "#8b8376"  # axes, ticks, what is not the point
CONTENT = "#2b6cb0"
STYLE = "#d9731a"
OTHER = "#7a8b69"  # neither: total variation, the penalty outside the range
KINDS = {"content": CONTENT, "style": STYLE}
STYLE_SHADES = ("#f6c28b", "#eda052", "#d9731a", "#a8500c", "#6e3206")  # from the first layer to the fifth
WIDTH = 9.0  # inches: the column of the page
DPI = 140


@dataclass(frozen=True)
class Drawing:
    """One figure of a report: `name` is the stem of its files, `caption` says in a sentence what is to be seen.

    `photographic` figures are pictures rather than lines: the page holds them as JPEG, the others as SVG.
    """

    name: str
    caption: str
    figure: Figure = field(repr=False)
    photographic: bool = False


def color_of(kind: str, layer: str = "") -> str:
    """The colour of a term: blue content, orange style (darker with depth), green the rest."""
    if kind == "style" and layer[-3:-2].isdigit():
        return STYLE_SHADES[int(layer[-3]) - 1]
    return KINDS.get(kind, OTHER)


def diverging() -> Any:
    """Blue for less, orange for more, the wall between."""
    from matplotlib.colors import LinearSegmentedColormap

    return LinearSegmentedColormap.from_list("diverging", [CONTENT, WALL, STYLE])


def sequential(color: str = INK) -> Any:
    """From the wall to a colour."""
    from matplotlib.colors import LinearSegmentedColormap

    return LinearSegmentedColormap.from_list("sequential", [WALL, color])


def canvas(rows: int = 1, columns: int = 1, *, width: float = WIDTH, height: float = 3.2, **ratios: Any) -> Any:
    """A figure and its axes (always an array, rows × columns), in the look of the house."""
    from matplotlib import rc_context
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    with rc_context(STYLE_OF_AXES):
        figure = Figure(figsize=(width, height), dpi=DPI, facecolor=WALL, layout="constrained")
        FigureCanvasAgg(figure)
        axes = figure.subplots(rows, columns, squeeze=False, **ratios)
    return figure, axes


STYLE_OF_AXES: dict[Any, Any] = {
    "axes.facecolor": WALL,
    "axes.edgecolor": QUIET,
    "axes.labelcolor": INK,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.titlesize": 9,
    "axes.titlelocation": "left",
    "axes.labelsize": 8.5,
    "xtick.color": QUIET,
    "ytick.color": QUIET,
    "xtick.labelsize": 8,
    "ytick.labelsize": 8,
    "text.color": INK,
    "lines.linewidth": 1.6,
    "legend.frameon": False,
    "legend.fontsize": 8,
}


def show(axes: Any, pixels: Float[Tensor, "1 3 h w"], title: str = "") -> None:
    """A picture on its axes, with its title above and no frame."""
    axes.imshow(to_uint8(pixels.detach().cpu().clamp(0, 1)))
    axes.set_title(title.replace("$", r"\$"), fontsize=8.5, loc="left", pad=3)
    axes.set_axis_off()


def strip(pictures: Sequence[tuple[str, Tensor]], *, columns: int = 6, width: float = WIDTH) -> Figure:
    """Pictures side by side, each (title, 1 3 H W), in rows of at most `columns`."""
    columns = min(columns, len(pictures))
    rows = math.ceil(len(pictures) / columns)
    tall = max(pixels.shape[2] / pixels.shape[3] for _, pixels in pictures)
    figure, axes = canvas(rows, columns, width=width, height=rows * (width / columns * tall + 0.25))
    for place, axis in enumerate(axes.flat):
        if place < len(pictures):
            show(axis, pictures[place][1], pictures[place][0])
        else:
            axis.set_axis_off()
    found: Figure = figure
    return found
