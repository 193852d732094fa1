"""Positions of a layer: all of them, a seeded sample, those of a region, and their weights under a guide.

A guide is a map `1 1 rows columns` of weights ≥ 0, at least one of them positive: how much each position
counts (Gatys et al. 2017, "Controlling Perceptual Factors in Neural Style Transfer", spatial control).
Statistics that are means over positions weigh them by it; statistics of sets take the positions where it is
above half of its maximum.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import torch
from jaxtyping import Float, Int
from torch import Tensor

Activation = Float[Tensor, "batch channels rows columns"]
Guide = Float[Tensor, "1 1 rows columns"]
Positions = Float[Tensor, "batch positions channels"]


def positions_of(activation: Activation) -> Positions:
    """The activation vectors one after another, batch M N: how channels-last activations lie in memory."""
    return activation.permute(0, 2, 3, 1).flatten(1, 2)


def wide(tensor: Tensor) -> Tensor:
    """Float32, or float64 as it is."""
    return tensor if tensor.dtype == torch.float64 else tensor.float()


def weights_of(guide: Guide) -> Float[Tensor, " positions"]:
    """The weight of each position in a mean, g_k/Σg, which sum to 1; a guide of ones is the plain mean."""
    weights = wide(guide).flatten()
    return weights / weights.sum()


def sampled(activation: Activation, guide: Guide | None, limit: int, seed: int) -> Positions:
    """A seeded sample of at most `limit` positions, without repetition, in random order; batch M' N.

    The same for every activation of the same size and guide: a target, and the picture that equals it, give
    the same sample. In the activation's own precision.
    """
    if guide is None:
        chosen = _permutation(activation.shape[2] * activation.shape[3], seed)[:limit].to(activation.device)
    else:
        inside = (guide > guide.max() / 2).flatten().nonzero().flatten()
        chosen = inside[_permutation(len(inside), seed)[:limit].to(inside.device)]
    found: Tensor = _Select.apply(positions_of(activation), chosen)  # type: ignore[no-untyped-call]
    return found


class _Select(torch.autograd.Function):
    """Some positions, each at most once: the gradient is then copied back, four times as fast as added."""

    @staticmethod
    def forward(ctx: Any, positions: Tensor, chosen: Tensor) -> Tensor:
        ctx.save_for_backward(chosen)
        ctx.shape = positions.shape
        return positions.index_select(1, chosen)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None]:
        (chosen,) = ctx.saved_tensors
        return gradients[0].new_zeros(ctx.shape).index_copy_(1, chosen, gradients[0]), None


@lru_cache(maxsize=16)
def _permutation(count: int, seed: int) -> Int[Tensor, " count"]:
    return torch.randperm(count, generator=torch.Generator().manual_seed(seed))
