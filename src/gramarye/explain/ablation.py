"""Why across all layers? The painting again without a layer, with one alone, without content, with conv for ReLU.

Each variant is optimised anew at a small size from the same start, in the same number of evaluations with the same
optimiser, and scored where nothing was asked of any of them. How the weights of the layers that stay are treated is
in `variants`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import ClassVar

from torch import Tensor

from gramarye.explain.reconstruction import Rebuilt, held_out_layers, rebuild, relative_errors, small
from gramarye.explain.section import Section
from gramarye.explain.subject import Subject
from gramarye.explain.variants import Variant, layers_of, variants
from gramarye.objective import Term, content_terms, style_terms
from gramarye.pulling import Work, part_of
from gramarye.settings import ContentSettings, SmoothnessSettings, StyleSettings
from gramarye.vgg import VGG

SIDES = {"quick": 112, "full": 128}  # long side of what is painted, in pixels
EVALUATIONS = {"quick": 40, "full": 80}

NOTHING = 0.005  # of the full objective's distance: what is less is shown as 0 %

Scores = dict[str, float]


@dataclass(frozen=True)
class Painted:
    """What became of a variant.

    `style` are relative distances of Gram matrices from the paintings', ‖G − A‖/‖A‖, `content` those of activations
    from the photograph's, ‖F − P‖/‖P‖, by layer: those of the settings and those that were held out.
    """

    name: str
    kind: str
    changed: str
    layers: tuple[str, ...]
    style: Scores
    content: Scores
    rebuilt: Rebuilt

    def style_at(self, layers: Sequence[str]) -> float:
        """The mean of the style distances at `layers`."""
        return sum(self.style[layer] for layer in layers) / len(layers)

    def content_at(self, layers: Sequence[str]) -> float:
        """The mean of the content distances at `layers`."""
        return sum(self.content[layer] for layer in layers) / len(layers)


@dataclass(frozen=True)
class Ablation(Section):
    """The full objective and its variants, painted from `start`, scored at layers that nothing was asked of."""

    name: ClassVar[str] = "ablation"
    title: ClassVar[str] = "Why across all layers? What would be different without one"

    photograph: Tensor = field(repr=False)
    painting: Tensor = field(repr=False)
    start: Tensor = field(repr=False)
    style_layers: tuple[str, ...]
    content_layers: tuple[str, ...]
    held_out_layers: tuple[str, ...]
    painted: tuple[Painted, ...]

    @property
    def full(self) -> Painted:
        """The whole objective."""
        return self.painted[0]

    def of(self, kind: str) -> tuple[Painted, ...]:
        """The variants of a kind, in the order of their layers."""
        return tuple(each for each in self.painted if each.kind == kind)

    def style_score(self, painted: Painted) -> float:
        """How far from the paintings' Gram matrices where nothing was asked."""
        return painted.style_at(self.held_out_layers)

    def content_score(self, painted: Painted) -> float:
        """How far from the photograph's activations where nothing was asked."""
        return painted.content_at(self.held_out_layers)

    @property
    def findings(self) -> tuple[str, ...]:
        """Why all layers, which one's absence costs what, what content and the ReLU do: in this pair's numbers."""
        found = [_of_all(self), *_of_adding(self), *_of_absence(self)]
        found += [_of_one(self, each, "Without content") for each in self.of("content")]
        return (*found, *(_of_one(self, each, f"With {each.changed}") for each in self.of("conv")))


def explain(subject: Subject, depth: str) -> Work[Ablation]:
    """Paint the subject's objective and its variants anew at a small size."""
    subject = small(subject, SIDES[depth], subject.objective.layers)
    settings, network = subject.settings, subject.network
    plans = variants(network, subject.objective.terms, subject.content, subject.styles, settings.style)
    asked = {kind: layers_of(network, subject.objective.terms, kind) for kind in ("style", "content")}
    held_out = held_out_layers(network, (*asked["style"], *asked["content"]), (subject.content, *subject.styles))
    scored = tuple(dict.fromkeys((*asked["style"], *held_out)))
    style = style_terms(network, subject.styles, StyleSettings(layers=scored, mix=settings.style.mix))
    scored = tuple(dict.fromkeys((*asked["content"], *held_out)))
    content = content_terms(network, subject.content, ContentSettings(layers=scored))
    start, found = subject.start, []
    for number, plan in enumerate(plans):
        work = paint(subject.painting.network, network, plan, start, EVALUATIONS[depth], (*style, *content))
        found.append((yield from part_of(work, number / len(plans), (number + 1) / len(plans))))
    return Ablation(
        photograph=subject.content.cpu(),
        painting=subject.style.cpu(),
        start=start.cpu(),
        style_layers=asked["style"],
        content_layers=asked["content"],
        held_out_layers=held_out,
        painted=tuple(found),
    )


