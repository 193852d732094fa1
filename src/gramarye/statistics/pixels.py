"""What is asked of the picture itself: total variation, chroma, range; and the moments of its colours.

The picture is many times larger than any layer, so that its plain terms would take a tenth of an evaluation with the
embedded network: the squares of neighbours' differences are written out by hand, and nothing is computed twice.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

Image = Float[Tensor, "batch channels height width"]
CHROMA = ((0.701, -0.587, -0.114), (-0.299, -0.587, 0.886))  # R − Y and B − Y of R, G, B, with ITU-R BT.601's luma Y
SMOOTH = 1e-8  # an even start, because the derivative of |d|ᵖ has no bound at 0 for p < 2


def total_variation(
    image: Image, exponent: float = 2.0, *, kind: str = "anisotropic", reduction: str = "mean"
) -> Float[Tensor, ""]:
    """The total variation, a scalar, summed over the channels; dx and dy are differences of neighbours, p the exponent.

    anisotropic   Σ |dx|ᵖ + |dy|ᵖ          p = 1: Rudin, Osher and Fatemi 1992, anisotropic; p = 2: Johnson et al.
                                           2016 (squared)
    isotropic     Σ (dx² + dy²)^(p/2)      over the pixels that have both neighbours, (H−1)·(W−1): p = 1: Rudin,
                                           Osher and Fatemi; p = 2.5: the Keras example's (dx² + dy²)^1.25
    nine-point    Σ ⅔·(dx² + dy²) + ⅙·r·(d₁² + d₂²), d₁ and d₂ being the differences along the two diagonals and the
                                           image replicated by one pixel all round; p does not matter; Crowson,
                                           style-transfer-pytorch: r = H·W/((H+1)·(W+1)) because she takes means

    mean divides by H·W, so that sizes compare; sum does not (the papers and Keras). Differs from Crowson, whose
    mean runs over the channels too: hers is a third of this for three channels.
    """
    total = VARIATIONS[kind](image, exponent)
    return total if reduction == "sum" else total / (image.shape[2] * image.shape[3])


def _differences(image: Image) -> tuple[Tensor, Tensor]:
    """Of each pixel and the one above it, and of each and the one to its left."""
    return image[:, :, 1:] - image[:, :, :-1], image[:, :, :, 1:] - image[:, :, :, :-1]


class _Squares(torch.autograd.Function):
    """Σ dx² + dy²; its gradient is put together in place: a fifth of the time that torch takes for both."""

    @staticmethod
    def forward(ctx: Any, image: Tensor) -> Tensor:
        ctx.save_for_backward(image)
        down, right = _differences(image)
        return down.square_().sum() + right.square_().sum()

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> Tensor:
        (image,) = ctx.saved_tensors
        down, right = _differences(image)
        found = torch.zeros_like(image)
        found[:, :, 1:] += down
        found[:, :, :-1] -= down
        found[:, :, :, 1:] += right
        found[:, :, :, :-1] -= right
        return found.mul_(2 * gradients[0])


def _anisotropic(image: Image, exponent: float) -> Tensor:
    if exponent == 2:
        squares: Tensor = _Squares.apply(image)  # type: ignore[no-untyped-call]
        return squares
    down, right = (each.abs() for each in _differences(image))
    if exponent == 1:
        return down.sum() + right.sum()
    total = (down + SMOOTH).pow(exponent).sum() + (right + SMOOTH).pow(exponent).sum()
    return total - (down.numel() + right.numel()) * math.pow(SMOOTH, exponent)


def _isotropic(image: Image, exponent: float) -> Tensor:
    corner = image[:, :, :-1, :-1]
    squared = (image[:, :, 1:, :-1] - corner).square() + (image[:, :, :-1, 1:] - corner).square()
    if exponent == 2:
        return squared.sum()
    if exponent > 2:
        return squared.pow(exponent / 2).sum()
    total = (squared + SMOOTH**2).pow(exponent / 2).sum()
    return total - squared.numel() * math.pow(SMOOTH, exponent)


def _nine_point(image: Image, exponent: float) -> Tensor:
    padded = F.pad(image, (1, 1, 1, 1), mode="replicate")
    here, right = padded[:, :, 1:-1, 1:-1], padded[:, :, 1:-1, 2:]
    down = padded[:, :, 2:, 1:-1]
    straight = (right - here).square().sum() + (down - here).square().sum()
    falling = (padded[:, :, 1:, 1:] - padded[:, :, :-1, :-1]).square()
    rising = (padded[:, :, 1:, :-1] - padded[:, :, :-1, 1:]).square()
    diagonal = (falling + rising).mean((2, 3)).sum() * here.shape[2] * here.shape[3]
    return (4 * straight + diagonal) / 6


VARIATIONS: dict[str, Callable[[Tensor, float], Tensor]] = {
    "anisotropic": _anisotropic,
    "isotropic": _isotropic,
    "nine-point": _nine_point,
}


def chroma(image: Float[Tensor, "batch 3 height width"]) -> Float[Tensor, "batch 2 height width"]:
    """The two colour differences R − Y and B − Y with luma Y = 0.299R + 0.587G + 0.114B (ITU-R BT.601)."""
    batch, _, height, width = image.shape
    return (image.new_tensor(CHROMA) @ image.flatten(2)).view(batch, 2, height, width)


def out_of_range(image: Float[Tensor, "batch 3 height width"]) -> Tensor:
    """How far the values leave [0, 1]: 1/(H·W)·Σ max(0, x − 1)² + max(0, −x)², a scalar."""
    nearest = image.detach().clamp(0, 1)  # moves with x only where both are the same
    return F.mse_loss(image, nearest, reduction="sum") / (image.shape[2] * image.shape[3])


def temporal_distance(image: Image, target: Image, weights: Float[Tensor, "batch 1 height width"]) -> Float[Tensor, ""]:
    """How far a picture x is from an earlier one ω moved to its place: 1/D·Σ c·(x − ω)², D = C·H·W, a scalar.

    `weights` is c, from 0 to 1: how far each place of ω can be relied on. Ruder, Dosovitskiy, Brox 2016, "Artistic
    Style Transfer for Videos", equation 7.
    """
    return (weights * (image - target).square()).sum() / image.numel()


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
