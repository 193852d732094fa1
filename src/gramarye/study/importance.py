"""How much of a score's variation each axis and each two of them account for, and how far that can be trusted.

Two evaluators, each named in what it returns. `variance_shares` fits a linear model with two-way interactions and
takes its Sobol indices; `ped_anova` is Optuna's, and asks instead which axes decide whether a trial is among the best.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gramarye.study import database
from gramarye.study.effects import Table, level_of
from gramarye.study.record import Record

FOLDS = 5
LEAST = 8  # trials
BEST, TRIALS_FOR_BEST = 0.2, 25  # PED-ANOVA wants five trials among the best
PAIR = "pair"

Columns = NDArray[np.float64]
Factors = dict[str, list[Any]]


@dataclass(frozen=True)
class Importance:
    """The share of each axis, and of each two ("a × b"), the largest first; `evaluator` says by which method.

    `r2` is cross-validated: 1 − Σ(y − ŷ)²/Σ(y − ȳ)² over trials that the model has not seen; None where the method has
    no model. Near or below zero the shares mean nothing.
    """

    score: str
    evaluator: str
    shares: dict[str, float]
    n: int
    r2: float | None = field(default=None)


def variance_shares(records: Sequence[Record], score: str) -> Importance | None:
    """Sobol indices of a linear model: Var of each term over Var of all, levels being equally likely.

    y = μ + Σ a_i[level_i] + Σ b_ij[level_i, level_j], least squares of least norm; the pair of pictures is an axis
    too. Interactions are kept if they predict better in cross-validation. None with fewer than eight trials, or
    where there is one axis alone (and one pair): nothing is to be shared.
    """
    table = Table(records, score)
    factors: Factors = {axis: [row[axis] for row in table.rows] for axis in table.axes}
    if len(set(table.pairs)) > 1:
        factors = {PAIR: list(table.pairs), **factors}
    if len(table.y) < LEAST or not table.axes or len(factors) < 2 or not table.spread:
        return None
    plain, crossed = _names(factors, 1), _names(factors, 2)
    r2, names = max(((cross_validated(factors, names, table.y), names) for names in (plain, crossed)), key=_first)
    shares = _shares(factors, names, _fitted(_matrix(factors, names), table.y))
    kind = "with two-way interactions" if names is crossed and crossed != plain else "without interactions"
    return Importance(score, f"Sobol indices of a linear model {kind}", shares, len(table.y), r2)


def _first(pair: tuple[float, Any]) -> float:
    return pair[0]


def _names(factors: Factors, order: int) -> list[tuple[str, ...]]:
    """The model's terms: each factor, and with order 2 each two of them that vary together."""
    alone: list[tuple[str, ...]] = [(name,) for name in factors]
    return alone + [pair for pair in combinations(factors, 2) if order == 2 and _crossed(factors, pair)]


def _crossed(factors: Factors, pair: tuple[str, str]) -> bool:
    """Whether the design tells an interaction: more combinations than one factor at a time would have."""
    first, second = (factors[name] for name in pair)
    return len(set(zip(first, second, strict=True))) > len(set(first)) + len(set(second)) - 1


def _matrix(factors: Factors, names: Sequence[tuple[str, ...]]) -> Columns:
    """One column for the mean and one for each level of each term: 1 where a trial has it."""
    columns: list[Columns] = [np.ones(len(next(iter(factors.values()))), dtype=np.float64)]
    for name in names:
        found = list(zip(*(factors[each] for each in name), strict=True))
        columns += [np.array([each == level for each in found], dtype=np.float64) for level in dict.fromkeys(found)]
    return np.stack(columns, axis=1)


def _fitted(matrix: Columns, y: Columns) -> Columns:
    coefficients: Columns = np.asarray(np.linalg.lstsq(matrix, y, rcond=None)[0], dtype=np.float64)
    return coefficients


def cross_validated(factors: Factors, names: Sequence[tuple[str, ...]], y: Columns, *, seed: int = 0) -> float:
    """R² of predictions for trials that were left out, in five folds.

    With several pairs all seeds of a pair's settings are left out together; with one pair each trial for itself, or
    no interaction could ever be foretold.
    """
    matrix = _matrix(factors, names)
    alone = range(len(y)) if PAIR not in factors else [0] * len(y)
    cells = list(zip(alone, *factors.values(), strict=True))
    distinct = list(dict.fromkeys(cells))
    order = np.random.default_rng(seed).permutation(len(distinct))
    fold_of = {distinct[index]: place % FOLDS for place, index in enumerate(order)}
    folds = np.array([fold_of[cell] for cell in cells])
    predicted = np.empty_like(y)
    for fold in set(folds.tolist()):
        left_out = folds == fold
        predicted[left_out] = matrix[left_out] @ _fitted(matrix[~left_out], y[~left_out])
    return float(1 - ((y - predicted) ** 2).sum() / ((y - y.mean()) ** 2).sum())


