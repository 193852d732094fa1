"""Designs: which combinations they have, and what can be told from them."""

from __future__ import annotations

from itertools import combinations, product
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gramarye.errors import StudyError
from gramarye.study import designs
from gramarye.study.designs import Axis, Design

TWO = tuple(Axis(knob, (1.0, 2.0)) for knob in ("style.weight", "content.weight", "noise", "strength", "style.scale"))
BASE: dict[str, Any] = {axis.knob: 1.0 for axis in TWO}

levels = st.lists(st.integers(1, 3), min_size=1, max_size=3)


def axes_of(counts: list[int]) -> tuple[Axis, ...]:
    return tuple(Axis(axis.knob, tuple(range(count))) for axis, count in zip(TWO, counts, strict=False))


@given(levels)
def test_a_factorial_has_every_combination_once(counts: list[int]) -> None:
    axes = axes_of(counts)
    found = designs.points(Design("factorial"), axes, {})
    assert [tuple(point.values()) for point in found] == list(product(*map(range, counts)))
    assert len(found) == designs.size(Design("factorial"), axes)


@given(levels, st.data())
def test_one_at_a_time_leaves_the_base_in_one_axis_at_most(counts: list[int], data: st.DataObject) -> None:
    axes = axes_of(counts)
    base = {axis.knob: data.draw(st.integers(0, 5)) for axis in axes}
    found = designs.points(Design(), axes, base)
    assert found[0] == base
    assert all(sum(point[knob] != base[knob] for knob in base) == 1 for point in found[1:])
    assert len({tuple(point.values()) for point in found}) == len(found) == designs.size(Design(), axes, base)


@given(st.sampled_from(designs.DRAWN), levels, st.integers(0, 5), st.data())
def test_drawn_designs_take_each_combination_once(kind: str, counts: list[int], seed: int, data: st.DataObject) -> None:
    axes = axes_of(counts)
    count = data.draw(st.integers(1, min(designs.combinations_of(axes), 20)))
    design = Design(kind, count, seed)
    found = designs.points(design, axes, {})
    assert len({tuple(point.values()) for point in found}) == len(found) == count == designs.size(design, axes)
    assert all(point[axis.knob] in axis.values for point in found for axis in axes)
    assert found == designs.points(design, axes, {})


def test_another_seed_draws_others() -> None:
    axis = Axis("style.weight", (), 1.0, 1e6, True)
    first, other = (designs.points(Design("random", 8, seed), [axis], {}) for seed in (0, 1))
    assert first != other


def test_a_logarithmic_range_is_even_on_its_scale() -> None:
    axis = Axis("style.weight", (), 1.0, 1e6, True)
    found = [point["style.weight"] for point in designs.points(Design("sobol", 64), [axis], {})]
    places = np.log(found) / np.log(1e6)
    assert min(places) >= 0
    assert max(places) <= 1
    counts = np.histogram(places, 8, (0, 1))[0]
    assert set(counts) == {8}  # a Sobol sequence of 64 has 8 in each eighth


def test_a_range_of_whole_numbers_gives_whole_numbers() -> None:
    axis = Axis("optimizer.history", (), 3.0, 9.0)
    found = [point["optimizer.history"] for point in designs.points(Design("random", 7), [axis], {})]
    assert sorted(found) == [3, 4, 5, 6, 7, 8, 9]


def model(points: list[dict[str, Any]], axes: tuple[Axis, ...]) -> np.ndarray:
    """Mean, main effects and interactions of axes of two levels, coded −1 and 1; written out from the textbook."""
    signs = [[1.0 if point[axis.knob] == axis.values[1] else -1.0 for axis in axes] for point in points]
    return np.array([[1.0, *row, *(a * b for a, b in combinations(row, 2))] for row in signs])


def test_half_of_five_factors_is_the_textbooks_resolution_five() -> None:
    found = designs.points(Design("fractional", 16), TWO, BASE)
    columns = model(found, TWO)
    assert len(found) == 16
    np.testing.assert_allclose(columns.T @ columns, 16 * np.eye(16), atol=1e-9)  # all effects orthogonal


def test_a_fraction_of_mixed_levels_tells_all_effects_apart() -> None:
    axes = (Axis("style.statistic", ("gram", "moments", "sliced-w")), *TWO[:4])
    design = Design("fractional", 24)
    found = designs.points(design, axes, {})
    assert len({tuple(point.values()) for point in found}) == 24
    columns = designs._columns(axes, interactions=True)
    every = [tuple(each) for each in product(*(axis.values for axis in axes))]
    chosen = columns[[every.index(tuple(point.values())) for point in found]]
    assert np.linalg.matrix_rank(chosen) == columns.shape[1] == 21
    assert np.linalg.cond(chosen) < 5
    assert designs.tells_interactions(design, axes)
    assert not designs.tells_interactions(Design("fractional", 20), axes)


def test_too_small_a_fraction_has_main_effects_alone() -> None:
    found = designs.points(Design("fractional", 8), TWO, BASE)
    mains = model(found, TWO)[:, :6]
    np.testing.assert_allclose(mains.T @ mains, 8 * np.eye(6), atol=1e-9)
    assert not designs.tells_interactions(Design("fractional", 8), TWO)


@given(st.integers(2, 6))
def test_contrasts_are_orthogonal(count: int) -> None:
    columns = np.column_stack([np.ones(count), designs._contrasts(count)])
    np.testing.assert_allclose(columns.T @ columns, count * np.eye(count), atol=1e-9)


@pytest.mark.parametrize(
    ("design", "axes", "told"),
    [
        (Design("fractional", 5), TWO, "needs 6 … 32 combinations; got count 5"),
        (Design("fractional", 33), TWO, "needs 6 … 32 combinations; got count 33"),
        (Design("fractional"), (Axis("steps", tuple(range(5000))),), "at most 4096 combinations; got 5000"),
        (Design("random"), TWO, "needs axes, and a count of trials; got no count"),
        (Design("sobol", 3), (), "needs axes, and a count of trials; got no axes"),
        (Design("random", 33), TWO, "takes each combination once; got count 33 of 32"),
        (Design("random", 9), (Axis("optimizer.history", (), 3.0, 9.0),), "got 7 different ones for a count of 9"),
        (
            Design("factorial"),
            (Axis("noise", (), 0.0, 1.0),),
            "a factorial design needs values, not a range; got noise",
        ),
    ],
)
def test_what_cannot_be_designed_is_refused(design: Design, axes: tuple[Axis, ...], told: str) -> None:
    with pytest.raises(StudyError, match=told):
        designs.points(design, axes, BASE)


def test_an_axis_of_knobs_together_needs_the_base_among_its_values() -> None:
    axis = Axis("loss", ("l1",), together={"l1": {"style.distance": "l1"}})
    with pytest.raises(StudyError, match="which must be one of the values; got none for loss"):
        designs.points(Design(), [axis], {"loss": None})
