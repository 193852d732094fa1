"""Pull maps against finite differences, conflict, leaders, and arrows for pages."""

from __future__ import annotations

import math
from functools import cache

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as some

from gramarye import weights
from gramarye.explain import pulls
from gramarye.explain.subject import Subject, paint
from gramarye.objective import Objective, Term, objective_for
from gramarye.presets import preset
from gramarye.pulling import finish
from gramarye.vgg import VGG
from networks import picture, random_weights

SMALL = preset("default").with_(size=48, steps=5, **{"scales.smallest": 24, "scales.count": 2, "scales.shares": ""})


@cache
def exact() -> tuple[VGG, Objective, torch.Tensor]:
    """A network, an objective and a picture in float64; the box is left, so that every term pulls."""
    network = VGG(random_weights(), pooling="avg", dtype=torch.float64)
    asked = preset("default").with_(**{"style.layers": "relu1_1,relu3_1,relu5_1", "content.layers": "relu2_2"})
    objective = objective_for(network, picture(32, 40, 3).double(), [picture(32, 32, 2).double()], asked)
    return network, objective, 1.2 * picture(32, 40, 1).double() - 0.1


def subject(**knobs: object) -> Subject:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(weights, "load", lambda *_: random_weights())
        return finish(paint(picture(48, 40, 1), picture(40, 40, 2), SMALL.with_(**knobs)))


def test_maps_are_finite_differences() -> None:
    """At the hardest pulled pixel and at others, ∂(weight·value)/∂x of each colour by central differences."""
    network, objective, start = exact()
    found = finish(pulls.pulls_at(network, objective, start))
    terms = {term.name: term for term in objective.terms}
    assert [pull.term for pull in found.pulls] == [term.name for term in objective.terms if term.weight]
    for pull in found.pulls:
        term = terms[pull.term]
        hardest = divmod(int(pull.map.argmax()), 40)
        for row, column in (hardest, (0, 0), (17, 21)):
            slopes = [_slope(network, term, start, color, row, column) for color in range(3)]
            length = math.hypot(*slopes)
            bound = 1e-3 * float(pull.map.max())
            assert float(pull.map[0, 0, row, column]) == pytest.approx(length, rel=1e-3, abs=bound), pull.term
        assert pull.norm > 0
        assert pull.norm == pytest.approx(float(pull.map.square().sum().sqrt()), rel=1e-9)


def _slope(network: VGG, term: Term, start: torch.Tensor, color: int, row: int, column: int) -> float:
    step, ends = 1e-5, []
    for sign in (1, -1):
        moved = start.clone()
        moved[0, color, row, column] += sign * step
        with torch.no_grad():
            ends.append(term.weight * float(term.measure(network(moved, [term.layer])[term.layer])))
    return (ends[0] - ends[1]) / (2 * step)


def test_the_pulls_add_up_to_the_optimisers_gradient() -> None:
    network, objective, start = exact()
    image = start.clone().requires_grad_()
    objective.total(objective.values(network(image, objective.layers))).backward()
    each = [gradient for _, gradient in pulls.gradients(network, objective, start)]
    torch.testing.assert_close(torch.stack(each).sum(0), image.grad)
    found = finish(pulls.pulls_at(network, objective, start))
    assert found.left == pytest.approx(float(image.grad.norm()) / sum(pull.norm for pull in found.pulls))


@given(some.integers(0, 1000), some.sampled_from([0.0, 1.5]))
def test_conflict_is_a_cosine(seed: int, deviation: float) -> None:
    generator = torch.Generator().manual_seed(seed)
    one, other = torch.randn(2, 1, 3, 9, 11, generator=generator, dtype=torch.float64)
    found = pulls.conflict(one, other, deviation)
    assert float(found.abs().max()) <= 1
    torch.testing.assert_close(found, pulls.conflict(other, one, deviation))
    torch.testing.assert_close(found, -pulls.conflict(-3 * one, other, deviation))
    torch.testing.assert_close(pulls.conflict(one, 2 * one, deviation), torch.ones_like(found))
    if not deviation:
        by_hand = torch.nn.functional.cosine_similarity(one, other, dim=1)
        torch.testing.assert_close(found[:, 0], by_hand)


