"""The objective of the optimisation, for a batch of pictures at once: what a feed-forward painter is trained by.

It is `objective.objective_for` with weights balanced at the start, written for batches: for each picture

    Σ_l α_l·Σ_k w_k·‖F_lk − P_lk‖²/‖P_l‖² + Σ_l β_l·‖G_l − A_l‖²/‖G_l(P) − A_l‖² + smoothness

with the layers and weights of the settings; w is how much each place of the photograph counts (`content.detail`), on
average 1. A test holds it against the objective itself.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

from gramarye import detail, statistics
from gramarye.errors import SettingsError
from gramarye.objective import SAME
from gramarye.settings import Settings
from gramarye.vgg import VGG, Activations

Images = Float[Tensor, "batch 3 height width"]
Values = Float[Tensor, " batch"]
Grams = Mapping[str, Float[Tensor, "batch channels channels"]]
PLAIN = {  # what is not written for batches, at the value that it must have
    "balance": "start",
    "style.statistic": "gram",
    "style.distance": "l2",
    "content.distance": "l2",
    "content.detail_from": "edges",
    "smoothness.reduction": "mean",
    "strength": 1.0,
    "color": "style",
}


@dataclass(frozen=True)
class Losses:
    """What `network` and `settings` ask of a batch of pictures."""

    network: VGG
    settings: Settings

    def __post_init__(self) -> None:
        for name, value in PLAIN.items():
            if self.settings.get(name) != value:
                rule = f"a painter is trained with {name}={value}"
                raise SettingsError(rule, self.settings.get(name), "train with the preset default")

    @property
    def layers(self) -> tuple[str, ...]:
        """The layers that are looked at, each once."""
        return tuple(dict.fromkeys((*self.settings.content.layers, *self.settings.style.layers)))

    def grams(self, paintings: Images) -> Grams:
        """The paintings' Gram matrices: the targets of style."""
        with torch.no_grad():
            found = self.network(paintings, self.settings.style.layers)
            return {layer: _gram(found, layer) for layer in self.settings.style.layers}

    def of(self, pictures: Images, photographs: Images, wanted: Grams) -> dict[str, Values]:
        """Each kind's weighted value for each picture: content, style, smoothness; their sum is the objective."""
        with torch.no_grad():
            asked = self.network(photographs, self.layers)
        found = self.network(pictures, self.layers)
        content, style = self.settings.content, self.settings.style
        zero = pictures.new_zeros(len(pictures))
        told = {"content": zero, "style": zero, "smoothness": self._smoothness(pictures)}
        places = self._places(photographs)
        for layer, weight in _weighted(content.layers, content.layer_weights):
            value = _content(found[layer], asked[layer], places)
            told["content"] = told["content"] + content.weight * weight * value
        for layer, weight in _weighted(style.layers, style.layer_weights):
            value = _style(_gram(found, layer), _gram(asked, layer), wanted[layer])
            told["style"] = told["style"] + style.weight * weight * value
        return told

    def _places(self, photographs: Images) -> Float[Tensor, "batch 1 height width"] | None:
        """How much each place of the photographs counts, on average 1; None if all alike."""
        if not self.settings.content.detail:
            return None
        edges = torch.cat([detail.edges(each) for each in torch.split(photographs, 1)])
        weights = 1 + self.settings.content.detail * edges
        return weights / weights.mean((1, 2, 3), keepdim=True)

    def _smoothness(self, pictures: Images) -> Values:
        asked = self.settings.smoothness
        parts = [
            asked.weight * statistics.total_variation(each, exponent=asked.exponent, kind=asked.kind)
            + asked.chroma * statistics.total_variation(statistics.chroma(each))
            + asked.box * statistics.out_of_range(each)
            for each in torch.split(pictures, 1)
        ]
        return torch.stack(parts)


def _content(found: Tensor, asked: Tensor, places: Tensor | None) -> Values:
    """Σ_k w_k·‖F_k − P_k‖²/‖P‖² for each picture, in float32; w are `places`, averaged over each position k."""
    difference = (found.float() - asked.float()).square().sum(1, keepdim=True)
    if places is not None:
        difference = difference * F.adaptive_avg_pool2d(places, (difference.shape[2], difference.shape[3]))
    return difference.flatten(1).sum(1) / asked.float().square().flatten(1).sum(1).clamp_min(1e-12)


def _gram(seen: Activations, layer: str) -> Tensor:
    """The Gram matrices of the activations, calibrated afterwards: less to compute, and the same."""
    return statistics.STATISTICS["gram"].calibrated(*seen.apart(layer))[0]


def _style(found: Tensor, asked: Tensor, wanted: Tensor) -> Values:
    """‖G − A‖²/‖G(P) − A‖² for each picture; never divided by less than SAME of ‖A‖²."""
    size = (asked - wanted).square().flatten(1).sum(1)
    least = SAME * wanted.square().flatten(1).sum(1)
    distance = (found - wanted).square().flatten(1).sum(1)
    return distance / torch.maximum(size, least).clamp_min(1e-12)


def _weighted(names: Sequence[str], weights: Sequence[float]) -> list[tuple[str, float]]:
    return list(zip(names, weights or [1 / len(names)] * len(names), strict=True))
