"""Distances: l2, l1 and huber, of entries, of one squared number, and of activations position by position.

l2      d²
l1      |d|
huber   d² up to |d| = 1 and 2·|d| − 1 beyond: twice Huber's (1964) function with δ = 1, so that small
        differences cost the same as under l2. The unit is that of the differences as they are compared,
        after normalisation.
"""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor

from gramarye.statistics.positions import Activation, Guide, wide

DISTANCES = ("l2", "l1", "huber")
TINY = 1e-16  # under a root: its slope stays finite at 0, its value is at most 1e-8 too small


def total_of(differences: Tensor, distance: str, weights: Tensor | None = None) -> Float[Tensor, ""]:
    """The sum over all entries of d², |d| or huber(d), a scalar; of positions times `weights`, 1 1 rows columns."""
    if distance == "l2":
        each = differences.square()
    elif distance == "l1":
        each = differences.abs()
    else:
        inside = differences.clamp(-1, 1)  # huber(d) = c² + 2·|d − c|, c being d clipped to [−1, 1]
        each = inside.square() + 2 * (differences - inside).abs()
    return each.sum() if weights is None else (each.sum(1, keepdim=True) * weights).sum()


def of_squared(squared: Float[Tensor, ""], distance: str) -> Float[Tensor, ""]:
    """l2, l1 or huber of √squared, where a statistic gives one squared distance; 0 at 0 with a finite slope.

    Rounding may have made `squared` slightly negative; it counts as 0.
    """
    squared = squared.clamp_min(0)
    if distance == "l2":
        return squared
    root = (squared + TINY).sqrt() - TINY**0.5
    return root if distance == "l1" else torch.where(squared <= 1, squared, 2 * root - 1)


def content_distance(
    activation: Activation,
    target: Activation,
    *,
    distance: str = "l2",
    reduction: str = "sum",
    channels: int | None = None,
    weights: Guide | None = None,
) -> Float[Tensor, ""]:
    """The distance of activations position by position, a scalar; h is d², |d| or huber(d).

    sum     L = ½·Σ_ik w_k·h(F_ik − P_ik)           Gatys et al. 2015, eq. 1; without the ½ for l1
    mean    L = 1/(N·M)·Σ_ik w_k·h(F_ik − P_ik)     the PyTorch tutorial

    `weights`, 1 1 rows columns, are w, by default 1 everywhere; `channels` is N.
    """
    total = total_of(wide(activation) - wide(target), distance, weights)
    if reduction == "sum":
        return total if distance == "l1" else total / 2
    n = channels or activation.shape[1]
    return total / (n * activation.shape[0] * activation.shape[2] * activation.shape[3])
