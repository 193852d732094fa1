"""Draws what shuffling does: to a layer's maps and its Gram matrix, to the two losses, to the picture in tiles."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from torch import Tensor

from gramarye.explain.features import one_of_each_block
from gramarye.explain.shuffling import TINY, Shuffled, Shuffling, Tiled
from gramarye.report.drawing import (
    CONTENT,
    INK,
    OTHER,
    QUIET,
    STYLE,
    WIDTH,
    Drawing,
    canvas,
    color_of,
    strip,
)
from gramarye.report.maps import TITLE, rooted, show_positive, show_signed

BIG = 21  # points: the two numbers
NUMBERS = 0.7  # inches for them


def draw(section: Shuffling) -> list[Drawing]:
    """A layer before and after, the losses of all layers, the picture in tiles, and what tiles cost."""
    layers = one_of_each_block([each.layer for each in section.layers])
    middle = next(each for each in section.layers if each.layer == layers[len(layers) // 2])
    drawings = [_before_and_after(middle), _losses(section.layers)]
    if section.tiles:
        drawings += [_pictures(section), _tiles(section)]
    return drawings


def _before_and_after(layer: Shuffled) -> Drawing:
    before, after = layer.maps_before[0, 0], layer.maps_after[0, 0]
    heights = (WIDTH / 4 * min(max(before.shape[0] / before.shape[1], 1), 1.5) + TITLE, NUMBERS)
    figure, axes = canvas(2, 4, height=sum(heights), height_ratios=heights)
    most = max(float(before.max()), float(after.max()))
    show_positive(axes[0, 0], before, f"{layer.layer}: its loudest channel", most=most, color=CONTENT)
    show_positive(axes[0, 1], after, "its positions shuffled", most=most, color=CONTENT)
    titles = ("Gram matrix before", "Gram matrix after")
    for axis, matrix, title in zip(axes[0, 2:], (layer.gram_before, layer.gram_after), titles, strict=True):
        show_signed(axis, rooted(matrix), title)
    for axis in axes[1]:
        axis.set_axis_off()
    ratio = layer.content / max(layer.nothing, TINY)
    _number(axes[1, 0], f"content 0 → {ratio:.2f}", "1: what no activations at all would lose", CONTENT)
    _number(axes[1, 2], f"style ± {layer.gram_change:.0e}", "largest change, relative to the largest entry", STYLE)
    caption = (
        f"Every position of {layer.layer} put somewhere else, all channels of a position together. The content loss "
        "sees another picture; the Gram matrix, a mean over positions, sees none but rounding."
    )
    return Drawing("positions", caption, figure)


def _number(axes: Any, number: str, unit: str, color: str) -> None:
    """A big number below two pictures, and what it is relative to; it takes no part in the layout."""
    for text, height, size, shade in ((number, 1.0, BIG, color), (unit, 0.25, 8.5, QUIET)):
        axes.text(0, height, text, transform=axes.transAxes, fontsize=size, color=shade, va="top").set_in_layout(False)


def _losses(layers: Sequence[Shuffled]) -> Drawing:
    figure, axes = canvas(height=3.3)
    axis, across = axes[0, 0], range(len(layers))
    kinds = (
        ("positions shuffled", CONTENT, [each.content / max(each.nothing, TINY) for each in layers]),
        ("the painted result", STYLE, [each.result / max(each.nothing, TINY) for each in layers]),
        ("half the resolution", QUIET, [each.half / max(each.nothing, TINY) for each in layers]),
        ("faint grain", OTHER, [each.grain / max(each.nothing, TINY) for each in layers]),
    )
    for number, (label, color, values) in enumerate(kinds):
        places = [place + 0.2 * (number - 1.5) for place in across]
        axis.bar(places, values, width=0.18, color=color, label=label)
    axis.axhline(1, color=INK, linewidth=0.8, linestyle=":")
    axis.set_yscale("log")
    axis.set_ylim(top=8)
    axis.set_xticks(list(across), [each.layer for each in layers])
    axis.set_ylabel("content loss (1: no activations)")
    axis.legend(loc="upper center", ncols=4, fontsize=8, frameon=False)
    caption = (
        "What the content loss says of the photograph with its positions shuffled, beside that of the painted result, "
        "and of the same photograph at half its resolution and with faint grain. The dotted line is what no picture at "
        "all would lose."
    )
    return Drawing("losses", caption, figure)


def _pictures(section: Shuffling) -> Drawing:
    named: list[tuple[str, Tensor]] = [("the photograph", section.photograph)]
    named += [(f"tiles of {each.tile} px", each.pixels) for each in section.tiles]
    caption = (
        "The photograph with its square tiles shuffled (what is left over at the right and the bottom stays). Within a "
        "tile everything is as it was: the same strokes, elsewhere."
    )
    return Drawing("tiles", caption, strip(named, columns=3), photographic=True)


def _tiles(section: Shuffling) -> Drawing:
    figure, axes = canvas(1, 2, height=3.2, sharex=True)
    sizes = [each.tile for each in section.tiles]
    _curves(axes[0, 0], section.tiles, section.style_layers, "style")
    _curves(axes[0, 1], section.tiles, section.content_layers, "content")
    for axis in axes.flat:
        axis.axhline(1, color=INK, linewidth=0.8, linestyle=":")
        axis.set_xscale("log", base=2)
        axis.set_xticks(sizes, [f"{size}" for size in sizes])
        axis.minorticks_off()
        axis.set_xlabel("tiles, px")
        axis.set_ylim(bottom=0)
        axis.legend(fontsize=8, frameon=False)
    axes[0, 0].set_title("change of the Gram matrices (1: the way to the painting's)", fontsize=8.5, loc="left")
    axes[0, 1].set_title("content loss (1: no activations)", fontsize=8.5, loc="left")
    caption = (
        "Style lives in neighbourhoods: how far the Gram matrices move, and what content is lost, by the size of the "
        "tiles. What a layer sees at once stays whole only in tiles that are larger."
    )
    return Drawing("tile sizes", caption, figure)


def _curves(axis: Any, tiles: Sequence[Tiled], layers: Sequence[str], kind: str) -> None:
    for layer in layers:
        values = [each.gram[layer] if kind == "style" else each.content[layer] for each in tiles]
        color = color_of(kind, layer)
        axis.plot([each.tile for each in tiles], values, marker="o", markersize=4, color=color, label=layer)
