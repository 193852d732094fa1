"""The drawings of the Gram loss as a kernel's."""

from __future__ import annotations

import dataclasses

import pytest

from brought import RESULT, STYLE, brought
from drawn import check, words
from gramarye.explain import kernels as explained
from gramarye.pulling import finish
from gramarye.report.kernels import draw


def test_the_drawings_are_fit_to_hang(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(explained, "EVALUATIONS", {"quick": 1, "full": 1})
    section = finish(explained.explain(brought(monkeypatch), "quick"))
    drawings = draw(section)
    check(drawings)
    assert [drawing.name for drawing in drawings] == ["identity", "paintings", "distances"]
    cells = [text for text in words(drawings[2]) if text.get_text().endswith("%")]
    assert len(cells) == len(explained.COMPARED) ** 2
    bold = [text.get_text() for text in cells if text.get_weight() == "bold"]
    least = {min(each.distances[name] for each in section.paintings) for name in explained.COMPARED}
    assert {f"{value:.1%}" for value in least} == set(bold)
    assert len(draw(dataclasses.replace(section, paintings=()))) == 1


@pytest.mark.parametrize("result", [RESULT, STYLE])
def test_one_layer_and_a_result_that_is_the_painting_can_be_drawn(result, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(explained, "EVALUATIONS", {"quick": 1})
    monkeypatch.setattr(explained, "COMPARED", ("gram", "moments"))
    subject = dataclasses.replace(brought(monkeypatch, **{"style.layers": "pixels"}), result=result)
    check(draw(finish(explained.explain(subject, "quick"))))
