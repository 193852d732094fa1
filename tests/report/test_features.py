"""The drawings of feature maps."""

from __future__ import annotations

import pytest
from matplotlib.figure import Figure

from brought import brought
from drawn import check
from gramarye.explain import features as explained
from gramarye.explain.receptive import Box
from gramarye.pulling import finish
from gramarye.report.features import draw
from gramarye.report.maps import frame


def test_the_drawings_are_fit_to_hang(monkeypatch) -> None:
    drawings = draw(finish(explained.explain(brought(monkeypatch), "quick")))
    check(drawings)
    assert [drawing.name for drawing in drawings] == ["atlas", "channels", "channels relu3_1", "saliency"]


@pytest.mark.parametrize("depth", ["quick", "full"])
def test_a_single_layer_can_be_drawn(depth, monkeypatch) -> None:
    subject = brought(monkeypatch, **{"style.layers": "relu1_1", "content.layers": "relu1_1"})
    check(draw(finish(explained.explain(subject, depth))))


def test_a_frame_goes_around_its_pixels() -> None:
    axes = Figure().subplots()
    frame(axes, Box(2, 4, 6, 10))
    frame(axes, Box(2, 4, 6, 10), scale=(0.5, 0.25))
    whole, small = axes.patches[1], axes.patches[3]
    assert whole.get_xy() == (3.5, 1.5)
    assert (whole.get_width(), whole.get_height()) == (6, 4)
    assert small.get_xy() == (0.5, 0.5)
    assert (small.get_width(), small.get_height()) == (1.5, 2)
