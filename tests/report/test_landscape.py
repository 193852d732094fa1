"""Drawings of the loss around the result."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from gramarye.explain.landscape import Landscape, Path, Plane
from gramarye.report import landscape
from networks import picture


def section(content: float = 1.0) -> Landscape:
    rows = torch.linspace(-1, 1, 7)
    bowl = 1 + rows[:, None].square() + 2 * rows[None, :].square()
    plane = Plane(
        size=(30, 40),
        across=tuple(rows.tolist()),
        up=tuple((2 * rows).tolist()),
        surfaces={"total": bowl, "content": content * bowl, "style": bowl.flip(0) / 2},
        track=torch.tensor([[0.8, 1.5], [0.4, 0.2], [0.0, 0.0]]),
        losses=(4.0, 2.0, 1.0),
        variance=(0.7, 0.2),
    )
    at = tuple(k / 4 for k in range(9))
    curves = {
        "total": (9.0, 7, 5, 3, 1, 2, 3, 4, 3),
        "content": (0.0, 0.1, 0.2, 0.3, 0.5, 1, 1, 1, 1),
        "style": (9.0, 6, 4, 2, 0.5, 1, 2, 3, 0.1),
    }
    stops = (0.0, 0.5, 1.0, 1.5, 2.0)
    path = Path((30, 40), at, curves, stops, tuple(picture(30, 40, k) for k in range(5)), "as it is")
    return Landscape(plane, path)


def test_the_map_and_the_way() -> None:
    drawings = landscape.draw(section())
    assert [each.name for each in drawings] == ["landscape-map", "landscape-way"]
    assert [each.photographic for each in drawings] == [False, True]
    for each in drawings:
        assert 20 < len(each.caption) < 400
        each.figure.canvas.draw()


def test_the_track_is_on_every_map() -> None:
    made = section()
    figure = landscape.draw(made)[0].figure
    assert [axis.get_title(loc="left") for axis in figure.axes] == ["the whole loss", "of it content", "of it style"]
    for axis in figure.axes:
        assert np.allclose(axis.get_lines()[1].get_xydata(), made.plane.track.numpy())
    assert "70%" in figure.axes[1].get_xlabel()
    assert "20%" in figure.axes[0].get_ylabel()


def test_the_curves_are_the_numbers() -> None:
    made = section()
    axis = landscape.draw(made)[1].figure.axes[0]
    lines = {line.get_label(): line.get_ydata() for line in axis.get_lines()}
    assert lines["total"].tolist() == pytest.approx(list(made.path.curves["total"]))
    assert np.isnan(lines["content"][0])  # nothing is off a logarithmic axis
    assert lines["content"][1:].tolist() == pytest.approx(list(made.path.curves["content"][1:]))


def test_a_flat_surface_can_be_drawn() -> None:
    for each in landscape.draw(section(content=0.0)):
        each.figure.canvas.draw()
