"""Drawings of what pulls each place."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import torch

from gramarye.explain.attribution import Attribution, Lost, Remedy
from gramarye.explain.blame import Blame, Deletion
from gramarye.explain.pulls import Pull, Pulls
from gramarye.report import attribution, drawing
from networks import picture

TERMS = (("content relu4_2", "content", "relu4_2"), ("style relu1_1", "style", "relu1_1"), ("tv", "tv", "pixels"))


def pulls(seed: int) -> Pulls:
    leader = torch.zeros(1, 1, 30, 40, dtype=torch.int64)
    leader[..., 20:] = 1
    return Pulls(
        picture=picture(30, 40, seed),
        pulls=tuple(
            Pull(*term, 1.0 + k, picture(30, 40, seed + k).mean(1, keepdim=True)) for k, term in enumerate(TERMS)
        ),
        conflict=2 * picture(30, 40, seed + 9).mean(1, keepdim=True) - 1,
        cosine=-0.5,
        opposed=0.4,
        leader=leader,
        areas={"content relu4_2": 0.5, "style relu1_1": 0.5, "tv": 0.0},
        left=0.1,
    )


def section() -> Attribution:
    return Attribution(
        photograph=picture(30, 40, 1),
        result=pulls(2),
        start=pulls(3),
        blames=tuple(Blame(*term, torch.rand(1, 1, 6, 8), torch.rand(4)) for term in TERMS[:2]),
        deletions=(Deletion("style relu1_1", "relu1_1", 5, 48, 0.3, (0.0, 0.1, 0.2), 3, 0.125),),
        lost=Lost(picture(30, 40, 8).mean(1, keepdim=True), 0.6, 0.3, 0.4, (Remedy({"strength": "0.6"}, 0.3),)),
    )


def test_all_that_is_drawn() -> None:
    drawings = attribution.draw(section())
    assert [each.name for each in drawings] == [
        "attribution-pulls-result",
        "attribution-conflict",
        "attribution-leaders",
        "attribution-blame",
        "attribution-deletion",
        "attribution-lost",
    ]
    assert [each.photographic for each in drawings] == [True, True, True, True, False, True]
    for each in drawings:
        assert 20 < len(each.caption) < 400
        each.figure.canvas.draw()


def test_without_blame_there_is_the_rest() -> None:
    names = [each.name for each in attribution.draw(dataclasses.replace(section(), blames=(), deletions=()))]
    assert names == ["attribution-pulls-result", "attribution-conflict", "attribution-leaders", "attribution-lost"]


def test_pulls_have_their_share() -> None:
    figure = attribution.draw(section())[0].figure
    titles = [axis.get_title(loc="left") for axis in figure.axes]
    assert titles[:4] == ["the result", "content relu4_2 · 17%", "style relu1_1 · 33%", "tv · 50%"]


def test_agreement_is_blue_and_conflict_orange() -> None:
    made = section()
    image = attribution.draw(made)[1].figure.axes[3].images[0]
    assert np.allclose(image.get_array(), -made.result.conflict[0, 0])
    from matplotlib.colors import to_rgb

    assert image.cmap(0.0)[:3] == pytest.approx(to_rgb(drawing.CONTENT), abs=0.01)
    assert image.cmap(1.0)[:3] == pytest.approx(to_rgb(drawing.STYLE), abs=0.01)


def test_places_are_in_the_colour_of_who_leads() -> None:
    colors = attribution.draw(section())[2].figure.axes[3].images[0].get_array()
    left, right = colors[:, :20].mean((0, 1)), colors[:, 20:].mean((0, 1))
    assert left[2] > left[0]  # content is blue
    assert right[0] > right[2]  # style is orange


def test_the_deletion_test_is_all_there() -> None:
    axis = attribution.draw(section())[4].figure.axes[0]
    random, blamed = axis.collections
    assert random.get_offsets()[:, 0].tolist() == pytest.approx([0.0, 0.1, 0.2])
    assert blamed.get_offsets()[:, 0].tolist() == pytest.approx([0.3])
    assert "3 of 3, p = 0.1" in axis.texts[0].get_text()
