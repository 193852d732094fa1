"""What the axes of a study do to a score: main effects and interactions with intervals, and the Pareto front.

Everything is a contrast of means. Where the design repeats a comparison with all else equal, differences are taken
within those blocks; a block's unit is a pair of pictures, or a seed where there are fewer than three pairs. Without
such blocks (random and fractional designs) trials are compared, less their pair's mean, over all other levels.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gramarye.settings import KNOBS
from gramarye.study.record import Record, Trial

Values = NDArray[np.float64]

CONFIDENCE = 0.95
DRAWS = 2000
FEW = 8  # values; a bootstrap of fewer is too narrow, Student's t is taken
MANY = 8  # levels; an axis with more numbers than that is cut into thirds
PAIRS = 3  # from as many on, intervals speak of other pairs too
# Student's t, 97.5 % quantile, for 1 … 6 degrees of freedom.
STUDENT = (12.7062, 4.3027, 3.1824, 2.7764, 2.5706, 2.4469)


@dataclass(frozen=True)
class Interval:
    """An estimate with its 95 % interval, from `n` values; `low` and `high` are None where nothing is repeated.

    `over` says what the values are, and so what the interval speaks of: pairs, seeds or trials.
    """

    value: float
    low: float | None
    high: float | None
    n: int
    over: str = ""

    @property
    def excludes_zero(self) -> bool:
        """Whether the interval leaves out zero."""
        return self.low is not None and self.high is not None and (self.low > 0 or self.high < 0)


@dataclass(frozen=True)
class Effect:
    """What one level of an axis does to a score, against the axis' reference level.

    `size` is the effect in standard deviations of the score over all trials, so that scores can be set side by side.
    """

    axis: str
    score: str
    reference: Any
    level: Any
    mean: float
    reference_mean: float
    difference: Interval
    size: float
    matched: bool


@dataclass(frozen=True)
class Interaction:
    """How far the effect of one axis depends on another: the difference of two differences.

    (y[level, other] − y[level, other reference]) − (y[reference, other] − y[reference, other reference]); `means` are
    these four in this order.
    """

    axes: tuple[str, str]
    score: str
    references: tuple[Any, Any]
    levels: tuple[Any, Any]
    means: tuple[float, float, float, float]
    difference: Interval
    size: float
    matched: bool


def contrast(
    groups: Sequence[Sequence[float] | Values], signs: Sequence[float] = (1.0,), *, over: str = "", seed: int = 0
) -> Interval:
    """Σ signᵢ · mean(groupᵢ) with its 95 % interval; one group alone is a plain mean.

    From 8 values a group on, the studentised bootstrap: with s² = Σ signᵢ²·varᵢ/nᵢ, the quantiles of
    (contrast* − contrast)/s* over 2000 resamplings of each group (Efron and Tibshirani 1993, chapter 12.5). Below,
    Student's t with the degrees of freedom of the smallest group. No interval where a group has one value.
    """
    values = [np.asarray(group, dtype=np.float64) for group in groups]
    weights = np.asarray(signs, dtype=np.float64)
    least = min(len(group) for group in values)
    estimate = float(sum(sign * group.mean() for sign, group in zip(weights, values, strict=True)))
    if least < 2:
        return Interval(estimate, None, None, least, over)
    error = float(_error(values, weights))
    if least < FEW or error == 0:
        half = STUDENT[min(least - 2, len(STUDENT) - 1)] * error
        return Interval(estimate, estimate - half, estimate + half, least, over)
    low, high = np.quantile(_studentised(values, weights, estimate, seed), [_TAIL, 1 - _TAIL])
    return Interval(estimate, float(estimate - high * error), float(estimate - low * error), least, over)


_TAIL = (1 - CONFIDENCE) / 2


def _error(values: Sequence[Values], signs: Values) -> Any:
    """The standard error of a contrast; along the last axis of each group."""
    return np.sqrt(
        sum(sign**2 * group.var(axis=-1, ddof=1) / group.shape[-1] for sign, group in zip(signs, values, strict=True))
    )


def _studentised(values: Sequence[Values], signs: Values, estimate: float, seed: int) -> Values:
    """(contrast* − contrast)/s* of every resampling in which there is any spread."""
    generator = np.random.default_rng(seed)
    drawn = [group[generator.integers(len(group), size=(DRAWS, len(group)))] for group in values]
    found = sum(sign * group.mean(axis=-1) for sign, group in zip(signs, drawn, strict=True))
    error = _error(drawn, signs)
    spread = error > 0
    studentised: Values = (found[spread] - estimate) / error[spread]
    return studentised


def level_of(trial: Trial, axis: str) -> Any:
    """The value of an axis in a trial; lists as tuples, so that they can be compared and kept in sets."""
    value = trial.levels[axis] if axis in trial.levels else trial.settings.get(axis) if axis in KNOBS else None
    return _frozen(value)


def _frozen(value: Any) -> Any:
    return tuple(map(_frozen, value)) if isinstance(value, (list, tuple)) else value


def axes_of(records: Sequence[Record]) -> tuple[str, ...]:
    """The axes that take at least two values in these records, in the order of the plan."""
    names = dict.fromkeys(axis for record in records for axis in record.trial.levels)
    return tuple(name for name in names if len({level_of(record.trial, name) for record in records}) > 1)


class Table:
    """Finished trials as rows: what was varied, and one score. The ground of every comparison here."""

    def __init__(self, records: Sequence[Record], score: str) -> None:
        kept = sorted(
            (record for record in records if _value(record, score) is not None), key=lambda record: record.trial.number
        )
        self.score, self.axes = score, axes_of(kept)
        self.y = np.array([_value(record, score) for record in kept], dtype=np.float64)
        columns = {axis: _binned([level_of(record.trial, axis) for record in kept]) for axis in self.axes}
        self.rows = [{axis: columns[axis][index] for axis in self.axes} for index in range(len(kept))]
        self.pairs = [record.trial.pair.name for record in kept]
        self.replicates = [(record.trial.replicate, record.trial.settings.seed) for record in kept]
        self.spread = float(self.y.std(ddof=1)) if len(self.y) > 1 else 0.0
        self.over = "pairs" if len(set(self.pairs)) >= PAIRS else "seeds"
        self.drawn = any(columns[axis] != [level_of(record.trial, axis) for record in kept] for axis in self.axes)
        means = {pair: self.y[[each == pair for each in self.pairs]].mean() for pair in self.pairs}
        self.within = self.y - np.array([means[pair] for pair in self.pairs])  # less what the pair makes

    def levels(self, axis: str) -> list[Any]:
        """The levels of an axis, its reference first: the most frequent one, of equals the first of the plan.

        In a design of one factor at a time the baseline is the most frequent level of every axis.
        """
        counts: dict[Any, int] = defaultdict(int)
        for row in self.rows:
            counts[row[axis]] += 1
        reference = max(counts, key=lambda level: counts[level])
        return [reference, *(level for level in counts if level != reference)]

    def compare(self, cells: Sequence[Mapping[str, Any]], signs: Sequence[float]) -> tuple[Interval, bool] | None:
        """The contrast of the cells, within blocks where there are any; and whether there were.

        None when a cell is empty.
        """
        varied = set(cells[0])
        blocks: dict[Any, dict[int, list[float]]] = defaultdict(lambda: defaultdict(list))
        pools: list[list[float]] = [[] for _ in cells]
        for index, row in enumerate(self.rows):
            for place, cell in enumerate(cells):
                if cell.items() <= row.items():
                    rest = tuple(row[axis] for axis in self.axes if axis not in varied)
                    blocks[self.pairs[index], self.replicates[index], rest][place].append(self.y[index])
                    pools[place].append(self.within[index])
        if not all(pools):
            return None
        units: dict[Any, list[float]] = defaultdict(list)
        for (pair, replicate, _), found in blocks.items():
            if len(found) == len(cells):
                difference = sum(sign * float(np.mean(found[place])) for place, sign in enumerate(signs))
                units[pair if self.over == "pairs" else (pair, replicate)].append(difference)
        if units and not self.drawn:
            return contrast([[float(np.mean(each)) for each in units.values()]], over=self.over), True
        return contrast(pools, signs, over="trials"), False

    def means(self, cells: Sequence[Mapping[str, Any]]) -> Any:
        """The mean score of all trials of each cell."""
        return tuple(float(self.y[[cell.items() <= row.items() for row in self.rows]].mean()) for cell in cells)

    def sized(self, difference: float) -> float:
        """A difference in standard deviations of the score; 0 where it never varies."""
        return difference / self.spread if self.spread else 0.0


def _value(record: Record, score: str) -> float | None:
    """A score of a finished record, or its total loss or seconds by name; None if it has none that is finite."""
    if record.state != "done":
        return None
    known = {"total": record.total, "seconds": record.seconds, **record.scores}
    value = known.get(score)
    return float(value) if value is not None and math.isfinite(value) else None


def _binned(levels: Sequence[Any]) -> list[Any]:
    """The levels themselves, or thirds of them where there are too many numbers to compare each with each."""
    distinct = sorted(set(levels)) if all(isinstance(each, (int, float)) for each in levels) else []
    if len(distinct) <= MANY:
        return list(levels)
    low, high = np.quantile(np.asarray(levels, dtype=np.float64), [1 / 3, 2 / 3])
    names = (f"≤ {low:.3g}", f"{low:.3g} … {high:.3g}", f"> {high:.3g}")
    return [names[int(level > low) + int(level > high)] for level in levels]


def main_effects(records: Sequence[Record], score: str) -> tuple[Effect, ...]:
    """The effect of every level of every axis on a score, against the axis' reference."""
    table, found = Table(records, score), list[Effect]()
    for axis in table.axes:
        reference, *others = table.levels(axis)
        for level in others:
            cells = [{axis: level}, {axis: reference}]
            compared = table.compare(cells, (1, -1))
            if compared:
                difference, matched = compared
                mean, reference_mean = table.means(cells)
                size = table.sized(difference.value)
                found.append(Effect(axis, score, reference, level, mean, reference_mean, difference, size, matched))
    return tuple(found)


