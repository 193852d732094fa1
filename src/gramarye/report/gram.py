"""Draws the Gram matrices: as heat maps, as components, as textures, and one entry as a brush stroke."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor

from gramarye.explain.components import Component, Synthesis
from gramarye.explain.features import PICTURES, one_of_each_block
from gramarye.explain.gram import ENOUGH, Grams, GramView
from gramarye.explain.pairs import Pair
from gramarye.report.drawing import (
    QUIET,
    STYLE,
    WIDTH,
    Drawing,
    canvas,
    color_of,
    show,
    strip,
)
from gramarye.report.maps import COLORS, TITLE, frame, rooted, row_height, show_positive, show_signed

SHOWN = 4  # components of a layer, places of a pair


def draw(section: Grams) -> list[Drawing]:
    """Matrices, eigenvalues, components of the middle layer, textures, and the pair the photograph lacks most."""
    layers = one_of_each_block([each.layer for each in section.views])
    middle = layers[len(layers) // 2]
    parts = [each for each in section.components if each.layer == middle][:SHOWN]
    drawings = [_matrices([each for each in section.views if each.layer in layers]), _eigenvalues(section.views)]
    drawings.append(_components(parts, section.pictures["photograph"]))
    if section.syntheses:
        drawings.append(_textures(section.syntheses, section.pictures["painting"]))
    strokes = [each for each in section.strokes if each.layer == middle] or list(section.strokes[:1])
    return [*drawings, *(_stroke(each, section.pictures) for each in strokes)]


def _matrices(views: Sequence[GramView]) -> Drawing:
    figure, axes = canvas(len(views), 4, height=len(views) * (WIDTH / 4 + TITLE))
    for row, view in zip(axes, views, strict=True):
        shown = {picture: rooted(each) for picture, each in view.matrices.items()}
        most = max(float(each.abs().max()) for each in shown.values())
        for axis, (picture, matrix) in zip(row, shown.items(), strict=False):
            show_signed(axis, matrix, _title(view, picture), most=most)
        missing = rooted(view.missing)
        louder = most / max(float(missing.abs().max()), 1e-3 * most, 1e-12)
        show_signed(row[3], missing, f"painting − result, ×{louder:.1f}", most=most / louder)
    caption = (
        "Gram matrices: each cell says how much two channels fire together (orange) or against each other (blue; the "
        "root is shown). Channels that fire together in the painting stand together. The last column is what the "
        "result still lacks, shown louder by the factor above it; the per cent are distances to the painting's matrix."
    )
    return Drawing("matrices", caption, figure)


def _title(view: GramView, picture: str) -> str:
    apart = f" {view.distance[picture]:.0%}" if picture in view.distance else ""
    return f"{view.layer} · {picture}{apart}"


def _eigenvalues(views: Sequence[GramView]) -> Drawing:
    figure, axes = canvas(height=3.4)
    axis = axes[0, 0]
    for view in views:
        held = _cumulative(view.eigenvalues["painting"])
        color = color_of("style", view.layer)
        axis.plot(range(1, len(held) + 1), held, color=color, label=f"{view.layer}: {view.needed['painting']}")
        axis.plot(view.needed["painting"], held[view.needed["painting"] - 1], "o", color=color, markersize=5)
    axis.axhline(ENOUGH, color=QUIET, linewidth=0.8, linestyle=":")
    axis.set_xscale("log", base=2)
    axis.xaxis.set_major_formatter(lambda value, _: f"{value:g}")
    axis.yaxis.set_major_formatter(lambda value, _: f"{value:.0%}")
    axis.set_ylim(0, 1.02)
    axis.set_xlabel("leading components")
    axis.set_ylabel("share of the painting's energy")
    axis.legend(title=f"needed for {ENOUGH:.0%}", title_fontsize=8, fontsize=8, loc="lower right", frameon=False)
    caption = (
        "How many components a style has: the share of the energy that the leading eigenvectors of the painting's "
        f"Gram matrix hold, by layer. The dots mark {ENOUGH:.0%}."
    )
    return Drawing("eigenvalues", caption, figure)


def _cumulative(shares: Sequence[float]) -> list[float]:
    held, total = [], 0.0
    for share in shares:
        total += share
        held.append(total)
    return held


def _components(parts: Sequence[Component], photograph: Tensor) -> Drawing:
    figure, axes = canvas(3, len(parts), height=3 * row_height(photograph, len(parts)))
    for column, part in enumerate(parts):
        most = max(float(each.abs().max()) for each in part.maps.values())
        for row, picture in enumerate(PICTURES):
            name = f"component {part.rank}" if row == 0 else ""
            title = f"{name} {picture} {part.shares[picture]:.0%}".strip()
            show_signed(axes[row, column], part.maps[picture][0, 0], title, most=most)
    caption = (
        f"The leading components of the painting's {parts[0].layer} on all three pictures: orange where the "
        "activations point along the eigenvector, blue where they point against it; the per cent are shares of each "
        "picture's energy."
    )
    return Drawing(f"components {parts[0].layer}", caption, figure)


def _textures(syntheses: Sequence[Synthesis], painting: Tensor) -> Drawing:
    named = [("the painting", painting)]
    for each in syntheses:
        many = "all components" if not each.rank else f"{each.rank} component{'s' * (each.rank > 1)}"
        named.append((f"{many}: {each.whole:.0%} off", each.pixels))
    caption = (
        "The style from its leading components: textures painted from noise after that many eigenvectors of the Gram "
        "matrix in every style layer. The per cent are what is missing to the whole matrices."
    )
    return Drawing("textures", caption, strip(named, columns=len(named)), photographic=True)


def _stroke(pair: Pair, pictures: dict[str, Tensor]) -> Drawing:
    """Rows photograph, painting, result; columns the picture, both channels, their product; below, the places."""
    i, j = pair.entry.channels
    tallest = max(pictures.values(), key=lambda each: each.shape[2] / each.shape[3])
    heights = [row_height(tallest, 4)] * 3 + [WIDTH / 4 + TITLE]
    figure, axes = canvas(4, 4, height=sum(heights), height_ratios=heights)
    columns = (pair.first, f"{pair.layer} · {i}"), (pair.second, f"{pair.layer} · {j}"), (pair.product, "both")
    for row, picture in zip(axes[:3], PICTURES, strict=True):
        show(row[0], pictures[picture], picture)
        row[0].set_anchor("NW")
        for axis, (maps, title) in zip(row[1:], columns, strict=True):
            shown = {name: each[0, 0].clamp_min(0).sqrt() for name, each in maps.items()}
            full = title if maps is not pair.product else _together(pair, picture)
            most = max(float(each.max()) for each in shown.values())
            show_positive(axis, shown[picture], full, most=most, color=COLORS[picture])
    for axis in axes[3]:
        axis.set_axis_off()
    for number, (axis, place) in enumerate(zip(axes[3], pair.places, strict=False), start=1):
        show(axis, place.crop, f"{number}: {place.crop.shape[3]}×{place.crop.shape[2]} px of the painting")
        axis.set_anchor("NW")
        frame(axes[1, 0], place.box, color=STYLE)
    caption = (
        f"A pair of channels is a brush stroke: where channels {i} and {j} of {pair.layer} fire, alone and together. "
        "Their entry of the Gram matrix is the mean of the product (maps: the root), and the style loss asks that it "
        "be the painting's, 100%. Below, the patches of the painting where they fire most together."
    )
    return Drawing(f"stroke {pair.layer}", caption, figure, photographic=True)


def _together(pair: Pair, picture: str) -> str:
    """The title of a product's map: the entry of the Gram matrix, the painting's being 100 %."""
    whole = pair.entry.values["painting"]
    return "both (100%)" if picture == "painting" or not whole else f"both ({pair.entry.values[picture] / whole:.0%})"
