"""Drawings of the ledger: which there are, what is in them."""

from __future__ import annotations

import dataclasses
import math

import pytest
import torch

from gramarye.explain.ledger import Channels, Curve, Ledger
from gramarye.explain.subject import Frame
from gramarye.report import ledger
from networks import picture

KINDS = (("content relu4_2", "content"), ("style relu1_1", "style"), ("style relu1_2", "style"), ("tv", "tv"))


def section() -> Ledger:
    steps = 20
    curves = tuple(
        Curve(
            term=name,
            kind=kind,
            layer=name.partition(" ")[2] or "pixels",
            values=tuple((place + 1) / (k + 1) for k in range(steps)),
            weighted=tuple((place + 1) / (k + 1) for k in range(steps)),
            shares=(0.1 * (place + 1),) * steps,
            gradients=tuple((place + 1) / (k + 2) for k in range(steps)),
        )
        for place, (name, kind) in enumerate(KINDS)
    )
    return Ledger(
        steps=tuple(range(1, steps + 1)),
        scales=(0,) * 12 + (1,) * 8,
        totals=tuple(10 / (k + 1) for k in range(steps)),
        curves=curves,
        terms=tuple({"term": each.term, "kind": each.kind, "layer": each.layer, "share": 0.25} for each in curves),
        channels=(Channels("style relu1_1", "relu1_1", (5, 2, 0), (0.5, 0.3, 0.1), 16, 1),),
        frames=tuple(Frame(index, picture(30, 40, index)) for index in (0, 1, 2, 4, 8, 20)),
    )


def test_all_that_is_drawn() -> None:
    drawings = {drawing.name: drawing for drawing in ledger.draw(section())}
    assert list(drawings) == ["ledger-frames", "ledger-loss", "ledger-shares", "ledger-pulls", "ledger-channels"]
    assert [drawing.photographic for drawing in drawings.values()] == [True, False, False, False, False]
    assert all(20 < len(drawing.caption) < 400 for drawing in drawings.values())
    for drawing in drawings.values():
        drawing.figure.canvas.draw()


def test_the_curves_are_the_numbers() -> None:
    made = section()
    drawings = {drawing.name: drawing for drawing in ledger.draw(made)}
    lines = {line.get_label(): line for line in drawings["ledger-loss"].figure.axes[0].get_lines()}
    assert lines["total"].get_ydata().tolist() == pytest.approx(list(made.totals))
    assert lines["tv"].get_ydata().tolist() == pytest.approx(list(made.curves[3].weighted))
    assert lines["style relu1_1"].get_color() == lines["style relu1_2"].get_color()
    assert lines["style relu1_1"].get_linestyle() != lines["style relu1_2"].get_linestyle()
    pulls = {line.get_label(): line for line in drawings["ledger-pulls"].figure.axes[0].get_lines()}
    assert pulls["content relu4_2"].get_ydata().tolist() == pytest.approx(list(made.curves[0].gradients))
    bars = [bar.get_height() for bar in drawings["ledger-channels"].figure.axes[0].patches]
    assert bars == pytest.approx([0.5, 0.3, 0.1])


def test_the_frames_are_the_pictures() -> None:
    (frames, *_) = ledger.draw(section())
    shown = [axis for axis in frames.figure.axes if axis.images]
    assert [axis.get_title(loc="left") for axis in shown][:3] == ["at the start", "after 1 step", "after 2 steps"]
    assert len(shown) == 6
    found = torch.from_numpy(shown[2].images[0].get_array().data / 255).permute(2, 0, 1)[None]
    assert float((found - picture(30, 40, 2)).abs().max()) < 0.01


def test_without_pulls_or_a_run() -> None:
    made = section()
    blind = [dataclasses.replace(curve, gradients=(math.nan,) * 20) for curve in made.curves]
    names = [drawing.name for drawing in ledger.draw(dataclasses.replace(made, curves=tuple(blind)))]
    assert "ledger-pulls" not in names
    brought = dataclasses.replace(made, steps=(), scales=(), totals=(), curves=(), frames=(), channels=())
    (terms,) = ledger.draw(brought)
    assert terms.name == "ledger-terms"
    assert [bar.get_width() for bar in terms.figure.axes[0].patches] == [0.25] * 4
