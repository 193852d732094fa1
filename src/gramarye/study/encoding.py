"""Trials and outcomes as JSON, small and quickly read: a study may have 100 000 of them.

All settings of an experiment differ from one another in a few knobs. The first of them is written in full, once a
study, under the beginning of its hash (its "base"); each trial names its base and the knobs in which it differs.
A base is written in full, so that what is a default may change from one version of Gramarye to the next.
"""

from __future__ import annotations

import copy
import dataclasses
import hashlib
import json
from collections.abc import Iterable
from typing import Any

from gramarye.settings import GROUPS, Settings
from gramarye.study.record import Outcome, Pair, Trial

LETTERS = 12  # of the hash, by which a base is named
PLAIN = tuple(field.name for field in dataclasses.fields(Settings) if field.name not in GROUPS)


def flat(settings: Settings) -> dict[str, Any]:
    """Every knob's value by its dotted name."""
    found = {name: getattr(settings, name) for name in PLAIN}
    for group in GROUPS:
        found |= {f"{group}.{name}": value for name, value in vars(getattr(settings, group)).items()}
    return found


def changed(base: Settings, changes: dict[str, Any]) -> Settings:
    """`base.with_(**changes)` for changes that `flat` gave, without checking them again: a thousand times as fast."""
    settings = copy.copy(base)
    for name, value in changes.items():
        group, dot, knob = name.partition(".")
        inner = settings
        if dot:
            inner = vars(settings)[group]
            if inner is vars(base)[group]:
                inner = vars(settings)[group] = copy.copy(inner)
        vars(inner)[knob or group] = tuple(value) if type(value) is list else value
    return settings


def name_of(base: Settings) -> str:
    """The name of a base."""
    return hashlib.sha256(base.to_json().encode()).hexdigest()[:LETTERS]


def bases_of(trials: Iterable[Trial]) -> dict[str, Settings]:
    """For each experiment the settings of its first trial."""
    found: dict[str, Settings] = {}
    for trial in trials:
        found.setdefault(trial.group, trial.settings)
    return found


def trial_to_json(trial: Trial, base: str, base_knobs: dict[str, Any]) -> str:
    """A trial but for its number, with the knobs in which it differs from a base (its name, and its `flat` knobs)."""
    changes = {name: value for name, value in flat(trial.settings).items() if value != base_knobs[name]}
    plain = {
        "group": trial.group,
        "pair": [trial.pair.name, trial.pair.content, trial.pair.style],
        "levels": trial.levels,
        "base": base,
        "changes": changes,
        "preset": trial.preset,
        "replicate": trial.replicate,
        "key": trial.key,
    }
    return json.dumps(plain, ensure_ascii=False, separators=(",", ":"))


def trial_from_json(text: str, number: int, bases: dict[str, Settings]) -> Trial:
    """The trial that `trial_to_json` wrote."""
    plain = json.loads(text)
    levels = plain["levels"]
    return Trial(
        number=number,
        group=plain["group"],
        pair=Pair(*plain["pair"]),
        levels={name: tuple(value) if type(value) is list else value for name, value in levels.items()},
        settings=changed(bases[plain["base"]], plain["changes"]),
        preset=plain["preset"],
        replicate=plain["replicate"],
        key=plain["key"],
    )


def outcome_to_json(outcome: Outcome, picture: str, ledger: str) -> str:
    """An outcome, its files by their names; what is not finite is kept as Python's JSON has it."""
    plain = {
        "scores": outcome.scores,
        "terms": outcome.terms,
        "total": outcome.total,
        "seconds": outcome.seconds,
        "memory": outcome.memory,
        "evaluations": outcome.evaluations,
        "picture": picture,
        "ledger": ledger,
        "version": outcome.version,
    }
    return json.dumps(plain, ensure_ascii=False, separators=(",", ":"))