def interactions(records: Sequence[Record], score: str) -> tuple[Interaction, ...]:
    """Every two-way interaction that the design can tell, the largest first."""
    table, found = Table(records, score), list[Interaction]()
    for first, second in combinations(table.axes, 2):
        here, *others = table.levels(first)
        there, *beyond = table.levels(second)
        for level in others:
            for other in beyond:
                corners = ((level, other), (level, there), (here, other), (here, there))
                cells = [{first: one, second: two} for one, two in corners]
                compared = table.compare(cells, (1, -1, -1, 1))
                if compared:
                    difference, matched = compared
                    where, means = ((here, there), (level, other)), table.means(cells)
                    size = table.sized(difference.value)
                    found.append(Interaction((first, second), score, *where, means, difference, size, matched))
    return tuple(sorted(found, key=lambda each: -abs(each.size)))


def seed_noise(records: Sequence[Record], score: str) -> tuple[float, int] | None:
    """The standard deviation of a score between seeds with all else equal, pooled, and its degrees of freedom.

    √(Σ (y − ȳ_cell)² / Σ (n_cell − 1)) over cells of one pair and one choice of levels; None if nothing was repeated.
    """
    table = Table(records, score)
    cells: dict[Any, list[float]] = defaultdict(list)
    for value, row, pair in zip(table.y, table.rows, table.pairs, strict=True):
        cells[pair, tuple(row.values())].append(value)
    freedom = sum(len(each) - 1 for each in cells.values())
    if not freedom:
        return None
    squares = sum(float(((np.asarray(each) - np.mean(each)) ** 2).sum()) for each in cells.values())
    return math.sqrt(squares / freedom), freedom


def pareto(points: Sequence[tuple[float, float]]) -> tuple[int, ...]:
    """The indices of the points that no other one equals or beats in both, less being better; by the first."""
    front: list[int] = []
    best = math.inf
    for index in sorted(range(len(points)), key=lambda each: points[each]):
        if points[index][1] < best:
            best = points[index][1]
            front.append(index)
    return tuple(front)


def by_chance(effects: Sequence[Effect | Interaction]) -> tuple[int, int, float]:
    """How many have an interval, how many of those exclude zero, and how many would if nothing had any effect."""
    known = [each.difference for each in effects if each.difference.low is not None]
    return len(known), sum(each.excludes_zero for each in known), len(known) * (1 - CONFIDENCE)
