"""A Gaussian blur, for feathered masks and for what is measured in a neighbourhood."""

from __future__ import annotations

import math

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional

REACH = 3.0  # standard deviations at which the kernel ends: 99.7 % of a Gaussian


def gaussian(maps: Float[Tensor, "1 c h w"], deviation: float) -> Float[Tensor, "1 c h w"]:
    """Each map convolved with exp(−x²/2σ²), normalised to a sum of 1; σ is `deviation` in pixels.

    The borders are repeated outwards, so that a constant stays what it is. Nothing is done for σ = 0.
    """
    if deviation <= 0:
        return maps
    reach = math.ceil(REACH * deviation)
    kernel = torch.exp(-0.5 * (torch.arange(-reach, reach + 1, device=maps.device) / deviation).square()).to(maps)
    kernel = kernel / kernel.sum()
    planes = maps.transpose(0, 1)  # every map by itself
    planes = functional.conv2d(functional.pad(planes, (reach, reach, 0, 0), mode="replicate"), kernel.view(1, 1, 1, -1))
    planes = functional.conv2d(functional.pad(planes, (0, 0, reach, reach), mode="replicate"), kernel.view(1, 1, -1, 1))
    return planes.transpose(0, 1)
