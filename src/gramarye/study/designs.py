"""Designs: which combinations of the axes' values are painted.

one-at-a-time   the base, then each value of each axis while the others stay at the base
factorial       every combination
fractional      as many combinations as asked for, chosen so that effects can be told apart (D-optimal)
random          combinations drawn uniformly, each once
sobol           a scrambled Sobol sequence, each combination once: more even than random

An axis has values, or a range for `random` and `sobol` to draw from.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations, islice, product
from typing import TYPE_CHECKING, Any

from gramarye.errors import StudyError
from gramarye.knobs import checked
from gramarye.settings import KNOBS

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Matrix = NDArray[np.float64]

KINDS = ("one-at-a-time", "factorial", "fractional", "random", "sobol")
DRAWN = ("random", "sobol")
COUNTED = ("fractional", *DRAWN)
CANDIDATES = 4096  # combinations that a fractional design is chosen from
RESTARTS = 12  # of that choice: exchanges end in a local optimum
DRAWS = 200  # for each combination asked for, before a drawn design gives up finding new ones

Point = dict[str, Any]


@dataclass(frozen=True)
class Axis:
    """What is varied: a knob by its dotted name, with its `values` or the range from `low` to `high`.

    Or a name of its own for several knobs that are varied together: its values are then names, and `together` has
    the knobs that each of them sets.
    """

    knob: str
    values: tuple[Any, ...] = ()
    low: float | None = None
    high: float | None = None
    log: bool = False
    together: Mapping[str, Mapping[str, Any]] = field(default_factory=dict, hash=False)

    def changes(self, value: Any) -> dict[str, Any]:
        """The knobs that a value of this axis sets."""
        return dict(self.together[value]) if self.together else {self.knob: value}

    def at(self, place: float) -> Any:
        """The value at `place` in [0, 1): one of the values, or of the range, on its scale."""
        if self.values:
            return self.values[min(int(place * len(self.values)), len(self.values) - 1)]
        assert self.low is not None
        assert self.high is not None
        if self.log:
            found = math.exp(math.log(self.low) + place * (math.log(self.high) - math.log(self.low)))
        else:
            found = self.low + place * (self.high - self.low)
        known = KNOBS[self.knob]
        return checked(known, round(found) if known.type is int else min(max(found, self.low), self.high))


@dataclass(frozen=True)
class Design:
    """`kind` is one of KINDS; `count` the number of combinations of those in COUNTED, `seed` that of the choice."""

    kind: str = "one-at-a-time"
    count: int | None = None
    seed: int = 0


def check(design: Design, axes: Sequence[Axis]) -> None:
    """Raises StudyError where the design and the axes do not go together."""
    ranges = [axis.knob for axis in axes if not axis.values]
    if ranges and design.kind not in DRAWN:
        remedy = f"give its values, or take design {' or '.join(DRAWN)}"
        raise StudyError(f"a {design.kind} design needs values, not a range", ranges[0], remedy)
    if design.kind in DRAWN:
        if not axes or design.count is None:
            received = "no count" if axes else "no axes"
            raise StudyError(f"a {design.kind} design needs axes, and a count of trials", received)
        if not ranges and design.count > combinations_of(axes):
            rule = f"a {design.kind} design takes each combination once"
            raise StudyError(rule, f"count {design.count} of {combinations_of(axes)}", "take a factorial design")
    if design.kind == "fractional":
        _check_fraction(design, axes)


def _check_fraction(design: Design, axes: Sequence[Axis]) -> None:
    total, least = combinations_of(axes), 1 + sum(len(axis.values) - 1 for axis in axes)
    if total > CANDIDATES:
        rule = f"a fractional design is chosen from at most {CANDIDATES} combinations"
        raise StudyError(rule, total, "name fewer values, or take a random or sobol design")
    if not least <= size(design, axes) <= total:
        rule = f"a fractional design of these axes needs {least} … {total} combinations"
        raise StudyError(rule, f"count {design.count}")


def combinations_of(axes: Sequence[Axis]) -> int:
    """How many combinations the values of the axes have."""
    return math.prod(len(axis.values) for axis in axes)


def size(design: Design, axes: Sequence[Axis], base: Mapping[str, Any] | None = None) -> int:
    """How many points the design has, without making them; `base` has the values of the base."""
    if design.kind == "one-at-a-time":
        known = base or {}
        return 1 + len([value for axis in axes for value in axis.values if value != known.get(axis.knob)])
    if design.kind == "factorial":
        return combinations_of(axes)
    if design.kind == "fractional" and design.count is None:
        return min(combinations_of(axes), max(math.ceil(combinations_of(axes) / 2), _effects(axes)))
    return design.count or 0


def points(design: Design, axes: Sequence[Axis], base: Mapping[str, Any]) -> list[Point]:
    """The value of each axis at every point of the design, the last axis changing fastest.

    `base` has the values of the base. The same for the same seed anywhere. Raises StudyError.
    """
    check(design, axes)
    if design.kind == "one-at-a-time":
        start = {axis.knob: base[axis.knob] for axis in axes}
        for knob in (knob for knob, value in start.items() if value is None):
            rule = "a one-at-a-time design begins at the base, which must be one of the values"
            raise StudyError(rule, f"none for {knob}", "let one of them be the base, or take a factorial design")
        changed = [(axis.knob, value) for axis in axes for value in axis.values if value != base[axis.knob]]
        return [start, *({**start, knob: value} for knob, value in changed)]
    every = ({axis.knob: value for axis, value in zip(axes, each, strict=True)} for each in product(*_values(axes)))
    if design.kind == "factorial":
        return list(every)
    if design.kind == "fractional":
        candidates = list(every)
        return [candidates[index] for index in _chosen(size(design, axes), axes, design.seed)]
    return _distinct(_drawn(design, axes), design.count or 0)


def tells_interactions(design: Design, axes: Sequence[Axis]) -> bool:
    """Whether every interaction of two axes can be estimated beside the main effects."""
    if design.kind == "one-at-a-time":
        return len(axes) < 2
    return design.kind == "factorial" or size(design, axes) >= _effects(axes)


def _values(axes: Sequence[Axis]) -> list[tuple[Any, ...]]:
    return [axis.values for axis in axes]


def _drawn(design: Design, axes: Sequence[Axis]) -> Iterator[Point]:
    """Points without end, seeded."""
    places = _sobol if design.kind == "sobol" else _random
    for place in places(len(axes), design.count or 1, design.seed):
        yield {axis.knob: axis.at(each) for axis, each in zip(axes, place, strict=True)}


def _random(dimensions: int, count: int, seed: int) -> Iterator[list[float]]:
    import numpy as np

    generator = np.random.Generator(np.random.PCG64(seed))
    while True:
        yield generator.random(dimensions).tolist()


def _sobol(dimensions: int, count: int, seed: int) -> Iterator[list[float]]:
    import torch

    engine = torch.quasirandom.SobolEngine(dimensions, scramble=True, seed=seed)  # type: ignore[no-untyped-call]
    while True:
        yield from engine.draw(count, dtype=torch.float64).tolist()


def _distinct(drawn: Iterator[Point], count: int) -> list[Point]:
    """The first `count` points that differ."""
    found: dict[tuple[Any, ...], Point] = {}
    for point in islice(drawn, count * DRAWS):
        found.setdefault(tuple(point.values()), point)
        if len(found) == count:
            return list(found.values())
    rule = "a drawn design takes each combination once"
    raise StudyError(rule, f"{len(found)} different ones for a count of {count}", "ask for fewer, or widen the axes")


# ---- the fractional design -----------------------------------------------------------------------


def _effects(axes: Sequence[Axis]) -> int:
    """The mean, the main effects and the interactions of two axes: how many numbers they are."""
    free = [len(axis.values) - 1 for axis in axes]
    return 1 + sum(free) + sum(one * other for one, other in combinations(free, 2))


def _chosen(count: int, axes: Sequence[Axis], seed: int) -> list[int]:
    """The indices of `count` of all combinations with the largest det XᵀX.

    Fedorov 1972, “Theory of Optimal Experiments”.
    X has a column for the mean, for each main effect and, if there are points enough, for each interaction of
    two axes. A seeded choice is improved by exchanges; the best of a few is taken.
    """
    import numpy as np

    effects = _columns(axes, interactions=count >= _effects(axes))
    generator = np.random.Generator(np.random.PCG64(seed))
    starts = [generator.permutation(len(effects))[:count] for _ in range(RESTARTS)]
    found = [_exchanged(effects, start) for start in starts]
    best = max(found, key=lambda pair: round(pair[0], 6))
    return sorted(best[1])


def _columns(axes: Sequence[Axis], *, interactions: bool) -> Matrix:
    """The columns of the effects at every combination, those of an axis orthogonal and of mean square 1."""
    import numpy as np

    codes = [_contrasts(len(axis.values)) for axis in axes]
    rows = []
    for levels in product(*(range(len(axis.values)) for axis in axes)):
        mains = [code[level] for code, level in zip(codes, levels, strict=True)]
        pairs = [np.outer(*pair).ravel() for pair in combinations(mains, 2)] if interactions else []
        rows.append(np.concatenate([np.ones(1), *mains, *pairs]))
    return np.stack(rows)


def _contrasts(levels: int) -> Matrix:
    """`levels` rows of levels − 1 orthogonal columns with mean 0 and mean square 1 (Helmert's)."""
    import numpy as np

    table = np.zeros((levels, levels - 1))
    for k in range(1, levels):
        table[:k, k - 1], table[k, k - 1] = -1.0, float(k)
    return table * np.sqrt(levels / np.square(table).sum(0, keepdims=True)) if levels > 1 else table


def _exchanged(effects: Matrix, start: NDArray[np.int64]) -> tuple[float, list[int]]:
    """Exchange a chosen point for another while det XᵀX grows; its logarithm, and the choice.

    To take out i and put in j multiplies the determinant by (1 − d_ii)·(1 + d_jj) + d_ij², d being X·(XᵀX)⁻¹·Xᵀ.
    """
    import numpy as np

    ridge, chosen = 1e-6 * np.eye(effects.shape[1]), start.copy()
    for _ in range(20 * len(start)):
        inside = effects[chosen]
        spread = np.linalg.inv(inside.T @ inside + ridge)
        cross = inside @ spread @ effects.T
        own = np.einsum("ij,jk,ik->i", effects, spread, effects)
        gain = (1 - own[chosen])[:, None] * (1 + own)[None, :] + cross**2
        gain[:, chosen] = 0.0
        out, into = np.unravel_index(int(np.argmax(gain.round(9))), gain.shape)
        if gain[out, into] <= 1 + 1e-6:
            break
        chosen[out] = into
    inside = effects[chosen]
    return float(np.linalg.slogdet(inside.T @ inside + ridge)[1]), chosen.tolist()
