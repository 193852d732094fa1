"""The mathematics, live: every formula of the papers with the reader's own numbers in it.

The forms are those of the poster, the slides and the VGG-19 primer in docs/papers.md (after Gatys et al. 2015),
computed by hand (`formulas`) beside what Gramarye's own statistics make of the same; the primer's gradients beside
autograd's (`gradients`); and the network, layer by layer (`anatomy`).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor

from gramarye import statistics
from gramarye.explain import anatomy, formulas, gradients
from gramarye.explain.anatomy import Row
from gramarye.explain.formulas import Formula, Move
from gramarye.explain.gradients import Gradient
from gramarye.explain.numerals import in_words
from gramarye.explain.section import Section
from gramarye.explain.subject import Subject
from gramarye.pulling import Work, part_of
from gramarye.settings import Settings
from gramarye.statistics.gram import entry_scale
from gramarye.vgg import VGG

AGREEMENT = 1e-5  # relative: analytic gradients must be nearer than this to autograd's
GRADIENT_SIDE = 256  # pixels: gradients in double precision are checked on pictures of at most this size


@dataclass(frozen=True)
class Mathematics(Section):
    """Formulas, gradients, and the network as a table.

    `formulas` are worked out at the result. `as_published` tells whether the settings' content and style terms are
    those of the formulas (l2 distances of activations, weighed place by place, and of Gram matrices); else only the
    total is in other terms. `rows` are of the network that painted, at `size`, timed with so many `threads` in
    `precision`; `published` is the whole published network, fully connected layers too, at the 224 px that it was
    trained with (of lite's: VGG-19).
    """

    name: ClassVar[str] = "mathematics"
    title: ClassVar[str] = "The mathematics, with your numbers"

    formulas: tuple[Formula, ...]
    move: Move
    as_published: bool
    gradients: tuple[Gradient, ...]
    network: str
    rows: tuple[Row, ...]
    published: tuple[Row, ...]
    size: tuple[int, int]
    threads: int
    precision: str

    @property
    def findings(self) -> tuple[str, ...]:
        return (
            self._of_formulas(),
            self._of_gradients(),
            self._of_the_step(),
            self._of_the_network(),
            self._of_the_cut(),
        )

    def _of_formulas(self) -> str:
        worst = max(self.formulas, key=lambda each: each.difference)
        return (
            f"{len(self.formulas)} formulas worked out by hand agree with what Gramarye computes to within "
            f"{worst.difference:.1g} of the value ({worst.name}, the one that differs most)."
        )

    def _of_gradients(self) -> str:
        worst = max(self.gradients, key=lambda each: each.difference)
        single = max(self.gradients, key=lambda each: each.difference_single)
        verdict = "equal" if worst.difference < AGREEMENT else "do not equal"
        return (
            f"The gradients by the formulas {verdict} those of automatic differentiation: of {len(self.gradients)} the "
            f"largest difference is {worst.difference:.1g} of the largest entry ({worst.key}, {worst.layer}). In "
            f"single precision, in which pictures are painted, rounding makes it up to {single.difference_single:.1g} "
            f"({single.key}, {single.layer})."
        )

    def _of_the_step(self) -> str:
        move = self.move
        return (
            f"One plain step from the photograph in the painting's colours, with η = {in_words(move.rate, 3)}, takes "
            f"the total from {in_words(move.before)} to {in_words(move.after)}: {move.kept:.0%} of what the slope "
            "promises (100% would be a straight slope)."
        )

    def _of_the_network(self) -> str:
        used = [row for row in self.rows if row.part == "used"]
        work = sum(row.multiplications for row in used)
        seconds = {row: (row.forward or 0.0) + (row.backward or 0.0) for row in used}
        slowest, whole = max(used, key=lambda row: seconds[row]), math.fsum(seconds.values())
        forward = math.fsum(row.forward or 0.0 for row in used)
        threads = f"{self.threads} thread{'s' * (self.threads != 1)}"
        return (
            f"To look once at {self.size[1]}×{self.size[0]} pixels, {self.network} makes {work / 1e9:,.3g} billion "
            f"multiplications in {sum(row.kind == 'conv' for row in used)} convolutions. Here that takes "
            f"{forward * 1e3:,.0f} ms forward and {(whole - forward) * 1e3:,.0f} ms backward ({self.precision}, "
            f"{threads}, layer by layer), {seconds[slowest] / (whole or 1.0):.0%} of it in {slowest.name}."
        )

    def _of_the_cut(self) -> str:
        every = sum(row.parameters for row in self.published)
        cut = sum(row.parameters for row in self.published if row.part == "cut off")
        own = sum(row.parameters for row in self.rows)
        return (
            f"As published the network has {every / 1e6:.2f} million parameters, of which {cut / 1e6:.2f} million "
            f"({cut / every:.0%}) are in the fully connected layers that are cut off. "
            f"What painted here has {own / 1e6:.2f} million."
        )


def explain(subject: Subject, depth: str) -> Work[Mathematics]:
    """Formulas at the result, gradients at every layer of the settings, and the network taken apart and timed."""
    painter = subject.painting.network
    worked_out, move, as_published = yield from part_of(live_formulas(subject), 0.0, 0.4)
    compared = yield from part_of(live_gradients(subject.shrunk(GRADIENT_SIDE)), 0.4, 0.7)
    shown = {"content": subject.settings.content.layers[-1], "style": subject.settings.style.layers[-1]}
    last = {key: painter.resolve([layer])[0] for key, layer in shown.items()}
    by_hand = tuple(each.formula for each in compared if each.layer == last[each.key])
    times = yield from part_of(anatomy.measured_times(painter, subject.result, 5 if depth == "full" else 3), 0.7, 1.0)
    rows = anatomy.convolutional_rows(
        painter.network, subject.size, pooling=painter.pooling, needed=subject.objective.layers
    )
    return Mathematics(
        formulas=(*worked_out, *by_hand),
        move=move,
        as_published=as_published,
        gradients=compared,
        network=painter.network,
        rows=anatomy.with_times(rows, times),
        published=anatomy.published_rows(painter.network.removesuffix("-lite")),
        size=subject.size,
        threads=torch.get_num_threads(),
        precision=str(painter.dtype).removeprefix("torch."),
    )


# ---- formulas ---------------------------------------------------------------------------------------------


def live_formulas(subject: Subject) -> Work[tuple[tuple[Formula, ...], Move, bool]]:
    """Every formula with the numbers of the result, one step from where painting begins, and `as_published`."""
    settings, network = subject.settings, subject.network
    content, places = {}, subject.painting.detail_at(subject.content)
    for layer in settings.content.layers:
        found, photograph = (_seen(network, each, layer) for each in (subject.result, subject.content))
        content[layer] = formulas.content_formula(layer, found, photograph, _at(places, found))
    yield 0.3
    shares = _shares(settings, len(subject.styles))
    style, gram = {}, {}
    for place, layer in enumerate(settings.style.layers):
        found = _seen(network, subject.result, layer)
        paintings = [(share, _seen(network, each, layer)) for share, each in zip(shares, subject.styles, strict=True)]
        style[layer] = formulas.layer_formula(layer, found, paintings, network.width(network.resolve([layer])[0]))
        gram[layer] = formulas.gram_formula(layer, found, paintings[0][1])
        yield 0.3 + 0.5 * (place + 1) / len(settings.style.layers)
    shown = list(gram.values())[len(gram) // 2]
    l_style, l_total, as_published = _sums(subject, content, style)
    update, move = formulas.update_formula(
        network, subject.objective, statistics.match_color_moments(subject.content, subject.style)
    )
    variation = formulas.variation_formula(subject.result)
    everything = (*content.values(), shown, *style.values(), l_style, variation, l_total, update)
    return everything, move, as_published


def _seen(network: VGG, picture: Tensor, layer: str) -> Tensor:
    with torch.no_grad():
        found: Tensor = network(picture, [layer])[layer].cpu()
    return found


def _at(places: Tensor | None, activation: Tensor) -> Tensor | None:
    """How much each position of an activation counts, on average 1; None if all count alike."""
    if places is None:
        return None
    return F.adaptive_avg_pool2d(places.cpu() / places.mean().cpu(), (activation.shape[2], activation.shape[3]))


def _shares(settings: Settings, count: int) -> list[float]:
    mix = settings.style.mix or (1.0,) * count
    return [weight / sum(mix) for weight in mix]


def _sums(
    subject: Subject, content: Mapping[str, Formula], style: Mapping[str, Formula]
) -> tuple[Formula, Formula, bool]:
    """L_style and L_total with the weights of the subject's objective, and whether its terms are the formulas'.

    Where they are not, L_style has the settings' own weights and the total is of the terms as they are.
    """
    objective, sums = subject.objective, dict.fromkeys(("content", "style", "rest"), 0.0)
    with torch.no_grad():
        values = objective.values(subject.network(subject.result, objective.layers))
    for term in objective.terms:
        if term.weight:
            sums[term.kind if term.kind in sums else "rest"] += term.weight * float(values[term.name])
    own, rest = float(objective.total(values)), sums["rest"]
    published = is_published(subject.settings)
    if not published:
        shares = subject.settings.style.layer_weights or (1 / len(style),) * len(style)
        l_style = formulas.style_formula(_weighed(style, dict(zip(style, shares, strict=True)), 1.0))
        total = formulas.total_formula((1.0, sums["content"]), (1.0, sums["style"]), rest, own, published=False)
        return l_style, total, published
    alphas, betas = weights_in_formulas(subject, "content"), weights_in_formulas(subject, "style")
    alpha, beta = math.fsum(alphas.values()), math.fsum(betas.values())
    l_style = formulas.style_formula(_weighed(style, betas, beta))
    l_content = math.fsum(weight * value for weight, value, _ in _weighed(content, alphas, alpha).values())
    return l_style, formulas.total_formula((alpha, l_content), (beta, l_style.value), rest, own), published


def _weighed(
    found: Mapping[str, Formula], weights: Mapping[str, float], whole: float
) -> dict[str, tuple[float, float, float]]:
    """The weight of each layer as a part of the `whole`, and its value by hand and by Gramarye."""
    return {layer: (weights[layer] / (whole or 1.0), each.value, each.own) for layer, each in found.items()}


def is_published(settings: Settings) -> bool:
    """Whether content and style are measured as the formulas do, but for constant factors."""
    content, style = settings.content, settings.style
    return content.distance == "l2" and style.statistic == "gram" and style.distance == "l2"


def weights_in_formulas(subject: Subject, kind: str) -> dict[str, float]:
    """The weights of the objective's terms of a kind (content or style), by layer, in the formulas' units.

    A mean over N·M activations is 2/(N·M) times ½·Σ; a Gram term whose entries are multiplied by s is (2s)² times E_l.
    """
    settings, network = subject.settings, subject.network
    names = settings.content.layers if kind == "content" else settings.style.layers
    weights = dict.fromkeys(names, 0.0)
    for term in subject.objective.terms:
        if term.kind == kind and term.weight:
            layer = network.table[network.resolve([term.layer])[0]]
            if kind == "style":
                factor = (2 * entry_scale(settings.style.normalization, layer.channels)) ** 2
            elif settings.content.reduction == "sum":
                factor = 1.0
            else:
                factor = 2 / (layer.channels * (subject.size[0] // layer.stride) * (subject.size[1] // layer.stride))
            weights[term.layer] += term.weight * factor
    return weights


# ---- gradients --------------------------------------------------------------------------------------------


def live_gradients(subject: Subject) -> Work[tuple[Gradient, ...]]:
    """The primer's two gradients beside autograd's at every layer of the settings, for result and first painting.

    On the activations as the network has them, without the embedded network's calibration, which no formula knows.
    """
    network, found = subject.network, list[Gradient]()
    names = dict.fromkeys(network.resolve((*subject.settings.content.layers, *subject.settings.style.layers)))
    order = [name for name in network.table if name in names and name != "pixels"]
    before = {name: name.replace("relu", "conv") for name in order}
    with torch.no_grad():
        seen = [
            anatomy.plain_activations(network, each, before.values())
            for each in (subject.result, subject.content, subject.style)
        ]
    for place, name in enumerate(order):
        found += gradients.compare(name, *(each[before[name]].cpu() for each in seen))
        yield (place + 1) / len(order)
    return tuple(found)
