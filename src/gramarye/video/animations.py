"""Reading animations: GIF, WebP and PNG, as Pillow shows their frames; transparent parts are laid over white."""

from __future__ import annotations

from collections.abc import Generator
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from gramarye import images
from gramarye.errors import ImageError
from gramarye.files import open_regular
from gramarye.video import colours
from gramarye.video.film import Film, Timetable

CLOCK = Fraction(1, 1000)  # Pillow tells durations in ms
SHORTEST, INSTEAD = 20, 100  # ms; what is shorter is shown for 100 ms by every browser
_KINDS = {b"GIF8": 0, b"WEBP": 8, b"\x89PNG": 0}


def is_one(start: bytes) -> bool:
    """Whether a file that begins so may be an animation."""
    return any(start[at:].startswith(magic) for magic, at in _KINDS.items())


def film(path: Path) -> Film:
    """The animation in a file; raises ImageError for a damaged one, and for a picture that does not move."""
    ends, notes = [0], []
    with open_regular(path, "film") as file:
        with images.quiet_pillow(path.name):
            image = images.opened(file, path.name)
            count, size = getattr(image, "n_frames", 1), (image.height, image.width)
            images.check_size(size, path.name, images.DEFAULT_MAX_MEGAPIXELS)
            if count == 1 and image.format == "PNG":
                remedy = "paint it with `gramarye transfer`"
                raise ImageError("a film must move", f"{path.name}: one picture", remedy)
        for index in range(count):
            try:
                samples = _frame(image, index, path.name)
            except ImageError:
                if index == 0:
                    raise
                notes.append(f"the file is cut off after {index} frames: what is there is used")
                break
            if samples[..., 3].min() < 255 and not notes:
                notes.append("transparent parts are laid over white")
            ends.append(ends[-1] + _duration(image))
    rate, constant = _rate(ends)
    stamps = np.array(ends, np.int64)
    table = Timetable(stamps[:-1], CLOCK, ends[-1], stamps[:1])
    notes += [] if constant else ["its frame rate varies: every frame keeps its time"]
    return Film(path, size, rate, len(ends) - 1, ends[-1] / 1000, False, 0, "gif", constant, tuple(notes), table)


def pixels(film: Film, first: int, stop: int | None) -> Generator[tuple[int, Tensor, bool], None, None]:
    """Index, sRGB values and False, of the frames from `first` to before `stop`."""
    with open_regular(film.path, "film") as file:
        with images.quiet_pillow(film.path.name):
            image = images.opened(file, film.path.name)
        count = film.frames or 0
        for index in range(first, count if stop is None else min(stop, count)):
            samples = _frame(image, index, film.path.name).transpose(2, 0, 1)[None] / np.float32(255)
            planes = torch.from_numpy(samples)
            yield index, colours.over_white(planes[:, :3], planes[:, 3:]), False


def _frame(image: Any, index: int, name: str) -> NDArray[Any]:
    """A frame as it is shown, `H W 4` of 8 bits; Pillow goes there over those before it."""
    with images.quiet_pillow(name):
        image.seek(index)
        return np.array(image.convert("RGBA"))


def _duration(image: Any) -> int:
    told = round(image.info.get("duration") or 0)
    return told if told >= SHORTEST else INSTEAD


def _rate(ends: list[int]) -> tuple[Fraction, bool]:
    """Frames a second, and whether all are shown for as long; GIF knows hundredths of a second alone."""
    count = len(ends) - 1
    mean = Fraction(count * 1000, ends[-1])
    near = mean.limit_denominator(1001)
    tolerance = 10 if count > 1 else 0
    for rate in (Fraction(round(mean)), near):
        if rate and all(abs(end - 1000 * index / rate) <= tolerance for index, end in enumerate(ends)):
            return rate, True
    return (mean, True) if count == 1 else (near, False)
