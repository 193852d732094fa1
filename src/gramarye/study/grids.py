"""The tables of a study: means of losses and scores, ranked only where that is fair."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from gramarye import scores
from gramarye.study.effects import Interval, contrast, level_of
from gramarye.study.record import Record

LOSSES = {"total": "total loss", "content": "content loss", "style": "style loss"}

Ledger = Mapping[str, Any]


@dataclass(frozen=True)
class Column:
    """One measure of a table; `refused` says why its values must not be ranked, empty if they may."""

    name: str
    label: str
    better: str = ""
    refused: str = ""


@dataclass(frozen=True)
class Row:
    """One choice of levels (of one pair, or of all of them): the mean of each measure, and how many trials."""

    levels: tuple[Any, ...]
    pair: str
    n: int
    values: dict[str, Interval]
    best: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Grid:
    """A table: rows by the levels of `axes`, with columns in the order of the plan's scores."""

    title: str
    axes: tuple[str, ...]
    columns: tuple[Column, ...]
    rows: tuple[Row, ...]
    by_pair: bool = False


def measured(records: Iterable[Record]) -> tuple[Column, ...]:
    """The scores that the records have, in the order of SCORES, the same score of several networks together."""
    names = {name for record in records for name in record.scores}
    order = {name: place for place, name in enumerate(scores.SCORES)}
    known = sorted(names, key=lambda name: (order.get(name.partition("@")[0], len(order)), name))
    return tuple(Column(name, name.replace("@", " @ "), scores.record(name).better) for name in known)


def losses(record: Record, ledger: Ledger | None) -> dict[str, float]:
    """The total loss at the finished picture, and what its content and its style terms add to it.

    A term's weight is told by the ledger's last evaluation: weighted over raw value.
    """
    found = {} if record.total is None else {"total": record.total}
    if ledger is None or not ledger["step"]:
        return found
    for kind in ("content", "style"):
        names = [term["name"] for term in ledger["terms"] if term["kind"] == kind and term["name"] in record.terms]
        parts = [
            _weighted(record.terms[name], ledger["value"][name][-1], ledger["weighted"][name][-1]) for name in names
        ]
        if parts and None not in parts:
            found[kind] = math.fsum(part for part in parts if part is not None)
    return found


def _weighted(value: float, last: float | None, last_weighted: float | None) -> float | None:
    """A value times the weight that made `last_weighted` of `last`; None where that cannot be told."""
    if not last or last_weighted is None:
        return None
    return value * last_weighted / last


def columns_of(records: Sequence[Record], measures: Sequence[Column]) -> tuple[Column, ...]:
    """Losses and scores, each with the reason if it must not be ranked across these records."""
    settings = [record.trial.settings for record in records]
    wanted = [*(Column(name, text, "lower") for name, text in LOSSES.items()), *measures]
    return tuple(
        Column(each.name, each.label, each.better, scores.comparable(each.name, settings) or "") for each in wanted
    )


def grids_of(
    records: Sequence[Record], axes: tuple[str, ...], columns: Sequence[Column], parts: Mapping[int, dict[str, float]]
) -> tuple[Grid, ...]:
    """One table over all pairs, and one by pair where there are several."""
    if not records:
        return ()
    pairs = list(dict.fromkeys(record.trial.pair.name for record in records))
    values = {record.trial.number: {**record.scores, **parts[record.trial.number]} for record in records}
    present = tuple(column for column in columns if any(column.name in each for each in values.values()))
    over = f"mean of {len(pairs)} pairs" if len(pairs) > 1 else pairs[0]
    grids = [Grid(over, axes, present, _rows(records, axes, present, values, pair=""))]
    if len(pairs) > 1:
        rows = [
            row
            for pair in pairs
            for row in _rows(
                [each for each in records if each.trial.pair.name == pair], axes, present, values, pair=pair
            )
        ]
        grids.append(Grid("each pair", axes, present, tuple(rows), by_pair=True))
    return tuple(grids)


def _rows(
    records: Sequence[Record],
    axes: tuple[str, ...],
    columns: Sequence[Column],
    values: Mapping[int, Mapping[str, float]],
    *,
    pair: str,
) -> tuple[Row, ...]:
    """One row for each choice of levels, the best mean of each column that may be ranked marked."""
    cells: dict[tuple[Any, ...], list[Record]] = defaultdict(list)
    for record in records:
        cells[tuple(level_of(record.trial, axis) for axis in axes)].append(record)
    rows = [(levels, own, _means(own, columns, values)) for levels, own in cells.items()]
    best: dict[str, float] = {}
    for column in columns:
        known = [means[column.name].value for *_, means in rows if column.name in means]
        if len(known) > 1 and not column.refused:
            best[column.name] = min(known) if column.better == "lower" else max(known)
    return tuple(
        Row(
            levels,
            pair,
            len(own),
            means,
            frozenset(name for name in best if name in means and means[name].value == best[name]),
        )
        for levels, own, means in rows
    )


def _means(
    records: Sequence[Record], columns: Sequence[Column], values: Mapping[int, Mapping[str, float]]
) -> dict[str, Interval]:
    """The mean of each measure over pairs, or over seeds of one pair, with its interval."""
    found = {}
    for column in columns:
        units: dict[str, list[float]] = defaultdict(list)
        for record in records:
            value = values[record.trial.number].get(column.name)
            if value is not None and math.isfinite(value):
                units[record.trial.pair.name].append(value)
        means = [math.fsum(each) / len(each) for each in units.values()]
        sample = means if len(means) > 1 else next(iter(units.values()), [])
        if sample:
            found[column.name] = contrast([sample], over="pairs" if len(means) > 1 else "seeds")
    return found
