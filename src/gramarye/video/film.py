"""What a film is and what a frame of it: the words that reading, painting and writing share."""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any, Literal

import numpy as np
from jaxtyping import Float
from numpy.typing import NDArray
from torch import Tensor

from gramarye.errors import MissingExtraError

Kind = Literal["video", "gif", "folder"]


@dataclass(frozen=True)
class Timetable:
    """When the frames of a film are shown: `stamps`, ascending, in units of `base` seconds.

    A frame's index is its place in `stamps`. `keys` are the stamps at which decoding may begin, `end` is when the last
    frame ends, `start` the stamp of the first.
    """

    stamps: NDArray[np.int64]
    base: Fraction
    end: int
    keys: NDArray[np.int64]

    @property
    def start(self) -> int:
        """The stamp of the first frame."""
        return int(self.stamps[0])

    def index(self, stamp: int | None) -> int | None:
        """Which frame is shown from `stamp` on, None when none is."""
        if stamp is None:
            return None
        place = int(np.searchsorted(self.stamps, stamp))
        return place if place < len(self.stamps) and self.stamps[place] == stamp else None

    def time(self, index: int) -> Fraction:
        """When a frame is shown, in seconds after the first one."""
        return (int(self.stamps[index]) - self.start) * self.base

    def seconds(self) -> Fraction:
        """How long they are shown together."""
        return (self.end - self.start) * self.base


@dataclass(frozen=True)
class Film:
    """A film that can be read: a video, an animation (GIF, WebP, PNG) or a folder of pictures.

    `size` is (height, width) in pixels as it is shown: upright, pixels square. `rate` is in frames a second, the mean
    where it varies (`constant` is False). `frames` is None where only decoding all of it would tell. `rotation` is by
    how many degrees, clockwise, the stored frames are turned to be upright. `notes` are remarks for whoever
    paints it.
    """

    path: Path
    size: tuple[int, int]
    rate: Fraction
    frames: int | None
    seconds: float
    sound: bool
    rotation: int
    kind: Kind
    constant: bool = True
    notes: tuple[str, ...] = ()
    timetable: Timetable | None = field(default=None, repr=False, compare=False)

    def time(self, index: int) -> Fraction:
        """When a frame is shown, in seconds after the first one; exact where the rate is constant."""
        if self.constant or self.timetable is None:
            return index / self.rate
        return self.timetable.time(index)


@dataclass(frozen=True)
class Frame:
    """A frame: its index in the film, from 0; its time in seconds after the first; sRGB in [0, 1].

    `held` tells that it could not be decoded, and is the frame before once more, as players show it.
    """

    index: int
    time: Fraction
    pixels: Float[Tensor, "1 3 height width"]
    held: bool = False


def pyav() -> Any:
    """The module `av`, which reads and writes videos; raises MissingExtraError."""
    try:
        import av
    except ImportError as error:
        remedy = 'pip install "gramarye[video]"'
        raise MissingExtraError("films need PyAV", "no module av", remedy) from error
    return av
