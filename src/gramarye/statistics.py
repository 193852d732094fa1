"""Statistics of activations and distances between them: pure functions with the papers' formulas.

Notation of Gatys et al. 2015: a layer has N channels and M positions; F is its N×M matrix of activations
of the picture, P of the photograph; G and A are the Gram matrices of the picture and of the painting.
`channels` is the N of the formula: by default the tensor's own, but the embedded network, whose calibrated
activations have fewer channels and the same distances, passes VGG-19's.
"""

from __future__ import annotations

from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

Activation = Float[Tensor, "batch channels rows columns"]
Gram = Float[Tensor, "batch channels channels"]


CHUNK = 16384  # positions widened to float32 at a time: small enough to stay in the processor's cache


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
        for chunk in torch.split(positions, CHUNK, dim=1):
            wide = chunk.float()
            gram.baddbmm_(wide.transpose(1, 2), wide)
        return gram / count

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> Tensor:
        (positions,) = ctx.saved_tensors
        symmetric = (gradients[0] + gradients[0].transpose(1, 2)) / positions.shape[1]
        gradient: Tensor = positions @ symmetric.to(positions.dtype)
        return gradient


def _wide(tensor: Tensor) -> Tensor:
    """Float32, or float64 as it is."""
    return tensor if tensor.dtype == torch.float64 else tensor.float()


def gram_matrix(activation: Activation) -> Gram:
    """The Gram matrix per position, G_ij = (1/M)·Σ_k F_ik·F_jk.

    `activation` is batch N rows columns; the result batch N N, float32 (float64 for float64 input).
    Differs from Gatys et al. 2015, eq. 3, by the factor 1/M, so that pictures of different sizes compare.
    """
    positions = activation.permute(0, 2, 3, 1).flatten(1, 2)
    if positions.dtype == torch.float64:
        return positions.transpose(1, 2) @ positions / positions.shape[1]
    gram: Tensor = _Gram.apply(positions)  # type: ignore[no-untyped-call]
    return gram


def gram_distance(gram: Gram, target: Gram, *, normalization: str = "gatys", channels: int | None = None) -> Tensor:
    """The squared distance of two Gram matrices (each per position), a scalar.

    gatys   E = 1/(4N²)·Σ_ij (G_ij − A_ij)²     Gatys et al. 2015, eq. 4: its 1/M² is already in G and A
    chw     E = 1/N⁴·Σ_ij (G_ij − A_ij)²        the mean over N² entries of (G/N − A/N)²: Johnson et al. 2016
                                                and the PyTorch tutorial, whose Gram matrix is F·Fᵀ/(N·M)
    """
    n = channels or gram.shape[-1]
    squared = (gram - target).square().sum()
    return squared / (4 * n**2) if normalization == "gatys" else squared / n**4


def content_distance(
    activation: Activation, target: Activation, *, reduction: str = "sum", channels: int | None = None
) -> Tensor:
    """The squared distance of activations position by position, a scalar.

    sum     L = ½·Σ_ik (F_ik − P_ik)²           Gatys et al. 2015, eq. 1
    mean    L = 1/(N·M)·Σ_ik (F_ik − P_ik)²     the PyTorch tutorial
    """
    squared = (_wide(activation) - _wide(target)).square().sum()
    if reduction == "sum":
        return squared / 2
    n = channels or activation.shape[1]
    return squared / (n * activation.shape[0] * activation.shape[2] * activation.shape[3])


def total_variation(image: Float[Tensor, "batch channels height width"], exponent: float = 2.0) -> Tensor:
    """The total variation per pixel, 1/(H·W)·Σ (|x_{i+1,j} − x_{i,j}|ᵖ + |x_{i,j+1} − x_{i,j}|ᵖ), p the exponent.

    A scalar, summed over the channels; p = 1 is Rudin, Osher and Fatemi's anisotropic form, p = 2 the
    squared form of Johnson et al. 2016. Differs from both by the division by H·W, so that sizes compare.
    """
    down = (image[:, :, 1:] - image[:, :, :-1]).abs()
    right = (image[:, :, :, 1:] - image[:, :, :, :-1]).abs()
    if exponent == 2:
        total = down.square().sum() + right.square().sum()
    elif exponent == 1:
        total = down.sum() + right.sum()
    else:  # an even start, because the derivative of |d|ᵖ for p < 2 has no bound at 0
        total = (down + 1e-8).pow(exponent).sum() + (right + 1e-8).pow(exponent).sum()
        total = total - (down.numel() + right.numel()) * 1e-8**exponent
    return total / (image.shape[2] * image.shape[3])


def chroma(image: Float[Tensor, "batch 3 height width"]) -> Float[Tensor, "batch 2 height width"]:
    """The two colour differences R − Y and B − Y with luma Y = 0.299R + 0.587G + 0.114B (ITU-R BT.601)."""
    red, green, blue = image.unbind(1)
    luma = 0.299 * red + 0.587 * green + 0.114 * blue
    return torch.stack([red - luma, blue - luma], dim=1)


def out_of_range(image: Float[Tensor, "batch 3 height width"]) -> Tensor:
    """How far the values leave [0, 1]: 1/(H·W)·Σ max(0, x − 1)² + max(0, −x)², a scalar."""
    excess = image - image.clamp(0, 1)
    return excess.square().sum() / (image.shape[2] * image.shape[3])


def match_color_moments(image: Float[Tensor, "1 3 h w"], reference: Float[Tensor, "1 3 hr wr"]) -> Tensor:
    """`image` with the mean and covariance of `reference`'s colours, 1 3 h w, clipped to [0, 1].

    x ↦ Σr^½·Σx^−½·(x − μx) + μr, the square roots being the symmetric ones: Gatys et al. 2016, "Preserving
    Color in Neural Artistic Style Transfer", the linear method with image analogies' square root.
    """
    pixels, others = image.flatten(2)[0].double(), reference.flatten(2)[0].double()
    mean, mean_other = pixels.mean(1, keepdim=True), others.mean(1, keepdim=True)
    matrix = _root(_color_covariance(others), 0.5) @ _root(_color_covariance(pixels), -0.5)
    matched = matrix @ (pixels - mean) + mean_other
    return matched.clamp(0, 1).to(image.dtype).view_as(image)


def _color_covariance(pixels: Tensor) -> Tensor:
    return torch.cov(pixels) + 1e-5 * torch.eye(3, dtype=pixels.dtype, device=pixels.device)


def _root(matrix: Tensor, power: float) -> Tensor:
    values, vectors = torch.linalg.eigh(matrix)
    root: Tensor = vectors @ torch.diag(values.clamp_min(1e-12).pow(power)) @ vectors.T
    return root
