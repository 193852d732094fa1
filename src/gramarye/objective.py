"""What a picture is asked to be: named terms, each with its weight and its target.

L = Σ weight · value. The values stay raw and keep their names from here to the chart; weighting and summing
is one visible line, `Objective.total`. A term's target is fixed when the term is made.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache, partial
from typing import Protocol, runtime_checkable

import torch
import torch.nn.functional as F
from torch import Tensor

from gramarye import statistics
from gramarye.errors import SettingsError
from gramarye.settings import ContentSettings, Settings, SmoothnessSettings, StyleSettings
from gramarye.vgg import VGG, Activations

Measure = Callable[[Tensor], Tensor]
SAME = 1e-4  # of a style term's value at no activations: two pictures nearer than this are the same in that layer
LEAST = 1e-12  # no weight is divided by less
NOISE = 0.1  # of the pixels' range, added to the photograph where gradients are compared
BALANCED = ("content", "style")


@runtime_checkable
class Regions(Protocol):
    """Named parts of the picture and of the paintings: maps from 0 to 1, one channel a label."""

    @property
    def labels(self) -> tuple[str, ...]:
        """The regions' names, R of them."""

    @property
    def picture(self) -> Tensor:
        """The picture's maps, 1 R H W, of any size."""

    @property
    def paintings(self) -> tuple[Tensor, ...]:
        """Each painting's maps, 1 R H W, of any size."""

    @property
    def content_weights(self) -> tuple[float, ...]:
        """How much of the photograph each region keeps; 1: as much as elsewhere."""


@dataclass(frozen=True)
class Apart:
    """A measure that also takes an activation as it is with the matrix that calibrates it: the same, in less time."""

    of: Callable[[Tensor, Tensor | None], Tensor]

    def __call__(self, found: Tensor) -> Tensor:
        """Of an activation that needs no calibration any more."""
        return self.of(found, None)


@dataclass(frozen=True)
class Term:
    """One thing that is asked: `weight` times `measure(activation of layer)`.

    `measure` takes the activation of `layer` ("pixels" is the picture itself) and returns a scalar ≥ 0
    that is zero at the target.
    """

    name: str
    kind: str  # content, style, tv, box or temporal
    layer: str
    weight: float
    measure: Measure
    reference: Measure | None = None  # what the balance goes by, if not `measure`

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
        return {term.name: _value(term, activations) for term in self.terms if term.weight}

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


def _value(term: Term, activations: Mapping[str, Tensor]) -> Tensor:
    if isinstance(term.measure, Apart) and isinstance(activations, Activations):
        return term.measure.of(*activations.apart(term.layer))
    return term.measure(activations[term.layer])


def content_terms(
    network: VGG, photograph: Tensor, settings: ContentSettings, weights: Tensor | None = None
) -> tuple[Term, ...]:
    """One term for each content layer, with the photograph's activations as its target.

    `photograph` is 1 3 H W, sRGB in [0, 1], of the size of the picture to be painted; `weights`, 1 1 H W, say
    how much each place counts, and are averaged over the area of each position of a layer.
    """
    with torch.no_grad():
        targets = network(photograph, settings.layers)
    terms = []
    for layer, weight in _weighted(settings.layers, settings.layer_weights):
        target, channels = targets[layer], network.width(_plain(network, layer))
        plain = _content_measure(target, settings, channels, None)
        measure = plain if weights is None else _content_measure(target, settings, channels, _at(weights, target))
        terms.append(Term(f"content {layer}", "content", layer, settings.weight * weight, measure, plain))
    return tuple(terms)


