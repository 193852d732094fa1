"""What an entry of a Gram matrix stands for: two channels that fire in the same places, and what is there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import torch
from jaxtyping import Float
from torch import Tensor

from gramarye.explain.features import small_maps
from gramarye.explain.receptive import Box, receptive_field
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


def _part(entry: Entry, picture: str, energy: Mapping[str, float]) -> float:
    return entry.values[picture] / energy[picture]
