"""Mean and standard deviation of every channel, and their distance."""

from __future__ import annotations

from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from gramarye.statistics.distances import total_of
from gramarye.statistics.gram import CHUNK, Mean
from gramarye.statistics.positions import Activation, Guide, positions_of, weights_of, wide

VARIANCE = 1e-5  # added to variances, as AdaIN and batch normalisation do: dead channels have a finite slope


class _MeanAndSquare(torch.autograd.Function):
    """Σ_k F_k/M and Σ_k F_k²/M in float32, read once; the gradient in the activations' own precision."""

    @staticmethod
    def forward(ctx: Any, positions: Tensor) -> tuple[Tensor, Tensor]:
        ctx.save_for_backward(positions)
        batch, count, channels = positions.shape
        total = torch.zeros(batch, channels, dtype=torch.float32, device=positions.device)
        squares = torch.zeros_like(total)
        for chunk in torch.split(positions, CHUNK, dim=1):
            wide = chunk.float()
            total += wide.sum(1)
            squares += wide.square_().sum(1) if chunk.dtype != torch.float32 else wide.square().sum(1)
        return total / count, squares / count

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> Tensor:
        (positions,) = ctx.saved_tensors
        row, slope = (each[:, None].div(positions.shape[1]).to(positions.dtype) for each in gradients)
        return torch.addcmul(row, positions, slope, value=2)


def mean_and_deviation(activation: Activation, guide: Guide | None = None) -> tuple[Mean, Mean]:
    """μ_i = (1/M)·Σ_k F_ik and σ_i = √((1/M)·Σ_k F_ik² − μ_i² + 10⁻⁵), each batch N; weighted under a guide.

    Huang and Belongie 2017, "Arbitrary Style Transfer in Real-Time with Adaptive Instance Normalization".
    """
    positions = positions_of(activation)
    if guide is not None:
        broad = wide(positions)
        weights = weights_of(guide).to(broad.dtype)
        mean, square = weights @ broad, weights @ broad.square()
    elif positions.dtype == torch.float64:
        mean, square = positions.mean(1), positions.square().mean(1)
    else:
        mean, square = _MeanAndSquare.apply(positions)  # type: ignore[no-untyped-call]
    return mean, ((square - mean.square()).clamp_min(0) + VARIANCE).sqrt()


def moments_distance(
    found: tuple[Mean, Mean],
    target: tuple[Mean, Mean],
    *,
    distance: str = "l2",
    normalization: str = "gatys",
    channels: int | None = None,
) -> Float[Tensor, ""]:
    """1/N·Σ_i h(μ_i − μ'_i) + h(σ_i − σ'_i), h(d) = d², |d| or huber(d): a scalar.

    Li et al. 2017, "Demystifying Neural Style Transfer", eq. 12 (batch normalisation statistics) with l2.
    `normalization` is that of Gram matrices and does not matter here.
    """
    n = channels or found[0].shape[-1]
    return (total_of(found[0] - target[0], distance) + total_of(found[1] - target[1], distance)) / n
