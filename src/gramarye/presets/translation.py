"""A preset's weights on another network: weight × factorᵖ, p being the power of the activations' size in a term.

The activations are brought into the preset's units (see `weights.units`), so nothing has to be changed to
use it; these are the weights that would do the same on the network's own activations.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from gramarye import layers
from gramarye.settings import Settings

# The power under l2. Gram matrices, covariances and their polynomial kernel are products of two activations,
# squared; the others are activations, squared; the Gaussian kernel is relative to the painting's spread.
POWERS = {
    "gram": 4,
    "covariance": 4,
    "mmd-poly": 4,
    "mmd-gauss": 0,
    "moments": 2,
    "w2": 2,
    "sliced-w": 2,
    "nearest": 2,
}
CONTENT_POWER = 2


@dataclass(frozen=True)
class Translated:
    """One term's weight in the preset's units, and what does the same in the network's own.

    `factor` multiplies the network's own activations; `power` is None for huber, which has no single one.
    """

    name: str
    weight: float
    factor: float
    power: int | None

    @property
    def own(self) -> float | None:
        """weight · factorᵖ, or None under huber."""
        return None if self.power is None else self.weight * self.factor**self.power


def translated(settings: Settings, network: str, factors: Mapping[str, float]) -> list[Translated]:
    """The content and style terms of `settings`; `factors` are those of each convolution of `network`.

    A layer that the factors do not reach keeps its weight. Raises SettingsError for a layer that it lacks.
    """
    content, style = settings.content, settings.style
    rows = [
        ("content", content.weight, content.layers, content.layer_weights, _power(CONTENT_POWER, content.distance)),
        ("style", style.weight, style.layers, style.layer_weights, _power(POWERS[style.statistic], style.distance)),
    ]
    return [
        Translated(f"{kind} {layer}", total * share, _factor(layer, network, factors), power)
        for kind, total, names, shares, power in rows
        for layer, share in zip(names, shares or [1 / len(names)] * len(names), strict=True)
    ]


def _power(squared: int, distance: str) -> int | None:
    if not squared:
        return 0
    return {"l2": squared, "l1": squared // 2}.get(distance)


def _factor(layer: str, network: str, factors: Mapping[str, float]) -> float:
    """The factor of the convolution that a layer belongs to: pools are as large as the ReLU before."""
    name = layers.resolve(layer, network)
    table = layers.table(network)
    before = [each for each in list(table)[: list(table).index(name) + 1] if table[each].kind == "conv"]
    convolution = name.replace("relu", "conv") if name.startswith("relu") else (before or [""])[-1]
    return factors.get(convolution, 1.0)
