"""What can go wrong, as a tree; catch `GramaryeError` to catch all of it.

GramaryeError
├── ImageError          a picture that cannot be read, used or written
├── SettingsError       a knob that does not exist, or a value outside its range
├── WeightsError        network weights that are missing, damaged or of another network
├── OptimizationError   an optimisation that cannot go on
├── StudyError          a plan that cannot be carried out, or a store that cannot be used
└── MissingExtraError   an optional dependency that is not installed
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable

LISTED = 40  # names, at most, in one line


class GramaryeError(Exception):
    """An error that a user can mend: the rule, the value received, the remedy, in one line.

    `str(error)` reads ``RULE; got RECEIVED. REMEDY`` with the parts that were given.
    """

    def __init__(self, rule: str, received: object = None, remedy: str | None = None) -> None:
        self.rule, self.received, self.remedy = rule, received, remedy
        message = rule if received is None else f"{rule}; got {received}"
        if remedy:
            message = f"{message.rstrip('.')}. {remedy[0].upper()}{remedy[1:]}"
        super().__init__(" ".join(message.split()))


class ImageError(GramaryeError):
    """A picture cannot be read, used or written."""


class SettingsError(GramaryeError):
    """A knob is unknown, its value is out of range, or two knobs contradict each other."""


class WeightsError(GramaryeError):
    """Network weights are missing, damaged, or do not belong to the network asked for."""


class OptimizationError(GramaryeError):
    """The optimisation cannot go on, for example because no finite step is left."""


class StudyError(GramaryeError):
    """A study's plan cannot be carried out, or its store cannot be used."""


class MissingExtraError(GramaryeError):
    """A feature needs an optional dependency; the remedy is the pip command."""


def unknown_name(kind: str, name: str, known: Iterable[str]) -> tuple[str, str, str]:
    """Rule, received and remedy for a name that is not among the known ones.

    The remedy offers the nearest known name, or lists them (the first LISTED) when none is near.
    """
    names = sorted(known)
    near = difflib.get_close_matches(name, names, n=1, cutoff=0.5)
    rest = f" … ({len(names)} in all)" if len(names) > LISTED else ""
    remedy = f"did you mean {near[0]!r}?" if near else f"known: {', '.join(names[:LISTED])}{rest}"
    return f"unknown {kind}", repr(name), remedy
