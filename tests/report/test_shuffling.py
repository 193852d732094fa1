"""The drawings of what shuffling does."""

from __future__ import annotations

import dataclasses

import pytest

from brought import brought
from drawn import check, words
from gramarye.explain import shuffling as explained
from gramarye.pulling import finish
from gramarye.report.shuffling import draw


def test_the_drawings_are_fit_to_hang(monkeypatch) -> None:
    section = finish(explained.explain(brought(monkeypatch), "quick"))
    drawings = draw(section)
    check(drawings)
    assert [drawing.name for drawing in drawings] == ["positions", "losses", "tiles", "tile sizes"]
    shown = next(each for each in section.layers if each.layer == "relu3_1")
    big = {text.get_text() for text in words(drawings[0])}
    assert {f"content 0 → {shown.content / shown.nothing:.2f}", f"style ± {shown.gram_change:.0e}"} <= big
    heights = [bar.get_height() for bar in drawings[1].figure.axes[0].patches[: len(section.layers)]]
    assert heights == pytest.approx([each.content / each.nothing for each in section.layers])


def test_without_tiles_the_positions_are_drawn(monkeypatch) -> None:
    section = finish(explained.explain(brought(monkeypatch), "full"))
    drawings = draw(dataclasses.replace(section, tiles=()))
    check(drawings)
    assert len(drawings) == 2
