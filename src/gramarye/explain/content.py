"""What each layer keeps of the photograph: the picture rebuilt from the activations of one layer at a time.

Gatys et al. 2015, fig. 1 (content reconstructions a to e); Mahendran and Vedaldi 2015.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import ClassVar

from jaxtyping import Float
from torch import Tensor

from gramarye.explain.reconstruction import Rebuilt, content_of, rebuild, small, start_of
from gramarye.explain.section import Section
from gramarye.explain.subject import Subject
from gramarye.layers import STYLE_LAYERS
from gramarye.pulling import Work, part_of
from gramarye.seeing import make_network
from gramarye.vgg import VGG

LAYERS = STYLE_LAYERS  # relu1_1 … relu5_1, as in fig. 1
COMPARED = ("relu2_1", "relu4_1")  # against the same before the ReLU, and under the other pooling
SIDES = {"quick": 160, "full": 192}  # long side of what is rebuilt, in pixels
EVALUATIONS = {"quick": 100, "full": 128}  # of each picture
OTHER_POOLING = {"avg": "max", "max": "avg", "l2": "max"}
SETTLED = 0.05  # a last change of the error in the pixels by less than this share of it is not worth waiting for
FITS = 0.1  # features that are nearer than this have been rebuilt as far as a picture can show it
LEVELS = 255  # of an 8-bit picture, in which the findings count

Pixels = Float[Tensor, "1 3 h w"]


@dataclass(frozen=True)
class Kept:
    """The photograph as one layer of a network with some pooling keeps it.

    `pixel_error` is the root mean square over all pixels and colours of the rebuilt picture minus the photograph,
    of white; `matched_error` the same after the best gain and offset for each colour, so that wrong brightness,
    contrast and tint do not count. `course` is (evaluation, pixel error) at the snapshots of `rebuilt`.
    """

    layer: str
    pooling: str
    pixel_error: float
    matched_error: float
    course: tuple[tuple[int, float], ...]
    rebuilt: Rebuilt


@dataclass(frozen=True)
class Content(Section):
    """The photograph rebuilt from each of `layers`; some of them again before their ReLU and with the other pooling.

    `deviation` is the root mean square of the photograph minus its mean colour: the matched error of a picture that
    knows nothing but that. `photograph` is 1 3 H W of the size of all that was rebuilt.
    """

    name: ClassVar[str] = "content"
    title: ClassVar[str] = "What each layer keeps of the photograph"

    photograph: Tensor = field(repr=False)
    deviation: float
    layers: tuple[Kept, ...]
    before_relu: tuple[Kept, ...]
    other_pooling: tuple[Kept, ...]

    @property
    def rises(self) -> bool:
        """Whether the error in the pixels rises from each layer to the next deeper one: the papers' claim."""
        errors = [kept.pixel_error for kept in self.layers]
        return all(one < other for one, other in pairwise(errors))

    def kept_by(self, layer: str) -> Kept:
        """What `layer` keeps under the pooling of the settings."""
        return next(kept for kept in self.layers if kept.layer == layer)

    @property
    def findings(self) -> tuple[str, ...]:
        """Depth, what of it is certain, the ReLU and the pooling, in this photograph's numbers."""
        found = [_of_depth(self), _of_variation(self), _of_convergence(self)]
        found += [_of_comparison("Before the ReLU", self, self.before_relu)] if self.before_relu else []
        if self.other_pooling:
            names = {"avg": "average", "max": "max", "l2": "L2"}
            found.append(
                _of_comparison(f"With {names[self.other_pooling[0].pooling]} pooling", self, self.other_pooling)
            )
        return tuple(found)


def explain(subject: Subject, depth: str) -> Work[Content]:
    """Rebuild the photograph from each layer, and from some before the ReLU and with the other pooling."""
    subject = small(subject, SIDES[depth], LAYERS)
    networks = (subject.painting.network, subject.network)
    others = _other_pooling(subject)
    plans = [("layers", layer, networks) for layer in LAYERS]
    plans += [("before_relu", layer.replace("relu", "conv"), networks) for layer in COMPARED]
    plans += [("other_pooling", layer, others) for layer in COMPARED]
    found: dict[str, list[Kept]] = {"layers": [], "before_relu": [], "other_pooling": []}
    start = start_of(subject, subject.size)
    for number, (group, layer, (network, exact)) in enumerate(plans):
        work = keep(network, subject.content, layer, start, EVALUATIONS[depth], measured=exact)
        found[group].append((yield from part_of(work, number / len(plans), (number + 1) / len(plans))))
    return Content(
        photograph=subject.content.cpu(),
        deviation=deviation_of(subject.content),
        layers=tuple(found["layers"]),
        before_relu=tuple(found["before_relu"]),
        other_pooling=tuple(found["other_pooling"]),
    )


