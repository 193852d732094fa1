"""Films for tests, a painter of them that costs nothing and looks at frames before, and a run that may be killed."""

from __future__ import annotations

import os
import random
import signal
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import torch
from torch import Tensor

from gramarye import images
from gramarye.errors import ImageError
from gramarye.video import frames
from gramarye.video.film import Frame
from gramarye.video.segments import Filming, Order
from gramarye.video.sequence import Before
from networks import picture

IDENTITY = {"painter": "brushed"}


def film_in(
    folder: Path, count: int, *, size: tuple[int, int] = (48, 64), cut: int | Sequence[int] | None = None
) -> Path:
    """A folder of frames: a picture that moves to the right, and from frame `cut` on another one; both in turn."""
    folder.mkdir(exist_ok=True)
    height, width = size
    scenes = [picture(height, width + 2 * count, seed) ** 2 for seed in (1, 2)]
    scenes[1] = (scenes[1].flip(2) > 0.25).float() * torch.tensor([1.0, 0.2, 0.1]).view(1, 3, 1, 1)
    cuts = () if cut is None else (cut,) if isinstance(cut, int) else cut
    for index in range(count):
        scene = scenes[sum(index >= each for each in cuts) % 2]
        left = 2 * (count - index)
        images.save(scene[..., left : left + width], folder / f"{index:04d}.png")
    return folder


def brushed(frame: Frame, before: Before | None) -> Tensor:
    """The negative, half of it as the frames before were painted: whatever is lost of them shows for ever."""
    painted = 1 - frame.pixels**2
    for earlier in before.earlier if before else ():
        painted = 0.5 * painted + 0.5 * earlier.painted()
    return painted


class Killed(BaseException):
    """What a painter raises where it would kill the tests' own process."""


@dataclass(frozen=True)
class Mortal:
    """`brushed`, whose process is killed at the first `times` that it paints frame `at`.

    Each frame begins with a line in the log.
    """

    log: Path
    at: int = -1
    times: int = 1
    home: int = field(default_factory=os.getpid)

    def __call__(self, frame: Frame, before: Before | None) -> Tensor:
        with self.log.open("ab", buffering=0) as file:
            file.write(f"{frame.index} {os.getpid()} {torch.get_num_threads()}\n".encode())
        if frame.index == self.at and self.begun()[frame.index] <= self.times:
            if os.getpid() == self.home:
                raise Killed
            os.kill(os.getpid(), signal.SIGKILL)
        return brushed(frame, before)

    def begun(self) -> Counter[int]:
        """How often each frame was begun."""
        return Counter(int(line.split()[0]) for line in self.log.read_text().splitlines())


@dataclass(frozen=True)
class Refusing:
    """`brushed`, but for a frame that it refuses."""

    at: int

    def __call__(self, frame: Frame, before: Before | None) -> Tensor:
        if frame.index == self.at:
            raise ImageError("a frame must be paintable", f"frame {self.at}")
        return brushed(frame, before)


def order(source: Path, output: Path, **asked: object) -> Order:
    """All of a film, looking back one frame and two."""
    return Order(frames.film(source), output, **{"range": (1, 2), **asked})


def filming(source: Path, output: Path, *, restart: bool = False, **asked: object) -> Filming:
    """A film of `brushed` frames."""
    return Filming(order(source, output, **asked), brushed, IDENTITY, restart=restart)


def paint(film: Filming, count: int | None = None) -> list[int]:
    """Paint so many frames more, or all; the indices of what was painted."""
    painted = []
    for moment in film.paint():
        painted.append(moment.index)
        if len(painted) == count:
            break
    return painted


def kept_in(folder: Path) -> dict[str, bytes]:
    """All files of a folder with their bytes."""
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


def carry_out(source: Path, output: Path, seconds: float, log: Path) -> None:
    """Paint and write a film, each frame taking up to so many seconds and beginning with a line in the log."""
    torch.set_num_threads(1)

    def slowly(frame: Frame, before: Before | None) -> Tensor:
        with log.open("ab", buffering=0) as file:
            file.write(f"{frame.index} {os.getpid()}\n".encode())
        time.sleep(random.uniform(0, seconds))
        return brushed(frame, before)

    with Filming(order(source, output), slowly, IDENTITY) as film:
        paint(film)
        for _ in film.write():
            time.sleep(random.uniform(0, seconds / 10))
