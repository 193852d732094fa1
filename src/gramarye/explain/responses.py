"""Units of a layer: its channels and the directions of its Gram matrix, which of them are a painting's, and where."""

from __future__ import annotations

from dataclasses import dataclass, field

import torch
from jaxtyping import Float
from torch import Tensor

from gramarye import statistics

Activation = Float[Tensor, "batch channels rows columns"]
Another = Float[Tensor, "batch channels other_rows other_columns"]  # of a picture of another size
Picture = Float[Tensor, "1 3 h w"]

FAINT = 1.0  # of a channel's root mean square: a best place that is less is hardly excited
LEAST_PATCH = 28  # pixels: what is cut out is never smaller, so that it can be seen


@dataclass(frozen=True)
class Unit:
    """A channel of a layer, or a mixture of its channels: the response at a position is wᵀF_k.

    `weights`, N of them, are of length 1. `share` is, of a direction, its eigenvalue over the sum of all.
    """

    layer: str
    kind: str  # channel or direction
    number: int  # of the channel, from 0; of the direction, from 1, the strongest first
    weights: Tensor = field(repr=False)
    share: float | None = None

    @property
    def name(self) -> str:
        """As the page has it: relu3_1 · channel 17."""
        return f"{self.layer} · {self.kind} {self.number}"


@dataclass(frozen=True)
class Patch:
    """Where a picture excites a unit most: `pixels` 1 3 P P around it, the response there and the mean of all.

    `row` and `column` are the place in pixels, `top` and `left` where the patch begins; `side` is that of what the unit
    sees (its receptive field).
    """

    pixels: Tensor = field(repr=False)
    row: int
    column: int
    top: int
    left: int
    side: int
    strongest: float
    mean: float


def channels_of_style(painting: Activation, photograph: Another, count: int) -> tuple[int, ...]:
    """The channels that the painting excites most beyond the photograph.

    By (μ_painting − μ_photograph) / √(½·(σ²_painting + σ²_photograph)), over the positions of each: Cohen's d, so that
    loud channels are not preferred, nor those that are silent but for one place. Channels that the painting hardly
    excites anywhere (the embedded network's may be negative almost everywhere) come last.
    """
    means = painting.mean((0, 2, 3)) - photograph.mean((0, 2, 3))
    variances = (painting.var((0, 2, 3), correction=0) + photograph.var((0, 2, 3), correction=0)) / 2
    effects = means / (variances + variances.mean() * 1e-3 + 1e-12).sqrt()
    faint = painting.amax((0, 2, 3)) < FAINT * painting.square().mean((0, 2, 3)).sqrt()
    ranks = effects - faint * (2 * effects.abs().max() + 1)
    return tuple(ranks.topk(min(count, len(ranks))).indices.tolist())


def gram_directions(activation: Activation, count: int) -> tuple[tuple[Tensor, float], ...]:
    """The leading eigenvectors of the Gram matrix, of length 1, each with its share of all eigenvalues.

    The sign is the one in which the projected activations are the larger: Σ_k (wᵀF_k)³ ≥ 0.
    """
    gram = statistics.gram_matrix(activation.double())[0]
    values, vectors = torch.linalg.eigh(gram)
    found = []
    for index in range(1, min(count, len(values)) + 1):
        vector = vectors[:, -index]
        skew = response(activation.double(), vector).pow(3).sum()
        found.append((torch.where(skew < 0, -vector, vector).float(), float(values[-index] / values.sum())))
    return tuple(found)


def units_of(layer: str, painting: Activation, photograph: Another, channels: int, directions: int) -> list[Unit]:
    """The units of one layer to be shown: channels of the painting's, then its leading Gram directions."""
    basis = torch.eye(painting.shape[1], device=painting.device)
    chosen = channels_of_style(painting, photograph, channels)
    leading = gram_directions(painting, directions)
    return [
        *(Unit(layer, "channel", channel, basis[channel]) for channel in chosen),
        *(Unit(layer, "direction", place, vector, share) for place, (vector, share) in enumerate(leading, 1)),
    ]


def response(activation: Activation, weights: Float[Tensor, " channels"]) -> Float[Tensor, "batch rows columns"]:
    """The response wᵀF_k of a unit at every position k."""
    return torch.einsum("bcij,c->bij", activation, weights.to(activation))


def patch(picture: Picture, activation: Activation, unit: Unit, stride: int, field_side: int) -> Patch:
    """Where `picture`, whose `activation` at the unit's layer is given, excites it most, cut out as it sees it."""
    map_ = response(activation, unit.weights)[0]
    best = int(map_.argmax())
    height, width = picture.shape[2:]
    side = min(max(field_side, LEAST_PATCH), height, width)
    row, column = (round((each + 0.5) * stride) for each in divmod(best, map_.shape[1]))
    top, left = (max(0, min(place - side // 2, end - side)) for place, end in ((row, height), (column, width)))
    pixels = picture[:, :, top : top + side, left : left + side].detach().cpu().clone()
    return Patch(pixels, row, column, top, left, field_side, float(map_.max()), float(map_.mean()))
