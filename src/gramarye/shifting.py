"""Random style shifting: the picture is cropped and turned a little before an evaluation.

Joshi and Hu, "Interpretable Neural Style Transfer using VGG Architectures", 2.4.1: against pixels that overfit
to the values they are compared with.
"""

from __future__ import annotations

import math

import torch
from jaxtyping import Float
from kornia.geometry.transform import warp_affine
from torch import Tensor

from gramarye.settings import ShiftingSettings

Affine = Float[Tensor, "1 2 3"]


def is_on(settings: ShiftingSettings) -> bool:
    """Whether anything is shifted at all."""
    return settings.fraction < 1 or settings.degrees > 0


def draw(settings: ShiftingSettings, size: tuple[int, int], generator: torch.Generator) -> Affine:
    """A random crop and rotation of a picture of `size` (height, width): where each pixel goes, in pixels.

    The crop keeps `fraction` to 1 of each side, uniformly, at a uniform place inside the picture; the angle is
    uniform in ±`degrees`. The crop is brought back to the size of the picture.
    """
    kept, across, down, turn = torch.rand(4, generator=generator, dtype=torch.float64).tolist()
    zoom = 1 / (settings.fraction + (1 - settings.fraction) * kept)
    angle = math.radians(settings.degrees) * (2 * turn - 1)
    height, width = size
    cosine, sine = zoom * math.cos(angle), zoom * math.sin(angle)
    centre = (width - 1) / 2, (height - 1) / 2
    slack = [(zoom - 1) * side * (place - 0.5) for side, place in ((width, across), (height, down))]
    return torch.tensor(
        [
            [
                [cosine, sine, centre[0] - cosine * centre[0] - sine * centre[1] + slack[0]],
                [-sine, cosine, centre[1] + sine * centre[0] - cosine * centre[1] + slack[1]],
            ]
        ]
    )


def shift(image: Float[Tensor, "1 3 height width"], affine: Affine) -> Float[Tensor, "1 3 height width"]:
    """`image` cropped and turned as `draw` says, at the same size; beyond the border it is continued by its edge."""
    height, width = image.shape[2:]
    return warp_affine(image, affine.to(image), (height, width), padding_mode="border", align_corners=True)
