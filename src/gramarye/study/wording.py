"""Trials, axes and levels in a few words."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from gramarye.study.effects import level_of
from gramarye.study.record import Record


def label(record: Record, axes: Sequence[str]) -> str:
    """The levels of a trial in a few words: those of the axes that vary."""
    return named(axes, [level_of(record.trial, axis) for axis in axes])


def briefs(records: Sequence[Record], axes: Sequence[str], design: str) -> dict[int, str]:
    """What tells trials apart, by their number, for captions.

    With one factor at a time what differs from the baseline (the most frequent level of each axis); of one axis its
    name and level; else the levels alone, in the order of the axes, which `order_of` tells.
    """
    levels = {record.trial.number: [level_of(record.trial, axis) for axis in axes] for record in records}
    columns = list(zip(*levels.values(), strict=True))
    usual = [max(column, key=column.count) for column in columns]
    if design == "one-at-a-time" and len(axes) > 1:
        pairs = {number: zip(axes, own, usual, strict=True) for number, own in levels.items()}
        apart = {number: [each[:2] for each in own if each[1] != each[2]] for number, own in pairs.items()}
        return {number: named([axis for axis, _ in own], [level for _, level in own]) for number, own in apart.items()}
    if order_of(axes, design):
        return {number: " · ".join(map(word, own)) for number, own in levels.items()}
    return {number: named(axes, own) for number, own in levels.items()}


def order_of(axes: Sequence[str], design: str) -> str:
    """The axes whose levels `briefs` gives without names; empty where it names them."""
    return " · ".join(map(short, axes)) if len(axes) > 1 and design != "one-at-a-time" else ""


def named(axes: Sequence[str], levels: Sequence[Any]) -> str:
    """Levels with their axes' names, without the group where that says enough."""
    return " · ".join(f"{short(axis)} {word(level)}" for axis, level in zip(axes, levels, strict=True)) or "baseline"


def short(axis: str) -> str:
    """An axis as a column's heading."""
    group, _, last = axis.rpartition(".")
    return f"{group} {last}".strip().replace("_", " ")


def word(level: Any) -> str:
    """A level in few letters."""
    if isinstance(level, tuple):
        return ", ".join(map(word, level)) or "–"
    return f"{level:g}" if isinstance(level, float) else str(level)


def signed(value: float) -> str:
    """A difference with its sign, in three figures."""
    return f"{value:+.3g}".replace("-", "−")