def style_terms(
    network: VGG,
    paintings: Sequence[Tensor],
    settings: StyleSettings,
    *,
    regions: Regions | None = None,
    seed: int = 0,
) -> tuple[Term, ...]:
    """One term for each style layer, its target being the statistic of the paintings, each 1 3 H W.

    Several paintings are mixed by `style.mix`: statistics that are means (gram, covariance, moments, mmd-poly)
    by the weighted mean of their summaries, the others by the weighted sum of the distances. With `regions` there
    is one term for each layer and region of the picture, `style relu1_1 · sky`, matched with the same region
    of the paintings that have it; its weight is the region's share of the area of all regions. `seed` is that of the
    statistics that draw positions or directions. Raises SettingsError for a mix that does not fit the
    paintings, or for a region that no painting has.
    """
    shares = _mix(paintings, settings)
    parts = _parts(regions, shares)
    with torch.no_grad():
        found = [network(painting, settings.layers) for painting in paintings]
    apart = statistics.STATISTICS[settings.statistic].through is not None
    terms = []
    for layer, weight in _weighted(settings.layers, settings.layer_weights):
        channels = network.width(_plain(network, layer))
        activations = [each.apart(layer) if apart else (each[layer], None) for each in found]
        for part in parts:
            measure = _style_measure(activations, part, settings, channels, seed)
            name = f"style {layer} · {part.label}" if part.label else f"style {layer}"
            terms.append(Term(name, "style", layer, settings.weight * weight * part.share, measure))
    return tuple(terms)


def smoothness_terms(settings: SmoothnessSettings) -> tuple[Term, ...]:
    """The terms on the picture itself: total variation, of its colours, and the penalty outside [0, 1]."""
    variation = partial(
        statistics.total_variation, exponent=settings.exponent, kind=settings.kind, reduction=settings.reduction
    )
    terms = (
        Term("tv", "tv", "pixels", settings.weight, variation),
        Term("chroma", "tv", "pixels", settings.chroma, _chroma_variation),
        Term("box", "box", "pixels", settings.box, statistics.out_of_range),
    )
    return tuple(term for term in terms if term.weight)


def _chroma_variation(image: Tensor) -> Tensor:
    return statistics.total_variation(statistics.chroma(image))


def temporal_term(name: str, target: Tensor, weights: Tensor, weight: float) -> Term:
    """The term that holds a picture to an earlier one that was moved to its place: 1/D·Σ c·(x − ω)².

    `target` is ω, 1 C H W; `weights` is c, 1 1 H W, how far each place of it can be relied on. A picture of another
    size is compared with both resized to it. Ruder, Dosovitskiy, Brox 2016, "Artistic Style Transfer for Videos".
    """
    target, weights = target.detach(), weights.detach()

    @lru_cache(maxsize=1)
    def at(size: torch.Size) -> tuple[Tensor, Tensor]:
        return _resized(target, size, target.device), _resized(weights, size, weights.device)

    return Term(name, "temporal", "pixels", weight, lambda found: statistics.temporal_distance(found, *at(found.shape)))


def balanced(
    network: VGG, photograph: Tensor, terms: Iterable[Term], how: str = "start", seed: int = 0
) -> tuple[Term, ...]:
    """The terms, content and style with weights relative to the photograph: a weight means the same at every size.

    start      A style term is divided by its value at the untouched photograph (at least SAME of its value at
               no activations at all, should photograph and painting look alike); a content term by its value at none,
               all places counting alike: what counts more in one place does not count less elsewhere.
    gradient   Each is divided by √(H·W)·‖∂L/∂x‖, the size of its gradient with respect to the pixels x, at
               the photograph with seeded noise of deviation NOISE, because content has no gradient at the photograph
               itself. Weights are then the terms' shares of the pull on that picture. The √(H·W) makes the
               gradient that of a mean over the pixels, as the smoothness terms are.
    """
    kept = tuple(term for term in terms if term.weight)
    if how == "gradient":
        sizes = _gradient_sizes(network, photograph, kept, seed)
    else:
        with torch.no_grad():
            activations = network(photograph, Objective(kept).layers)
            sizes = [_size_at_start(term, activations) for term in kept]
    return tuple(term.weighted_by(1 / max(size, LEAST)) for term, size in zip(kept, sizes, strict=True))