def paint(
    network: VGG, measured: VGG, variant: Variant, start: Tensor, evaluations: int, scores: Sequence[Term]
) -> Work[Painted]:
    """Optimise one variant from `start`, 1 3 H W, and measure the `scores`, content and style terms."""
    rebuilt = yield from rebuild(
        network,
        variant.terms,
        start,
        evaluations,
        name=variant.name,
        measured=measured,
        smoothness=SmoothnessSettings(),  # the objective's own is among its terms
    )
    of_kind = {kind: [term for term in scores if term.kind == kind] for kind in ("style", "content")}
    return Painted(
        name=variant.name,
        kind=variant.kind,
        changed=variant.changed,
        layers=variant.layers,
        style=relative_errors(measured, of_kind["style"], rebuilt.pixels),
        content=relative_errors(measured, of_kind["content"], rebuilt.pixels),
        rebuilt=rebuilt,
    )


def _of_all(ablation: Ablation) -> str:
    """All layers against one alone, and one more at a time."""
    alone, score = ablation.of("alone"), ablation.style_score
    held_out = f"at {len(ablation.held_out_layers)} layers where no painting was asked anything"
    text = (
        f"With all {len(ablation.style_layers)} style layers the picture is {score(ablation.full):.0%} away from the "
    )
    text += f"painting's Gram matrices {held_out}"
    if not alone:
        return f"{text}."
    best, worst = min(alone, key=score), max(alone, key=score)
    spread = f"the best single layer, {best.changed}, is {score(best):.0%} away and the worst, {worst.changed}"
    spread += f", {score(worst):.0%}"
    if score(best) > score(ablation.full):
        return f"Why across all layers? {text}; {spread}: no layer can stand for the others."
    return f"Why across all layers? {text}; {spread}: for this pair {best.changed} alone does not do worse."


def _of_absence(ablation: Ablation) -> tuple[str, ...]:
    """Which layer's absence costs most and least where nothing was asked, and what each loses in its own layer."""
    without = ablation.of("without")
    if not without:
        return ()
    costs = {each.changed: ablation.style_score(each) / ablation.style_score(ablation.full) - 1 for each in without}
    most, least = max(costs, key=costs.__getitem__), min(costs, key=costs.__getitem__)
    own = {
        each.changed: each.style[each.changed] / max(ablation.full.style[each.changed], 1e-6)
        for each in without
        if each.changed in each.style
    }
    text = f"Leaving out {most} costs most ({costs[most]:+.0%} of that distance), {least} least ({costs[least]:+.0%})."
    if costs[most] < NOTHING:
        text = f"No layer's absence costs anything there ({least}: {costs[least]:+.0%}, {most}: {costs[most]:+.0%})."
    if not own:
        return (text,)
    missed = max(own, key=own.__getitem__)
    return (
        text,
        f"{missed} is the hardest to replace: left out, its own distance becomes {own[missed]:.1f} times as large.",
    )


def _of_adding(ablation: Ablation) -> tuple[str, ...]:
    """The same distance with one layer, with two, and so on to all."""
    if not ablation.of("alone"):
        return ()
    steps = (ablation.of("alone")[0], *ablation.of("cumulative"), ablation.full)
    way = ", ".join(f"{ablation.style_score(each):.0%}" for each in steps)
    return (f"From {steps[0].changed} alone, one layer more at a time until all are there, that distance is {way}.",)


def _of_one(ablation: Ablation, painted: Painted, what: str) -> str:
    style, content = (
        f"from {score(ablation.full):.0%} to {score(painted):.0%}"
        for score in (ablation.style_score, ablation.content_score)
    )
    return f"{what} the style's distance goes {style} and the content's {content}."
