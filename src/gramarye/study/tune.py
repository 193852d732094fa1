"""Tuning knobs for a pair of pictures: Optuna proposes, Gramarye paints, scores that were not optimised decide.

Nothing is kept but the records in the store: every proposal is made anew from them, so that a tuning that was stopped,
or killed, goes on where it was. The first trial of a pair is always the untuned preset.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from gramarye import scores
from gramarye.errors import StudyError, unknown_name
from gramarye.knobs import Knob, checked
from gramarye.settings import KNOBS, Settings
from gramarye.study import effects, experiment
from gramarye.study.database import require
from gramarye.study.designs import Axis, Design
from gramarye.study.experiment import Group, Plan
from gramarye.study.record import Pair, Record, Trial
from gramarye.study.store import Claim, Store

AXIS = "tuned"
UNTUNED = "untuned"
KNOBS_TUNED = ("content.weight", "style.weight", "init")  # what Joshi and Hu's revised algorithm tunes for each pair
WIDTH = 30.0  # a weight is tuned from its value divided by this to its value times this
STARTS = ("content", "matched", "noise", "black", "grey", "style")
RANDOM = 6  # proposals before the sampler looks at results
# What is minimised, and what judges: no score is in both.
CONTENT_GOALS = ("content-held-out", "cfsd", "ssim")
STYLE_GOALS = ("style-gram", "style-moments")
JUDGES = ("cfsd", "ssim", "style-sliced", "style-frechet")
LEAST = 1e-6  # of a score, below which its logarithm tells nothing

Runner = Callable[[Store, str, Claim], Any]


@dataclass(frozen=True)
class Range:
    """What a knob may become: a number between `low` and `high`, or one of `choices`."""

    knob: str
    low: float = 0.0
    high: float = 0.0
    log: bool = False
    choices: tuple[Any, ...] = ()

    def holds(self, value: Any) -> bool:
        """Whether a value lies in it."""
        return value in self.choices if self.choices else self.low <= value <= self.high

    def distribution(self) -> Any:
        """The same for Optuna."""
        from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

        if self.choices:
            return CategoricalDistribution(self.choices)
        if KNOBS[self.knob].type is int:
            return IntDistribution(int(self.low), int(self.high), log=self.log)
        return FloatDistribution(self.low, self.high, log=self.log)


def ranges(settings: Settings, wanted: Sequence[str] = KNOBS_TUNED) -> tuple[Range, ...]:
    """What to tune: a knob's name, "style.weight=1…1000" (or with a colon), or "init=content,noise".

    A name alone takes all choices, or numbers about the settings' own value: from a thirtieth of it to thirty times it
    for knobs on a logarithmic scale, else the whole range. Raises StudyError, SettingsError.
    """
    found = tuple(_range(settings, text) for text in wanted)
    if len({each.knob for each in found}) < len(found):
        raise StudyError("each knob is tuned once", ", ".join(each.knob for each in found))
    return found


def _range(settings: Settings, text: str) -> Range:
    name, equals, values = (part.strip() for part in text.partition("="))
    if name not in KNOBS:
        raise StudyError(*unknown_name("knob", name, KNOBS))
    known = KNOBS[name]
    ends = values.replace("…", ":").split(":")
    if equals and len(ends) == 1:
        return Range(name, choices=tuple(dict.fromkeys(checked(known, each) for each in values.split(","))))
    if equals:
        return _between(known, *(float(checked(known, end)) for end in ends[:2]))
    if known.choices:
        return Range(name, choices=STARTS if name == "init" else known.choices)
    if known.type is bool:
        return Range(name, choices=(False, True))
    return _about(known, settings.get(name))


def _about(known: Knob, value: Any) -> Range:
    """A range about a value, inside the knob's own."""
    if known.type not in (int, float) or known.low is None or known.high is None:
        raise StudyError(f"to tune {known.name}, say its values", known.name, f"for example {known.name}=A,B")
    if not known.log:
        return _between(known, known.low, known.high)
    if value <= 0:
        raise StudyError(
            f"to tune {known.name}, which is 0, say a range", known.name, f"for example {known.name}=1:100"
        )
    return _between(known, max(known.low, value / WIDTH), min(known.high, value * WIDTH))


def _between(known: Knob, low: float, high: float) -> Range:
    if low >= high:
        raise StudyError(f"the range of {known.name} needs a low and a higher high", f"{low:g} … {high:g}")
    return Range(known.name, low, high, known.log and low > 0)


