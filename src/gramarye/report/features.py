"""Draws the feature maps: each layer's loudest channels, one channel through three pictures, what a unit heeds."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from torch import Tensor

from gramarye.explain.features import PICTURES, Atlas, Channel, Features, one_of_each_block
from gramarye.explain.receptive import Box, Saliency
from gramarye.report.drawing import CONTENT, STYLE, Drawing, canvas, sequential, show
from gramarye.report.maps import COLORS, frame, row_height, show_positive

COLUMNS = 6
DEEPEST = 3  # layers whose saliency is drawn: what a unit of the first ones sees is too small to be seen
GREY = 0.45  # how much of a picture's contrast is left under a saliency map


def draw(section: Features) -> list[Drawing]:
    """The atlas, the loudest channel of each layer side by side, more of one layer, and saliency."""
    layers = one_of_each_block([each.layer for each in section.atlases])
    atlases = [each for each in section.atlases if each.layer in layers]
    by_layer = {layer: [each for each in section.channels if each.layer == layer] for layer in layers}
    first = [each[0] for each in by_layer.values() if each]
    middle = by_layer[layers[len(layers) // 2]]
    drawings = [_atlas(atlases), _side_by_side(first, section, "channels", "The loudest channel of each block")]
    if len(middle) > 1:
        what = f"The {len(middle)} loudest channels of {middle[0].layer}"
        drawings.append(_side_by_side(middle, section, f"channels {middle[0].layer}", what))
    salient = [each for each in section.saliencies if each.layer in layers][-DEEPEST:]
    return [*drawings, _saliency(salient, section.pictures["photograph"])]


def _atlas(atlases: Sequence[Atlas]) -> Drawing:
    shape = atlases[0].maps["photograph"]
    figure, axes = canvas(len(atlases), COLUMNS, height=len(atlases) * row_height(shape, COLUMNS))
    for row, atlas in zip(axes, atlases, strict=True):
        for place, axis in enumerate(row):
            if place >= len(atlas.channels):
                axis.set_axis_off()
                continue
            name = f"{atlas.layer} · {atlas.channels[place]}" if place == 0 else f"{atlas.channels[place]}"
            show_positive(axis, atlas.maps["photograph"][place, 0], name, color=CONTENT)
    caption = (
        "Where in the photograph each layer's loudest channels fire, the loudest first. From row to row a unit sees "
        "more of the picture, and the maps grow coarser: what it is remains, where it is gets vague."
    )
    return Drawing("atlas", caption, figure)


def _side_by_side(channels: Sequence[Channel], section: Features, name: str, what: str) -> Drawing:
    """For each channel its map on the three pictures, and beside each the patch where it fires most."""
    pictures = section.pictures
    tallest = max(pictures.values(), key=lambda each: each.shape[2] / each.shape[3])
    figure, axes = canvas(len(channels), COLUMNS, height=len(channels) * row_height(tallest, COLUMNS))
    for row, channel in zip(axes, channels, strict=True):
        most = max(float(each.max()) for each in channel.maps.values())
        for place, picture in enumerate(PICTURES):
            _one(row[2 * place], row[2 * place + 1], channel, picture, pictures[picture], most)
    caption = (
        f"{what} in photograph, painting and result, all three on one scale, and beside each map the patch of pixels "
        "at which the channel fires most: what this unit sees."
    )
    return Drawing(name, caption, figure, photographic=True)


def _one(left: Any, right: Any, channel: Channel, picture: str, pixels: Tensor, most: float) -> None:
    found, at = channel.maps[picture][0, 0], channel.peaks[picture]
    title = f"{channel.layer} · {channel.index}" if picture == PICTURES[0] else f"the {picture}"
    show_positive(left, found, title, most=most, color=COLORS[picture])
    scale = (found.shape[0] / pixels.shape[2], found.shape[1] / pixels.shape[3])
    frame(left, at.box, color=COLORS[picture], scale=scale)
    show(right, at.crop, f"peak: {_sides(at.box)} px")
    right.set_anchor("NW")


def _saliency(found: Sequence[Saliency], photograph: Tensor) -> Drawing:
    figure, axes = canvas(1, len(found), height=row_height(photograph, len(found)))
    for axis, each in zip(axes.flat, found, strict=True):
        faint = 1 - GREY * (1 - photograph.mean(1, keepdim=True).expand(-1, 3, -1, -1))
        show(axis, faint, f"{each.layer} · {each.channel}: half in {each.half:.0%} of its frame")
        heat = (each.map[0, 0] / each.map.max().clamp_min(1e-30)).sqrt().numpy()
        axis.imshow(heat, cmap=sequential(STYLE), vmin=0, vmax=1, alpha=heat)
        frame(axis, each.box)
    caption = (
        "Which pixels of the photograph move the unit at which a layer's loudest channel fires most (orange; the root "
        "of the gradient's size). The frame is all that the unit can see; how little of it holds half of the gradient "
        "stands above."
    )
    return Drawing("saliency", caption, figure, photographic=True)


def _sides(box: Box) -> str:
    return f"{box.right - box.left}×{box.bottom - box.top}"
