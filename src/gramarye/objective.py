"""What a picture is asked to be: named terms, each with its weight and its target.

L = Σ weight · value. The values stay raw and keep their names from here to the chart; weighting and summing
is one visible line, `Objective.total`. A term's target is fixed when the term is made.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from gramarye import statistics
from gramarye.errors import SettingsError
from gramarye.settings import ContentSettings, Settings, SmoothnessSettings, StyleSettings
from gramarye.vgg import VGG

Measure = Callable[[Tensor], Tensor]
SAME = 1e-4  # of a Gram matrix's own square: two pictures nearer than this are the same in that layer


@dataclass(frozen=True)
class Term:
    """One thing that is asked: `weight` times `measure(activation of layer)`.

    `measure` takes the activation of `layer` ("pixels" is the picture itself) and returns a scalar ≥ 0
    that is zero at the target.
    """

    name: str
    kind: str  # content, style, tv or box
    layer: str
    weight: float
    measure: Measure

    def weighted_by(self, factor: float) -> Term:
        """The same term with its weight times `factor`."""
        return replace(self, weight=self.weight * factor)


@dataclass(frozen=True)
class Objective:
    """A sum of weighted terms over the activations of one picture."""

    terms: tuple[Term, ...]

    @property
    def layers(self) -> tuple[str, ...]:
        """The layers that must be computed, each once."""
        return tuple(dict.fromkeys(term.layer for term in self.terms if term.weight))

    def values(self, activations: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """The raw value of every term by name, scalars in float32 or wider."""
        return {term.name: term.measure(activations[term.layer]) for term in self.terms if term.weight}

    def total(self, values: Mapping[str, Tensor]) -> Tensor:
        """L = Σ weight · value, a scalar."""
        return torch.stack([term.weight * values[term.name] for term in self.terms if term.weight]).sum()

    def describe(self, values: Mapping[str, float]) -> list[dict[str, str | float]]:
        """One row a term for reports and JSON: name, kind, layer, value, weight, weighted."""
        return [
            {
                "name": term.name,
                "kind": term.kind,
                "layer": term.layer,
                "value": values[term.name],
                "weight": term.weight,
                "weighted": term.weight * values[term.name],
            }
            for term in self.terms
            if term.name in values
        ]


def content_terms(network: VGG, photograph: Tensor, settings: ContentSettings) -> tuple[Term, ...]:
    """One term for each content layer, with the photograph's activations as its target.

    `photograph` is 1 3 H W, sRGB in [0, 1], of the size of the picture to be painted.
    """
    with torch.no_grad():
        targets = network(photograph, settings.layers)
    terms = []
    for layer, weight in _weighted(settings.layers, settings.layer_weights):
        measure = _content_measure(targets[layer], settings.reduction, network.width(_plain(network, layer)))
        terms.append(Term(f"content {layer}", "content", layer, settings.weight * weight, measure))
    return tuple(terms)


def style_terms(network: VGG, paintings: Sequence[Tensor], settings: StyleSettings) -> tuple[Term, ...]:
    """One term for each style layer; its target is the mean Gram matrix of the paintings, each 1 3 H W."""
    grams: dict[str, Tensor] = {}
    with torch.no_grad():
        for painting in paintings:
            for layer, activation in network(painting, settings.layers).items():
                share = statistics.gram_matrix(activation) / len(paintings)
                grams[layer] = grams[layer] + share if layer in grams else share
    terms = []
    for layer, weight in _weighted(settings.layers, settings.layer_weights):
        measure = _style_measure(grams[layer], settings.normalization, network.width(_plain(network, layer)))
        terms.append(Term(f"style {layer}", "style", layer, settings.weight * weight, measure))
    return tuple(terms)


def smoothness_terms(settings: SmoothnessSettings) -> tuple[Term, ...]:
    """The terms on the picture itself: total variation, of its colours, and the penalty outside [0, 1]."""
    exponent = settings.exponent
    terms = (
        Term("tv", "tv", "pixels", settings.weight, lambda image: statistics.total_variation(image, exponent)),
        Term("chroma", "tv", "pixels", settings.chroma, _chroma_variation),
        Term("box", "box", "pixels", settings.box, statistics.out_of_range),
    )
    return tuple(term for term in terms if term.weight)


def _chroma_variation(image: Tensor) -> Tensor:
    return statistics.total_variation(statistics.chroma(image))


def balanced(network: VGG, photograph: Tensor, terms: Iterable[Term]) -> tuple[Term, ...]:
    """The terms with weights relative to the photograph, so that a weight means the same at every size.

    A style term is divided by its value at the untouched photograph (at least SAME of its value at no
    activations at all, should photograph and painting look alike); a content term by its value at none.
    """
    terms = tuple(terms)
    with torch.no_grad():
        activations = network(photograph, Objective(terms).layers)
        return tuple(_balanced_term(term, activations[term.layer]) for term in terms if term.weight)


def _balanced_term(term: Term, activation: Tensor) -> Term:
    if term.kind not in ("style", "content"):
        return term
    reference = float(term.measure(torch.zeros_like(activation)))
    if term.kind == "style":
        reference = max(float(term.measure(activation)), SAME * reference)
    return term.weighted_by(1 / max(reference, 1e-12))


def objective_for(network: VGG, photograph: Tensor, paintings: Sequence[Tensor], settings: Settings) -> Objective:
    """The objective of one scale: content, style and smoothness terms, balanced as the settings say.

    `photograph` is 1 3 H W at the size of the scale; the paintings are 1 3 H W at theirs.
    """
    terms = (
        *content_terms(network, photograph, settings.content),
        *style_terms(network, paintings, settings.style),
        *smoothness_terms(settings.smoothness),
    )
    if not any(term.weight for term in terms):
        raise SettingsError("something must be asked of the picture", "weights that are all 0", "raise style.weight")
    return Objective(balanced(network, photograph, terms) if settings.balance == "start" else terms)


def _weighted(names: Sequence[str], weights: Sequence[float]) -> list[tuple[str, float]]:
    """Each layer with its weight; without weights, 1 shared evenly."""
    return list(zip(names, weights or [1 / len(names)] * len(names), strict=True))


def _plain(network: VGG, layer: str) -> str:
    return network.resolve([layer])[0]


def _content_measure(target: Tensor, reduction: str, channels: int) -> Measure:
    return lambda found: statistics.content_distance(found, target, reduction=reduction, channels=channels)


def _style_measure(target: Tensor, normalization: str, channels: int) -> Measure:
    def measure(found: Tensor) -> Tensor:
        gram = statistics.gram_matrix(found)
        return statistics.gram_distance(gram, target, normalization=normalization, channels=channels)

    return measure