def _shares(factors: Factors, names: Sequence[tuple[str, ...]], coefficients: Columns) -> dict[str, float]:
    """The parts of the model's variance when all levels are equally likely and independent.

    f(x_i) = E[f|x_i] − E f and f(x_i, x_j) = E[f|x_i, x_j] − f(x_i) − f(x_j) − E f: the means of each table of
    interactions go to its two factors, what is left is the interaction (Sobol 1993).
    """
    alone = {name: np.zeros(len(dict.fromkeys(factors[name]))) for name in factors}
    together: dict[tuple[str, ...], Columns] = {}
    start = 1
    for name in names:
        levels = [list(dict.fromkeys(factors[each])) for each in name]
        found = list(dict.fromkeys(zip(*(factors[each] for each in name), strict=True)))
        grid = np.zeros([len(each) for each in levels])  # combinations that never occurred count as no interaction
        for offset, combination in enumerate(found):
            place = tuple(known.index(level) for known, level in zip(levels, combination, strict=True))
            grid[place] = coefficients[start + offset]
        start += len(found)
        if len(name) == 1:
            alone[name[0]] += grid
        else:
            alone[name[0]] += grid.mean(axis=1)
            alone[name[1]] += grid.mean(axis=0)
            rows, columns = grid.mean(axis=1, keepdims=True), grid.mean(axis=0, keepdims=True)
            together[name] = grid - rows - columns + grid.mean()
    parts = {name: float(values.var()) for name, values in alone.items()}
    parts |= {" × ".join(name): float((values**2).mean()) for name, values in together.items()}
    whole = sum(parts.values()) or 1.0
    return dict(sorted(((name, part / whole) for name, part in parts.items()), key=lambda pair: -pair[1]))


def ped_anova(records: Sequence[Record], score: str, *, lower_is_better: bool = True) -> Importance | None:
    """Optuna's PED-ANOVA: how much each axis decides whether a trial is in the best fifth (Watanabe et al. 2023).

    None with fewer than 25 trials, or where several pairs of pictures would be mixed up. Raises MissingExtraError
    without Optuna.
    """
    table = Table(records, score)
    if len(table.y) < TRIALS_FOR_BEST or len(set(table.pairs)) > 1 or not table.axes or not table.spread:
        return None
    database.require()
    import optuna

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    kept = [record for record in records if record.state == "done" and score in record.scores]
    study = optuna.create_study(direction="minimize" if lower_is_better else "maximize")
    spaces = {axis: _distribution(optuna, [level_of(record.trial, axis) for record in kept]) for axis in table.axes}
    for record in kept:
        levels = {axis: _plain(level_of(record.trial, axis)) for axis in table.axes}
        study.add_trial(optuna.trial.create_trial(params=levels, distributions=spaces, value=record.scores[score]))
    evaluator = optuna.importance.PedAnovaImportanceEvaluator(target_quantile=BEST)
    found = optuna.importance.get_param_importances(study, evaluator=evaluator)
    shares = {axis: float(share) for axis, share in found.items()}
    return Importance(score, f"PED-ANOVA (Optuna {optuna.__version__}), best {BEST:.0%}", shares, len(kept))


def _distribution(optuna: Any, levels: Sequence[Any]) -> Any:
    """Numbers as a range, logarithmic if they span more than a factor of ten; anything else as choices."""
    if all(isinstance(level, (int, float)) and not isinstance(level, bool) for level in levels):
        low, high = min(levels), max(levels)
        if len(set(levels)) > 2:
            return optuna.distributions.FloatDistribution(low, high, log=low > 0 and high > 10 * low)
    return optuna.distributions.CategoricalDistribution(list(dict.fromkeys(map(_plain, levels))))


def _plain(level: Any) -> Any:
    """A level as Optuna knows it."""
    return ",".join(map(str, level)) if isinstance(level, tuple) else level
