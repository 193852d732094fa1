"""A style in components: the eigenvectors of the painting's Gram matrix, as maps and as textures."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial

import torch
from jaxtyping import Float
from torch import Tensor

from gramarye.explain.features import small_maps
from gramarye.objective import Term
from gramarye.settings import StyleSettings
from gramarye.statistics import gram_distance, gram_matrix
from gramarye.statistics.positions import Activation
from gramarye.vgg import VGG

Matrix = Float[Tensor, "channels channels"]
Values = Float[Tensor, " channels"]


@dataclass(frozen=True)
class Component:
    """One eigenvector of the painting's Gram matrix: its share of the energy, and the activations along it.

    `maps` (by PICTURES, 1 1 h w, signed) are v·F at every position; the sign of v is such that their mean over the
    painting is not negative. `shares` is how much of each picture's energy, tr G, lies along v: vᵀGv/tr G.
    """

    layer: str
    rank: int  # from 1
    shares: dict[str, float]
    maps: dict[str, Tensor] = field(repr=False)


@dataclass(frozen=True)
class Synthesis:
    """A texture painted from noise after the leading `rank` components of every style layer; `pixels` is 1 3 H W.

    `energy` is the mean over the layers of the share of the painting's energy that they hold. `reached` is the
    distance to what was asked, `whole` that to the whole Gram matrices: means over the layers, noise being 1.
    """

    rank: int  # 0: all of them
    energy: float
    reached: float
    whole: float
    pixels: Tensor = field(repr=False)


def spectrum(gram: Matrix) -> tuple[Values, Matrix]:
    """Eigenvalues of a Gram matrix, the largest first and none negative, and eigenvectors, one a column; float64."""
    values, vectors = torch.linalg.eigh(gram.detach().cpu().double())
    return values.flip(0).clamp_min(0), vectors.flip(1)


def needed_for(values: Values, share: float) -> int:
    """How many leading eigenvalues hold `share` of their sum."""
    held = values.cumsum(0)
    return int((held < share * held[-1]).sum()) + 1


def leading(gram: Matrix, rank: int) -> Matrix:
    """The nearest matrix of that rank, Σ_(k ≤ rank) λ_k·v_k·v_kᵀ (Eckart and Young 1936); 0: the matrix itself."""
    if not 0 < rank < len(gram):
        return gram
    values, vectors = spectrum(gram)
    kept = (vectors[:, :rank] * values[:rank]) @ vectors[:, :rank].T
    return kept.to(gram)


def projected(activation: Activation, direction: Values) -> Float[Tensor, "1 1 rows columns"]:
    """v·F at every position."""
    return torch.einsum("bchw,c->bhw", activation, direction.to(activation))[:, None]


def components(layer: str, activations: Mapping[str, Activation], count: int) -> tuple[Component, ...]:
    """The `count` leading eigenvectors of the painting's Gram matrix, on all pictures (PICTURES)."""
    grams = {picture: gram_matrix(each)[0].double().cpu() for picture, each in activations.items()}
    _, vectors = spectrum(grams["painting"])
    found = []
    for rank, direction in enumerate(vectors[:, :count].T, start=1):
        maps = {picture: projected(each, direction) for picture, each in activations.items()}
        sign = -1.0 if float(maps["painting"].mean()) < 0 else 1.0
        shares = {
            picture: float(direction @ gram @ direction / gram.trace().clamp_min(1e-30))
            for picture, gram in grams.items()
        }
        found.append(
            Component(layer, rank, shares, {picture: sign * small_maps(each).cpu() for picture, each in maps.items()})
        )
    return tuple(found)


def leading_terms(network: VGG, painting: Tensor, style: StyleSettings, rank: int) -> tuple[Term, ...]:
    """A style term for each style layer whose target is the painting's Gram matrix cut down to `rank` components.

    They all weigh 1; `painting` is 1 3 H W; rank 0 is all of them.
    """
    with torch.no_grad():
        found = network(painting, style.layers)
    return tuple(_term(network, layer, leading(gram_matrix(found[layer])[0], rank), style) for layer in style.layers)


def _term(network: VGG, layer: str, target: Matrix, style: StyleSettings) -> Term:
    channels = network.width(network.resolve([layer])[0])
    compare = partial(gram_distance, distance=style.distance, normalization=style.normalization, channels=channels)

    def measure(activation: Tensor) -> Tensor:
        return compare(gram_matrix(activation), target[None])

    return Term(f"style {layer}", "style", layer, 1.0, measure)
