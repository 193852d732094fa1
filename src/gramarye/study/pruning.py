"""Painting that is given up early: a look at the ledger after the first scale, or a quarter of the evaluations."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from gramarye.errors import GramaryeError
from gramarye.pulling import Work, finish
from gramarye.settings import KNOBS, Settings
from gramarye.study import work
from gramarye.study.record import Outcome, Record, Trial
from gramarye.study.store import Claim, Store

if TYPE_CHECKING:
    from gramarye.optimize import Step
    from gramarye.painting import Painting

MARGIN = 1.5  # how many times as large both content and style must be as another trial's
SHARE = 0.25  # of the evaluations, at most, before the look
# Knobs that leave the raw values of the terms the same quantities.
HARMLESS = ("content.weight", "style.weight", "smoothness.", "init", "noise", "optimizer.", "shifting.", "seed")

Values = dict[str, dict[str, float]]  # of each kind, by term


@dataclass(frozen=True)
class Rival:
    """A finished trial and its ledger, as study/ledger.py has it."""

    settings: Settings
    ledger: Mapping[str, Any]


def rivals(store: Store, records: Sequence[Record]) -> list[Rival]:
    """The finished ones of these records."""
    return [Rival(record.trial.settings, store.ledger(record)) for record in records if record.state == "done"]


def is_worse(step: Step, kinds: Mapping[str, str], settings: Settings, rival: Rival) -> bool:
    """Whether a painting is clearly behind a rival at the same evaluation, in content and in style.

    exp(mean over a kind's terms of ln(value/rival's value)) is at least 1.5, for both kinds; raw values, which weights
    do not change. False where the two optimise different quantities.
    """
    differing = (name for name in KNOBS if settings.get(name) != rival.settings.get(name))
    if not all(name.startswith(HARMLESS) for name in differing) or step.index not in rival.ledger["step"]:
        return False
    at = rival.ledger["step"].index(step.index)
    ratios: dict[str, list[float]] = {"content": [], "style": []}
    for name, value in step.terms.items():
        other = rival.ledger["value"].get(name, {})[at] if name in rival.ledger["value"] else None
        if kinds.get(name) in ratios and other:
            ratios[kinds[name]].append(math.log(max(value, 1e-30) / max(other, 1e-30)))
    return all(each and math.fsum(each) / len(each) >= math.log(MARGIN) for each in ratios.values())


def painting(trial: Trial, others: Sequence[Rival]) -> Work[tuple[Outcome, bool]]:
    """Paint a trial and score it; whether it was given up, and then with the picture it had reached.

    Yields the fraction done.
    """
    begun = work.begin(trial)
    kinds, looked, given_up = _kinds(begun), False, False
    for step in begun.steps():
        yield step.index / max(1, trial.settings.steps)
        if not looked and _is_time(step, begun):
            looked = True
            given_up = any(is_worse(step, kinds, trial.settings, each) for each in others)
            if given_up:
                break
    return work.outcome(trial, begun), given_up


def _kinds(begun: Painting) -> dict[str, str]:
    """The kind of each term by its name."""
    return {term.name: term.kind for term in begun.objective(begun.scales[0].size).terms}


def _is_time(step: Step, begun: Painting) -> bool:
    """Whether it is the last evaluation of the first scale, or a quarter of all."""
    first, steps = begun.scales[0].evaluations, begun.settings.steps
    return step.index >= max(1, min(first, math.floor(SHARE * steps)))


def run(store: Store, study: str, claim: Claim) -> None:
    """Paint a claimed trial against what is finished of its pair, and give it back to the store."""
    own = [record for record in store.records(study) if record.trial.group == claim.trial.group]
    try:
        outcome, given_up = finish(painting(claim.trial, rivals(store, own)))
    except GramaryeError as error:
        store.fail(claim, work.in_one_line(error))
    except BaseException:
        store.give_back(claim)
        raise
    else:
        store.finish(claim, outcome, "pruned" if given_up else "done")
