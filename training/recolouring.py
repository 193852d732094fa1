"""Other colours for the same picture: paintings have palettes that the few we may train on do not show."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor


def recoloured(pixels: Tensor, draw: np.random.Generator) -> Tensor:
    """A picture, 1 3 H W in [0, 1], with a gain and a shift for each channel.

    By turns also with its channels in another order or mixed, with another contrast, or with light and dark exchanged.
    """
    gain = torch.from_numpy(draw.uniform(0.6, 1.3, (1, 3, 1, 1))).float()
    shift = torch.from_numpy(draw.uniform(-0.15, 0.15, (1, 3, 1, 1))).float()
    if draw.random() < 0.5:
        pixels = pixels[:, draw.permutation(3).tolist()]
    if draw.random() < 0.3:
        mix = torch.from_numpy(draw.dirichlet((0.6, 0.6, 0.6), 3)).float()
        pixels = torch.einsum("ij,bjhw->bihw", mix, pixels)
    if draw.random() < 0.3:
        pixels = pixels.clamp(0, 1) ** float(draw.uniform(0.5, 2.0))
    if draw.random() < 0.15:
        pixels = 1 - pixels
    return (pixels * gain + shift).clamp(0, 1)
