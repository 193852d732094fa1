"""What can be taken from an objective: a layer left out, one alone, the cumulative sets, no content, conv for ReLU.

What is done with the weights of the layers that stay:

- a layer left out leaves the others as they are: the question is what its own pull did, and with louder others the
  variant would differ in more than that one thing;
- layers alone, and the cumulative sets, take over the whole style total as it is at the photograph, shared as before:
  otherwise they would lose for being fewer, and the photograph would stay;
- a convolution in place of its ReLU weighs what the ReLU did at the photograph.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import torch
from torch import Tensor

from gramarye.objective import LEAST, Objective, Term, style_terms
from gramarye.settings import StyleSettings
from gramarye.vgg import VGG

MOST = 8  # style layers that are taken away one by one; more are taken by blocks


@dataclass(frozen=True)
class Variant:
    """One objective: `kind` is full, without, alone, cumulative, content or conv; `layers` are its style layers.

    `changed` is the layer (or block) that was left out or stands alone, or the last of a cumulative set.
    """

    name: str
    kind: str
    changed: str
    terms: tuple[Term, ...] = field(repr=False)

    @property
    def layers(self) -> tuple[str, ...]:
        """The style layers that are asked for."""
        return tuple(dict.fromkeys(term.layer for term in self.terms if term.kind == "style"))


def variants(
    network: VGG, terms: Sequence[Term], photograph: Tensor, paintings: Sequence[Tensor], settings: StyleSettings
) -> tuple[Variant, ...]:
    """The full objective first, then what can be taken from it; see the module for the weights.

    All are divided by the full objective's value at the photograph (1 and less is then what every loss is about).
    """
    kept = tuple(term for term in terms if term.weight)
    values = _values(network, kept, photograph)
    whole = max(sum(term.weight * values[term.name] for term in kept), LEAST)
    kept = tuple(term.weighted_by(1 / whole) for term in kept)
    found = [Variant("all layers", "full", "", kept), *_with_fewer_layers(network, kept, values)]
    bare = tuple(term for term in kept if term.kind != "content")
    if len(bare) < len(kept) and any(term.kind == "style" for term in bare):
        found.append(Variant("without content", "content", "content", bare))
    return (*found, *_swapped(network, kept, paintings, settings, photograph, values))


def _with_fewer_layers(network: VGG, terms: Sequence[Term], values: Mapping[str, float]) -> list[Variant]:
    """Without each style layer, with each alone, and with the cumulative sets; nothing if there is only one."""
    style = [term for term in terms if term.kind == "style"]
    others = tuple(term for term in terms if term.kind != "style")
    groups = _groups(network, style)
    if len(groups) < 2:
        return []
    names = list(groups)
    found = []
    for name, layers in groups.items():
        left = tuple(term for term in style if term.layer not in layers)
        found.append(Variant(f"without {name}", "without", name, (*others, *left)))
    for name, layers in groups.items():
        found.append(Variant(f"only {name}", "alone", name, (*others, *_louder(style, layers, values))))
    for count in range(2, len(names)):
        layers = tuple(layer for name in names[:count] for layer in groups[name])
        last = names[count - 1]
        found.append(Variant(f"up to {last}", "cumulative", last, (*others, *_louder(style, layers, values))))
    return found


def _louder(style: Sequence[Term], layers: Sequence[str], values: Mapping[str, float]) -> tuple[Term, ...]:
    """The style terms of `layers`, with the weighted total of all at the photograph."""
    total = sum(term.weight * values[term.name] for term in style)
    kept = [term for term in style if term.layer in layers]
    factor = total / max(sum(term.weight * values[term.name] for term in kept), LEAST * total)
    return tuple(term.weighted_by(factor) for term in kept)


def _swapped(
    network: VGG,
    terms: Sequence[Term],
    paintings: Sequence[Tensor],
    settings: StyleSettings,
    photograph: Tensor,
    values: Mapping[str, float],
) -> list[Variant]:
    """Style from the convolutions before the ReLUs, or from the ReLUs where those were asked; none for other layers."""
    style = [term for term in terms if term.kind == "style"]
    layers = [network.resolve([term.layer])[0] for term in style]
    other = {"relu": "conv", "conv": "relu"}
    swapped = [other.get(layer[:4], layer[:4]) + layer[4:] for layer in layers]
    if layers == swapped or len(set(swapped)) < len(swapped):
        return []
    made = style_terms(network, paintings, replace(settings, layers=tuple(swapped), layer_weights=()))
    found = _values(network, made, photograph)
    wanted = [term.weight * values[term.name] for term in style]
    pairs = zip(made, wanted, strict=True)
    instead = [replace(term, weight=value / max(found[term.name], LEAST)) for term, value in pairs]
    name = "conv for ReLU" if layers[0].startswith("relu") else "ReLU for conv"
    return [Variant(name, "conv", name, (*(term for term in terms if term.kind != "style"), *instead))]


def _groups(network: VGG, style: Sequence[Term]) -> dict[str, tuple[str, ...]]:
    """What is taken away at once, by name, in order from the input: a layer, or if there are many a block."""
    layers = layers_of(network, style, "style")
    if len(layers) <= MOST:
        return {layer: (layer,) for layer in layers}
    blocks: dict[str, list[str]] = {}
    for layer in layers:
        canonical = network.resolve([layer])[0]
        blocks.setdefault(f"block {canonical[4]}" if canonical[4].isdigit() else layer, []).append(layer)
    return {name: tuple(each) for name, each in blocks.items()}


def layers_of(network: VGG, terms: Sequence[Term], kind: str) -> tuple[str, ...]:
    """The layers of the terms of a kind, in order from the input."""
    order = list(network.table)
    layers = dict.fromkeys(term.layer for term in terms if term.kind == kind and term.weight)
    return tuple(sorted(layers, key=lambda layer: order.index(network.resolve([layer])[0])))


def _values(network: VGG, terms: Sequence[Term], pixels: Tensor) -> dict[str, float]:
    objective = Objective(tuple(terms))
    with torch.no_grad():
        values = objective.values(network(pixels, objective.layers))
    return {name: float(value) for name, value in values.items()}
