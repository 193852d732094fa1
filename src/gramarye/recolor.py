"""Colours: a painting in the photograph's, or a finished picture with the photograph's put back.

Gatys, Bethge, Hertzmann, Shechtman 2016, "Preserving Color in Neural Artistic Style Transfer", arXiv:1606.05897:
paint the luminance only, or give the painting the photograph's colours before.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from gramarye import images, statistics

Pixels = Float[Tensor, "1 3 h w"]
Reference = Float[Tensor, "1 3 hr wr"]

LUMA = (0.299, 0.587, 0.114)  # ITU-R BT.601, as in the YIQ of the paper
ROUNDS = 8  # rotations of colour space: more bring no visible change
LEVELS = 1024  # of a histogram
SAMPLES = 2**18  # pixels that a histogram is taken of


def luminance(image: Pixels) -> Float[Tensor, "1 1 h w"]:
    """Y = 0.299 R + 0.587 G + 0.114 B of the sRGB values as they are (luma)."""
    return (image * image.new_tensor(LUMA).view(1, 3, 1, 1)).sum(1, keepdim=True)


def grey(image: Pixels) -> Pixels:
    """The luminance in all three channels."""
    return luminance(image).expand(-1, 3, -1, -1).contiguous()


def see_grey(network: Any, inputs: tuple[Any, ...]) -> tuple[Any, ...]:
    """A forward pre-hook: the network sees the mean of the channels, so that a grey picture stays grey.

    The gradient is then the same in every channel, which it would not be with the weights of luminance.
    """
    image, *rest = inputs
    return (image.mean(1, keepdim=True).expand(-1, 3, -1, -1), *rest)


def match_luminance(painting: Pixels, photograph: Reference) -> Pixels:
    """The painting in grey, L' = (σ_C/σ_S)·(L − μ_S) + μ_C: with the photograph's mean and deviation (section 4.2)."""
    light, target = luminance(painting), luminance(photograph)
    ratio = target.std() / light.std().clamp_min(1e-4)
    return ((light - light.mean()) * ratio + target.mean()).clamp(0, 1).expand(-1, 3, -1, -1).contiguous()


def with_chroma(painted: Pixels, photograph: Reference) -> Pixels:
    """The luminance of `painted` with the colour differences of the photograph, resized to it (section 4.2).

    x = Y + t·(C − Y_C), t the largest number ≤ 1 with x in [0, 1]: where Y is too dark or too light for a
    colour it becomes paler. Differs from the paper, which clips, in that luminance and hue stay what they are.
    """
    light = luminance(painted).clamp(0, 1)
    colors = images.resize(photograph.to(painted), (painted.shape[2], painted.shape[3]))
    difference = colors - luminance(colors)
    room = torch.where(difference > 0, 1 - light, light) / difference.abs().clamp_min(1e-6)
    paler: Tensor = room.amin(1, keepdim=True).clamp(max=1)
    return (light + paler * difference).clamp(0, 1)


def match_cholesky(image: Pixels, reference: Reference) -> Pixels:
    """`image` with the mean and covariance of `reference`'s colours: x ↦ L_r·L_x⁻¹·(x − μ_x) + μ_r, clipped.

    L·Lᵀ = Σ is Cholesky's decomposition: the paper's section 4.1, first of the two roots.
    """
    pixels, others = image.flatten(2)[0].double(), reference.flatten(2)[0].double()
    mean, mean_other = pixels.mean(1, keepdim=True), others.mean(1, keepdim=True)
    centred = torch.linalg.solve_triangular(_cholesky(pixels), pixels - mean, upper=False)
    matched: Tensor = _cholesky(others) @ centred + mean_other
    return matched.clamp(0, 1).to(image.dtype).view_as(image)


def _cholesky(pixels: Tensor) -> Tensor:
    identity = torch.eye(3, dtype=pixels.dtype, device=pixels.device)
    root: Tensor = torch.linalg.cholesky(torch.cov(pixels) + 1e-5 * identity)
    return root


def match_histogram(image: Pixels, reference: Reference) -> Pixels:
    """`image` with the distribution of `reference`'s colours, clipped to [0, 1].

    The histograms along three axes are matched in turn, the axes being rotated at random (from a fixed seed)
    between the rounds, and red, green and blue in the last: Pitié, Kokaram, Dahyot 2007, "Automated colour
    grading using colour distribution transfer", section 3. Differs in that it ends after 8 rounds.
    """
    pixels, others = image.flatten(2)[0], reference.flatten(2)[0].to(image)
    others = others[:, :: -(-others.shape[1] // SAMPLES)]
    generator = torch.Generator().manual_seed(0)
    rotations = [torch.linalg.qr(torch.randn(3, 3, generator=generator))[0] for _ in range(ROUNDS - 1)]
    for rotation in (*rotations, torch.eye(3)):
        axes = rotation.to(pixels)
        turned = zip(axes @ pixels, axes @ others, strict=True)
        pixels = axes.T @ torch.stack([_match_histogram(*pair) for pair in turned])
    return pixels.clamp(0, 1).view_as(image)


def _match_histogram(values: Tensor, others: Tensor) -> Tensor:
    """`values`, n, moved monotonically so that their quantiles are those of `others`, m."""
    found = _quantiles(values[:: -(-values.shape[0] // SAMPLES)])
    wanted = _quantiles(others)
    place = torch.searchsorted(found, values).clamp(1, LEVELS - 1)
    low, high = found[place - 1], found[place]
    share = ((values - low) / (high - low).clamp_min(1e-9)).clamp(0, 1)
    return wanted[place - 1] + share * (wanted[place] - wanted[place - 1])


def _quantiles(values: Tensor) -> Tensor:
    ordered = values.sort().values
    places = torch.linspace(0, ordered.shape[0] - 1, LEVELS, device=values.device).round().long()
    return ordered[places]


BEFORE: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
    "luminance": match_luminance,
    "histogram": match_histogram,
    "pca": statistics.match_color_moments,
    "cholesky": match_cholesky,
}


def before(painting: Pixels, photograph: Reference, color: str) -> Pixels:
    """The painting as it is painted after: in the colours of the photograph if `color` says so, else as it is."""
    return BEFORE[color](painting, photograph) if color in BEFORE else painting


def after(painted: Pixels, photograph: Reference, color: str) -> Pixels:
    """The finished picture: with the colours of the photograph if `color` says so, else as it was painted."""
    return with_chroma(painted, photograph) if color in ("luminance", "after") else painted
