"""Drawings of what each layer holds of the painting's style."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from torch import Tensor

from gramarye.explain.reconstruction import Rebuilt
from gramarye.explain.textures import Textures, distance
from gramarye.report.drawing import INK, QUIET, STYLE_SHADES, WIDTH, Drawing, canvas, show

COLUMNS = 3
CAPTION = 0.26  # inches for a picture's title


def draw(textures: Textures) -> list[Drawing]:
    """Textures from cumulative sets of layers and from each alone, and how far they are from the painting."""
    return [_cumulative(textures), _alone(textures), _distances(textures)]


def _cumulative(textures: Textures) -> Drawing:
    figure = _pictures(textures.painting, textures.cumulative)
    caption = (
        "The painting, and pictures from noise that have only its Gram matrices, of the first layer, of the first two, "
        "and so on. Look for colours, strokes and whole motifs: which come back, and where? The number is the distance "
        "from the painting's Gram matrices at layers that were not asked for."
    )
    return Drawing("textures", caption, figure, photographic=True)


def _alone(textures: Textures) -> Drawing:
    figure = _pictures(textures.painting, textures.alone)
    caption = "The same from each layer alone: what it holds of colours, of strokes and of motifs without the others."
    return Drawing("textures-alone", caption, figure, photographic=True)


def _pictures(painting: Tensor, textures: Sequence[Rebuilt]) -> Any:
    rows = math.ceil((len(textures) + 1) / COLUMNS)
    tall = painting.shape[2] / painting.shape[3]
    figure, axes = canvas(rows, COLUMNS, height=rows * (WIDTH / COLUMNS * tall + CAPTION))
    pictures = [("the painting", painting)]
    pictures += [(f"{texture.name}: {distance(texture):.1%}", texture.pixels) for texture in textures]
    for axis in axes.flat:
        axis.set_axis_off()
    for axis, (title, pixels) in zip(axes.flat, pictures, strict=False):
        show(axis, pixels, title)
    return figure


def _distances(textures: Textures) -> Drawing:
    figure, axes = canvas(1, 2, height=3.8, sharey=True)
    titles = ("From one layer more at a time", "From one layer alone")
    for axis, series, title in zip(axes[0], (textures.cumulative, textures.alone), titles, strict=True):
        _lines(axis, textures, series, title)
    axes[0, 0].set_ylabel("relative distance of Gram matrices")
    caption = (
        "How far the textures are from the painting's Gram matrices at layers that none of them was asked for, from "
        "the first to the deepest. The dark line is that from all layers; the dotted one is the painting's own left "
        "half, for scale."
    )
    return Drawing("textures-distances", caption, figure)


def _lines(axis: Any, textures: Textures, series: Sequence[Rebuilt], title: str) -> None:
    layers = list(textures.held_out_layers)
    if textures.of_half:
        axis.plot(
            layers, [100 * textures.of_half[layer] for layer in layers], color=QUIET, linestyle=":", label="left half"
        )
    fewer = [texture for texture in series if texture is not textures.together]
    for place, texture in enumerate(fewer):
        shade = STYLE_SHADES[round(place * (len(STYLE_SHADES) - 1) / max(len(fewer) - 1, 1))]
        axis.plot(layers, _percent(texture, layers), color=shade, marker=".", label=texture.name)
    axis.plot(layers, _percent(textures.together, layers), color=INK, linewidth=2.6, marker="o", label="all layers")
    axis.set_yscale("log")
    axis.yaxis.set_major_formatter(lambda value, _: f"{value:g} %")
    axis.yaxis.set_minor_formatter(lambda value, _: f"{value:g} %" if f"{value:g}"[0] in "25" else "")
    axis.tick_params(axis="x", rotation=45)
    axis.tick_params(axis="y", which="minor", labelsize=8)
    axis.set_title(title, loc="left", fontsize=9)
    axis.legend(frameon=False, fontsize=7.5)


def _percent(texture: Rebuilt, layers: Sequence[str]) -> list[float]:
    return [100 * texture.held_out[layer] for layer in layers]