def test_nothing_has_no_direction() -> None:
    one = torch.ones(1, 3, 4, 4)
    assert not pulls.conflict(torch.zeros_like(one), one, 1.0).any()
    assert pulls.cosine(torch.zeros_like(one), one) == 0
    assert pulls.cosine(one, -2 * one) == pytest.approx(-1)


def test_leaders_lead() -> None:
    maps = [torch.zeros(1, 1, 8, 8) for _ in range(3)]
    maps[0][..., :4], maps[1][..., 4:], maps[2][..., 0, 0] = 1.0, 2.0, 1.5
    sharp = pulls.leaders(maps)
    assert sharp[0, 0].tolist() == [
        [2 * (row + column == 0) if column < 4 else 1 for column in range(8)] for row in range(8)
    ]
    assert not (pulls.leaders(maps, 1.0) == 2).any()  # one pixel leads no neighbourhood


def test_areas_share_out_the_picture() -> None:
    network, objective, start = exact()
    found = finish(pulls.pulls_at(network, objective, start))
    assert sum(found.areas.values()) == pytest.approx(1)
    assert found.areas.keys() == {pull.term for pull in found.pulls}
    assert found.conflict.shape == found.leader.shape == (1, 1, 32, 40)
    assert -1 <= found.cosine <= 1
    assert found.opposed == pytest.approx(float((found.conflict < -0.5).double().mean()))


def test_content_does_not_pull_at_the_photograph() -> None:
    made = subject()
    found = finish(pulls.pulls_at(made.network, made.objective, made.content))
    assert all(pull.norm == 0 for pull in found.pulls if pull.kind == "content")
    assert found.cosine == found.opposed == 0


def test_arrows_are_the_pulls_of_cells() -> None:
    """By hand for one cell of eight by ten pixels."""
    network, objective, start = exact()
    found = pulls.arrows(network, objective, start, grid=4, index=7)
    assert (found.index, found.layers) == (7, ("content", "relu1_1", "relu3_1", "relu5_1"))
    assert found.magnitudes.shape == found.directions.shape == (4, 4, 4)
    by_term = {term.name: gradient for term, gradient in pulls.gradients(network, objective, start)}
    cells = {name: gradient[0, :, 8:16, 20:30].flatten() for name, gradient in by_term.items()}
    for place, name in enumerate(("content relu2_2", "style relu1_1", "style relu3_1", "style relu5_1")):
        size = float(found.magnitudes[1, 2, place]) / 255 * found.full
        assert size == pytest.approx(float(cells[name].norm()), abs=found.full / 500)
        direction = (float(found.directions[1, 2, place]) - 127) / 127
        cosine = torch.nn.functional.cosine_similarity(cells[name], cells["content relu2_2"], dim=0)
        assert direction == pytest.approx(float(cosine), abs=1 / 127)
    assert int(found.magnitudes.max()) == 255


def test_layers_with_several_terms_have_one_arrow_and_smoothness_none() -> None:
    made = subject(**{"style.layers": "relu1_1,relu2_1"})
    found = pulls.arrows(made.network, made.objective, made.content)
    assert found.layers == ("content", "relu1_1", "relu2_1")
    assert found.magnitudes.shape == (32, 32, 3)
    assert not found.magnitudes[..., 0].any()
    assert (found.directions == 127).all()  # content has no direction at the photograph


def test_every_frame_has_its_arrows() -> None:
    made = subject()
    found = finish(pulls.arrows_of_frames(made, grid=8))
    assert [each.index for each in found] == [frame.index for frame in made.frames]
    assert {each.magnitudes.shape for each in found} == {(8, 8, 8)}
    again = pulls.arrows(made.network, made.objective, made.frames[-1].pixels, 8, found[-1].index)
    assert torch.equal(again.magnitudes, found[-1].magnitudes)
