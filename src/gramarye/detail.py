"""Where a photograph's details are: at its edges, or where a first painting has lost them.

The maps are 1 1 H W in [0, 1]; the content terms weigh a position by 1 + content.detail · map.
"""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor

from gramarye import blur, recolor

Pixels = Float[Tensor, "1 3 h w"]
Map = Float[Tensor, "1 1 h w"]

NEIGHBOURHOOD = 0.01  # standard deviation of the neighbourhood, relative to the long side; at least a pixel
NOTHING = 1e-6  # a mean squared gradient as small as this is none: a quarter of a level of 8 bits a pixel
FULL = 0.95  # quantile of the map that becomes 1: the strongest edge of all alone would set the scale


def edges(photograph: Pixels) -> Map:
    """How much the luminance Y changes around each pixel: G∗|∇Y|, divided by its quantile of 0.95, at most 1."""
    return _normalised(_soft(_length(gradient(photograph))))


def lost(photograph: Pixels, painted: Pixels) -> Map:
    """How much of that change a painting of the same size has lost, at most 1, normalised as `edges`.

    G∗|∇P| · (1 − ρ), with ρ = G∗(∇P·∇X) / √(G∗|∇P|² · G∗|∇X|²) the local correlation of the gradients
    (`kept`). It is nothing where the photograph is plain, whatever was painted there.
    """
    return _normalised(_soft(_length(gradient(photograph))) * (1 - kept(photograph, painted)))


def kept(photograph: Pixels, painted: Pixels) -> Map:
    """The local correlation ρ of the gradients of two pictures' luminance, clipped to 0 … 1; 1 where both are plain."""
    one, other = gradient(photograph), gradient(painted)
    product = _soft((one * other).sum(1, keepdim=True))
    norms = _soft(one.square().sum(1, keepdim=True)) * _soft(other.square().sum(1, keepdim=True))
    return ((product + NOTHING) / (norms.sqrt() + NOTHING)).clamp(0, 1)


def gradient(image: Pixels) -> Float[Tensor, "1 2 h w"]:
    """∂Y/∂x and ∂Y/∂y of the luminance by central differences, the borders repeated."""
    padded = torch.nn.functional.pad(recolor.luminance(image), (1, 1, 1, 1), mode="replicate")
    across = padded[:, :, 1:-1, 2:] - padded[:, :, 1:-1, :-2]
    down = padded[:, :, 2:, 1:-1] - padded[:, :, :-2, 1:-1]
    return torch.cat([across, down], dim=1) / 2


def _length(vectors: Tensor) -> Tensor:
    return vectors.square().sum(1, keepdim=True).sqrt()


def _soft(maps: Tensor) -> Tensor:
    return blur.gaussian(maps, max(1.0, NEIGHBOURHOOD * max(maps.shape[2:])))


def _normalised(found: Tensor) -> Tensor:
    top = found.flatten().kthvalue(max(1, round(FULL * found.numel()))).values
    return (found / top.clamp_min(1e-6)).clamp(0, 1)
