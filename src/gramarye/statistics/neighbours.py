"""Neural neighbours: every position of the picture beside the most alike position of the painting."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor

from gramarye.statistics.distances import total_of
from gramarye.statistics.positions import Activation, Guide, Positions, sampled, wide

SAMPLE = 2048  # positions of each picture: matching costs its square
Others = Float[Tensor, "batch others channels"]
CHUNK = 512  # positions matched at a time, so that their similarities stay in the processor's cache


def neighbour_sample(activation: Activation, guide: Guide | None = None, *, seed: int = 0) -> tuple[Positions]:
    """At most SAMPLE seeded positions, batch M' N in float32, or those of the guide's region."""
    return (wide(sampled(activation, guide, SAMPLE, seed)),)


def neighbour_target(sample: tuple[Positions]) -> tuple[Positions, Positions]:
    """The painting's sample, and the same vectors centred and of length 1."""
    return sample[0], _directions(sample[0])


def neighbour_distance(
    found: tuple[Positions],
    target: tuple[Others, Others],
    *,
    distance: str = "l2",
    normalization: str = "gatys",
    channels: int | None = None,
) -> Float[Tensor, ""]:
    """1/(N·M)·Σ_ik h(F_ik − A_i,nn(k)), nn(k) being the nearest position by cosine; a scalar.

    h(d) = d², |d| or huber(d). Both pictures are centred by their own mean before they are matched, and
    matched again in every evaluation. Kolkin et al. 2022, "Neural Neighbor Style Transfer". Differs from
    it: each layer is matched by itself, not all layers as one vector, and what is minimised is the distance of the
    activations, not 1 − cosine, so that it is zero only where they are equal. `normalization` does not matter.
    """
    n = channels or found[0].shape[2]
    with torch.no_grad():
        nearest = _nearest(_directions(found[0]), target[1])
        matched = target[0].gather(1, nearest[:, :, None].expand(-1, -1, found[0].shape[2]))
    return total_of(found[0] - matched, distance) / (n * found[0].shape[0] * found[0].shape[1])


def _nearest(x: Positions, y: Others) -> Int[Tensor, "batch positions"]:
    """For each of x the index of the y with the largest inner product."""
    transposed = y.transpose(1, 2)
    return torch.cat([(chunk @ transposed).argmax(2) for chunk in torch.split(x, CHUNK, dim=1)], dim=1)


def _directions(points: Positions) -> Positions:
    return F.normalize(points - points.mean(1, keepdim=True), dim=2)
