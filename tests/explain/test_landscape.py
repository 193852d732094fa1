"""The loss around the result: principal components, the plane, the way."""

from __future__ import annotations

import math
from functools import cache

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as some

from gramarye import images, transfer, weights
from gramarye.explain import landscape
from gramarye.explain.section import fixed
from gramarye.explain.subject import Subject, paint
from gramarye.presets import preset
from gramarye.pulling import finish
from networks import picture, random_weights

SMALL = preset("default").with_(
    size=48,
    steps=10,
    precision="float32",
    **{"scales.count": 1, "scales.shares": "", "style.layers": "relu1_1,relu2_1", "content.layers": "relu3_2"},
)
QUICK = {"side": 32, "evaluations": 12, "points": 5, "way": 48, "steps": 4}


@pytest.fixture(autouse=True)
def _small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(weights, "load", lambda *_: random_weights())
    monkeypatch.setattr(landscape, "DEPTHS", {"quick": QUICK, "full": QUICK})


@cache
def subject() -> Subject:
    return finish(paint(picture(48, 40, 1), picture(40, 44, 2), SMALL))


@cache
def section() -> landscape.Landscape:
    return finish(landscape.explain(subject(), "quick"))


@given(some.integers(0, 1000), some.integers(3, 8))
def test_principal_components_are_those_of_the_covariance(seed: int, count: int) -> None:
    """Against the eigenvectors of XᵀX, which is small here; K×K is what is decomposed there."""
    rows = torch.randn(count, 6, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    directions, shares = landscape.principal_components(rows, fixed(0))
    torch.testing.assert_close(directions @ directions.T, torch.eye(2, dtype=torch.float64))
    values, vectors = torch.linalg.eigh(rows.T @ rows)
    for place in (0, 1):
        assert shares[place] == pytest.approx(float(values[-1 - place] / values.sum()))
        assert abs(float(directions[place] @ vectors[:, -1 - place])) == pytest.approx(1, abs=1e-6)
        assert float(rows[0] @ directions[place]) >= 0
    assert sum(shares) == pytest.approx(float((rows @ directions.T).square().sum() / rows.square().sum()))


def test_where_there_is_no_second_direction_a_random_one_stands_in() -> None:
    line = torch.arange(4.0)[:, None] * torch.tensor([[3.0, 4.0, 0.0]])
    directions, shares = landscape.principal_components(line, fixed(0))
    assert shares == (pytest.approx(1), 0)
    torch.testing.assert_close(directions[0].abs(), torch.tensor([0.6, 0.8, 0.0]))
    torch.testing.assert_close(directions @ directions.T, torch.eye(2), atol=1e-6, rtol=0)
    still, nothing = landscape.principal_components(torch.zeros(4, 3), fixed(0))
    assert nothing == (0, 0)
    torch.testing.assert_close(still @ still.T, torch.eye(2), atol=1e-6, rtol=0)


def test_losses_are_the_objectives_by_kind() -> None:
    made = subject()
    found = landscape.losses_at(made.network, made.objective, made.result)
    terms = made.run.terms
    assert found["total"] == pytest.approx(sum(term["weighted"] for term in terms), rel=1e-4)
    for kind in ("content", "style"):
        expected = sum(term["weighted"] for term in terms if term["kind"] == kind)
        assert found[kind] == pytest.approx(expected, rel=1e-4)
    assert found["total"] > found["content"] + found["style"]  # smoothness


def test_the_plane_holds_the_losses_of_its_pictures() -> None:
    """The surface at any grid point is the loss of last picture + coordinates · directions; the track ends at 0."""
    plane = section().plane
    assert plane.size == (32, 27)
    assert plane.track.shape == (13, 2)
    assert len(plane.losses) == 13
    assert plane.track[-1].tolist() == [0, 0]
    assert (plane.track[0] >= 0).all()
    assert 0 < plane.variance[1] <= plane.variance[0] <= sum(plane.variance) <= 1 + 1e-6
    assert {surface.shape for surface in plane.surfaces.values()} == {(5, 5)}
    for axis, points in ((0, plane.across), (1, plane.up)):
        assert points[0] < float(plane.track[:, axis].min())
        assert points[-1] > float(plane.track[:, axis].max())
    rest = plane.surfaces["total"] - plane.surfaces["content"] - plane.surfaces["style"]
    assert float(rest.min()) >= 0
    assert plane.losses[-1] < plane.losses[0]


def test_the_surface_meets_the_descents_own_loss(monkeypatch: pytest.MonkeyPatch) -> None:
    """With a grid point on the end of the descent the surface there is the loss of the end."""
    monkeypatch.setattr(
        landscape, "_extent", lambda _, points: tuple(float(k) for k in range(-(points // 2), points // 2 + 1))
    )
    plane = finish(landscape._plane(subject().shrunk(32), 8, 3))
    assert plane.across == plane.up == (-1, 0, 1)
    assert float(plane.surfaces["total"][1, 1]) == pytest.approx(plane.losses[-1], rel=1e-5)


def test_the_way_passes_photograph_result_and_painting() -> None:
    made, way = subject(), section().path
    assert way.at == tuple(place / 4 for place in range(9))
    ends = {
        0.0: transfer.measure(made.content, picture(48, 40, 1), picture(40, 44, 2), SMALL).total,
        1.0: made.run.total,
    }
    for stop, total in ends.items():
        assert way.curves["total"][way.at.index(stop)] == pytest.approx(total, rel=1e-4)
    assert way.curves["content"][0] == 0
    assert torch.equal(way.pictures[0], made.content)
    assert torch.equal(way.pictures[2], made.result)
    torch.testing.assert_close(way.pictures[1], (made.content + made.result) / 2)
    assert way.pictures[4].shape == made.content.shape
    assert "40" in way.fitted
    assert "fills the photograph's shape" in way.fitted


def test_a_painting_of_the_same_shape_is_taken_as_it_is() -> None:
    made = finish(paint(picture(48, 40, 1), picture(48, 40, 2), SMALL.with_(steps=1)))
    found, fitted = landscape.painting_as_shown(made)
    assert fitted == "as it is"
    assert torch.equal(found, images.resize(picture(48, 40, 2), (48, 40)))


@given(some.floats(0, 2))
def test_between_is_the_polygon(place: float) -> None:
    ends = [torch.full((1, 3, 2, 2), value) for value in (0.0, 1.0, 5.0)]
    expected = place if place <= 1 else 1 + 4 * (place - 1)
    assert float(landscape.between(ends, place).mean()) == pytest.approx(expected, abs=1e-5)


def test_the_findings_say_what_the_numbers_say() -> None:
    found = section()
    text = " ".join(found.findings)
    assert f"from {found.plane.losses[0]:.3g} to {found.plane.losses[-1]:.3g} in 12 evaluations" in text
    assert f"holds {sum(found.plane.variance):.0%}" in text
    total = found.path.curves["total"]
    assert f"{total[0] / total[4]:.3g} times the result's" in text
    lowest = found.path.at[total.index(min(total))]
    assert ("the result is the lowest point" in text) == (lowest == 1)


def _path(total: list[float], content: list[float]) -> landscape.Path:
    at = (0.0, 0.5, 1.0, 1.5, 2.0)
    curves = {"total": tuple(total), "content": tuple(content), "style": (5.0, 3.0, 1.0, 2.0, 0.5)}
    return landscape.Path((8, 8), at, curves, at, (), "as it is")


def test_what_is_not_as_expected_is_said_too() -> None:
    lower, ridge = landscape._of_path(_path([9, 4, 2, 1, 3], [0, 7, 2, 2, 2]))
    assert "the lowest point lies 50% of the way on to the painting, 50.0% below the result" in lower
    assert "content passes a ridge 3.5 times as high" in ridge
    assert "style falls from 5 to 1" in ridge
    painting, _ = landscape._of_path(_path([9, 4, 2, 4, 1], [0, 1, 2, 2, 2]))
    assert "the painting itself is the lowest point, 50.0% below the result" in painting
    (nothing,) = landscape._of_path(_path([9, 4, 0, 1, 3], [0, 0, 0, 0, 0]))
    assert "nothing" in nothing


def test_fractions_rise() -> None:
    done = list(landscape.explain(subject(), "full"))
    assert done == sorted(done)
    assert len(done) > 25
    assert done[-1] <= 1
    assert all(math.isfinite(each) for each in done)


def test_where_nothing_moves_there_is_still_a_plane() -> None:
    """At a strength of 0 the photograph stays as it is."""
    made = finish(paint(picture(48, 40, 1), picture(40, 44, 2), SMALL.with_(strength=0, steps=0)))
    plane = finish(landscape._plane(made.shrunk(32), 4, 3))
    assert plane.variance == (0, 0)
    assert all(torch.isfinite(surface).all() for surface in plane.surfaces.values())
