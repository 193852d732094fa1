"""Scoring pictures: what photograph and painting have in common for all of them is computed once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from gramarye import images, machine, statistics, weights
from gramarye.scores.measures import (
    color_distance,
    detail_lost,
    relative_difference,
    self_similarity_divergence,
    structural_similarity,
)
from gramarye.scores.records import CONTENT_LAYER, DEEP_LAYERS, FRECHET_LAYER, SCORES, SIMILARITY_LAYER, STYLE_LAYERS
from gramarye.settings import Settings
from gramarye.vgg import VGG
from gramarye.weights.places import EMBEDDED_NETWORK, FULL_NETWORK

Pixels = Float[Tensor, "1 3 h w"]
Photograph = Float[Tensor, "1 3 hp wp"]
Painting = Float[Tensor, "1 3 hs ws"]
Score = Float[Tensor, ""]
Features = Mapping[str, Tensor]


@dataclass(frozen=True)
class _Relative:
    """A statistic's distance to the painting relative to that of nothing (zeros): 0 the same, 1 as far as nothing."""

    statistic: str
    target: tuple[Tensor, ...]
    nothing: Tensor

    @classmethod
    def of(cls, statistic: str, painting: Tensor) -> _Relative:
        known = statistics.STATISTICS[statistic]
        summary = known.summarise(painting)
        target = known.fix(summary)
        nothing = known.compare(tuple(map(torch.zeros_like, summary)), target).clamp_min(1e-12)
        return cls(statistic, target, nothing)

    def __call__(self, found: Tensor) -> Score:
        known = statistics.STATISTICS[self.statistic]
        return known.compare(known.summarise(found), self.target) / self.nothing


STYLES = {"style-gram": "gram", "style-moments": "moments", "style-sliced": "sliced-w"}
SEEN = tuple(dict.fromkeys((*STYLE_LAYERS, CONTENT_LAYER, SIMILARITY_LAYER, FRECHET_LAYER)))


class Scorer:
    """The scores of pictures painted from one photograph and one painting; what they have in common is computed once.

    `photograph` and `painting` are 1 3 H W of any size: the photograph is taken at the size of the picture that is
    scored, the painting at most as long. `networks`, by name, are those of `networks`. Call it with a picture 1 3 H W;
    it returns a number for each score, those that look through a network as "cfsd@vgg19-lite". Raises ImageError for a
    picture that is too small to be seen.
    """

    def __init__(self, photograph: Photograph, painting: Painting, networks: Mapping[str, VGG]) -> None:
        self.photograph, self.painting, self.networks = photograph, painting, dict(networks)
        self._target: _Target | None = None

    @torch.no_grad()
    def __call__(self, result: Pixels) -> dict[str, float]:
        size = (result.shape[2], result.shape[3])
        if self._target is None or self._target.size != size:
            self._target = _Target(self.photograph, self.painting, self.networks, size)
        return {name: float(value) for name, value in self._target.scores(result).items()}


class _Target:
    """What pictures of one size (height, width) are held against."""

    def __init__(
        self, photograph: Tensor, painting: Tensor, networks: Mapping[str, VGG], size: tuple[int, int]
    ) -> None:
        self.size, self.networks = size, networks
        self.photograph = images.resize(photograph, size)
        large = (painting.shape[2], painting.shape[3])
        long_side = min(max(large), max(size))
        self.painting = (
            painting if max(large) == long_side else images.resize(painting, images.fitted_size(large, long_side))
        )
        self.features = {name: network(self.photograph, SEEN) for name, network in networks.items()}
        self.styles = {name: _styles(network(self.painting, SEEN)) for name, network in networks.items()}

    def scores(self, result: Tensor) -> dict[str, Tensor]:
        """Every score, in the order of SCORES and then of the networks."""
        found = {name: network(result, SEEN) for name, network in self.networks.items()}
        seen = {f"{score}@{name}": value for name in found for score, value in self._seen(name, found[name]).items()}
        plain = {
            "ssim": structural_similarity(self.photograph, result),
            "colour": color_distance(result, self.painting),
            "detail-lost": detail_lost(self.photograph, result),
        }
        order = list(SCORES)
        return dict(sorted({**seen, **plain}.items(), key=lambda pair: order.index(pair[0].partition("@")[0])))

    def _seen(self, network: str, found: Features) -> dict[str, Tensor]:
        """The scores that look through a network."""
        wanted = self.features[network]
        styles = {
            name: {layer: each(found[layer]) for layer, each in parts.items()}
            for name, parts in self.styles[network].items()
        }
        styles["style-held-out"] = {layer: styles["style-sliced"][layer] for layer in DEEP_LAYERS}
        return {
            "cfsd": self_similarity_divergence(found[SIMILARITY_LAYER], wanted[SIMILARITY_LAYER]),
            "content-held-out": relative_difference(found[CONTENT_LAYER], wanted[CONTENT_LAYER]),
            **{name: torch.stack(list(values.values())).mean() for name, values in styles.items()},
        }


def _styles(painting: Features) -> dict[str, dict[str, _Relative]]:
    """What the painting is in each style score, by layer."""
    parts = {
        name: {layer: _Relative.of(statistic, painting[layer]) for layer in STYLE_LAYERS}
        for name, statistic in STYLES.items()
    }
    return {**parts, "style-frechet": {FRECHET_LAYER: _Relative.of("w2", painting[FRECHET_LAYER])}}


def score(result: Pixels, photograph: Photograph, painting: Painting, networks: Mapping[str, VGG]) -> dict[str, float]:
    """The scores of one picture, as `Scorer` has them."""
    return Scorer(photograph, painting, networks)(result)


def networks(settings: Settings, device: torch.device | None = None) -> dict[str, VGG]:
    """The network that `settings` optimise through, and the other one, by name, as scores look through them.

    The other one is the embedded network, or for that the full VGG-19 if its weights are on this machine. Raises
    WeightsError where the first one's are not.
    """
    first = weights.load(settings.network.name)
    other = EMBEDDED_NETWORK if first.network != EMBEDDED_NETWORK else FULL_NETWORK
    loaded = [first, *([weights.load(other)] if other == EMBEDDED_NETWORK or weights.find(other) else [])]
    device = device or machine.choose_device(settings.device)
    return {each.network: VGG(each, pooling="max", padding="zeros").to(device) for each in loaded}