@dataclass(frozen=True)
class Goal:
    """The scores of content and of style that are minimised, in the optimised network, and those that judge.

    Of each kind the mean of ln(lost/lost of the untuned preset) is taken (see `against`). `alone`: ½ of both is one
    number to minimise; else they are kept apart and the front between them is looked for.
    """

    content: tuple[str, ...]
    style: tuple[str, ...]
    judges: tuple[str, ...]
    alone: bool = False


def goal(names: Sequence[str], settings: Settings, *, alone: bool = False) -> Goal:
    """The goal among the scores that a record has, in the network that painted; raises StudyError without any.

    Judges look at no layer that was optimised, wherever there are such.
    """

    own = [name for name in names if name.partition("@")[2] in ("", settings.network.name)]

    def among(wanted: Sequence[str], most: int) -> tuple[str, ...]:
        found = [name for plain in wanted for name in own if name.partition("@")[0] == plain]
        if not found:
            raise StudyError("tuning needs scores of content and of style", ", ".join(names) or "none")
        return tuple(found[:most])

    content, style = among(CONTENT_GOALS, 1), among(STYLE_GOALS, len(STYLE_GOALS))
    judges: list[str] = []
    for kind in ("content", "style"):
        others = [name for name in names if name.partition("@")[0] in JUDGES and scores.record(name).kind == kind]
        others = [name for name in others if name not in (*content, *style)]
        judges += [name for name in others if scores.held_out(name, settings)] or others
    return Goal(content, style, tuple(judges), alone)


def lost(record: Record, name: str) -> float:
    """A score as what is missing: 1 − it where more is better; never below 10⁻⁶."""
    value = record.scores[name]
    missing = 1 - value if scores.record(name).better == "higher" else value
    return max(missing, LEAST) if math.isfinite(missing) else 1 / LEAST


def against(record: Record, untuned: Record, names: Sequence[str]) -> float:
    """The mean of ln(lost/lost of the untuned preset) over scores: below 0 is better, −0.1 about a tenth less lost."""
    return math.fsum(math.log(lost(record, name) / lost(untuned, name)) for name in names) / len(names)


def judged(record: Record, untuned: Record, judges: Sequence[str]) -> dict[str, float]:
    """What the judges say, as `against`: of content, of style, and ½ of both ("both"); only kinds that have judges."""
    found = {}
    for kind in ("content", "style"):
        own = [name for name in judges if scores.record(name).kind == kind]
        if own:
            found[kind] = against(record, untuned, own)
    return {**found, "both": math.fsum(found.values()) / len(found)} if found else {}


@dataclass
class Tuning:
    """The tuning of one pair, as far as the store has it."""

    store: Store
    study: str
    pair: Pair
    preset: str
    settings: Settings
    ranges: tuple[Range, ...]
    alone: bool = False
    seed: int = 0
    preferred: Callable[[Sequence[Record]], Mapping[str, float]] | None = (
        None  # by key, less is better: a person's choices
    )

    @property
    def begun(self) -> bool:
        """Whether the store is there and has this study."""
        file = self.store.database.file
        return (file is None or file.exists()) and self.study in self.store.studies

    def records(self) -> list[Record]:
        """The trials of this pair, the untuned one first."""
        if not self.begun:
            return []
        return [record for record in self.store.records(self.study) if record.trial.group == self.pair.name]

    def finished(self) -> list[Record]:
        """Those that were painted, also the ones that were stopped early: they count with what they had reached."""
        return [record for record in self.records() if record.state in {"done", "pruned"}]

    def goal(self) -> Goal:
        """What is tuned for, from the untuned trial's scores."""
        untuned = self.untuned()
        if untuned is None:
            raise StudyError("tuning begins with the untuned preset", "it is not painted")
        return goal(list(untuned.scores), untuned.trial.settings, alone=self.alone)

    def untuned(self) -> Record | None:
        """The preset as it is, once it is painted."""
        return next((record for record in self.finished() if record.state == "done" and self._is_untuned(record)), None)

    def _is_untuned(self, record: Record) -> bool:
        return all(record.trial.settings.get(each.knob) == self.settings.get(each.knob) for each in self.ranges)

    def propose(self) -> dict[str, Any]:
        """The values of the knobs for the next trial."""
        known = self.records()
        if not any(map(self._is_untuned, known)):
            return {each.knob: self.settings.get(each.knob) for each in self.ranges}
        numbers = 1 if self.alone or self.preferred else 2
        return proposal(self.ranges, self._told(), seed=self.seed + 7919 * len(known), numbers=numbers)

    def _told(self) -> list[tuple[dict[str, Any], tuple[float, ...]]]:
        """What the sampler learns from: knobs, and what was lost."""
        untuned, found = self.untuned(), list[tuple[dict[str, Any], tuple[float, ...]]]()
        if untuned is None:
            return []
        aim, chosen = self.goal(), self.preferred(self.finished()) if self.preferred else None
        for record in self.finished():
            values = tuple(against(record, untuned, names) for names in (aim.content, aim.style))
            if chosen is not None:
                if record.trial.key not in chosen:
                    continue
                values = (chosen[record.trial.key],) * 2
            knobs = {each.knob: record.trial.settings.get(each.knob) for each in self.ranges}
            if all(each.holds(knobs[each.knob]) for each in self.ranges):
                found.append((knobs, (sum(values) / 2,) if self.alone or self.preferred else values))
        return found

    def add(self, knobs: Mapping[str, Any]) -> None:
        """Put a trial into the store, if it is not there yet."""
        points = [
            {each.knob: record.trial.settings.get(each.knob) for each in self.ranges} for record in self.records()
        ]
        made = trials(self.pair, self.preset, self.settings, [*points, dict(knobs)])
        kept = self.store.records(self.study) if self.begun else []
        others = [record.trial for record in kept if record.trial.group != self.pair.name]
        moved = [replace(trial, number=len(made) + index) for index, trial in enumerate(others)]
        self.store.add(self.study, [*made, *moved])

    def tuned(self) -> Record | None:
        """The best finished trial by the goal; if not `alone`, of those that lose no more of either kind."""
        untuned = self.untuned()
        if untuned is None:
            return None
        places = self._places(untuned)
        both = [place for place in places if max(place[0]) <= 0 and not self.alone]
        return min(both or places, key=lambda place: sum(place[0]))[1]

    def front(self) -> list[Record]:
        """The finished trials that none beats in both content and style, by content."""
        untuned = self.untuned()
        if untuned is None:
            return []
        places = self._places(untuned)
        return [places[index][1] for index in effects.pareto([place for place, _ in places])]

    def _places(self, untuned: Record) -> list[tuple[tuple[float, float], Record]]:
        """Content lost and style missing against the untuned preset's, of each trial that was painted to its end."""
        aim = self.goal()
        return [
            ((against(record, untuned, aim.content), against(record, untuned, aim.style)), record)
            for record in self.finished()
            if record.state == "done"
        ]


