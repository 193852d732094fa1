"""Leaving out: which objectives are made and how they weigh, that all begin alike, what the scores and findings say."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import pytest
import torch

from gramarye import weights
from gramarye.explain import ablation
from gramarye.explain.ablation import Ablation, Painted
from gramarye.explain.reconstruction import root_mean_square
from gramarye.explain.subject import Subject, bring
from gramarye.explain.variants import Variant, variants
from gramarye.objective import Objective
from gramarye.pulling import finish
from gramarye.settings import Settings
from networks import picture, random_weights
from sections import tiny

GATYS = {"style.layers": ("relu1_1", "relu2_1", "relu3_1"), "content.layers": ("relu3_2",)}


def brought(settings: Settings) -> Subject:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(weights, "load", lambda *_: random_weights())
        return bring(picture(48, 40, 3), picture(48, 40, 1), picture(40, 40, 2), settings)


@cache
def section(evaluations: int = 6, **changes: object) -> Ablation:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ablation, "SIDES", {"quick": 32})
        patch.setattr(ablation, "EVALUATIONS", {"quick": evaluations})
        return finish(ablation.explain(brought(tiny(**GATYS).with_(**changes)), "quick"))


@cache
def made(**changes: object) -> tuple[Subject, tuple[Variant, ...]]:
    subject = brought(tiny(**GATYS).with_(**changes))
    terms = subject.objective.terms
    return subject, variants(subject.network, terms, subject.content, subject.styles, subject.settings.style)


def weighted_at_the_photograph(subject: Subject, variant: Variant) -> dict[str, float]:
    objective = Objective(variant.terms)
    values = objective.values(subject.network(subject.content, objective.layers))
    return {term.name: term.weight * float(values[term.name]) for term in variant.terms}


def style_total(subject: Subject, variant: Variant) -> float:
    weighted = weighted_at_the_photograph(subject, variant)
    return sum(value for name, value in weighted.items() if name.startswith("style"))


def test_every_variant_is_made() -> None:
    _, plans = made()
    assert [plan.name for plan in plans] == [
        "all layers",
        "without relu1_1",
        "without relu2_1",
        "without relu3_1",
        "only relu1_1",
        "only relu2_1",
        "only relu3_1",
        "up to relu2_1",
        "without content",
        "conv for ReLU",
    ]
    layers = {plan.name: plan.layers for plan in plans}
    assert layers["all layers"] == ("relu1_1", "relu2_1", "relu3_1")
    assert layers["without relu2_1"] == ("relu1_1", "relu3_1")
    assert layers["only relu2_1"] == ("relu2_1",)
    assert layers["up to relu2_1"] == ("relu1_1", "relu2_1")
    assert layers["conv for ReLU"] == ("conv1_1", "conv2_1", "conv3_1")
    assert layers["without content"] == layers["all layers"]


@pytest.mark.parametrize("balance", ["start", "raw"])
def test_a_layer_left_out_leaves_the_others_as_they_are(balance: str) -> None:
    subject, plans = made(balance=balance)
    full = {term.name: term for term in plans[0].terms}
    assert sum(weighted_at_the_photograph(subject, plans[0]).values()) == pytest.approx(1, rel=1e-4)
    own = {term.name: term.weight for term in subject.objective.terms}
    factors = [term.weight / own[name] for name, term in full.items()]
    assert factors == [pytest.approx(factors[0])] * len(full)
    for plan in plans:
        if plan.kind in ("without", "content"):
            assert all(term == full[term.name] for term in plan.terms)
            assert len(plan.terms) == len(full) - 1
        assert {term.name for term in plan.terms if term.kind in ("tv", "box")} == {"tv", "chroma", "box"}


@pytest.mark.parametrize("balance", ["start", "raw"])
def test_layers_alone_take_over_the_whole_style_total(balance: str) -> None:
    subject, plans = made(balance=balance)
    whole = style_total(subject, plans[0])
    for plan in plans:
        if plan.kind in ("alone", "cumulative"):
            assert style_total(subject, plan) == pytest.approx(whole, rel=1e-4)
            rest = {term.name: term.weight for term in plan.terms if term.kind != "style"}
            assert rest == {term.name: term.weight for term in plans[0].terms if term.kind != "style"}
    two = next(plan for plan in plans if plan.kind == "cumulative")
    weight = {term.name: term.weight for term in plans[0].terms}
    ratios = [term.weight / weight[term.name] for term in two.terms if term.kind == "style"]
    assert ratios[0] == pytest.approx(ratios[1])


def test_a_convolution_weighs_at_the_photograph_what_its_relu_did() -> None:
    subject, plans = made()
    full, conv = (weighted_at_the_photograph(subject, plan) for plan in (plans[0], plans[-1]))
    for layer in ("1_1", "2_1", "3_1"):
        assert conv[f"style conv{layer}"] == pytest.approx(full[f"style relu{layer}"], rel=1e-4)
    _, back = made(**{"style.layers": ("conv1_1", "conv2_1")})
    assert back[-1].name == "ReLU for conv"
    assert back[-1].layers == ("relu1_1", "relu2_1")


def test_what_cannot_be_taken_away_is_not() -> None:
    kinds = {
        "one layer": [plan.kind for plan in made(**{"style.layers": ("relu2_1",)})[1]],
        "no content": [plan.kind for plan in made(**{"content.weight": 0})[1]],
        "no style": [plan.kind for plan in made(**{"style.weight": 0})[1]],
        "pool": [plan.kind for plan in made(**{"style.layers": ("pool1", "pool2")})[1]],
        "both": [plan.kind for plan in made(**{"style.layers": ("relu1_1", "conv1_1", "relu2_1")})[1]],
    }
    assert kinds["one layer"] == ["full", "content", "conv"]
    assert "content" not in kinds["no content"]
    assert kinds["no style"] == ["full"]
    assert kinds["pool"] == ["full", "without", "without", "alone", "alone", "content"]
    assert kinds["both"][-1] == "conv"


def test_many_layers_are_taken_away_by_blocks() -> None:
    names = ("1_1", "1_2", "2_1", "2_2", "3_1", "3_2", "3_3", "3_4", "4_1")
    _, plans = made(**{"style.layers": tuple(f"relu{name}" for name in names), "content.layers": ("relu4_2",)})
    without = {plan.changed: plan.layers for plan in plans if plan.kind == "without"}
    assert list(without) == ["block 1", "block 2", "block 3", "block 4"]
    assert without["block 3"] == ("relu1_1", "relu1_2", "relu2_1", "relu2_2", "relu4_1")


def test_layers_are_taken_in_order_from_the_input_also_by_their_aliases() -> None:
    _, plans = made(**{"style.layers": ("relu_5", "relu_1", "relu2_1")})  # relu_5 is relu3_1
    assert [plan.changed for plan in plans if plan.kind == "alone"] == ["relu_1", "relu2_1", "relu_5"]


def test_all_are_painted_alike_and_scored_where_none_was_asked() -> None:
    found = section()
    assert found.held_out_layers[:3] == ("relu1_2", "relu2_2", "relu3_3")
    assert not set(found.held_out_layers) & {"relu1_1", "relu2_1", "relu3_1", "relu3_2"}
    for painted in found.painted:
        assert torch.equal(painted.rebuilt.snapshots[0].pixels, found.start.clamp(0, 1))
        assert painted.rebuilt.evaluations >= 6
        assert set(painted.style) == {*found.style_layers, *found.held_out_layers}
        assert set(painted.content) == {*found.content_layers, *found.held_out_layers}
        assert painted.rebuilt.losses[-1][1] < painted.rebuilt.losses[0][1]
    mean = sum(found.full.style[layer] for layer in found.held_out_layers) / len(found.held_out_layers)
    assert found.style_score(found.full) == pytest.approx(mean)
    assert len(
        {
            id(painted)
            for kind in ("full", "without", "alone", "cumulative", "content", "conv")
            for painted in found.of(kind)
        }
    ) == len(found.painted)


def test_a_layer_that_is_left_out_is_further_from_the_painting_there() -> None:
    found = section(30, **{"content.weight": 0.1})
    for painted in found.of("without"):
        assert painted.style[painted.changed] > found.full.style[painted.changed]


def scored(painted: Painted, style: float, content: float = 0.5) -> Painted:
    return replace(painted, style=dict.fromkeys(painted.style, style), content=dict.fromkeys(painted.content, content))


def with_scores(found: Ablation, scores: dict[str, float]) -> Ablation:
    return replace(found, painted=tuple(scored(each, scores.get(each.name, 0.3)) for each in found.painted))


def test_the_findings_say_what_the_numbers_say() -> None:
    found = with_scores(section(), {"all layers": 0.2, "only relu2_1": 0.25, "without relu3_1": 0.4})
    first, adding, cost, own, bare, conv = found.findings
    assert "With all 3 style layers the picture is 20% away" in first
    assert "the best single layer, relu2_1, is 25% away and the worst, relu1_1, 30%" in first
    assert "no layer can stand for the others" in first
    assert adding.endswith("that distance is 30%, 30%, 20%.")
    assert cost == "Leaving out relu3_1 costs most (+100% of that distance), relu1_1 least (+50%)."
    assert own.startswith("relu3_1 is the hardest to replace: left out, its own distance becomes 2.0 times")
    assert bare == "Without content the style's distance goes from 20% to 30% and the content's from 50% to 50%."
    assert conv.startswith("With conv for ReLU")


def test_the_findings_are_honest_where_the_claim_does_not_hold() -> None:
    found = with_scores(section(), {"all layers": 0.4, "only relu2_1": 0.1})
    assert "for this pair relu2_1 alone does not do worse" in found.findings[0]
    assert found.findings[2] == "No layer's absence costs anything there (relu1_1: -25%, relu1_1: -25%)."


def test_a_single_style_layer_still_has_findings_and_numbers() -> None:
    found = section(2, **{"style.layers": ("relu2_1",)})
    assert len(found.findings) == 3
    assert found.of("alone") == ()
    assert found.numbers()["painted"][0]["name"] == "all layers"


@pytest.mark.parametrize(("values", "expected"), [([], 0.0), ([3.0], 3.0), ([3.0, 4.0], 12.5**0.5)])
def test_the_root_mean_square(values: list[float], expected: float) -> None:
    assert root_mean_square(values) == pytest.approx(expected)
