"""Five faders for the style layers: one for each block of the network, 1 being the layer's even share."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from gramarye import layers
from gramarye.errors import SettingsError
from gramarye.knobs import checked
from gramarye.settings import KNOBS, Settings

KNOB = "style.layer_weights"
BLOCKS = 5


def block_of(layer: str) -> int:
    """The block of a layer, 1 … 5; `pixels` is of the first."""
    name = layers.resolve(layer)
    return int(name.removeprefix("conv").removeprefix("relu").removeprefix("pool")[0]) if name != "pixels" else 1


def weights_from(factors: Sequence[float], names: Sequence[str]) -> tuple[float, ...]:
    """A weight for each layer, factor / number of layers; the factors are one a block, or one a layer.

    Empty where all factors are 1, which is what the settings mean by it. Raises SettingsError for another number.
    """
    if len(factors) == BLOCKS:
        factors = [factors[block_of(name) - 1] for name in names]
    if len(factors) != len(names):
        rule = f"{KNOB} needs one factor for each of the {BLOCKS} blocks, or for each of the {len(names)} layers"
        raise SettingsError(rule, len(factors))
    return () if all(factor == 1 for factor in factors) else tuple(factor / len(names) for factor in factors)


def faders_of(settings: Settings) -> list[float]:
    """The five faders of some settings: the mean factor of each block's style layers; 1 for a block without any."""
    names, weights = settings.style.layers, settings.style.layer_weights
    found: list[list[float]] = [[] for _ in range(BLOCKS)]
    for name, weight in zip(names, weights or [1 / len(names)] * len(names), strict=True):
        found[block_of(name) - 1].append(weight * len(names))
    return [round(sum(each) / len(each), 6) if each else 1.0 for each in found]


def weighed(settings: Settings, changes: Mapping[str, Any]) -> dict[str, Any]:
    """What the page asks for in the settings' own terms: its faders as a weight for each layer."""
    if KNOB not in changes:
        return dict(changes)
    names = checked(KNOBS["style.layers"], changes.get("style.layers", settings.style.layers))
    factors = checked(KNOBS[KNOB], changes[KNOB])
    return {**changes, KNOB: weights_from(factors, names) if factors else ()}
