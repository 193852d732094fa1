"""Attribution: the section, the details lost and their remedies."""

from __future__ import annotations

import math
from functools import cache

import pytest
import torch

from gramarye import detail, weights
from gramarye.explain import attribution
from gramarye.explain.subject import Subject, bring, paint
from gramarye.presets import preset
from gramarye.pulling import finish
from networks import picture, random_weights
from pictures import painting

SMALL = preset("default").with_(
    size=48,
    steps=10,
    **{"scales.count": 1, "scales.shares": "", "style.layers": "relu1_1,relu2_1", "content.layers": "relu3_2"},
)


@pytest.fixture(autouse=True)
def _small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(weights, "load", lambda *_: random_weights())
    quick = {"deletion": 32, "repaint": 32, "evaluations": 6}
    monkeypatch.setattr(attribution, "DEPTHS", {"quick": quick, "full": quick})
    monkeypatch.setattr(attribution, "MUCH", 0.1)


@cache
def subject() -> Subject:
    return finish(paint(painting(48, 40, seed=1), picture(40, 40, 2), SMALL))


@cache
def pulled() -> tuple[attribution.Attribution, list[float]]:
    """The section, and the fractions on the way."""
    work, done = attribution.explain(subject(), "quick"), []
    while True:
        try:
            done.append(next(work))
        except StopIteration as end:
            return end.value, done


def section() -> attribution.Attribution:
    return pulled()[0]


def test_fractions_rise_to_one() -> None:
    done = pulled()[1]
    assert done == sorted(done)
    assert 0 <= done[0] < 0.1
    assert 0.9 < done[-1] <= 1


def test_the_same_seed_finds_the_same() -> None:
    one, two = (finish(attribution._blames(subject().shrunk(32)))[1] for _ in range(2))
    assert one == two == section().deletions


def test_what_it_holds() -> None:
    found = section()
    assert found.photograph.shape == found.result.picture.shape == (1, 3, 48, 40)
    assert torch.equal(found.result.picture, subject().result)
    assert [each.term for each in found.blames] == ["content relu3_2", "style relu1_1", "style relu2_1"]
    assert [each.layer for each in found.deletions] == ["relu1_1", "relu2_1"]
    assert found.blames[1].places.shape == (1, 1, 32, 27)
    assert found.lost.map.shape == (1, 1, 48, 40)
    numbers = found.numbers()
    assert {"result", "start", "deletions", "findings"} <= numbers.keys()
    assert all(math.isfinite(each["p"]) for each in numbers["deletions"])


def test_the_findings_say_what_the_numbers_say() -> None:
    found = section()
    text = " ".join(found.findings)
    assert f"(cosine {found.result.cosine:+.2f} over all pixels)" in text
    assert ("against each other" in text) == (found.result.cosine < 0)
    assert f"in {sum(each.p < 0.01 for each in found.deletions)} of 2 layers" in text
    assert f"lost {found.lost.share:.0%} of the photograph's edges" in text
    leader = max(found.result.areas, key=lambda term: found.result.areas[term])
    assert f"{leader} pulls hardest in {found.result.areas[leader]:.0%} of the result" in text


def test_blame_that_fails_is_said_to_fail() -> None:
    good, bad = section().deletions
    failed = attribution.Deletion(bad.term, bad.layer, bad.edited, bad.places, 0.0, bad.random, 11, 0.95)
    (said,) = attribution._tested((good, failed))
    assert "in 1 of 2 layers" in said
    assert "not in relu2_1" in said


def test_share_lost_is_its_formula() -> None:
    photograph, painted = picture(40, 48, 1), picture(40, 48, 2)
    share, gathered = attribution.share_lost(photograph, painted)
    edges = detail.edges(photograph).flatten().tolist()
    kept = detail.kept(photograph, painted).flatten().tolist()
    gone = [edge * (1 - rest) for edge, rest in zip(edges, kept, strict=True)]
    assert share == pytest.approx(sum(gone) / sum(edges), rel=1e-4)
    assert gathered == pytest.approx(sum(sorted(gone, reverse=True)[: len(gone) // 10]) / sum(gone), rel=1e-4)


def test_nothing_is_lost_of_the_same_picture_or_of_a_plain_one() -> None:
    photograph = picture(40, 48, 1)
    assert attribution.share_lost(photograph, photograph)[0] == pytest.approx(0, abs=1e-3)
    assert attribution.share_lost(torch.full((1, 3, 40, 48), 0.5), photograph)[0] == 0
    assert attribution.share_lost(painting(40, 48, seed=1), painting(40, 48, seed=2))[0] > 0.5


def test_where_little_is_lost_nothing_is_repainted() -> None:
    same = finish(
        attribution.explain(bring(picture(48, 40, 1), picture(48, 40, 1), picture(40, 40, 2), SMALL), "quick")
    )
    assert (same.lost.before, same.lost.tried) == (None, ())
    assert "no remedy" in same.findings[-1]
    assert all(pull.norm == 0 for pull in same.result.pulls if pull.kind == "content")


def test_remedies_are_tried_and_the_best_is_named() -> None:
    lost = section().lost
    assert lost.share > attribution.MUCH
    assert [list(each.knobs) for each in lost.tried] == [
        ["content.detail", "content.detail_from"],
        ["strength"],
        ["content.weight"],
    ]
    best = min(lost.tried, key=lambda each: each.share)
    said = section().findings[-1]
    assert f"where {lost.before:.0%} is lost as it is, {next(iter(best.knobs))}=" in said
    assert f"loses {best.share:.0%}" in said
    assert ("keeps most" in said) == (best.share < lost.before)


def test_every_remedy_is_a_valid_knob_that_changes_the_picture() -> None:
    for extreme in (SMALL, SMALL.with_(**{"content.detail": 100, "content.weight": 1e12, "strength": 2})):
        for knobs in attribution.remedies(extreme):
            assert extreme.with_(**knobs) is not extreme
    small = subject().shrunk(32)
    plain = finish(attribution._repainted(small, {}, 6))
    for knobs in attribution.remedies(SMALL):
        assert not torch.equal(finish(attribution._repainted(small, knobs, 6)), plain)


def test_other_statistics_and_no_content() -> None:
    asked = SMALL.with_(**{"style.statistic": "moments", "content.weight": 0})
    found = finish(attribution.explain(finish(paint(painting(48, 40, seed=1), picture(40, 40, 2), asked)), "quick"))
    assert [each.kind for each in found.blames] == ["style", "style"]
    assert found.result.cosine == 0
    assert "does not pull at all" in found.findings[0]
