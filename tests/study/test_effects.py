"""Effects: contrasts with honest intervals, blocks where the design has them, shares of variance, the front."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gramarye.study import effects, importance, wording
from gramarye.study.record import Record
from records import record


def factorial(pairs: int, seeds: int, noise: float, *, crossed: float = 0.0) -> list[Record]:
    """init × statistic, effects 2 and −1, an interaction, each pair on a level of its own."""
    generator = np.random.default_rng(1)
    found = []
    cells = product(range(pairs), range(seeds), ("content", "noise"), ("gram", "moments"))
    for number, (pair, seed, init, statistic) in enumerate(cells):
        y = 100 * pair + 2 * (init == "noise") - (statistic == "moments")
        y += crossed * (init == "noise") * (statistic == "moments") + noise * generator.normal()
        levels = {"init": init, "style.statistic": statistic}
        found.append(record(number, levels, {"ssim": y}, pair=f"pair {pair}", replicate=seed))
    return found


@pytest.mark.parametrize("n", [2, 4, 8, 20])
@pytest.mark.parametrize("draw", ["normal", "uniform", "exponential"])
def test_intervals_cover_a_known_mean_19_times_in_20(n: int, draw: str) -> None:
    known = {"normal": 0.0, "uniform": 0.5, "exponential": 1.0}[draw]
    generator, hits, studies = np.random.default_rng(n), 0, 400
    sample = {"normal": generator.normal, "uniform": generator.random, "exponential": generator.exponential}[draw]
    for _ in range(studies):
        found = effects.contrast([sample(size=n)])
        hits += found.low <= known <= found.high
    # Student's t on a few skewed values is known to fall short; said where it is used.
    lowest = 0.86 if draw == "exponential" else 0.92
    assert lowest <= hits / studies <= 0.985


def test_intervals_of_a_difference_cover_it() -> None:
    generator, hits = np.random.default_rng(3), 0
    for _ in range(400):
        groups = [generator.normal(1, 1, 9), generator.normal(0, 3, 14)]
        found = effects.contrast(groups, (1, -1))
        hits += found.low <= 1 <= found.high
    assert 0.925 <= hits / 400 <= 0.985


@given(st.lists(st.floats(-1e3, 1e3), min_size=2, max_size=20), st.floats(-50, 50), st.floats(0.1, 9))
def test_an_interval_moves_and_stretches_with_its_values(values: list[float], shift: float, factor: float) -> None:
    plain = effects.contrast([values])
    moved = effects.contrast([[shift + factor * value for value in values]])
    assert moved.value == pytest.approx(shift + factor * plain.value, abs=1e-6)
    assert plain.low <= plain.value <= plain.high
    if np.std(values) > 1e-3:
        assert moved.high - moved.low == pytest.approx(factor * (plain.high - plain.low), rel=1e-3, abs=1e-6)


def test_one_value_has_no_interval() -> None:
    assert effects.contrast([[3.0]]) == effects.Interval(3.0, None, None, 1)
    assert not effects.contrast([[3.0]]).excludes_zero


def test_main_effects_are_taken_within_pairs() -> None:
    found = {(each.axis, each.level): each for each in effects.main_effects(factorial(5, 1, 0.01), "ssim")}
    init = found["init", "noise"]
    assert init.matched
    assert init.difference.over == "pairs"
    assert init.difference.n == 5
    assert init.difference.value == pytest.approx(2, abs=0.05)
    assert init.difference.excludes_zero  # though pairs differ by hundreds
    assert init.reference == "content"
    assert found["style.statistic", "moments"].difference.value == pytest.approx(-1, abs=0.05)


def test_with_one_pair_intervals_are_of_its_seeds_and_with_one_seed_there_are_none() -> None:
    several = effects.main_effects(factorial(1, 4, 0.1), "ssim")[0].difference
    assert (several.over, several.n) == ("seeds", 4)
    alone = effects.main_effects(factorial(1, 1, 0.1), "ssim")[0].difference
    assert alone.low is None
    assert alone.value == pytest.approx(2, abs=0.4)


def test_the_baseline_of_one_factor_at_a_time_is_the_reference() -> None:
    base = {"init": "content", "steps": 300}
    varied = [{}, {"init": "noise"}, {"init": "black"}, {"steps": 100}]
    records = [record(number, base | each, {"ssim": float(number)}) for number, each in enumerate(varied)]
    found = effects.main_effects(records, "ssim")
    assert {(each.axis, each.reference) for each in found} == {("init", "content"), ("steps", 300)}
    assert {each.level: each.difference.value for each in found} == {"noise": 1.0, "black": 2.0, 100: 3.0}
    assert effects.interactions(records, "ssim") == ()


def test_interactions_are_differences_of_differences() -> None:
    assert abs(effects.interactions(factorial(4, 1, 0.0), "ssim")[0].difference.value) < 1e-9
    found = effects.interactions(factorial(4, 1, 0.01, crossed=1.5), "ssim")
    assert len(found) == 1
    assert found[0].difference.value == pytest.approx(1.5, abs=0.05)
    assert found[0].difference.excludes_zero


def test_random_designs_compare_trials_and_cut_numbers_into_thirds() -> None:
    generator = np.random.default_rng(0)
    weights = generator.uniform(0, 10, 60).round(3)
    records = [
        record(number, {"style.weight": float(weight)}, {"ssim": 3 * weight + generator.normal()})
        for number, weight in enumerate(weights)
    ]
    found = effects.main_effects(records, "ssim")
    assert len(found) == 2
    assert {each.difference.over for each in found} == {"trials"}
    assert not any(each.matched for each in found)


def test_unfinished_and_unmeasured_trials_are_left_out() -> None:
    records = [
        record(0, {"init": "noise"}, {"ssim": 1.0}),
        record(1, {"init": "content"}, {"ssim": 2.0}, state="failed"),
        record(2, {"init": "content"}, {"ssim": float("nan")}),
        record(3, {"init": "content"}, {"other": 3.0}),
    ]
    assert effects.main_effects(records, "ssim") == ()


def test_the_noise_between_seeds() -> None:
    noise, freedom = effects.seed_noise(factorial(10, 20, 0.5), "ssim")
    assert freedom == 10 * 4 * 19
    assert noise == pytest.approx(0.5, rel=0.06)
    assert effects.seed_noise(factorial(3, 1, 0.5), "ssim") is None


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), max_size=30))
def test_nothing_dominates_the_front_and_it_dominates_the_rest(points: list[tuple[int, int]]) -> None:
    front = effects.pareto(points)

    def dominates(one: tuple[int, int], other: tuple[int, int]) -> bool:
        return one[0] <= other[0] and one[1] <= other[1] and one != other

    assert not any(dominates(one, points[index]) for index in front for one in points)
    chosen = {points[index] for index in front}
    assert all(point in chosen or any(dominates(one, point) for one in chosen) for point in points)


def test_chance_is_counted() -> None:
    found = effects.main_effects(factorial(5, 1, 0.01), "ssim")
    assert effects.by_chance(found) == (2, 2, pytest.approx(0.1))


def test_shares_of_variance_are_those_of_the_function() -> None:
    found = importance.variance_shares(factorial(1, 8, 0.0, crossed=1.0), "ssim")
    # With a 2×2 table of 0, 2, −1, 2: main effects of half-width 1.25 and 0.25, interaction 0.25.
    whole = 1.25**2 + 0.25**2 + 0.25**2
    assert found.shares["init"] == pytest.approx(1.25**2 / whole)
    assert found.shares["init × style.statistic"] == pytest.approx(0.25**2 / whole)
    assert sum(found.shares.values()) == pytest.approx(1)
    assert "linear model" in found.evaluator


def test_pure_noise_predicts_nothing() -> None:
    generator = np.random.default_rng(5)
    records = [
        record(number, dict(each.trial.levels), {"ssim": generator.normal()}, pair=each.trial.pair.name)
        for number, each in enumerate(factorial(6, 1, 0.0))
    ]
    assert importance.variance_shares(records, "ssim").r2 < 0.2
    assert importance.variance_shares(factorial(6, 1, 0.0), "ssim").r2 > 0.95


def test_ped_anova_finds_what_matters() -> None:
    pytest.importorskip("optuna")
    generator = np.random.default_rng(2)
    records = []
    for number in range(60):
        levels = {
            "style.weight": float(10 ** generator.uniform(0, 3)),
            "init": str(generator.choice(["noise", "black"])),
        }
        records.append(record(number, levels, {"ssim": abs(np.log10(levels["style.weight"]) - 1)}))
    found = importance.ped_anova(records, "ssim")
    assert next(iter(found.shares)) == "style.weight"
    assert found.evaluator.startswith("PED-ANOVA")
    assert importance.ped_anova(records[:10], "ssim") is None


def test_captions_tell_what_differs() -> None:
    base = {"init": "content", "steps": 300}
    varied = [{}, {"init": "noise"}, {"steps": 100}]
    records = [record(number, base | each, {}) for number, each in enumerate(varied)]
    axes = ("init", "steps")
    assert list(wording.briefs(records, axes, "one-at-a-time").values()) == ["baseline", "init noise", "steps 100"]
    assert list(wording.briefs(records, axes, "factorial").values())[1] == "noise · 300"
    assert wording.order_of(axes, "factorial") == "init · steps"
    assert list(wording.briefs(records, ("init",), "factorial").values())[1] == "init noise"
    assert wording.briefs([], axes, "factorial") == {}
