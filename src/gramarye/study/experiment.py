"""A plan and its experiments, and the trials that they come to: validated, numbered, with their keys.

Nothing is painted here. A plan is made by `plan.read` from a file, or in Python from these classes.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from gramarye import layers
from gramarye.errors import GramaryeError, SettingsError, StudyError
from gramarye.knobs import checked
from gramarye.settings import KNOBS, STATISTICS, Settings
from gramarye.study import designs
from gramarye.study.designs import Axis, Design, Point
from gramarye.study.record import Pair, Trial

MOST = 100_000  # trials of one plan

# What is the same with every seed: the statistics that sample nothing, and the starts that are not noise.
SEEDLESS = {"statistics": set(STATISTICS) - {"sliced-w", "mmd-gauss", "nearest"}, "starts": {"noise"}}


@dataclass(frozen=True)
class Budget:
    """What a run may use: `seconds` from its beginning, after which no trial is begun, and `trials`; None: no limit."""

    seconds: float | None = None
    trials: int | None = None


@dataclass(frozen=True)
class Group:
    """One experiment: `axes` varied by `design` around `settings`, for each pair and seed; without axes the base alone.

    `settings` are those of `preset` with what the plan changes. `reported` is what its source found, to compare with.
    """

    name: str
    question: str
    preset: str
    settings: Settings
    axes: tuple[Axis, ...]
    design: Design
    pairs: tuple[Pair, ...]
    seeds: Sequence[int]
    reported: str = ""

    @property
    def base(self) -> Point:
        """The values of the axes at the base; None for an axis of several knobs none of whose values is the base."""
        return {axis.knob: self._base_of(axis) for axis in self.axes}

    def _base_of(self, axis: Axis) -> Any:
        if not axis.together:
            return self.settings.get(axis.knob)
        same = (each for each in axis.values if with_levels(self.settings, axis.changes(each)) == self.settings)
        return next(same, None)

    @property
    def size(self) -> int:
        """How many trials, without making them."""
        return designs.size(self.design, self.axes, self.base) * len(self.pairs) * len(self.seeds)


@dataclass(frozen=True)
class Plan:
    """A study: its experiments, the scores (names of `scores.SCORES`) that judge it, and what a run may use.

    `scale` is what the sizes and steps of the file were multiplied by.
    """

    name: str
    question: str
    groups: tuple[Group, ...]
    scores: tuple[str, ...]
    budget: Budget = Budget()
    scale: float = 1.0

    @property
    def pairs(self) -> tuple[Pair, ...]:
        """Every pair of the experiments, once."""
        return tuple(dict.fromkeys(pair for group in self.groups for pair in group.pairs))


def count(plan: Plan) -> int:
    """How many trials the plan has, without making them; raises StudyError for none, or more than MOST."""
    total = 0
    for group in plan.groups:
        if not group.size:
            raise StudyError(
                "an experiment needs a pair, a seed and values for its axes", f"no trials in {group.name!r}"
            )
        total += group.size
    if not total:
        raise StudyError("a plan needs experiments", f"none in {plan.name!r}")
    if total > MOST:
        most = max(plan.groups, key=lambda group: group.size)
        where = f", {most.size} of them in {most.name!r}" if len(plan.groups) > 1 else ""
        remedy = "name fewer values, or take design.kind = random with a count"
        raise StudyError(f"a plan has at most {MOST} trials", f"{total}{where}", remedy)
    return total


def trials(plan: Plan) -> tuple[Trial, ...]:
    """Every trial of the plan, by experiment, pair, point of the design and seed.

    Trials of different experiments may have one key, as a baseline has that is in several: painting it once is
    enough. Raises a GramaryeError for what could not be painted: a picture that cannot be read, a layer that the
    network lacks, a size that is too small for a layer.
    """
    count(plan)
    look = _Look()
    made: list[Trial] = []
    for group in plan.groups:
        with named(group.name):
            settled = list(_settled(group, look))
            for pair in group.pairs:
                for levels, replicate, settings in settled:
                    key = look.key(pair, settings)
                    made.append(Trial(len(made), group.name, pair, levels, settings, group.preset, replicate, key))
    return tuple(made)


def with_levels(settings: Settings, levels: Mapping[str, Any]) -> Settings:
    """The settings with knobs changed; a layer keeps the weight that it has, or that all layers have alike.

    Otherwise other layers would share a weight of 1 evenly, and to leave one out would change the others.
    """
    changes = dict(levels)
    for name in ("content", "style"):
        if f"{name}.layers" in changes and f"{name}.layer_weights" not in changes:
            wanted = checked(KNOBS[f"{name}.layers"], changes[f"{name}.layers"])
            changes[f"{name}.layer_weights"] = _kept_weights(getattr(settings, name), wanted)
    return settings.with_(**changes)


def _kept_weights(group: Any, wanted: tuple[str, ...]) -> tuple[float, ...]:
    known = dict(zip(map(layers.resolve, group.layers), group.layer_weights, strict=False))
    if len(set(known.values())) == 1:
        return tuple(known.values())[:1] * len(wanted)
    names = [layers.resolve(each) for each in wanted]
    return tuple(known[each] for each in names) if known and set(names) <= set(known) else ()


def remarks(plan: Plan, made: Sequence[Trial]) -> tuple[str, ...]:
    """What whoever reads the results should know beforehand, one line each."""
    found = []
    for group in plan.groups:
        if not designs.tells_interactions(group.design, group.axes):
            kind = group.design.kind
            found.append(f"{group.name}: a {kind} design of this size does not tell how the axes act together")
        own = [trial.settings for trial in made if trial.group == group.name]
        if len(group.seeds) > 1 and not any(map(_random, own)):
            found.append(f"{group.name}: nothing in it is random, so its {len(group.seeds)} seeds paint the same")
    if known := _optimised_scores(plan, made):
        found.append(
            f"some trials optimise a layer that {', '.join(known)} look at: no held-out judges of these trials"
        )
    same = len(made) - len({trial.key for trial in made})
    if same:
        found.append(f"{same} of the {len(made)} trials are the same painting as another one")
    return tuple(found)


def _optimised_scores(plan: Plan, made: Sequence[Trial]) -> list[str]:
    """The scores that look, in the network that paints, at a layer that a trial optimises."""
    from gramarye import scores

    different = {(each.network, each.content.layers, each.style.layers): each for each in (x.settings for x in made)}
    return [name for name in plan.scores if not all(scores.held_out(name, each) for each in different.values())]


def _random(settings: Settings) -> bool:
    shifted = settings.shifting.fraction < 1 or settings.shifting.degrees > 0
    noisy = settings.init in SEEDLESS["starts"]
    return shifted or noisy or settings.style.statistic not in SEEDLESS["statistics"]


def describe(plan: Plan) -> dict[str, Any]:
    """The plan as plain data, for JSON."""
    return {
        "name": plan.name,
        "question": plan.question,
        "scale": plan.scale,
        "scores": list(plan.scores),
        "budget": {"seconds": plan.budget.seconds, "trials": plan.budget.trials},
        "trials": count(plan),
        "groups": [
            {
                "name": group.name,
                "question": group.question,
                "reported": group.reported,
                "preset": group.preset,
                "axes": {axis.knob: list(axis.values) or [axis.low, axis.high] for axis in group.axes},
                "design": {"kind": group.design.kind, "count": group.design.count, "seed": group.design.seed},
                "pairs": [{"name": each.name, "content": each.content, "style": each.style} for each in group.pairs],
                "seeds": len(group.seeds),
                "trials": group.size,
            }
            for group in plan.groups
        ],
    }


class named:  # noqa: N801
    """Within, an error says at its end where it belongs: in which plan, in which experiment."""

    def __init__(self, place: str) -> None:
        self.place = place

    def __enter__(self) -> None: ...

    def __exit__(self, kind: Any, error: BaseException | None, traceback: Any) -> None:
        if isinstance(error, GramaryeError) and not getattr(error, "placed", False):
            rule = f"{error.rule} in {self.place}" if error.received is None else error.rule
            received = None if error.received is None else f"{error.received} in {self.place}"
            told = type(error)(rule, received, error.remedy)
            told.placed = True  # type: ignore[attr-defined]
            raise told from error


def _settled(group: Group, look: _Look) -> Iterator[tuple[Point, int, Settings]]:
    """The values of the axes, the number of the replicate and the settings of each trial for one pair."""
    for levels in designs.points(group.design, group.axes, group.base):
        changes = {knob: value for axis in group.axes for knob, value in axis.changes(levels[axis.knob]).items()}
        settings = look.network_chosen(with_levels(group.settings, changes))
        for replicate, seed in enumerate(group.seeds):
            yield levels, replicate, settings if seed == settings.seed else settings.with_(seed=seed)


class _Look:
    """What is looked at once for all trials: the pictures' sizes and hashes, and the networks' weights."""

    def __init__(self) -> None:
        self._pictures: dict[str, tuple[str, tuple[int, int]]] = {}
        self._networks: dict[str, tuple[str, str]] = {}
        self._fitting: set[tuple[Settings, tuple[int, int]]] = set()

    def network_chosen(self, settings: Settings) -> Settings:
        """The settings with the network that `auto` means here, so that every machine paints with the same."""
        name = self._network(settings.network.name)[0]
        return settings if name == settings.network.name else settings.with_(**{"network.name": name})

    def key(self, pair: Pair, settings: Settings) -> str:
        """The trial's key; raises a GramaryeError where it could not be painted."""
        content, size = self._picture(pair.content)
        if (settings, size) not in self._fitting:
            check_fits(settings, size)
            self._fitting.add((settings, size))
        decisive = [settings.to_dict(), content, self._picture(pair.style)[0], self._network(settings.network.name)[1]]
        return hashlib.sha256(json.dumps(decisive, sort_keys=True).encode()).hexdigest()

    def _picture(self, path: str) -> tuple[str, tuple[int, int]]:
        if path not in self._pictures:
            from gramarye import images

            found = images.load(path)
            self._pictures[path] = (found.sha256 or "", (found.pixels.shape[2], found.pixels.shape[3]))
        return self._pictures[path]

    def _network(self, name: str) -> tuple[str, str]:
        """The network's own name and the hash of its weights; raises WeightsError where they are not here."""
        if name not in self._networks:
            from gramarye import weights

            loaded = weights.load(name)
            self._networks[name] = (loaded.network, loaded.sha256)
        return self._networks[name]


def check_fits(settings: Settings, photograph: tuple[int, int]) -> None:
    """Raises a GramaryeError where a photograph of (height, width) cannot be painted with the settings.

    `settings.network.name` must not be auto.
    """
    from gramarye import images
    from gramarye.schedule import schedule

    network = settings.network.name
    names = [layers.resolve(name, network) for name in (*settings.content.layers, *settings.style.layers)]
    deepest = layers.deepest(tuple(names), network)
    least = layers.table(network)[deepest].stride
    size = images.fitted_size(photograph, settings.size)
    if min(size) < least:
        remedy = "use a larger size or scale, or a shallower layer"
        raise StudyError(
            f"{deepest} needs a picture of at least {least} px on each side", f"{size[1]}×{size[0]}", remedy
        )
    schedule(size, settings.steps, settings.scales, least)
    if settings.init == "file":
        raise SettingsError("a study cannot begin with a picture of your own", "init=file", "name another init")
    if len(settings.style.mix) > 1:
        raise SettingsError("a trial has one painting", f"style.mix with {len(settings.style.mix)} weights")
    if not (settings.content.weight or settings.style.weight or settings.smoothness.weight):
        raise SettingsError("something must be asked of the picture", "weights that are all 0", "raise style.weight")
