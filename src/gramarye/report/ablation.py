"""Drawings of the ablation: the pictures, what an absence costs where, and the scores of all variants."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from torch import Tensor

from gramarye.explain.ablation import Ablation, Painted
from gramarye.report.drawing import CONTENT, INK, STYLE, WALL, WIDTH, Drawing, canvas, diverging, show

COLUMNS = 4
CAPTION = 0.26  # inches for a picture's title
ROW = 0.23  # inches for a bar
CELL = 0.36  # inches for a row of the table
MOST = 1.0  # powers of two at which the table's colours end: half as far, twice as far


def draw(ablation: Ablation) -> list[Drawing]:
    """Pictures without something, pictures from few layers, the table of costs and the scores of all."""
    return [_without(ablation), *_fewer(ablation), _costs(ablation), _scores(ablation)]


def _without(ablation: Ablation) -> Drawing:
    variants = (ablation.full, *ablation.of("without"), *ablation.of("content"), *ablation.of("conv"))
    pictures = [("the photograph", ablation.photograph), ("the painting", ablation.painting)]
    figure = _pictures([*pictures, *((each.name, each.rebuilt.pixels) for each in variants)], ablation.photograph)
    caption = (
        "Painted anew at a small size, always from the same start and equally long: with everything that was asked, "
        "and with one thing left out or changed."
    )
    return Drawing("ablation", caption, figure, photographic=True)


def _fewer(ablation: Ablation) -> list[Drawing]:
    found = []
    if ablation.of("alone"):
        variants = (*ablation.of("alone"), ablation.full)
        figure = _pictures([(each.name, each.rebuilt.pixels) for each in variants], ablation.photograph)
        caption = "With a single style layer, which weighs as much as all of them did, and with all."
        found.append(Drawing("ablation-alone", caption, figure, photographic=True))
    if ablation.of("cumulative"):
        variants = (ablation.of("alone")[0], *ablation.of("cumulative"), ablation.full)
        figure = _pictures([(each.name, each.rebuilt.pixels) for each in variants], ablation.photograph)
        caption = "One style layer more at a time, from the first to all."
        found.append(Drawing("ablation-cumulative", caption, figure, photographic=True))
    return found


def _pictures(pictures: Sequence[tuple[str, Tensor]], shape: Tensor) -> Any:
    rows = math.ceil(len(pictures) / COLUMNS)
    tall = shape.shape[2] / shape.shape[3]
    figure, axes = canvas(rows, COLUMNS, height=rows * (WIDTH / COLUMNS * tall + CAPTION))
    for axis in axes.flat:
        axis.set_axis_off()
    for axis, (title, pixels) in zip(axes.flat, pictures, strict=False):
        show(axis, _cropped(pixels, tall), title)
    return figure


def _cropped(pixels: Tensor, tall: float) -> Tensor:
    """The middle of a picture, of the shape of the others."""
    height, width = pixels.shape[2], pixels.shape[3]
    rows, columns = min(height, round(width * tall)), min(width, round(height / tall))
    top, left = (height - rows) // 2, (width - columns) // 2
    return pixels[:, :, top : top + rows, left : left + columns]


def _costs(ablation: Ablation) -> Drawing:
    """A table: what was left out, and the distance at each layer relative to that of the whole objective."""
    rows = [*ablation.of("without"), *ablation.of("content"), *ablation.of("conv")]
    layers = (*ablation.style_layers, *ablation.held_out_layers)
    figure, axes = canvas(height=1.0 + CELL * max(len(rows), 1))
    axis = axes[0, 0]
    ratios = [[_ratio(row, ablation.full, layer) for layer in layers] for row in rows]
    if rows:
        powers = [[math.log2(ratio) for ratio in line] for line in ratios]
        axis.imshow(powers, cmap=diverging(), vmin=-MOST, vmax=MOST, aspect="auto")
    for down, (row, line) in enumerate(zip(rows, ratios, strict=True)):
        for along, (layer, ratio) in enumerate(zip(layers, line, strict=True)):
            weight = "bold" if layer == row.changed else "normal"
            color = WALL if abs(math.log2(ratio)) > 0.75 * MOST else INK
            axis.text(along, down, f"{ratio:.2f}", ha="center", va="center", fontsize=7.5, color=color, weight=weight)
    axis.axvline(len(ablation.style_layers) - 0.5, color=INK, linewidth=1.2)
    axis.set_yticks(range(len(rows)), [row.name for row in rows])
    axis.set_xticks(range(len(layers)), layers, rotation=45, ha="right")
    axis.tick_params(length=0, labelcolor=INK)
    axis.spines[:].set_visible(False)
    axis.set_title("asked for by the whole objective  |  never asked for", loc="left", fontsize=9)
    caption = (
        "The style's distance at each layer, as a multiple of that with everything asked for: orange is further from "
        "the painting, blue nearer. Bold is the layer that was left out; right of the line are the layers that no "
        "painting was asked about."
    )
    return Drawing("ablation-costs", caption, figure)


def _ratio(row: Painted, full: Painted, layer: str) -> float:
    return max(row.style[layer], 1e-6) / max(full.style[layer], 1e-6)


def _scores(ablation: Ablation) -> Drawing:
    """Two rows of bars: the style's and the content's distance of every variant, the whole objective as a line."""
    variants = list(ablation.painted)
    figure, axes = canvas(1, 2, height=0.9 + ROW * len(variants), sharey=True)
    scores = (("style", ablation.style_score, STYLE), ("content", ablation.content_score, CONTENT))
    for axis, (what, score, color) in zip(axes[0], scores, strict=True):
        values = [100 * score(each) for each in variants]
        shades = [color if each.kind == "full" else _pale(color) for each in variants]
        axis.barh(range(len(variants)), values, color=shades, height=0.72)
        axis.axvline(values[0], color=color, linewidth=1)
        for place, value in enumerate(values):
            ground = {"facecolor": WALL, "edgecolor": "none", "pad": 0.6}
            axis.annotate(
                f"{value:.0f}",
                (value, place),
                xytext=(4, 0),
                textcoords="offset points",
                va="center",
                fontsize=7.5,
                color=INK,
                bbox=ground,
            )
        axis.set_title(f"distance from the {_of(what)}, %", loc="left", fontsize=9)
        axis.set_yticks(range(len(variants)), [each.name for each in variants])
        axis.tick_params(axis="y", length=0, labelcolor=INK)
        axis.margins(x=0.08, y=0.02)
    axes[0, 0].invert_yaxis()
    caption = (
        "All variants, scored where nothing was asked of any of them: how far from the painting's Gram matrices "
        "(orange) and from the photograph's features (blue). The line is the whole objective. Shorter is nearer."
    )
    return Drawing("ablation-scores", caption, figure)


def _of(what: str) -> str:
    return "painting's style" if what == "style" else "photograph's content"


def _pale(color: str) -> Any:
    """The colour on its way to the wall."""
    from matplotlib.colors import to_rgb

    return tuple(0.5 * (one + other) for one, other in zip(to_rgb(color), to_rgb(WALL), strict=True))
