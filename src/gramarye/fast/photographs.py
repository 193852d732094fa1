"""Photographs to train on: random crops of the pictures of a folder, kept small in memory."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from gramarye import images
from gramarye.errors import ImageError

CROP = 192  # px on a side
SHORT, LONG = 224, 512  # the short side is between; a picture's own size bounds it
LEAST = 8  # photographs, below which nothing is learned that holds elsewhere
SUFFIXES = {".jpg", ".jpeg", ".png", ".webp", ".bmp", ".tif", ".tiff"}

Crop = Float[Tensor, "1 3 height width"]


def files_in(folder: Path) -> tuple[Path, ...]:
    """The pictures of a folder, by name; raises ImageError if they are too few."""
    found = (
        tuple(sorted(file for file in folder.iterdir() if file.suffix.lower() in SUFFIXES)) if folder.is_dir() else ()
    )
    if len(found) < LEAST:
        raise ImageError(f"a painter learns from a folder of at least {LEAST} photographs", f"{len(found)} in {folder}")
    return found


class Photographs:
    """Random crops of pictures, 8 bit in memory; what is drawn depends on the generator alone."""

    def __init__(self, files: Iterable[Path], generator: torch.Generator) -> None:
        self.generator = generator
        self.pictures = [_small(file) for file in files]

    def batch(self, count: int, side: int = CROP) -> Float[Tensor, "batch 3 side side"]:
        """So many crops, sRGB in [0, 1], of random pictures at a random size, flipped or not."""
        return torch.cat([self._crop(side) for _ in range(count)])

    def _crop(self, side: int) -> Crop:
        picture = self.pictures[self._draw(len(self.pictures))]
        height, width = picture.shape[:2]
        least = max(side, SHORT) if min(height, width) >= max(side, SHORT) else min(height, width)
        short = least + self._draw(min(height, width) - least + 1)
        scale = short / min(height, width)
        taken = min(round(side / scale), height, width)  # of the picture as it is kept, then resized: less to resize
        top, left = self._draw(height - taken + 1), self._draw(width - taken + 1)
        part = torch.from_numpy(picture[top : top + taken, left : left + taken].copy()).permute(2, 0, 1)[None] / 255
        crop = images.resize(part, (side, side))
        return crop.flip(3) if self._draw(2) else crop

    def _draw(self, below: int) -> int:
        return int(torch.randint(below, (1,), generator=self.generator))


def _small(file: Path) -> np.ndarray:
    """A picture with a short side of LONG px at most, H W 3 of 8 bits."""
    pixels = images.load(file).pixels
    height, width = pixels.shape[2:]
    if min(height, width) > LONG:
        scale = LONG / min(height, width)
        pixels = images.resize(pixels, (round(height * scale), round(width * scale)))
    return (pixels[0].clamp(0, 1) * 255).round().to(torch.uint8).permute(1, 2, 0).numpy()
