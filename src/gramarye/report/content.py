"""Drawings of what each layer keeps of the photograph."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from torch import Tensor

from gramarye.explain.content import Content, Kept
from gramarye.report.drawing import CONTENT, INK, QUIET, WIDTH, Drawing, canvas, show

SHADES = ("#9cc3e6", "#6ba3d6", "#3f82c2", "#2b6cb0", "#1b4673")  # of content, from the first layer to the fifth
COLUMNS = 3
SHOWN_STEPS = 5  # pictures on the way, at most
BAR = 0.018  # of a picture's height: the bar under it
CAPTION = 0.3  # inches for a picture's title, and for the bar under it


def draw(content: Content) -> list[Drawing]:
    """The rebuilt pictures, their errors by depth and on the way, the way itself, conv and pooling."""
    return [_pictures(content), _errors(content), _steps(content), *_compared(content)]


def _pictures(content: Content) -> Drawing:
    worst = max(content.deviation, *(kept.pixel_error for kept in content.layers))
    figure, axes = _grid(content.photograph, math.ceil((len(content.layers) + 1) / COLUMNS))
    places = iter(axes.flat)
    show(next(places), content.photograph, "the photograph")
    for kept, axis in zip(content.layers, places, strict=False):
        show(axis, kept.rebuilt.pixels, f"from {kept.layer}: {_levels(kept.pixel_error)}")
        _bar(axis, kept.pixel_error / worst)
    for axis in list(axes.flat)[len(content.layers) + 1 :]:
        axis.set_axis_off()
    caption = (
        "The photograph rebuilt from one layer at a time, beginning with noise. The bar under each picture is its "
        "error in the pixels, given in levels of 255: what the layer has forgotten."
    )
    return Drawing("content", caption, figure, photographic=True)


def _errors(content: Content) -> Drawing:
    figure, axes = canvas(1, 2, height=3.4)
    _by_depth(axes[0, 0], content)
    _by_evaluation(axes[0, 1], content.layers)
    caption = (
        "Left: the error in the pixels by depth; the lighter line does not count wrong brightness, contrast and tint. "
        "Right: how the layer's own features came back on the way, from 100 % (no likeness at all) down."
    )
    return Drawing("content-errors", caption, figure)


def _by_depth(axis: Any, content: Content) -> None:
    names = [kept.layer for kept in content.layers]
    plain = [255 * kept.pixel_error for kept in content.layers]
    matched = [255 * kept.matched_error for kept in content.layers]
    axis.plot(names, plain, color=CONTENT, marker="o", label="as it is")
    axis.plot(names, matched, color=SHADES[0], marker="o", label="brightness, contrast, tint set right")
    axis.axhline(255 * content.deviation, color=QUIET, linewidth=1, linestyle=":")
    axis.annotate(
        "the mean colour alone",
        (0, 255 * content.deviation),
        xytext=(0, 3),
        textcoords="offset points",
        fontsize=8,
        color=QUIET,
    )
    axis.set_ylim(0, 1.18 * max(*plain, *matched, 255 * content.deviation))
    axis.set_title("Error in the pixels, levels of 255", loc="left", fontsize=9)
    axis.legend(loc="upper left", bbox_to_anchor=(0, 0.7), frameon=False, fontsize=8)


def _by_evaluation(axis: Any, layers: Sequence[Kept]) -> None:
    for place, kept in enumerate(layers):
        evaluations = [max(index, 1) for index, _ in kept.rebuilt.losses]
        errors = [100 * math.sqrt(max(value, 1e-12)) for _, value in kept.rebuilt.losses]
        axis.plot(evaluations, errors, color=_shade(place, len(layers)), label=kept.layer)
    axis.set_xscale("log")
    axis.set_yscale("log")
    axis.xaxis.set_major_formatter(lambda value, _: f"{value:g}")
    axis.yaxis.set_major_formatter(lambda value, _: f"{value:g} %")
    axis.set_title("Error in the layer's own features, after so many evaluations", loc="left", fontsize=9)
    axis.legend(loc="lower left", frameon=False, fontsize=8)


def _steps(content: Content) -> Drawing:
    chosen = _spread(content.layers)
    columns = min(SHOWN_STEPS, *(len(kept.rebuilt.snapshots) for kept in chosen))
    figure, axes = _grid(content.photograph, len(chosen), columns)
    for row, kept in zip(axes, chosen, strict=True):
        frames = kept.rebuilt.snapshots
        frames = (*frames[: columns - 1], frames[-1])
        for axis, frame in zip(row, frames, strict=True):
            after = f"after {frame.index}" if frame.index else f"{kept.layer}: start"
            show(axis, frame.pixels, after)
    caption = (
        f"On the way: {', '.join(kept.layer for kept in chosen)}, from the noise that all begin with, after so many "
        "evaluations of what is asked."
    )
    return Drawing("content-steps", caption, figure, photographic=True)


def _compared(content: Content) -> list[Drawing]:
    if not (content.before_relu or content.other_pooling):
        return []
    rows: dict[str, list[Kept]] = {}
    for kept in (*content.before_relu, *content.other_pooling):
        layer = kept.layer.replace("conv", "relu")
        rows.setdefault(layer, [content.kept_by(layer)]).append(kept)
    columns = max(len(row) for row in rows.values())
    figure, axes = _grid(content.photograph, len(rows), columns)
    for line, row in zip(axes, rows.values(), strict=True):
        for axis, kept in zip(line, row, strict=False):
            show(axis, kept.rebuilt.pixels, f"{kept.layer}, {kept.pooling} pooling: {_levels(kept.pixel_error)}")
        for axis in line[len(row) :]:
            axis.set_axis_off()
    caption = "The same layers before their ReLU, which keeps the sign of every feature, and with the other pooling."
    return [Drawing("content-compared", caption, figure, photographic=True)]


def _grid(picture: Tensor, rows: int, columns: int = COLUMNS) -> Any:
    """A figure for rows of pictures of that shape."""
    tall = picture.shape[2] / picture.shape[3]
    return canvas(rows, columns, height=rows * (WIDTH / columns * tall + CAPTION))


def _bar(axis: Any, length: float) -> None:
    """A bar under a picture, `length` of its width."""
    from matplotlib.patches import Rectangle

    for part, color in ((1.0, "#e4ddcf"), (min(length, 1.0), CONTENT)):
        axis.add_patch(
            Rectangle((0, -2.2 * BAR), part, BAR, transform=axis.transAxes, color=color, clip_on=False, linewidth=0)
        )


def _spread(layers: Sequence[Kept]) -> list[Kept]:
    """The first, the middle and the last."""
    places = sorted({0, len(layers) // 2, len(layers) - 1})
    return [layers[place] for place in places]


def _shade(place: int, count: int) -> str:
    return SHADES[round(place * (len(SHADES) - 1) / max(count - 1, 1))] if count > 1 else INK


def _levels(error: float) -> str:
    return f"{255 * error:.1f}" if 255 * error < 10 else f"{255 * error:.0f}"
