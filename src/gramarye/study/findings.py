"""Everything that a report of a study draws: tables, curves, effects, fronts and what may be concluded.

Works on any records, finished or not. One chapter for each group of the plan.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from gramarye import scores
from gramarye.study import conclusions, effects, importance
from gramarye.study.effects import Effect, Interaction, level_of
from gramarye.study.experiment import Plan
from gramarye.study.grids import Column, Grid, Ledger, columns_of, grids_of, losses, measured
from gramarye.study.importance import Importance
from gramarye.study.record import Record
from gramarye.study.wording import briefs, label, order_of

# What the front is drawn of, the first that no trial optimised: scores by their names without the network.
CONTENT_SCORES = ("cfsd", "content-held-out", "ssim")
STYLE_SCORES = ("style-sliced", "style-moments", "style-frechet", "style-gram")

Ledgers = Callable[[Record], Ledger | None]


@dataclass(frozen=True)
class Curve:
    """The total loss of one trial by evaluation."""

    label: str
    pair: str
    points: tuple[tuple[int, float], ...] = field(repr=False)


@dataclass(frozen=True)
class Point:
    """One choice of levels as a place between content and style."""

    label: str
    brief: str
    x: float
    y: float
    on_front: bool


@dataclass(frozen=True)
class Front:
    """Content lost (x) against style missing (y), both less being better: 1 − the score where more is.

    `held_out`: no trial optimised a layer of either score.
    """

    content: str
    style: str
    points: tuple[Point, ...]
    held_out: bool


@dataclass(frozen=True)
class Shot:
    """A painted trial, for the contact sheet."""

    label: str
    pair: str
    record: Record


@dataclass(frozen=True)
class Chapter:
    """One group of the plan: what was asked, how far it is, and what came of it.

    `relative` says why curves are drawn relative to their start, empty if they need not be. `noise` has for each score
    the standard deviation between seeds and its degrees of freedom. `order` names the axes whose levels captions have
    without names.
    """

    name: str
    question: str
    reported: str
    design: str
    axes: tuple[str, ...]
    order: str
    states: dict[str, int]
    pairs: tuple[str, ...]
    grids: tuple[Grid, ...]
    curves: tuple[Curve, ...]
    relative: str
    effects: tuple[Effect, ...]
    interactions: tuple[Interaction, ...]
    importances: tuple[Importance, ...]
    noise: dict[str, tuple[float, int]]
    front: Front | None
    shots: tuple[Shot, ...]
    failures: tuple[str, ...]
    conclusions: tuple[str, ...] = ()


@dataclass(frozen=True)
class Findings:
    """A study as far as it is; `seconds` of painting in all."""

    name: str
    question: str
    states: dict[str, int]
    seconds: float
    versions: tuple[str, ...]
    measures: tuple[Column, ...]
    chapters: tuple[Chapter, ...]
    records: tuple[Record, ...] = field(repr=False)

    @property
    def finished(self) -> bool:
        """Whether nothing waits or runs."""
        return not (self.states.get("waiting") or self.states.get("running"))


@dataclass(frozen=True)
class Asked:
    """What a group of trials was painted for, as its plan has it."""

    name: str
    question: str = ""
    reported: str = ""
    design: str = ""


def asked(plan: Plan) -> tuple[Asked, ...]:
    """The groups of a plan."""
    return tuple(Asked(each.name, each.question, each.reported, each.design.kind) for each in plan.groups)


def find(
    name: str, records: Sequence[Record], ledgers: Ledgers, *, question: str = "", groups: Sequence[Asked] = ()
) -> Findings:
    """What the records of a study come to; `ledgers` gives a finished record's ledger, None if it has none.

    `groups` are those of the plan; trials of others come after them.
    """
    ordered = sorted(records, key=lambda record: record.trial.number)
    measures, known = measured(ordered), {group.name: group for group in groups}
    for record in ordered:
        known.setdefault(record.trial.group, Asked(record.trial.group))
    by_group = {group: [record for record in ordered if record.trial.group == group] for group in known}
    return Findings(
        name=name,
        question=question,
        states=dict(Counter(record.state for record in ordered)),
        seconds=sum(record.seconds or 0.0 for record in ordered),
        versions=tuple(sorted({record.version for record in ordered if record.version})),
        measures=measures,
        chapters=tuple(_chapter(group, by_group[group.name], measures, ledgers) for group in known.values()),
        records=tuple(ordered),
    )


def _chapter(group: Asked, records: Sequence[Record], measures: Sequence[Column], ledgers: Ledgers) -> Chapter:
    axes = effects.axes_of(records)
    done = in_order([record for record in records if record.state == "done"], axes)
    told = briefs(done, axes, group.design)
    books = {record.trial.number: ledgers(record) for record in done}
    parts = {record.trial.number: losses(record, books[record.trial.number]) for record in done}
    columns, names = columns_of(done, measures), [column.name for column in measures]
    crossed = [each for name in names for each in effects.interactions(done, name)]
    found = Chapter(
        name=group.name,
        question=group.question,
        reported=group.reported,
        design=group.design,
        axes=axes,
        order=order_of(axes, group.design),
        states=dict(Counter(record.state for record in records)),
        pairs=tuple(dict.fromkeys(record.trial.pair.name for record in records)),
        grids=grids_of(done, axes, columns, parts),
        curves=tuple(
            _curve(record, told[record.trial.number], book)
            for record in _firsts(done)
            if (book := books[record.trial.number]) is not None
        ),
        relative=next(column.refused for column in columns if column.name == "total"),
        effects=tuple(each for name in names for each in effects.main_effects(done, name)),
        interactions=tuple(sorted(crossed, key=lambda each: -abs(each.size))),
        importances=tuple(each for column in measures for each in _importances(done, column)),
        noise={name: noise for name in names if (noise := effects.seed_noise(done, name))},
        front=front(done, axes, names, told),
        shots=tuple(Shot(told[record.trial.number], record.trial.pair.name, record) for record in _firsts(done)),
        failures=tuple(_failure(record, axes) for record in records if record.state in {"failed", "set aside"}),
    )
    return conclusions.concluded(found)


def in_order(records: Sequence[Record], axes: Sequence[str]) -> list[Record]:
    """Records by the levels of their axes: numbers by size, anything else as in the plan."""
    seen = {axis: list(dict.fromkeys(level_of(record.trial, axis) for record in records)) for axis in axes}
    places = {
        axis: sorted(levels) if all(isinstance(each, int | float) for each in levels) else levels
        for axis, levels in seen.items()
    }
    return sorted(records, key=lambda record: [places[axis].index(level_of(record.trial, axis)) for axis in axes])


def _failure(record: Record, axes: Sequence[str]) -> str:
    return f"{label(record, axes)} ({record.trial.pair.name}): {record.error}"


def _firsts(records: Sequence[Record]) -> list[Record]:
    """The first seed of each choice of levels and pair."""
    found: dict[Any, Record] = {}
    for record in records:
        found.setdefault((record.trial.pair.name, tuple(map(str, record.trial.levels.items()))), record)
    return list(found.values())


def _curve(record: Record, label: str, ledger: Ledger) -> Curve:
    """The total of each evaluation, as far as it is finite."""
    points = zip(ledger["step"], ledger["total"], strict=True)
    known = tuple((int(at), float(total)) for at, total in points if total is not None and math.isfinite(total))
    return Curve(label, record.trial.pair.name, known)


def _importances(records: Sequence[Record], column: Column) -> list[Importance]:
    found = [importance.variance_shares(records, column.name)]
    found.append(importance.ped_anova(records, column.name, lower_is_better=column.better == "lower"))
    return [each for each in found if each is not None]


def front(
    records: Sequence[Record], axes: Sequence[str], names: Sequence[str], told: Mapping[int, str]
) -> Front | None:
    """Content against style for each choice of levels, the mean of its trials; None with fewer than three."""
    (content, fair), (style, just) = (_held_out(records, names, known) for known in (CONTENT_SCORES, STYLE_SCORES))
    cells: dict[str, list[Record]] = defaultdict(list)
    for record in records:
        if content in record.scores and style in record.scores:
            cells[label(record, axes)].append(record)
    if len(cells) < 3:
        return None
    places = [(_downwards(own, content), _downwards(own, style)) for own in cells.values()]
    best = set(effects.pareto(places))
    named = enumerate(zip(cells, places, strict=True))
    short = [told[own[0].trial.number] for own in cells.values()]
    points = tuple(Point(text, short[index], x, y, index in best) for index, (text, (x, y)) in named)
    return Front(content, style, points, fair and just)


def _downwards(records: Sequence[Record], name: str) -> float:
    """The mean of a score, 1 − it where more is better."""
    mean = math.fsum(record.scores[name] for record in records) / len(records)
    return 1 - mean if scores.record(name).better == "higher" else mean


def _held_out(records: Sequence[Record], names: Sequence[str], wanted: Sequence[str]) -> tuple[str, bool]:
    """The first wanted score that no trial optimised, else the first of all; and whether it is one of the former."""
    settings = list(dict.fromkeys(record.trial.settings for record in records))
    known = [name for plain in wanted for name in names if name.partition("@")[0] == plain]
    fair = (name for name in known if all(scores.held_out(name, each) for each in settings))
    found = next(fair, "")
    return (found, True) if found else ((known or [""])[0], False)
