"""A film painted from beginning to end in as many segments as it takes: what was reached is kept, and gone on from.

A segment is what one run paints, from the first frame that is missing up to the film's end or to wherever the run is
stopped or killed. Each frame is kept before it is told of, and what a painter sees of the frames before is what
was kept, so that a film in a hundred segments is, byte for byte, the film in one.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
from collections.abc import Generator, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from types import TracebackType
from typing import Any

from torch import Tensor

import gramarye
from gramarye import images
from gramarye.errors import ImageError
from gramarye.video import folders
from gramarye.video.frames import Film, Frame, Writer, frames
from gramarye.video.manifest import Kept, folder_for, rounded
from gramarye.video.measure import Flicker, Moment
from gramarye.video.sequence import SHORT, Before, Painted, Painter, sequence


@dataclass(frozen=True)
class Order:
    """What is painted of a film: frames `first` to `last`, both among them, with `size` as their long side in pixels.

    `None` is all of it, and its own size. `range` is how many frames back a painter looks. Raises ImageError for frames
    that are too small to be painted.
    """

    film: Film
    output: Path
    range: tuple[int, ...] = SHORT
    size: int | None = None
    first: int = 0
    last: int | None = None
    sound: bool = True

    def __post_init__(self) -> None:
        height, width = self.shape
        if min(self.shape) < images.SMALLEST_SIDE:
            rule = f"painted frames must be at least {images.SMALLEST_SIDE} pixels in width and height"
            raise ImageError(rule, f"{width} × {height}", "choose a larger --size")

    @property
    def count(self) -> int | None:
        """How many frames there will be, about; None where the film does not tell."""
        whole = self.film.frames if self.film.frames is not None else round(self.film.seconds * self.film.rate) or None
        ends = [each for each in (whole, None if self.last is None else self.last + 1) if each is not None]
        return max(0, min(ends) - self.first) if ends else None

    @property
    def shape(self) -> tuple[int, int]:
        """Height and width of its frames in pixels."""
        return self.film.size if self.size is None else images.fitted_size(self.film.size, self.size)


@dataclass
class Filming:
    """A film being painted; open it with `with`, pull `paint` to its end, then `write`.

    `identity`, as JSON, is what decides the painter's pixels. Opening raises OptimizationError when frames of another
    film are kept under this output's name, or when another process paints it; `restart` throws them away.
    """

    order: Order
    painter: Painter
    identity: Mapping[str, Any]
    restart: bool = False
    resumed: int = 0  # frames that were there already
    notes: tuple[str, ...] = ()  # of the film that was written
    _kept: Kept | None = field(default=None, repr=False)

    def __enter__(self) -> Filming:
        order = self.order
        asked = {"range": list(order.range), "size": order.size, "first": order.first, "last": order.last}
        folder = folder_for(Path(os.path.realpath(order.output)))
        identity = {"gramarye": gramarye.__version__, "film": _identity(order.film), **asked, **self.identity}
        self._kept = Kept(folder, identity, first=order.first, reach=max(order.range), restart=self.restart)
        self.resumed = len(self._kept)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if len(self.kept):
            self.kept.close()
        else:  # nothing to go on with
            self.kept.remove()

    @property
    def kept(self) -> Kept:
        """The frames so far."""
        if self._kept is None:
            raise RuntimeError("a film is opened by `with` before it is painted")
        return self._kept

    @property
    def flicker(self) -> Flicker:
        """How steady the frames are that there are so far."""
        return Flicker(tuple(self.kept.moments))

    def paint(self) -> Generator[Moment, None, None]:
        """Paint the frames that are missing, one Moment each; stop pulling at any time, what was told of is kept."""
        order, done = self.order, len(self.kept)
        if order.last is not None and done > order.last - order.first:
            return
        back = min(done - self._shot(), max(order.range))
        source = frames(order.film, order.first + done - back, order.last, size=order.size)
        with closing(source):
            past = [(frame, self.kept.past(done - back + at)) for at, frame in enumerate(islice(source, back))]
            for painted in sequence(source, self._painter, range=order.range, past=past):
                moment = _moment(painted)
                self.kept.add(moment, painted.frame.time, painted.pixels)
                yield moment

    def _painter(self, frame: Frame, before: Before | None) -> Tensor:
        """The painter, whose frames are at once what they will be when they are read again."""
        return rounded(self.painter(frame, before))

    def _shot(self) -> int:
        """Where the shot began that goes on, as a place among the frames that are kept."""
        return max((place for place, moment in enumerate(self.kept.moments) if moment.cut), default=0)

    def write(self) -> Generator[float, None, None]:
        """Write the film and, when it is there, remove the frames; yields the fraction written.

        Stop pulling and there is no film, but all the frames. `notes` are then what is otherwise in the film than one
        would think. Raises ImageError when it cannot be written.
        """
        order, kept = self.order, self.kept
        if not len(kept):
            received = f"none from frame {order.first} on in {order.film.path}"
            raise ImageError("a film needs a frame to paint", received, "choose another --first")
        height, width = kept.pixels(0).shape[2:]
        _sweep(Path(os.path.realpath(order.output)))
        with Writer(order.output, order.film, size=(height, width), sound=order.sound) as writer:
            for place in range(len(kept)):
                writer.write(Frame(order.first + place, kept.times[place], kept.pixels(place)))
                yield (place + 1) / len(kept)
        self.notes = writer.notes
        kept.remove()


def _sweep(output: Path) -> None:
    """Remove what a run that was killed while it wrote the film has left beside it."""
    left = re.compile(re.escape(f".{output.name[:40]}.") + r"[0-9a-f]{8}\.tmp")
    for path in output.parent.iterdir():
        if left.fullmatch(path.name):
            shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)


def _moment(painted: Painted) -> Moment:
    errors = painted.warp_error, painted.source_warp_error
    return Moment(painted.frame.index, *errors, seen=painted.seen or 0.0, cut=painted.cut)


def _identity(film: Film) -> dict[str, Any]:
    """What a film is, wherever it lies: the hash of its file, or of its pictures in their order; and its rate."""
    if film.kind != "folder":
        return {"sha256": images.sha256_of(film.path), "rate": str(film.rate)}
    digest = hashlib.sha256()
    for picture in folders.pictures_in(film.path):
        digest.update(bytes.fromhex(images.sha256_of(picture)))
    return {"sha256": digest.hexdigest(), "rate": str(film.rate)}
