"""Axes of a plan, read and checked, at the scale that the plan is read at."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from gramarye.errors import SettingsError, StudyError, unknown_name
from gramarye.knobs import Knob, checked
from gramarye.settings import KNOBS, Settings
from gramarye.study.designs import Axis
from gramarye.study.tables import Table, dotted

SCALED = ("size", "steps", "style.size", "optimizer.decay_every")  # what a scale multiplies
LARGEST = 100.0


@dataclass(frozen=True)
class Scale:
    """What sizes and steps are multiplied by. Raises StudyError for what is no scale."""

    scale: float = 1.0

    def __post_init__(self) -> None:
        if not 0 < self.scale <= LARGEST:
            raise StudyError(f"a scale must lie in 0 … {LARGEST:g}", f"{self.scale:g}", "for example --scale 0.25")

    def settings(self, settings: Settings) -> Settings:
        """The settings at the plan's scale."""
        if self.scale == 1:
            return settings
        return settings.with_(**{knob: self.value(knob, settings.get(knob)) for knob in SCALED})

    def value(self, knob: str, value: Any) -> Any:
        """A value of a knob at the plan's scale; 0, which stands for something else, stays."""
        return max(1, round(value * self.scale)) if knob in SCALED and value else value

    def axis(self, knob: str, given: Any) -> Axis:
        """An axis: a list of values, a table with low and high, or a table of tables of knobs."""
        if (
            knob not in KNOBS
            and isinstance(given, Mapping)
            and all(isinstance(each, Mapping) for each in given.values())
        ):
            return self.together(knob, Table(f"the axis {knob}", given))
        known = _knob(knob)
        if knob == "seed":
            raise StudyError("the seed is not an axis", "seed", "give seeds = [0, 1, 2] or replicates = 3")
        if isinstance(given, Mapping):
            return self.range(knob, Table(f"the axis {knob}", given).only(("low", "high", "log")))
        if not isinstance(given, list | tuple) or not given:
            rule = f"the axis {knob} must be a list of values, or a table with low and high"
            raise StudyError(rule, "no trials: an empty list" if given in ([], ()) else repr(given)[:80])
        values = [self.value(knob, checked(known, each)) for each in given]
        for index, value in enumerate(values):
            if value in values[:index]:
                reason = f"{value} twice" + ("" if self.scale == 1 else f" at a scale of {self.scale:g}")
                raise StudyError(f"the axis {knob} takes each value once", reason)
        return Axis(knob, tuple(checked(known, value) for value in values))

    def together(self, name: str, table: Table) -> Axis:
        """An axis of several knobs: a table of knobs for each of its values."""
        if not table.content:
            raise StudyError(f"the axis {name} needs values", "no trials: none")
        values = {value: dotted(Table(f"{value} of {table.name}", each)) for value, each in table.content.items()}
        scaled = {
            value: {knob: self.value(knob, checked(_knob(knob), each)) for knob, each in knobs.items()}
            for value, knobs in values.items()
        }
        return Axis(name, tuple(scaled), together=scaled)

    def range(self, knob: str, table: Table) -> Axis:
        """An axis whose values are drawn."""
        known, low, high = KNOBS[knob], table.number("low"), table.number("high")
        if known.type not in (int, float):
            raise StudyError(f"the axis {knob} must be a list of values", "a range", "only numbers have ranges")
        if low is None or high is None or low >= high:
            raise StudyError(f"the range of {knob} needs a low and a higher high", f"{low} … {high}")
        low, high = (float(checked(known, self.value(knob, each))) for each in (low, high))
        log = table.truth("log", known.log and low > 0)
        if log and low <= 0:
            raise StudyError(f"a logarithmic range of {knob} begins above 0", f"{low:g}")
        return Axis(knob, (), low, high, bool(log))


def varied(axis: Axis) -> set[str]:
    """The knobs that an axis varies."""
    return {knob for value in axis.values for knob in axis.changes(value)} or {axis.knob}


def check(axes: Sequence[Axis]) -> None:
    """Raises StudyError for a knob in two axes."""
    taken: set[str] = set()
    for axis in axes:
        if twice := sorted(taken & varied(axis)):
            raise StudyError("each knob is varied by one axis", f"{twice[0]} in two")
        taken |= varied(axis)


def _knob(name: str) -> Knob:
    if name not in KNOBS:
        raise SettingsError(*unknown_name("knob", name, KNOBS))
    return KNOBS[name]
