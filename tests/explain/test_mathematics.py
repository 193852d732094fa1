"""The mathematics: the section, and that its sums are the objective's own under other settings."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
import torch
import torch.nn.functional as F

from brought import CONTENT, RESULT, STYLE, brought, told
from gramarye import detail, statistics, weights
from gramarye.explain import mathematics
from gramarye.explain.formulas import Formula
from gramarye.explain.mathematics import Mathematics
from gramarye.explain.subject import Subject, bring
from gramarye.presets import preset
from gramarye.pulling import finish
from networks import picture, random_weights


def kinds(formulas: tuple[Formula, ...]) -> dict[str, Formula]:
    return {formula.key: formula for formula in formulas}


def worked_out(subject: Subject) -> tuple[tuple[Formula, ...], bool]:
    found, _, as_published = finish(mathematics.live_formulas(subject))
    return found, as_published


def test_the_section(monkeypatch: pytest.MonkeyPatch) -> None:
    subject = brought(monkeypatch)
    found = told(mathematics.explain, subject)
    assert isinstance(found, Mathematics)
    assert list(kinds(found.formulas)) == [
        "content", "gram", "layer", "style", "variation", "total", "update", "content gradient", "style gradient",
    ]  # fmt: skip
    layers = [formula.layer for formula in found.formulas if formula.key == "layer"]
    assert tuple(layers) == subject.settings.style.layers
    assert all(formula.difference < 1e-5 for formula in found.formulas)
    assert found.as_published
    names = {*subject.settings.style.layers, *subject.settings.content.layers}
    assert {each.layer for each in found.gradients if each.key == "style"} == names
    assert all(each.difference < mathematics.AGREEMENT for each in found.gradients)
    assert found.network == "vgg19-lite"
    assert {row.name for row in found.rows if row.forward is not None} == {row.name for row in found.rows}
    assert found.rows[-1].part == "unused"
    assert [row.name for row in found.published if row.part == "cut off"] == ["fc6", "fc7", "fc8", "softmax"]
    assert "143.67 million parameters, of which 123.64 million (86%)" in found.findings[-1]
    assert "What painted here has 0.81 million" in found.findings[-1]


def test_the_result_is_what_the_formulas_are_worked_out_at(monkeypatch: pytest.MonkeyPatch) -> None:
    subject = brought(monkeypatch)
    found, _ = worked_out(subject)
    layer = subject.settings.content.layers[0]
    with torch.no_grad():
        seen, wanted = (subject.network(each, [layer])[layer] for each in (RESULT, CONTENT))
    edges = 1 + subject.settings.content.detail * detail.edges(CONTENT)
    places = F.adaptive_avg_pool2d(edges / edges.mean(), seen.shape[2:])
    assert places.std() > 0.1
    assert found[0].value == pytest.approx(float((places * (seen - wanted).square()).sum() / 2), rel=1e-5)
    assert "wₖ" in found[0].text
    style = next(formula for formula in found if formula.key == "layer")
    with torch.no_grad():
        grams = [statistics.gram_matrix(subject.network(each, [style.layer])[style.layer]) for each in (RESULT, STYLE)]
    assert style.value == pytest.approx(float((grams[0] - grams[1]).square().sum()) / (4 * 64**2), rel=1e-4)
    assert subject.network.width(style.layer) == 64, "N is the published network's"


@pytest.mark.parametrize(
    "knobs",
    [
        {"balance": "raw", "content.reduction": "sum", "style.weight": "1e-6"},
        {"style.normalization": "hw"},
        {"style.normalization": "chw", "balance": "raw"},
        {"content.layers": "conv_4,relu2_1", "style.layers": "relu1_1,conv3_1"},
        {"content.weight": 0.0},
        {"content.detail": 0.0},
        {"style.weight": 0.0, "smoothness.weight": 0.0, "smoothness.chroma": 0.0, "smoothness.box": 0.0},
        {"strength": 0.5},
    ],
)
def test_the_total_of_the_formulas_is_the_objectives(monkeypatch: pytest.MonkeyPatch, knobs: dict[str, object]) -> None:
    """α·L_content + β·L_style + smoothness, from the papers' forms, whatever the settings' units."""
    subject = brought(monkeypatch, **knobs)
    found, as_published = worked_out(subject)
    assert as_published
    total = kinds(found)["total"]
    with torch.no_grad():
        own = float(
            subject.objective.total(subject.objective.values(subject.network(RESULT, subject.objective.layers)))
        )
    assert total.own == pytest.approx(own, rel=1e-6)
    assert total.value == pytest.approx(own, rel=1e-5)
    assert ("smooth" in total.text) == (subject.settings.smoothness.weight > 0)


@pytest.mark.parametrize("knob", [{"style.statistic": "w2"}, {"style.distance": "l1"}, {"content.distance": "huber"}])
def test_other_measures_are_said_to_be_others(monkeypatch: pytest.MonkeyPatch, knob: dict[str, str]) -> None:
    found, as_published = worked_out(brought(monkeypatch, **knob))
    assert not as_published
    total = kinds(found)["total"]
    assert "otherwise than the papers" in total.meaning
    assert total.difference < 1e-5
    assert kinds(found)["style"].difference < 1e-5


def test_several_paintings_are_mixed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(weights, "load", lambda *_: random_weights())
    settings = preset("default").with_(**{"style.mix": "3,1", "style.layers": "relu2_1"})
    subject = bring(RESULT, CONTENT, [STYLE, picture(64, 40, 7)], settings)
    found, as_published = worked_out(subject)
    assert as_published
    with torch.no_grad():
        seen = [statistics.gram_matrix(subject.network(each, ["relu2_1"])["relu2_1"]) for each in subject.styles]
        own = statistics.gram_matrix(subject.network(RESULT, ["relu2_1"])["relu2_1"])
    by_hand = float((own - 0.75 * seen[0] - 0.25 * seen[1]).square().sum()) / (4 * 128**2)
    assert kinds(found)["layer"].value == pytest.approx(by_hand, rel=1e-4)
    assert kinds(found)["total"].difference < 1e-5


def test_gradients_are_in_the_order_of_the_network(monkeypatch: pytest.MonkeyPatch) -> None:
    subject = brought(monkeypatch, **{"content.layers": "relu4_2", "style.layers": "relu3_1,conv_4,pixels,pool1"})
    found = finish(mathematics.live_gradients(subject))
    assert [each.layer for each in found[::2]] == ["pool1", "conv2_2", "relu3_1", "relu4_2"]
    assert [each.rectified for each in found[::2]] == [False, False, True, True]
    assert all(each.difference < 1e-10 for each in found)


def test_findings_say_so_where_gradients_do_not_agree(monkeypatch: pytest.MonkeyPatch) -> None:
    found = finish(mathematics.explain(brought(monkeypatch), "quick"))
    assert "equal those" in found.findings[1]
    wrong = replace(found.gradients[0], difference=0.25)
    spoilt = replace(found, gradients=(wrong, *found.gradients[1:]))
    assert "do not equal those" in spoilt.findings[1]
    assert f"0.2 of the largest entry ({wrong.key}, {wrong.layer})" in spoilt.findings[1]


def test_the_step_keeps_what_it_promises_on_a_straight_slope(monkeypatch: pytest.MonkeyPatch) -> None:
    """The move's numbers, computed again, and that a thousandth of white is what it moves by."""
    subject = brought(monkeypatch)
    found = finish(mathematics.explain(subject, "quick"))
    start = statistics.match_color_moments(CONTENT, STYLE).requires_grad_()
    total = subject.objective.total(subject.objective.values(subject.network(start, subject.objective.layers)))
    (slope,) = torch.autograd.grad(total, start)
    move = found.move
    assert move.before == pytest.approx(float(total.detach()), rel=1e-5)
    assert move.gradient_norm == pytest.approx(float(slope.norm()), rel=1e-4)
    assert move.rate * move.gradient_norm == pytest.approx(1e-3 * math.sqrt(slope.numel()), rel=1e-6)
    with torch.no_grad():
        moved = start - move.rate * slope
        after = subject.objective.total(subject.objective.values(subject.network(moved, subject.objective.layers)))
    assert move.after == pytest.approx(float(after), rel=1e-4)
    assert move.kept == pytest.approx((move.before - move.after) / (move.rate * move.gradient_norm**2))
    update = kinds(found.formulas)["update"]
    place = int(slope.abs().argmax())
    assert update.value == pytest.approx(float(moved.flatten()[place]), rel=1e-4)
