"""The pictures of a run on its way: a few dozen small files, evenly spaced in the logarithm of the step."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from gramarye.files import write_atomically

if TYPE_CHECKING:
    from torch import Tensor

MOST, BYTES = 64, 8_000_000  # of one run
PER_OCTAVE = 6  # frames between step n and step 2n
APART, EXTRA = 0.25, 1.0  # seconds between two frames at least, and after which one is shown in any case
RESERVED = 4  # frames that pauses and the end may need
SIDE = 1024  # pixels; larger pictures are shrunk to it
QUALITY = 84


@dataclass
class Kept:
    """What is in the folder: [index, width, height, bytes] of each frame by its index; indices of those thinned out."""

    frames: list[list[int]] = field(default_factory=list)
    thinned: list[int] = field(default_factory=list)

    @property
    def newest(self) -> int:
        """The last index; -1 without any."""
        return self.frames[-1][0] if self.frames else -1

    def plain(self) -> list[dict[str, int]]:
        """As `Frame` in types.ts."""
        return [{"index": index, "width": width, "height": height} for index, width, height, _ in self.frames]

    def nearest(self, index: int) -> int | None:
        """The frame to show for an index: itself, or the nearest one to one that was thinned out; None if unknown."""
        known = [frame[0] for frame in self.frames]
        if index in known or not known:
            return index if known else None
        return min(known, key=lambda each: abs(_log(each) - _log(index))) if index in self.thinned else None


def kept_in(folder: Path) -> Kept:
    """The frames in a folder."""
    try:
        return Kept(**json.loads((folder / "index.json").read_text()))
    except (OSError, ValueError, TypeError):
        return Kept()


class Frames:
    """The frames of one run while it is painted, in `folder`; `steps` is how many steps there will be."""

    def __init__(self, folder: Path, steps: int, clock: Callable[[], float] = time.monotonic) -> None:
        self.folder, self.clock = folder, clock
        self.kept = kept_in(folder)
        self.octaves = math.log2(max(steps, 2))
        self.per_octave = min(PER_OCTAVE, (MOST - RESERVED - 8) / self.octaves)
        self._last = -math.inf  # when a frame was taken

    def due(self, index: int) -> bool:
        """Whether step `index` is one of those evenly spaced, and not too soon."""
        newest = self.kept.newest
        if index <= newest or self.clock() - self._last < APART:
            return False
        return newest < 1 or self._bin(index) > self._bin(newest)

    def spare(self, index: int, remaining: float | None) -> bool:
        """Whether step `index` may be shown besides, because it is long since the last and there is room.

        `remaining` are the seconds to the end, over which the room is spread.
        """
        left = MOST - RESERVED - len(self.kept.frames) - self.per_octave * (self.octaves - math.log2(max(index, 1)))
        latest = self.kept.frames[-1][3] if self.kept.frames else 0
        room = (BYTES - self._bytes()) / max(latest, 1)
        if index <= self.kept.newest or left < 1 or room < MOST - len(self.kept.frames):
            return False
        return self.clock() - self._last >= max(EXTRA, (remaining or 0.0) / left)

    def add(self, index: int, pixels: Tensor) -> dict[str, int] | None:
        """Keep `pixels`, 1 3 H W in [0, 1]; the frame as the page has it, or None if it is there already."""
        from gramarye import inline

        self._last = self.clock()
        if index <= self.kept.newest:
            return None
        shown = _large_enough(inline.shrunk(pixels, SIDE))
        data = inline.encoded(shown, "WEBP", quality=QUALITY)
        self.folder.mkdir(exist_ok=True)
        while self.kept.frames and (len(self.kept.frames) >= MOST or self._bytes() + len(data) > BYTES):
            self._thin()
        (self.folder / f"{index}.webp").write_bytes(data)  # nobody knows of it before it is in the index
        self.kept.frames.append([index, int(shown.shape[3]), int(shown.shape[2]), len(data)])
        self._write()
        return self.kept.plain()[-1]

    def _bin(self, index: int) -> int:
        return math.floor(self.per_octave * math.log2(index) + 1e-9)

    def _bytes(self) -> int:
        return sum(frame[3] for frame in self.kept.frames)

    def _thin(self) -> None:
        """Take out the frame whose neighbours lie closest together; the first stays as long as there are others."""
        indices = [frame[0] for frame in self.kept.frames]
        gaps = [_log(after) - _log(before) for before, after in zip(indices, indices[2:], strict=False)]
        victim = gaps.index(min(gaps)) + 1 if gaps else len(indices) - 1
        index = self.kept.frames.pop(victim)[0]
        self.kept.thinned.append(index)
        self._write()
        (self.folder / f"{index}.webp").unlink(missing_ok=True)

    def _write(self) -> None:
        plain = {"frames": self.kept.frames, "thinned": self.kept.thinned}
        write_atomically(self.folder / "index.json", json.dumps(plain, separators=(",", ":")).encode())


def _large_enough(pixels: Tensor) -> Tensor:
    """`pixels`, 1 3 H W, enlarged if it could not be read again as a picture."""
    from gramarye import images

    size = (pixels.shape[2], pixels.shape[3])
    factor = images.SMALLEST_SIDE / min(size)
    return pixels if factor <= 1 else images.resize(pixels, (math.ceil(factor * size[0]), math.ceil(factor * size[1])))


def _log(index: int) -> float:
    return math.log(index + 1)