def _size_at_start(term: Term, activations: Activations) -> float:
    if term.kind not in BALANCED:
        return 1.0
    reference = float((term.reference or term.measure)(torch.zeros_like(activations[term.layer])))
    return max(float(_value(term, activations)), SAME * reference) if term.kind == "style" else reference


def _gradient_sizes(network: VGG, photograph: Tensor, terms: Sequence[Term], seed: int) -> list[float]:
    noise = torch.randn(photograph.shape, generator=torch.Generator().manual_seed(seed), dtype=photograph.dtype)
    with torch.enable_grad():
        image = (photograph + NOISE * noise.to(photograph.device)).requires_grad_()
        activations = network(image, Objective(tuple(terms)).layers)
        return [_gradient_size(term, activations[term.layer], image) for term in terms]


def _gradient_size(term: Term, activation: Tensor, image: Tensor) -> float:
    if term.kind not in BALANCED:
        return 1.0
    (gradient,) = torch.autograd.grad((term.reference or term.measure)(activation), image, retain_graph=True)
    return float(gradient.norm()) * math.sqrt(image.shape[2] * image.shape[3])


def objective_for(
    network: VGG,
    photograph: Tensor,
    paintings: Sequence[Tensor],
    settings: Settings,
    *,
    regions: Regions | None = None,
    detail: Tensor | None = None,
    style: Sequence[Term] | None = None,
) -> Objective:
    """The objective of one scale: content, style and smoothness terms, balanced as the settings say.

    `photograph` is 1 3 H W at the size of the scale; the paintings are 1 3 H W at theirs. `regions` says which
    part of the picture is painted like which part of the paintings, and how much of the photograph each keeps;
    `detail`, 1 1 H W and ≥ 0, how much of it each place keeps, relative to its mean. `style` are the paintings'
    `style_terms` if they have been made before. Raises SettingsError.
    """
    if style is None:
        style = style_terms(network, paintings, settings.style, regions=regions, seed=settings.seed)
    terms = (
        *content_terms(network, photograph, settings.content, _content_map(regions, detail)),
        *style,
        *smoothness_terms(settings.smoothness),
    )
    if not any(term.weight for term in terms):
        raise SettingsError("something must be asked of the picture", "weights that are all 0", "raise style.weight")
    if settings.balance == "raw":
        return Objective(terms)
    return Objective(balanced(network, photograph, terms, settings.balance, settings.seed))


def _weighted(names: Sequence[str], weights: Sequence[float]) -> list[tuple[str, float]]:
    """Each layer with its weight; without weights, 1 shared evenly."""
    return list(zip(names, weights or [1 / len(names)] * len(names), strict=True))


def _plain(network: VGG, layer: str) -> str:
    return network.resolve([layer])[0]


def _mix(paintings: Sequence[Tensor], settings: StyleSettings) -> list[float]:
    """The weight of each painting; they sum to 1."""
    mix = settings.mix or (1.0,) * len(paintings)
    if len(mix) != len(paintings):
        rule = f"style.mix needs one weight for each of the {len(paintings)} paintings"
        raise SettingsError(rule, str(len(mix)), "or set style.mix=")
    return [weight / sum(mix) for weight in mix]


@dataclass(frozen=True)
class _Part:
    """What one style term looks at: everything, or one region; its guides are of the pictures' own sizes."""

    mix: tuple[float, ...]  # the weight of each painting; they sum to 1
    label: str = ""
    share: float = 1.0
    picture: Tensor | None = None
    paintings: tuple[Tensor, ...] = ()


