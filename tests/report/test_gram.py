"""The drawings of Gram matrices."""

from __future__ import annotations

import pytest

from brought import brought
from drawn import check, words
from gramarye.explain import gram as explained
from gramarye.pulling import finish
from gramarye.report.gram import draw


@pytest.fixture(autouse=True)
def _few_evaluations(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(explained, "EVALUATIONS", {"quick": 2, "full": 2})


def test_the_drawings_are_fit_to_hang(monkeypatch) -> None:
    section = finish(explained.explain(brought(monkeypatch), "quick"))
    drawings = draw(section)
    check(drawings)
    names = ["matrices", "eigenvalues", "components relu3_1", "textures", "stroke relu3_1"]
    assert [drawing.name for drawing in drawings] == names
    view = next(each for each in section.views if each.layer == "relu3_1")
    titles = {text.get_text() for text in words(drawings[0])}
    assert f"relu3_1 · photograph {view.distance['photograph']:.0%}" in titles
    curve = drawings[1].figure.axes[0].lines[0].get_ydata()
    assert curve[-1] == pytest.approx(1)
    assert curve[0] == pytest.approx(section.views[0].eigenvalues["painting"][0])


def test_a_single_layer_can_be_drawn(monkeypatch) -> None:
    check(draw(finish(explained.explain(brought(monkeypatch, **{"style.layers": "relu2_1"}), "quick"))))
