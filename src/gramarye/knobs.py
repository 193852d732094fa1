"""What a knob is: its declaration in a group of settings, and the checking of its values.

`settings.py` declares the knobs themselves.
"""

from __future__ import annotations

import dataclasses
import math
import types
import typing
from dataclasses import dataclass, field
from functools import cache
from typing import Any, ClassVar

from gramarye.errors import SettingsError, unknown_name


@dataclass(frozen=True)
class Knob:
    """What is known about one knob besides its value; `low` and `high` are inclusive.

    `live` knobs may be changed while a picture is painted.
    """

    name: str
    default: Any
    type: Any
    help: str
    unit: str = ""
    low: float | None = None
    high: float | None = None
    log: bool = False
    choices: tuple[str, ...] = ()
    live: bool = False

    def range(self) -> str:
        """The allowed values in words, empty if anything goes."""
        if self.choices:
            return ", ".join(self.choices)
        low = "" if self.low is None else f"{self.low:g}"
        high = "" if self.high is None else f"{self.high:g}"
        return f"{low} … {high}".strip() if low or high else ""


def knob(default: Any, help: str, **known: Any) -> Any:
    """Declare one knob of a settings group."""
    return field(default=default, metadata={"help": help, **known})


@dataclass(frozen=True)
class Group:
    """A frozen group of knobs that checks itself when it is made; `prefix` begins their dotted names."""

    prefix: ClassVar[str] = ""

    def __post_init__(self) -> None:
        for known in knobs_of(type(self), self.prefix):  # type: ignore[arg-type]  # a class is hashable
            field_name = known.name.removeprefix(self.prefix)
            if "." not in field_name:
                object.__setattr__(self, field_name, checked(known, getattr(self, field_name)))


@cache
def knobs_of(group: type, prefix: str = "") -> tuple[Knob, ...]:
    """The knobs of a group and of the groups inside it, their dotted names beginning with `prefix`."""
    hints = typing.get_type_hints(group)
    found: list[Knob] = []
    for known in dataclasses.fields(group):
        if known.metadata:
            found.append(Knob(prefix + known.name, known.default, hints[known.name], **known.metadata))
        else:
            found += knobs_of(hints[known.name], f"{prefix}{known.name}.")
    return tuple(found)


def checked(known: Knob, value: Any) -> Any:
    """`value` as the knob's type, parsed if it is text; raises SettingsError outside its range."""
    rule = f"{known.name} must be {_type_in_words(known.type)}"
    try:
        value = _converted(known.type, value)
    except (TypeError, ValueError) as error:
        raise SettingsError(rule, repr(value)) from error
    if known.choices and value not in known.choices:
        raise SettingsError(*unknown_name(known.name, str(value), known.choices))
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        low = -math.inf if known.low is None else known.low
        high = math.inf if known.high is None else known.high
        if not low <= value <= high:
            raise SettingsError(f"{known.name} must lie in {known.range()}", f"{value:g}")
    return value


def _converted(wanted: Any, value: Any) -> Any:
    """`value` as the type `wanted`; raises ValueError or TypeError when it does not mean one."""
    if isinstance(wanted, types.GenericAlias):
        if isinstance(value, str):
            value = [each for each in value.split(",") if each.strip()]
        items = value if isinstance(value, (list, tuple)) else [value]
        return tuple(_converted(typing.get_args(wanted)[0], each) for each in items)
    if wanted is bool:
        return _truth(value)
    if isinstance(value, bool):
        raise ValueError(value)
    if wanted is int:
        return _whole(value)
    if wanted is float:
        return _finite(value)
    if not isinstance(value, str):
        raise TypeError(value)
    return value.strip()


def _truth(value: Any) -> bool:
    words = {"true": True, "yes": True, "1": True, "on": True, "false": False, "no": False, "0": False, "off": False}
    if isinstance(value, bool):
        return value
    if not isinstance(value, str) or value.strip().lower() not in words:
        raise ValueError(value)
    return words[value.strip().lower()]


def _whole(value: Any) -> int:
    if isinstance(value, int):
        return value
    if not float(value).is_integer():
        raise ValueError(value)
    return int(value) if isinstance(value, str) and value.strip().lstrip("+-").isdigit() else int(float(value))


def _finite(value: Any) -> float:
    number = float(value)
    if not math.isfinite(number):
        raise ValueError(value)
    return number


def _type_in_words(wanted: Any) -> str:
    if isinstance(wanted, types.GenericAlias):
        return "a list, by comma, each " + _type_in_words(typing.get_args(wanted)[0])
    return {int: "a whole number", float: "a finite number", bool: "true or false", str: "text"}[wanted]