def _parts(regions: Regions | None, shares: Sequence[float]) -> list[_Part]:
    """The regions that the picture has, each with its share of the area of all of them."""
    if regions is None:
        return [_Part(tuple(shares))]
    areas = regions.picture.mean((0, 2, 3)).tolist()
    parts = []
    for index, (label, area) in enumerate(zip(regions.labels, areas, strict=True)):
        guides = tuple(painting[:, index : index + 1] for painting in regions.paintings)
        if area > 0:
            mix = _mix_of_region(label, guides, shares)
            parts.append(_Part(mix, label, area / sum(areas), regions.picture[:, index : index + 1], guides))
    return parts


def _mix_of_region(label: str, guides: Sequence[Tensor], shares: Sequence[float]) -> tuple[float, ...]:
    """The weights of the paintings that have the region, 0 for the others; they sum to 1."""
    there = [share if bool(guide.any()) else 0.0 for guide, share in zip(guides, shares, strict=True)]
    if not sum(there):
        rule = "every region of the picture must be in a painting that counts"
        raise SettingsError(rule, f"no {label!r} in any", "mark it in one, or take it out of the picture")
    return tuple(share / sum(there) for share in there)


def _content_map(regions: Regions | None, detail: Tensor | None) -> Tensor | None:
    """How much of the photograph each place keeps, 1 1 H W: the regions' weights times detail over its mean.

    Where no region is, the regions' weight is 1.
    """
    total = None if detail is None else detail / detail.mean().clamp_min(LEAST)
    if regions is None:
        return total
    weights = regions.picture.new_tensor(regions.content_weights).view(1, -1, 1, 1)
    kept = 1 + (regions.picture * (weights - 1)).sum(1, keepdim=True)
    return kept if total is None else kept * _resized(total, kept.shape, kept.device)


def _at(guide: Tensor | None, activation: Tensor) -> Tensor | None:
    return None if guide is None else _resized(guide, activation.shape, activation.device)


def _resized(guide: Tensor, size: torch.Size, device: torch.device) -> Tensor:
    """A map averaged over the area of each position of an activation of `size`, in float32."""
    return F.adaptive_avg_pool2d(guide.to(device, torch.float32), (size[2], size[3]))


def _content_measure(target: Tensor, settings: ContentSettings, channels: int, weights: Tensor | None) -> Measure:
    return lambda found: statistics.content_distance(
        found,
        target,
        distance=settings.distance,
        reduction=settings.reduction,
        channels=channels,
        weights=weights,
    )


def _style_measure(
    paintings: Sequence[tuple[Tensor, Tensor | None]], part: _Part, settings: StyleSettings, channels: int, seed: int
) -> Measure:
    """The distance of an activation's statistic from that of the paintings' activations, each with its calibration."""
    statistic = statistics.STATISTICS[settings.statistic]
    guides = part.paintings or (None,) * len(paintings)
    given = [each for each in zip(paintings, guides, part.mix, strict=True) if each[2]]
    shares = [share for _, _, share in given]
    summaries = [statistic.calibrated(*seen, _at(guide, seen[0]), seed=seed) for seen, guide, _ in given]
    if statistic.linear:
        mean = [
            sum(share * each for share, each in zip(shares, parts, strict=True))
            for parts in zip(*summaries, strict=True)
        ]
        targets = [(1.0, statistic.fix(tuple(mean)))]
    else:
        targets = [(share, statistic.fix(summary)) for share, summary in zip(shares, summaries, strict=True)]
    compare = partial(
        statistic.compare, distance=settings.distance, normalization=settings.normalization, channels=channels
    )

    @lru_cache(maxsize=1)
    def guide_at(size: torch.Size, device: torch.device) -> Tensor | None:
        return None if part.picture is None else _resized(part.picture, size, device)

    def measure(found: Tensor, calibration: Tensor | None) -> Tensor:
        summary = statistic.calibrated(found, calibration, guide_at(found.shape, found.device), seed=seed)
        return torch.stack([share * compare(summary, target) for share, target in targets]).sum()

    return Apart(measure) if statistic.through else partial(measure, calibration=None)
