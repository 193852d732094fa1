"""Draws what channels and directions long to see, beside the patch of the painting that comes nearest."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from gramarye.explain.responses import Patch
from gramarye.explain.visualization import Found, Visualization
from gramarye.report.drawing import CONTENT, INK, QUIET, STYLE, WIDTH, Drawing, canvas, show

DECIMALS = 1e3  # responses below are written with digits after the point


def draw(section: Visualization) -> list[Drawing]:
    """The channels, the Gram directions, and how strongly each is excited by what."""
    captions = {
        "channel": "The picture that a channel asks for and, at its right, the patch of the painting that excites it "
        "most, each with its strongest response; the frame is what one unit sees. These channels respond to the "
        "painting more than to the photograph.",
        "direction": "The same for the strongest directions of the painting's Gram matrix, mixtures of channels that "
        "go together in it, each with its share of the matrix.",
    }
    drawings = [
        Drawing(f"visualization-{kind}s", caption, _pairs(section.of(kind)), photographic=True)
        for kind, caption in captions.items()
        if section.of(kind)
    ]
    excited = [each for each in section.found if each.painting.strongest > 0]
    if not excited:
        return drawings
    caption = "How strongly each is excited at the best place, the painting's best patch being 1."
    return [*drawings, Drawing("visualization-strengths", caption, _strengths(excited))]


def _pairs(found: Sequence[Found]) -> Any:
    """One row a layer; each picture with the painting's patch at its right."""
    layers = list(dict.fromkeys(each.unit.layer for each in found))
    rows = [[each for each in found if each.unit.layer == layer] for layer in layers]
    columns = 2 * max(len(row) for row in rows)
    figure, axes = canvas(len(rows), columns, height=len(rows) * (WIDTH / columns + 0.5))
    for axis in axes.flat:
        axis.set_axis_off()
    for row, line in zip(axes, rows, strict=True):
        for place, each in enumerate(line):
            _pair(row[2 * place], row[2 * place + 1], each)
    return figure


def _pair(left: Any, right: Any, each: Found) -> None:
    unit, share = each.unit, f" · {each.unit.share:.0%}" if each.unit.share is not None else ""
    show(left, each.picture, f"{unit.layer}\n{unit.kind} {unit.number}{share}")
    show(right, each.painting.pixels, "in the painting,\nmost like it")
    _frame(right, each.painting)
    for axis, strongest, color in ((left, each.strongest, INK), (right, each.painting.strongest, STYLE)):
        axis.images[0].set_interpolation("bicubic")
        axis.text(0, -0.03, _number(strongest), transform=axis.transAxes, va="top", fontsize=9, color=color)


def _frame(axis: Any, patch: Patch) -> None:
    """What the unit sees of the patch, where that is not all of it."""
    from matplotlib.patches import Rectangle

    if patch.side < patch.pixels.shape[2]:
        corner = (patch.column - patch.left - patch.side / 2 - 0.5, patch.row - patch.top - patch.side / 2 - 0.5)
        axis.add_patch(Rectangle(corner, patch.side, patch.side, fill=False, edgecolor=STYLE, linewidth=1.8))


def _strengths(found: Sequence[Found]) -> Any:
    """One line a unit: photograph (blue), painting (orange, 1) and the picture made for it (ink)."""
    figure, ((axis,),) = canvas(height=0.9 + 0.27 * len(found))
    for place, each in enumerate(reversed(found)):
        unit = each.painting.strongest
        values = (each.photograph.strongest / unit, each.painting.strongest / unit, each.strongest / unit)
        axis.plot([min(values), max(values)], [place, place], color=QUIET, linewidth=0.8, zorder=1)
        for value, color, size in zip(values, (CONTENT, STYLE, INK), (38, 38, 62), strict=True):
            axis.scatter([value], [place], s=size, color=color, zorder=2)
        axis.text(values[2], place, f"   {values[2]:.1f}×", va="center", fontsize=8, color=INK)
    axis.set_yticks(range(len(found)), [each.unit.name for each in reversed(found)])
    axis.set_xlim(left=0)
    axis.margins(x=0.12)
    axis.tick_params(axis="y", length=0)
    axis.set_xlabel("strongest response, the painting's being 1")
    for label, color in (
        ("best place of the photograph", CONTENT),
        ("of the painting", STYLE),
        ("of the picture made for it", INK),
    ):
        axis.scatter([], [], s=38, color=color, label=label)
    figure.legend(loc="outside upper left", ncols=3, frameon=False, fontsize=8.5, labelcolor=INK)
    return figure


def _number(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= DECIMALS else f"{value:.3g}"
