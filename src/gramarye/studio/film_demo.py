"""A film for whoever has none at hand: the bundled photograph, across which a camera glides slowly nearer."""

from __future__ import annotations

import math
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

from gramarye import demo

if TYPE_CHECKING:
    from torch import Tensor

SIZE, COUNT, RATE = (288, 384), 72, 24  # height and width in pixels; frames; frames a second
TITLE = "Gliding over a portrait"
WIDE, NEAR = 480, 330  # pixels of the photograph that the first and the last frame show, from left to right
FROM, TO = (0.52, 0.54), (0.5, 0.37)  # their middles: shares of the photograph's width and height


def write(path: Path) -> None:
    """Write the film as `path`, which ends in .mp4; raises MissingExtraError without PyAV."""
    from gramarye.video.frames import Film, Frame, Writer

    plan = Film(path, SIZE, Fraction(RATE), COUNT, COUNT / RATE, False, 0, "folder")
    with Writer(path, plan) as writer:
        for index, pixels in enumerate(frames()):
            writer.write(Frame(index, Fraction(index, RATE), pixels))


def frames() -> Iterator[Tensor]:
    """The frames, 1 3 H W in [0, 1]."""
    from gramarye import images

    photograph = images.load(demo.photograph()).pixels
    for index in range(COUNT):
        share = (1 - math.cos(math.pi * index / (COUNT - 1))) / 2  # it sets out and arrives gently
        middle = [start + share * (end - start) for start, end in zip(FROM, TO, strict=True)]
        yield _seen(photograph, middle, WIDE * (NEAR / WIDE) ** share)


def _seen(photograph: Tensor, middle: list[float], width: float) -> Tensor:
    """What a camera sees that looks at `middle` and shows `width` pixels of the photograph side by side."""
    import torch
    from torch.nn import functional

    height, across = photograph.shape[2:]
    reach = width / across, width * SIZE[0] / SIZE[1] / height  # of grid_sample's −1 … 1
    columns, rows = (
        2 * place - 1 + each * ((2 * torch.arange(count) + 1) / count - 1)
        for place, each, count in zip(middle, reach, reversed(SIZE), strict=True)
    )
    places = torch.stack(torch.meshgrid(columns, rows, indexing="xy"), -1)[None]
    found = functional.grid_sample(photograph, places, "bicubic", "border", align_corners=False)
    return found.clamp(0, 1)
