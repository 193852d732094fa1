"""The same picture painted with several values of one knob, or of two."""

from __future__ import annotations

import math
import types
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

from gramarye.errors import SettingsError, unknown_name
from gramarye.knobs import Knob, checked
from gramarye.settings import KNOBS, Settings

MOST = 400  # pictures of one comparison


@dataclass(frozen=True)
class Axis:
    """A knob and the values that it takes in turn."""

    knob: str
    values: tuple[Any, ...]


@dataclass(frozen=True)
class Variant:
    """One picture of a comparison: `caption` for people, `name` for its file."""

    caption: str
    name: str
    settings: Settings


def axis(text: str) -> Axis:
    """The axis that "style.weight=10,30,100" or "color" names: the values, or all choices if none is given.

    A knob that is a list takes values by slash: "scales.shares=1,1,1/5,3,2". Raises SettingsError.
    """
    name, equals, values = text.partition("=")
    name = name.strip()
    if name not in KNOBS:
        raise SettingsError(*unknown_name("knob", name, KNOBS))
    known = KNOBS[name]
    if not (equals or known.choices):
        remedy = f"for example --compare {name}={_example(known)}"
        raise SettingsError("a comparison needs values for a knob without choices", repr(text), remedy)
    words = values.split(_separator(known)) if equals else known.choices
    found = tuple(dict.fromkeys(checked(known, word) for word in words))
    return Axis(name, found)


def _separator(known: Knob) -> str:
    return "/" if isinstance(known.type, types.GenericAlias) else ","


def _example(known: Knob) -> str:
    return f"{_word(known.default)}{_separator(known)}…"


def variants(base: Settings, axes: Sequence[Axis]) -> list[Variant]:
    """The settings of every combination, the last axis changing fastest; raises SettingsError for impossible ones."""
    if len({each.knob for each in axes}) < len(axes):
        raise SettingsError("a comparison is of different knobs", axes[0].knob, "name each knob once")
    count = math.prod(len(each.values) for each in axes)
    if count > MOST:
        raise SettingsError(f"a comparison has at most {MOST} pictures", count, "name fewer values")
    made = []
    for values in product(*(each.values for each in axes)):
        chosen = dict(zip((each.knob for each in axes), values, strict=True))
        caption = " · ".join(f"{_short(knob)} = {_word(value)}" for knob, value in chosen.items())
        name = ",".join(f"{knob}={_word(value).replace('/', '-')}" for knob, value in chosen.items())
        made.append(Variant(caption, name[:200], base.with_(**chosen)))
    return made


def _short(knob: str) -> str:
    """A knob's name without its group, where that says enough."""
    last = knob.rpartition(".")[2]
    return last if sum(each.rpartition(".")[2] == last for each in KNOBS) == 1 else knob


def _word(value: Any) -> str:
    if isinstance(value, tuple):
        return ",".join(map(_word, value)) or "default"
    return f"{value:g}" if isinstance(value, float) else str(value).lower() if isinstance(value, bool) else str(value)
