"""What an entry of a Gram matrix stands for: two channels that fire in the same places, and what is there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import torch
from jaxtyping import Float
from torch import Tensor

from gramarye.errors import SettingsError
from gramarye.explain.features import small_maps
from gramarye.explain.receptive import Box, receptive_field
from gramarye.objective import Measure, Objective
from gramarye.settings import StyleSettings
from gramarye.statistics import gram_distance, gram_matrix
from gramarye.statistics.positions import Activation
from gramarye.vgg import VGG

PLACES = 4  # patches of the painting where a pair fires together
APART = 8  # two such patches lie at least 1/APART of the painting's long side apart

Pixels = Float[Tensor, "1 3 h w"]
Map = Float[Tensor, "1 1 rows columns"]
Matrix = Float[Tensor, "channels channels"]


@dataclass(frozen=True)
class Entry:
    """A pair of channels and its entry of the Gram matrix of each picture (PICTURES), G_ij = mean of F_i·F_j."""

    channels: tuple[int, int]
    values: dict[str, float]


@dataclass(frozen=True)
class Place:
    """Where two channels fire most together: the unit, F_i·F_j there, and the patch, 1 3 h w, that it sees."""

    row: int
    column: int
    product: float
    box: Box
    crop: Tensor = field(repr=False)


@dataclass(frozen=True)
class Pair:
    """Two channels of a layer side by side.

    `first`, `second` and `product` are the maps of F_i, F_j and F_i·F_j by picture (PICTURES), 1 1 h w. `places`
    are the painting's, the strongest first.
    """

    layer: str
    entry: Entry
    first: dict[str, Tensor] = field(repr=False)
    second: dict[str, Tensor] = field(repr=False)
    product: dict[str, Tensor] = field(repr=False)
    places: tuple[Place, ...]


def strongest_pairs(grams: Mapping[str, Matrix], count: int, *, by: str = "painting") -> tuple[Entry, ...]:
    """The `count` pairs i < j with the largest G_ij in one of the pictures (PICTURES), the largest first."""
    width = len(grams[by])
    above = torch.ones_like(grams[by], dtype=torch.bool).triu(1)
    ranked = grams[by].masked_fill(~above, -torch.inf).flatten()
    chosen = ranked.topk(min(count, width * (width - 1) // 2)).indices.tolist()
    pairs = (divmod(place, width) for place in chosen)
    return tuple(Entry((i, j), {picture: float(gram[i, j]) for picture, gram in grams.items()}) for i, j in pairs)


def most_wanted(entries: Sequence[Entry], grams: Mapping[str, Matrix]) -> Entry:
    """Of some pairs the one that the painting has and the photograph lacks most.

    Where G_ij/tr G, the part of the layer's energy, is larger in the painting by most: a painting that is louder in
    all channels alike lacks nothing.
    """
    energy = {picture: max(float(gram.trace()), 1e-30) for picture, gram in grams.items()}
    return max(entries, key=lambda each: _part(each, "painting", energy) - _part(each, "photograph", energy))


def pair(network: VGG, layer: str, entry: Entry, activations: Mapping[str, Activation], painting: Pixels) -> Pair:
    """The maps of two channels on all pictures, and where in the `painting`, 1 3 H W, they fire most together."""
    i, j = entry.channels
    first, second = ({name: each[:, k : k + 1] for name, each in activations.items()} for k in (i, j))
    product = {name: first[name] * second[name] for name in activations}
    where = places(network, layer, product["painting"], painting)
    shown = [{name: small_maps(each).cpu() for name, each in maps.items()} for maps in (first, second, product)]
    return Pair(layer, entry, shown[0], shown[1], shown[2], where)


def places(network: VGG, layer: str, product: Map, pixels: Pixels, count: int = PLACES) -> tuple[Place, ...]:
    """The units at which `product` is highest, no two of them close together, at most `count`."""
    left, found = product[0, 0].clone(), list[Place]()
    size = (pixels.shape[2], pixels.shape[3])
    apart = max(1, round(max(left.shape) / APART))
    while len(found) < count and bool(torch.isfinite(left).any()):
        row, column = divmod(int(left.argmax()), left.shape[1])
        box = receptive_field(network, layer, row, column, size)
        found.append(Place(row, column, float(left[row, column]), box, box.of(pixels).cpu().clone()))
        left[max(0, row - apart) : row + apart + 1, max(0, column - apart) : column + apart + 1] = -torch.inf
    return tuple(found)


def without(
    objective: Objective,
    network: VGG,
    paintings: Sequence[Tensor],
    style: StyleSettings,
    left_out: Sequence[tuple[str, int, int]],
) -> Objective:
    """The same objective, not asking for the entries (i, j) and (j, i) of some layers' Gram matrices.

    E = 1/N²·Σ_(ij stays) h(s·(G_ij − A_ij)), as `gram_distance` has it, with the weights as they were: what is to be
    seen is what these entries did. `paintings`, each 1 3 H W, and `style` are those that the objective was made
    from; `left_out` are (layer, i, j). A layer that the objective has no term for any more is passed over. Raises
    SettingsError for another statistic than gram, for masks, a layer without style, or a channel that it has not.
    """
    if not left_out:
        return objective
    if style.statistic != "gram":
        rule = "pairs of channels can be left out of Gram matrices only"
        raise SettingsError(rule, f"style.statistic={style.statistic}", "set style.statistic=gram")
    if any(term.kind == "style" and " · " in term.name for term in objective.terms):
        raise SettingsError("pairs of channels are left out of the whole picture", "masks", "leave the masks out")
    pairs: dict[str, list[tuple[int, int]]] = {}
    for layer, i, j in left_out:
        pairs.setdefault(_style_layer(network, style, layer), []).append((i, j))
    measures = {layer: _measure_without(network, paintings, style, layer, each) for layer, each in pairs.items()}
    terms = (
        replace(term, measure=measures[layer]) if term.kind == "style" and layer in measures else term
        for term in objective.terms
        for layer in network.resolve([term.layer])
    )
    return replace(objective, terms=tuple(terms))


def _style_layer(network: VGG, style: StyleSettings, layer: str) -> str:
    """The canonical name of a layer that the style is asked of."""
    known, name = network.resolve(style.layers), network.resolve([layer])[0]
    if name not in known:
        rule = "a pair of channels is left out of a layer that the style is asked of"
        raise SettingsError(rule, layer, f"choose one of {', '.join(known)}")
    return name


def _measure_without(
    network: VGG, paintings: Sequence[Tensor], style: StyleSettings, layer: str, pairs: Sequence[tuple[int, int]]
) -> Measure:
    """The distance from the mix of the paintings' Gram matrices in one layer, without some of their entries."""
    mix = style.mix or (1.0,) * len(paintings)
    with torch.no_grad():
        grams = [gram_matrix(network(painting, [layer])[layer]) for painting in paintings]
    target = torch.stack([share / sum(mix) * gram for share, gram in zip(mix, grams, strict=True)]).sum(0)
    kept, count = torch.ones_like(target), target.shape[-1]
    for i, j in pairs:
        if not (0 <= i < count and 0 <= j < count):
            raise SettingsError(f"channels of {layer} are numbered from 0 to {count - 1}", f"{i} and {j}")
        kept[:, i, j] = kept[:, j, i] = 0

    def measure(found: Tensor) -> Tensor:
        return gram_distance(
            gram_matrix(found) * kept,
            target * kept,
            distance=style.distance,
            normalization=style.normalization,
            channels=network.width(layer),
        )

    return measure


def _part(entry: Entry, picture: str, energy: Mapping[str, float]) -> float:
    return entry.values[picture] / energy[picture]
