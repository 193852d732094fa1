"""Feature visualisation: the picture that a channel, or a direction of the painting's Gram matrix, asks for.

Olah, Mordvintsev and Schubert 2017, "Feature Visualization" (Distill). A recipe over the loop that paints: its leaf is
a spectrum (`spectrum`), its terms say how far a picture is from exciting a unit a good deal more than the painting.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from statistics import median
from typing import ClassVar

import torch
from torch import Tensor

from gramarye.explain.responses import Activation, Patch, Unit, patch, response, units_of
from gramarye.explain.section import Section, fixed
from gramarye.explain.spectrum import Imagination, first_spectra, pictures_of
from gramarye.explain.subject import Subject
from gramarye.objective import Objective, Term
from gramarye.optimize import Descent, Sight
from gramarye.pulling import Work, part_of
from gramarye.settings import OptimizerSettings
from gramarye.vgg import VGG

RATE = 0.05  # of Adam: lucid
AIM = 10.0  # times the painting's strongest response: beyond what is ever reached
LEAST_COSINE = 0.1  # lucid


@dataclass(frozen=True)
class Found:
    """A unit, the picture that excites it (1 3 S S), and how strongly, beside the pair's own patches.

    `mean` and `strongest` are its responses to `picture`, over all positions. `course` is the s of `exciting` as the
    picture was optimised, at log-spaced evaluations: pairs of evaluation and s.
    """

    unit: Unit
    picture: Tensor = field(repr=False)
    mean: float
    strongest: float
    painting: Patch
    photograph: Patch
    course: tuple[tuple[int, float], ...] = ()

    @property
    def gain(self) -> float:
        """The picture's strongest response over the painting's, best place against best place; ∞ if that has none."""
        return self.strongest / self.painting.strongest if self.painting.strongest > 0 else math.inf


@dataclass(frozen=True)
class Visualization(Section):
    """Pictures that excite channels and directions of style most, after `evaluations` each."""

    name: ClassVar[str] = "visualization"
    title: ClassVar[str] = "What a channel longs to see"

    found: tuple[Found, ...]
    side: int
    evaluations: int

    @property
    def findings(self) -> tuple[str, ...]:
        found = (self._of_gains(), self._of_channels(), self._of_directions())
        return tuple(sentence for sentence in found if sentence)

    def of(self, kind: str) -> tuple[Found, ...]:
        """Those of one kind of unit: channel or direction."""
        return tuple(each for each in self.found if each.unit.kind == kind)

    def _of_gains(self) -> str:
        found = [each for each in self.found if math.isfinite(each.gain)]
        if not found:
            return "The painting excites none of these units anywhere: there is nothing to compare the pictures with."
        gains = [each.gain for each in found]
        best, worst = (pick(found, key=lambda each: each.gain) for pick in (max, min))
        over = sum(gain > 1 for gain in gains)
        return (
            f"After {self.evaluations} evaluations, {over} of {len(gains)} pictures excite their unit more, at their "
            f"best place, than the painting does at its best: {median(gains):.2g} times as much on the median, "
            f"{best.gain:.2g} times at most ({best.unit.name}), {worst.gain:.2g} times at least ({worst.unit.name})."
        )

    def _of_channels(self) -> str:
        channels = self.of("channel")
        if not channels:
            return ""
        apart = max(channels, key=lambda each: each.painting.mean - each.photograph.mean)
        return (
            f"Of these channels {apart.unit.name} sets the painting most apart from the photograph: its mean "
            f"response is {apart.painting.mean:,.0f} to the painting and {apart.photograph.mean:,.0f} to the "
            f"photograph, and {apart.mean:,.0f} to the picture that was made for it."
        )

    def _of_directions(self) -> str:
        shares: dict[str, float] = {}
        for each in self.of("direction"):
            shares[each.unit.layer] = shares.get(each.unit.layer, 0.0) + (each.unit.share or 0.0)
        if not shares:
            return ""
        count = max(each.unit.number for each in self.of("direction"))
        parts = ", ".join(f"{share:.0%} at {layer}" for layer, share in shares.items())
        return f"The {count} leading directions hold this much of the painting's Gram matrix (its trace): {parts}."


# ---- what they long to see --------------------------------------------------------------------------------


def exciting(units: Sequence[Unit], aims: Sequence[float]) -> Objective:
    """One term a unit, for the picture of the same place in a batch: 1 − s/aim, s being how strongly it is excited.

    s = mean_k wᵀF_k for a channel; for a direction mean_k wᵀF_k·max(cos(w, F_k), 0.1), because its picture would
    else excite whatever is loud (lucid). To minimise 1 − s/aim is to maximise s; the aim only keeps the term ≥ 0, as
    the loop wants its terms, and is chosen out of reach.
    """
    terms = [
        Term(unit.name, "unit", unit.layer, 1.0, partial(_shortfall, place=place, unit=unit, aim=aim))
        for place, (unit, aim) in enumerate(zip(units, aims, strict=True))
    ]
    return Objective(tuple(terms))


def _shortfall(activation: Activation, place: int, unit: Unit, aim: float) -> Tensor:
    seen = activation[place : place + 1].float()
    excited = response(seen, unit.weights)
    if unit.kind == "direction":
        excited = excited * (excited / seen.norm(dim=1).clamp_min(1e-6)).clamp_min(LEAST_COSINE)
    return 1 - excited.mean() / aim


def visualize(
    network: Sight, units: Sequence[Unit], aims: Sequence[float], *, side: int, evaluations: int, seed: int = 0
) -> Work[tuple[Tensor, dict[int, list[float]]]]:
    """Pictures that excite units of one network, all at once, K 3 `side` `side`, and how they came about.

    Spectra under Adam for so many `evaluations`; `aims` are responses that are out of reach. The second result has
    the terms, by unit, at log-spaced evaluations.
    """
    generator = fixed(seed)
    device = units[0].weights.device
    spectra = first_spectra(len(units), side, generator).to(device)
    adam = OptimizerSettings(name="adam", learning_rate=RATE)
    descent = Descent(spectra, exciting(units, aims), Imagination(network, generator), adam, seed=seed)
    course = {}
    for step in descent.steps(evaluations):
        if step.index & (step.index - 1) == 0 or step.index == evaluations:
            course[step.index] = list(step.terms.values())
        yield step.index / evaluations
    with torch.no_grad():
        return pictures_of(descent.pixels), course


# ---- the section ------------------------------------------------------------------------------------------

# Layers, channels and directions of each, side in pixels, evaluations.
AMOUNTS = {"quick": (3, 2, 2, 112, 96), "full": (4, 3, 2, 128, 192)}


def explain(subject: Subject, depth: str) -> Work[Visualization]:
    """Channels that set the painting apart, and its leading Gram directions, at some style layers."""
    layers, channels, directions, side, evaluations = AMOUNTS[depth]
    chosen = layers_of_style(subject.network, subject.settings.style.layers, layers)
    found: list[Found] = []
    for place, layer in enumerate(chosen):
        with torch.no_grad():
            painting, photograph = (subject.network(each, [layer])[layer] for each in (subject.style, subject.content))
        units = units_of(layer, painting, photograph, channels, directions)
        aims = [AIM * _loudest(painting, unit) for unit in units]
        work = visualize(
            subject.painting.network,
            units,
            aims,
            side=side,
            evaluations=evaluations,
            seed=subject.settings.seed + place,
        )
        pictures, course = yield from part_of(work, place / len(chosen), (place + 1) / len(chosen))
        found += _measured(subject, units, pictures, aims, course)
    return Visualization(tuple(found), side, evaluations)


def layers_of_style(network: VGG, names: Sequence[str], count: int) -> tuple[str, ...]:
    """At most `count` of the style layers, one of each block, that see more than colours and edges if any do."""
    kept: dict[int, str] = {}
    for name in dict.fromkeys(network.resolve(names)):
        layer = network.table[name]
        if layer.kind != "pixels":
            kept.setdefault(layer.stride, name)
    ordered = [kept[stride] for stride in sorted(kept)]
    wide = [name for name in ordered if network.table[name].stride > 1]
    return tuple((wide or ordered or ["pixels"])[:count])


def _loudest(activation: Activation, unit: Unit) -> float:
    """The strongest response, or, of a unit that is never excited, the size of the activations."""
    strongest = float(response(activation, unit.weights).max())
    return strongest if strongest > 0 else float(activation.square().mean().sqrt()) or 1.0


def _measured(
    subject: Subject, units: Sequence[Unit], pictures: Tensor, aims: Sequence[float], course: dict[int, list[float]]
) -> Iterator[Found]:
    """What each unit's picture and the pair excite in it, in float32 and without being shaken."""
    network, layer = subject.network, units[0].layer
    known = network.table[layer]
    cut = partial(patch, stride=known.stride, field_side=known.receptive_field)
    with torch.no_grad():
        own, painting, photograph = (
            network(each, [layer])[layer] for each in (pictures, subject.style, subject.content)
        )
        for place, (unit, aim) in enumerate(zip(units, aims, strict=True)):
            excited = response(own[place : place + 1], unit.weights)
            yield Found(
                unit=replace(unit, weights=unit.weights.cpu()),
                picture=pictures[place : place + 1].detach().cpu().clone(),
                mean=float(excited.mean()),
                strongest=float(excited.max()),
                painting=cut(subject.style, painting, unit),
                photograph=cut(subject.content, photograph, unit),
                course=tuple((index, aim * (1 - values[place])) for index, values in course.items()),
            )
