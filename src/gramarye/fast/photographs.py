"""Photographs to train on: random crops of the pictures of a folder, kept small in memory."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import torch
from jaxtyping import Float, UInt8
from torch import Tensor

from gramarye import images
from gramarye.errors import ImageError

CROP = 192  # px on a side
SHORT, LONG = 224, 512  # the short side is between; a picture's own size bounds it
LEAST = 8  # photographs, below which nothing is learned that holds elsewhere
SUFFIXES = {".jpg", ".jpeg", ".png", ".webp", ".bmp", ".tif", ".tiff"}

Crop = Float[Tensor, "1 3 height width"]
Kept = UInt8[Tensor, "rows columns 3"]


def files_in(folder: Path) -> tuple[Path, ...]:
    """The pictures of a folder, by name; raises ImageError if they are too few."""
    if not folder.is_dir():
        raise ImageError("a painter learns from a folder of photographs", str(folder), "name a folder")
    found = tuple(sorted(file for file in folder.iterdir() if _is_picture(file)))
    check_number(len(found), folder)
    return found


def check_number(count: int, folder: Path) -> None:
    """Raises ImageError for too few photographs."""
    if count < LEAST:
        raise ImageError(f"a painter learns from a folder of at least {LEAST} photographs", f"{count} in {folder}")


def _is_picture(file: Path) -> bool:
    return file.suffix.lower() in SUFFIXES and not file.name.startswith(".") and file.is_file()


class Photographs:
    """Random crops of pictures, 8 bit in memory; what is drawn depends on the generator alone.

    `files` are those in memory, `sha256` their hashes; `left_out` says of each that could not be used what is wrong.
    """

    def __init__(self, files: Iterable[Path], generator: torch.Generator) -> None:
        self.generator = generator
        self.pictures: list[Kept] = []
        self.files: list[Path] = []
        self.sha256: list[str] = []
        self.left_out: list[str] = []
        for file in files:
            self._read(file)

    def _read(self, file: Path) -> None:
        try:
            picture = images.load(file)
        except ImageError as error:
            self.left_out.append(str(error))
            return
        self.pictures.append(_small(picture.pixels))
        self.files.append(file)
        self.sha256.append(str(picture.sha256))

    def __len__(self) -> int:
        return len(self.pictures)

    def batch(self, count: int, side: int = CROP) -> Float[Tensor, "batch 3 side side"]:
        """So many crops, sRGB in [0, 1], of random pictures at a random size, flipped or not."""
        return torch.cat([self.crop(self._draw(len(self)), side) for _ in range(count)])

    def crop(self, place: int, side: int = CROP) -> Crop:
        """A random crop of one of the pictures."""
        picture = self.pictures[place]
        height, width = picture.shape[:2]
        least = max(side, SHORT) if min(height, width) >= max(side, SHORT) else min(height, width)
        short = least + self._draw(min(height, width) - least + 1)
        scale = short / min(height, width)
        taken = min(round(side / scale), height, width)  # of the picture as it is kept, then resized: less to resize
        top, left = self._draw(height - taken + 1), self._draw(width - taken + 1)
        part = picture[top : top + taken, left : left + taken].permute(2, 0, 1)[None] / 255
        crop = images.resize(part, (side, side))
        return crop.flip(3) if self._draw(2) else crop

    def _draw(self, below: int) -> int:
        return int(torch.randint(below, (1,), generator=self.generator))


def _small(pixels: Crop) -> Kept:
    """A picture with a short side of LONG px at most, H W 3 of 8 bits."""
    height, width = pixels.shape[2:]
    if min(height, width) > LONG:
        scale = LONG / min(height, width)
        pixels = images.resize(pixels, (round(height * scale), round(width * scale)))
    return (pixels[0].clamp(0, 1) * 255).round().to(torch.uint8).permute(1, 2, 0).contiguous()
