"""Good pictures for tests."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from PIL import Image

from gramarye import images
from gramarye.images import Picture


def painting(height: int = 40, width: int = 50, channels: int = 3, seed: int = 0) -> torch.Tensor:
    return torch.rand(1, channels, height, width, generator=torch.Generator().manual_seed(seed))


def eight(pixels: torch.Tensor) -> torch.Tensor:
    return (pixels * 255).round() / 255


def smooth(height: int = 48, width: int = 64) -> np.ndarray:
    rows, columns = np.mgrid[0:height, 0:width]
    planes = [rows * 255 / height, columns * 255 / width, 128 + 0 * rows]
    return np.stack(planes, axis=-1).astype(np.uint8)


def saved(image: Image.Image, path: Path, **options: object) -> Path:
    image.save(path, **options)
    return path


def as_uint8(picture: Picture) -> np.ndarray:
    return images.to_uint8(picture.pixels)
