"""The drawings of feature visualisation: complete, readable, and honest about what a unit sees."""

from __future__ import annotations

import torch
from matplotlib.colors import to_hex
from matplotlib.patches import Rectangle

import drawn
from gramarye.explain.responses import Patch, Unit
from gramarye.explain.visualization import Found, Visualization
from gramarye.report.drawing import CONTENT, INK, STYLE
from gramarye.report.visualization import draw
from networks import picture


def found(layer: str, kind: str, number: int, strongest: float = 1230.0, side: int = 10) -> Found:
    patch = Patch(picture(28, 28, number), 45, 67, 30, 51, side, 615.0, 100.0)
    other = Patch(picture(28, 28, number), 5, 6, 0, 0, side, 1845.0, 50.0)
    unit = Unit(layer, kind, number, torch.ones(4) / 2, None if kind == "channel" else 0.456)
    return Found(unit, picture(64, 64, number + 50), strongest / 2, strongest, patch, other)


def section(*layers: str) -> Visualization:
    numbers = (("channel", 3), ("channel", 511), ("direction", 1), ("direction", 2))
    units = [found(layer, kind, number) for layer in layers for kind, number in numbers]
    return Visualization(tuple(units), 64, 96)


def test_every_unit_is_drawn_beside_the_painting() -> None:
    channels, directions, strengths = draw(section("relu2_1", "relu4_1"))
    drawn.check([channels, directions, strengths])
    assert channels.photographic
    assert directions.photographic
    assert not strengths.photographic
    texts = [text.get_text() for text in drawn.words(channels)]
    assert "relu4_1\nchannel 511" in texts
    assert texts.count("1,230") == 4
    assert texts.count("615") == 4
    assert "relu2_1\ndirection 1 · 46%" in [text.get_text() for text in drawn.words(directions)]
    assert sum(bool(axes.images) for axes in channels.figure.axes) == 8


def test_pictures_are_large_enough_for_a_phone() -> None:
    for drawing in draw(section("relu2_1", "relu3_1", "relu4_1"))[:2]:
        drawing.figure.canvas.draw()
        for axes in drawing.figure.axes:
            assert axes.get_window_extent().width / drawing.figure.dpi >= 1.3


def test_the_frame_is_where_the_unit_looks() -> None:
    """Centred on its place, as wide as its receptive field; none where the patch is what it sees."""
    channels = draw(section("relu2_1"))[0]
    frames = [patch for axes in channels.figure.axes for patch in axes.patches if isinstance(patch, Rectangle)]
    assert len(frames) == 2
    assert (frames[0].get_x(), frames[0].get_y()) == (67 - 51 - 5.5, 45 - 30 - 5.5)
    assert (frames[0].get_width(), frames[0].get_height()) == (10, 10)
    whole = draw(Visualization((found("relu4_1", "channel", 1, side=28),), 64, 96))[0]
    assert not [patch for axes in whole.figure.axes for patch in axes.patches]


def test_strengths_are_relative_to_the_paintings() -> None:
    (axes,) = draw(section("relu2_1"))[-1].figure.axes
    places = {to_hex(dots.get_facecolor()[0]): dots.get_offsets()[0, 0] for dots in axes.collections[:3]}
    assert places == {CONTENT: 3.0, STYLE: 1.0, INK: 2.0}


def test_units_of_one_kind_or_of_one_layer() -> None:
    only = Visualization((found("relu2_1", "direction", 1),), 64, 96)
    assert [drawing.name for drawing in draw(only)] == ["visualization-directions", "visualization-strengths"]
    drawn.check(draw(only))
    uneven = Visualization((*only.found, found("relu3_1", "direction", 1), found("relu3_1", "direction", 2)), 64, 96)
    drawn.check(draw(uneven))


def test_a_painting_that_excites_nothing() -> None:
    dead = found("relu2_1", "channel", 1)
    silent = Patch(dead.painting.pixels, 0, 0, 0, 0, 10, 0.0, 0.0)
    nothing = Found(dead.unit, dead.picture, 0.0, 0.004, silent, silent)
    drawn.check(draw(Visualization((nothing,), 64, 96)))