def keep(
    network: VGG,
    photograph: Pixels,
    layer: str,
    start: Pixels,
    evaluations: int,
    *,
    measured: VGG | None = None,
) -> Work[Kept]:
    """Rebuild `photograph`, 1 3 H W, from one layer of `network`, beginning with `start`.

    `measured` is the network in full precision, if `network` is not; raises SettingsError for an unknown layer,
    ImageError for a photograph that is too small for it.
    """
    terms = content_of(measured or network, photograph, [layer])
    rebuilt = yield from rebuild(network, terms, start, evaluations, name=layer, measured=measured)
    return Kept(
        layer=layer,
        pooling=network.pooling,
        pixel_error=pixel_error(rebuilt.pixels, photograph),
        matched_error=matched_error(rebuilt.pixels, photograph),
        course=tuple((frame.index, pixel_error(frame.pixels, photograph)) for frame in rebuilt.snapshots),
        rebuilt=rebuilt,
    )


def _other_pooling(subject: Subject) -> tuple[VGG, VGG]:
    """The subject's network with the other pooling: to descend with, and to measure with in float32."""
    painting, own = subject.painting, subject.settings.network.pooling
    settings = subject.settings.with_(**{"network.pooling": OTHER_POOLING[own]})
    exact = make_network(painting.loaded, settings.with_(precision="float32"), painting.device)
    quick = exact if painting.network is subject.network else make_network(painting.loaded, settings, painting.device)
    return quick, exact


def pixel_error(pixels: Pixels, photograph: Pixels) -> float:
    """√(mean of (x − p)²) over pixels and colours, of white."""
    return float((pixels.cpu().double() - photograph.cpu().double()).square().mean().sqrt())


def matched_error(pixels: Pixels, photograph: Pixels) -> float:
    """The least √(mean of (a·x + b − p)²) over a gain a and an offset b for each colour, of white.

    For each colour what is left is var p − cov(x, p)²/var x, so that it is never above the photograph's own
    deviation from its mean colour.
    """
    x, p = (each.cpu().double().flatten(2)[0] for each in (pixels, photograph))
    x, p = x - x.mean(1, keepdim=True), p - p.mean(1, keepdim=True)
    explained = (x * p).mean(1).square() / x.square().mean(1).clamp_min(1e-12)
    return math.sqrt(float((p.square().mean(1) - explained).clamp_min(0).mean()))


def deviation_of(photograph: Pixels) -> float:
    """√(mean of (p − p̄)²), p̄ the mean colour: how far the photograph is from a plain surface, of white."""
    return pixel_error(photograph, photograph.mean((2, 3), keepdim=True).expand_as(photograph))


def _levels(error: float) -> str:
    return f"{LEVELS * error:.1f}" if LEVELS * error < 10 else f"{LEVELS * error:.0f}"


def _of_depth(content: Content) -> str:
    first, last = content.layers[0], content.layers[-1]
    text = (
        f"Rebuilt from {first.layer} alone, this photograph comes back with an error of {_levels(first.pixel_error)} "
        f"of 255 levels; from {last.layer}, with {_levels(last.pixel_error)}"
    )
    if content.rises:
        return f"{text}. The error rises at every step from layer to layer, as the papers say."
    falls = [
        f"from {one.layer} to {other.layer}"
        for one, other in pairwise(content.layers)
        if one.pixel_error >= other.pixel_error
    ]
    return f"{text}. It does not rise at every step, as the papers say it would: {' and '.join(falls)} it falls."


def _of_variation(content: Content) -> str:
    shares = [_variation(kept, content.deviation) for kept in content.layers]
    text = "What differs first is brightness, contrast and tint; set those right, and"
    return f"{text} {content.layers[-1].layer} still accounts for {shares[-1]:.0%} of the photograph's variation."


def _variation(kept: Kept, deviation: float) -> float:
    """The share of the photograph's variance that is there after the best gain and offset."""
    return 1 - (kept.matched_error / deviation) ** 2 if deviation else 1.0


def _of_convergence(content: Content) -> str:
    worst = max(content.layers, key=lambda kept: kept.rebuilt.error)
    best = min(content.layers, key=lambda kept: kept.rebuilt.error)
    (early, before), (late, after) = worst.course[-2:]
    settled = before - after < SETTLED * before and worst.rebuilt.error < FITS
    rest = "what is missing now, the layer does not see" if settled else "with patience some more may come back"
    return (
        f"The features themselves came back within {best.rebuilt.error:.1%} ({best.layer}) to "
        f"{worst.rebuilt.error:.1%} ({worst.layer}). From evaluation {early} to {late} the error in the pixels of "
        f"{worst.layer} went from {_levels(before)} to {_levels(after)} levels: {rest}."
    )


def _of_comparison(what: str, content: Content, others: Sequence[Kept]) -> str:
    parts = []
    for other in others:
        own = content.kept_by(other.layer.replace("conv", "relu"))
        parts.append(f"{_levels(other.pixel_error)} instead of {_levels(own.pixel_error)} levels at {own.layer}")
    return f"{what} the error in the pixels is {' and '.join(parts)}."
