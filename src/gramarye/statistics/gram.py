"""The Gram matrix, with the mean and the covariance, and the distances of Gram matrices and covariances.

`_Gram` and `_GramAndMean` are written out by hand because this is where style transfer spends its time
beside the convolutions.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from gramarye.statistics.distances import total_of
from gramarye.statistics.positions import Activation, Guide, positions_of, weights_of, wide

Gram = Float[Tensor, "batch channels channels"]
Mean = Float[Tensor, "batch channels"]

CHUNK = 16384  # positions widened to float32 at a time: small enough to stay in the processor's cache
BLOCK = 4096  # … and multiplied: sums of so many are seven times as exact, and threads share several such products


def _widened(positions: Tensor) -> Iterator[Tensor]:
    """Batch M N in float32, a chunk at a time: batch blocks positions N."""
    batch, count, channels = positions.shape
    whole = count - count % BLOCK
    for chunk in (*torch.split(positions[:, :whole], CHUNK, dim=1), positions[:, whole:]):
        if chunk.shape[1]:
            yield chunk.float().view(batch, -1, min(BLOCK, chunk.shape[1]), channels)


class _Gram(torch.autograd.Function):
    """F·Fᵀ/M in float32, whose gradient 2·∂L/∂G·F/M is taken in the activations' own precision.

    The forward value is exact to float32 because ΔG is a small difference of large numbers; the gradient
    is not a difference, and half precision halves the time of the largest product. Positions come first
    (batch M N), which is how channels-last activations lie in memory: nothing is transposed.
    """

    @staticmethod
    def forward(ctx: Any, positions: Tensor) -> Tensor:
        ctx.save_for_backward(positions)
        batch, count, channels = positions.shape
        gram = torch.zeros(batch, channels, channels, dtype=torch.float32, device=positions.device)
        for blocks in _widened(positions):
            gram += (blocks.mT @ blocks).sum(1)
        return gram / count

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> Tensor:
        (positions,) = ctx.saved_tensors
        symmetric = (gradients[0] + gradients[0].transpose(1, 2)) / positions.shape[1]
        gradient: Tensor = positions @ symmetric.to(positions.dtype)
        return gradient


class _GramAndMean(torch.autograd.Function):
    """F·Fᵀ/M and Σ_k F_k/M in float32, read once; both gradients in one product, as in `_Gram`."""

    @staticmethod
    def forward(ctx: Any, positions: Tensor) -> tuple[Tensor, Tensor]:
        ctx.save_for_backward(positions)
        batch, count, channels = positions.shape
        gram = torch.zeros(batch, channels, channels, dtype=torch.float32, device=positions.device)
        total = torch.zeros(batch, channels, dtype=torch.float32, device=positions.device)
        for blocks in _widened(positions):
            gram += (blocks.mT @ blocks).sum(1)
            total += blocks.sum((1, 2))
        return gram / count, total / count

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> Tensor:
        (positions,) = ctx.saved_tensors
        symmetric = (gradients[0] + gradients[0].transpose(1, 2)) / positions.shape[1]
        row = gradients[1][:, None] / positions.shape[1]
        return torch.baddbmm(row.to(positions.dtype), positions, symmetric.to(positions.dtype))


def gram_matrix(activation: Activation, guide: Guide | None = None) -> Gram:
    """The Gram matrix per position, G_ij = (1/M)·Σ_k F_ik·F_jk, or Σ_k w_k·F_ik·F_jk under a guide.

    `activation` is batch N rows columns; the result batch N N, float32 (float64 for float64 input).
    Differs from Gatys et al. 2015, eq. 3, by the factor 1/M, so that pictures of different sizes compare.
    With a guide g the weights are w_k = g_k/Σg: Gatys et al. 2017, whose T_k² is w_k.
    """
    positions = positions_of(activation)
    if guide is not None:
        positions = _guided(positions, guide)
    if positions.dtype == torch.float64:
        return positions.transpose(1, 2) @ positions / positions.shape[1]
    gram: Tensor = _Gram.apply(positions)  # type: ignore[no-untyped-call]
    return gram


def gram_and_mean(activation: Activation, guide: Guide | None = None) -> tuple[Gram, Mean]:
    """The Gram matrix as `gram_matrix` has it and the mean μ_i = (1/M)·Σ_k F_ik, or Σ_k w_k·F_ik; batch N."""
    positions = positions_of(activation)
    if guide is not None:
        broad = wide(positions)
        return gram_matrix(activation, guide), weights_of(guide).to(broad.dtype) @ broad
    if positions.dtype == torch.float64:
        return gram_matrix(activation), positions.mean(1)
    both: tuple[Tensor, Tensor] = _GramAndMean.apply(positions)  # type: ignore[no-untyped-call]
    return both


def covariance_matrix(activation: Activation, guide: Guide | None = None) -> Gram:
    """The covariance per position, C = G − μ·μᵀ, batch N N, with the means under the guide if there is one.

    The Gram matrix of centred activations: what of the style is not mere brightness. M in the denominator.
    """
    return centred(*gram_and_mean(activation, guide))


def centred(gram: Gram, mean: Mean) -> Gram:
    """C = G − μ·μᵀ, the covariance of a Gram matrix and a mean."""
    return gram - mean[:, :, None] * mean[:, None, :]


def entry_scale(normalization: str, channels: int) -> float:
    """What an entry of a Gram matrix per position is multiplied by before it is compared."""
    return {"gatys": 0.5, "hw": 1.0, "chw": 1 / channels}[normalization]


def gram_distance(
    gram: Gram,
    target: Gram,
    *,
    distance: str = "l2",
    normalization: str = "gatys",
    channels: int | None = None,
) -> Float[Tensor, ""]:
    """The distance of two Gram matrices (each per position), or of two covariances, a scalar.

    E = 1/N²·Σ_ij h(s·(G_ij − A_ij)), with h(d) = d², |d| or huber(d) as `distance` says, and

    gatys   s = ½      l2: 1/(4N²)·Σ(G − A)²    Gatys et al. 2015, eq. 4: its 1/M² is already in G and A
    hw      s = 1      l2: 1/N²·Σ(G − A)²       Gatys' PyTorch code: mean squared error of F·Fᵀ/M
    chw     s = 1/N    l2: 1/N⁴·Σ(G − A)²       Johnson et al. 2016 and the PyTorch tutorial, whose Gram
                                                matrix is F·Fᵀ/(N·M)

    l1 is accordingly the mean of |G − A|/2, of |G − A|, or of |G/N − A/N|.
    """
    n = channels or gram.shape[-1]
    return total_of((gram - target) * entry_scale(normalization, n), distance) / n**2


def _guided(positions: Tensor, guide: Guide) -> Tensor:
    """√(M·w_k)·F_k, whose plain Gram matrix is the guided one."""
    scale = (weights_of(guide) * positions.shape[1]).sqrt()
    return positions * scale.to(positions.dtype)[:, None]