def proposal(
    known: Sequence[Range], told: Sequence[tuple[Mapping[str, Any], tuple[float, ...]]], *, seed: int, numbers: int = 2
) -> dict[str, Any]:
    """The next values by Optuna's tree-structured Parzen estimator (random for the first few), less being better.

    `numbers` is how many are minimised at once. Raises MissingExtraError without Optuna.
    """
    require()
    import optuna

    before = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    try:
        sampler = optuna.samplers.TPESampler(seed=seed, n_startup_trials=RANDOM)
        study = optuna.create_study(directions=["minimize"] * numbers, sampler=sampler)
        spaces = {each.knob: each.distribution() for each in known}
        for knobs, values in told:
            study.add_trial(optuna.trial.create_trial(params=dict(knobs), distributions=spaces, values=list(values)))
        return dict(study.ask(spaces).params)
    finally:
        optuna.logging.set_verbosity(before)


def trials(pair: Pair, preset: str, settings: Settings, points: Sequence[Mapping[str, Any]]) -> tuple[Trial, ...]:
    """The trials of these values of the knobs, validated, each once; their levels are the knobs."""
    names = [str(number) if number else UNTUNED for number in range(len(points))]
    axis = Axis(AXIS, tuple(names), together=dict(zip(names, points, strict=True)))
    group = Group(pair.name, "", preset, settings, (axis,), Design("factorial"), (pair,), (settings.seed,))
    plan = Plan(AXIS, "", (group,), ())
    made = {trial.key: (trial, points[index]) for index, trial in reversed(list(enumerate(experiment.trials(plan))))}
    ordered = sorted(made.values(), key=lambda each: each[0].number)
    return tuple(replace(trial, number=number, levels=dict(levels)) for number, (trial, levels) in enumerate(ordered))


def steps(tuning: Tuning, count: int, run: Runner) -> Iterator[Record]:
    """Propose and paint until the pair has `count` trials; the record of each as it is finished.

    `run` paints a claimed trial and gives it back to the store, finished or failed. Stopping is not pulling.
    """
    while True:
        while tuning.begun and (claim := tuning.store.claim(tuning.study)) is not None:
            run(tuning.store, tuning.study, claim)
            yield next(record for record in tuning.records() if record.trial.key == claim.trial.key)
        if len(tuning.records()) >= count:
            return
        before = len(tuning.records())
        knobs = tuning.propose()
        tuning.add(knobs)
        if len(tuning.records()) == before:  # a choice that was made before: another seed of the sampler
            tuning.seed += 1
