"""Painting that is given up early: a look at the ledger after the first scale, or a quarter of the evaluations."""

from __future__ import annotations

import math
import tempfile
from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gramarye.errors import GramaryeError
from gramarye.settings import KNOBS, Settings
from gramarye.study import ledger, work
from gramarye.study.record import Outcome, Record, Trial
from gramarye.study.store import Claim, Store

if TYPE_CHECKING:
    from gramarye.optimize import Step
    from gramarye.scores import Scorer
    from gramarye.transfer import Painting

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


def painting(trial: Trial, others: Sequence[Rival]) -> Generator[float, None, tuple[Outcome, bool]]:
    """Paint a trial and score it; whether it was given up, and then with the picture it had reached.

    Yields the fraction done.
    """
    from gramarye import transfer

    begun = transfer.prepare(trial.pair.content, trial.pair.style, trial.settings, preset=trial.preset)
    kinds, looked, given_up = _kinds(begun), False, False
    for step in begun.steps():
        yield step.index / max(1, trial.settings.steps)
        if not looked and _is_time(step, begun):
            looked = True
            given_up = any(is_worse(step, kinds, trial.settings, each) for each in others)
            if given_up:
                break
    return _outcome(trial, begun), given_up


def _kinds(begun: Painting) -> dict[str, str]:
    """The kind of each term by its name."""
    return {term.name: term.kind for term in begun.objective(begun.scales[0].size).terms}


def _is_time(step: Step, begun: Painting) -> bool:
    """Whether it is the last evaluation of the first scale, or a quarter of all."""
    first, steps = begun.scales[0].evaluations, begun.settings.steps
    return step.index >= max(1, min(first, math.floor(SHARE * steps)))


def _outcome(trial: Trial, begun: Painting) -> Outcome:
    """What a painting has come to so far."""
    import gramarye
    from gramarye import images

    result = begun.result()
    size = (result.pixels.shape[2], result.pixels.shape[3])
    scorer = _scorer(trial.pair.content, trial.pair.style, size, trial.settings.network.name)
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "picture.png"
        images.save(result.pixels, file, recipe=result.recipe)
        picture = file.read_bytes()
    return Outcome(
        picture=picture,
        ledger=ledger.to_bytes(result),
        scores=scorer(result.pixels),
        terms={term["name"]: term["value"] for term in result.terms},
        total=result.total,
        seconds=result.seconds,
        memory=result.peak_memory,
        evaluations=result.history[-1].index if result.history else 0,
        version=gramarye.__version__,
    )


@lru_cache(maxsize=4)
def _scorer(content: str, style: str, size: tuple[int, int], network: str) -> Scorer:
    """Scores of pictures of `size` for a pair, as in work.py."""
    from gramarye import images, scores

    photograph = images.resize(images.load(content).pixels, size)
    networks = scores.networks(Settings().with_(**{"network.name": network}))
    return scores.Scorer(photograph, images.load(style).pixels, networks)


def run(store: Store, study: str, claim: Claim) -> None:
    """Paint a claimed trial against what is finished of its pair, and give it back to the store."""
    own = [record for record in store.records(study) if record.trial.group == claim.trial.group]
    try:
        outcome, given_up = work.finished(painting(claim.trial, rivals(store, own)))
    except GramaryeError as error:
        store.fail(claim, work.in_one_line(error))
    except BaseException:
        store.give_back(claim)
        raise
    else:
        store.finish(claim, outcome, "pruned" if given_up else "done")
