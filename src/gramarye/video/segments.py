"""A film painted from beginning to end in as many segments as it takes: what was reached is kept, and gone on from.

A segment is what one run paints, from a frame that is missing up to one that is there, to the film's end or to wherever
the run is stopped or killed. Each frame is kept before it is told of, and what a painter sees of the frames before is
what was kept, so that a film in a hundred segments is, byte for byte, the film in one. Nor does it matter who paints a
segment: what it follows from is in it, and a shot follows from nothing, so that shots may be painted side by side.
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

import torch
from torch import Tensor

import gramarye
from gramarye import images, machine
from gramarye.errors import ImageError, OptimizationError
from gramarye.pulling import Work
from gramarye.video import flow, folders
from gramarye.video.frames import Film, Frame, Writer, frames
from gramarye.video.manifest import Kept, folder_for, rounded, threads_in
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
    def folder(self) -> Path:
        """Where its frames are kept while it is painted."""
        return folder_for(Path(os.path.realpath(self.output)))

    @property
    def shape(self) -> tuple[int, int]:
        """Height and width of its frames in pixels."""
        return self.film.size if self.size is None else images.fitted_size(self.film.size, self.size)


@dataclass(frozen=True)
class Segment:
    """Frames to paint one after the other: from place `start` of what is painted to before `stop`, or to the end.

    `past` are the paintings, `rounded`, of the frames right before, as many as are seen from it, the latest last.
    Without any it begins with the film or at a cut.
    """

    start: int
    stop: int | None
    past: tuple[Tensor, ...] = field(default=(), repr=False)


def painted(order: Order, painter: Painter, segment: Segment) -> Generator[Painted, None, None]:
    """The frames of a segment, each as it will be read again: the same whoever paints them, and after whatever.

    Raises OptimizationError for a segment without a past that does not begin at a cut.
    """

    def rounding(frame: Frame, before: Before | None) -> Tensor:
        return rounded(painter(frame, before))

    begin, is_shot = order.first + segment.start, segment.start > 0 and not segment.past
    back = 1 if is_shot else len(segment.past)
    stop = None if segment.stop is None else order.first + segment.stop - 1
    last = min((each for each in (stop, order.last) if each is not None), default=None)
    source = frames(order.film, begin - back, last, size=order.size)
    with closing(source):
        filmed = list(islice(source, back))
        # Before a cut the frame itself stands for its painting: `sequence` sees the cut, and forgets both.
        past = [frame.pixels for frame in filmed] if is_shot else segment.past
        for each in sequence(source, rounding, range=order.range, past=list(zip(filmed, past, strict=True))):
            if is_shot and each.frame.index == begin and not each.cut:
                rule = "a segment must begin at a cut, or go on from its past"
                raise OptimizationError(rule, f"frame {begin}", "paint the film by one process")
            yield each


def shots(order: Order) -> Work[tuple[int, ...]]:
    """The places at which shots begin, the first one's too, and behind the last one that at which it ends.

    Frames are looked at as `sequence` does, and not painted.
    """
    found, count, before = list[int](), 0, None
    with closing(frames(order.film, order.first, order.last, size=order.size)) as source:
        for frame in source:
            if before is None or flow.is_cut(before, frame.pixels):
                found.append(count)
            before, count = frame.pixels, count + 1
            yield min(1.0, count / (order.count or count))
    return (*found, count) if found else ()


@dataclass
class Filming:
    """A film being painted; open it with `with`, pull `paint` to its end, then `write`.

    `identity`, as JSON, is what decides the painter's pixels. So does the number of `threads` among which sums are
    divided: unless given it is that with which the film was begun, or else torch's. Opening raises OptimizationError
    when frames of another film are kept under this output's name, or when another process paints it; `restart` throws
    them away.
    """

    order: Order
    painter: Painter
    identity: Mapping[str, Any]
    restart: bool = False
    threads: int | None = None
    resumed: int = 0  # frames that were there already
    notes: tuple[str, ...] = ()  # of the film that was written
    _kept: Kept | None = field(default=None, repr=False)

    def __enter__(self) -> Filming:
        order = self.order
        known = None if self.restart else threads_in(order.folder)
        self.threads = self.threads or known or torch.get_num_threads()
        asked = {"range": list(order.range), "size": order.size, "first": order.first, "last": order.last}
        identity = {"gramarye": gramarye.__version__, "film": _identity(order.film), **asked, **self.identity}
        identity |= {"threads": self.threads}
        self._kept = Kept(order.folder, identity, first=order.first, reach=max(order.range), restart=self.restart)
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
        with machine.threads(self.threads):
            segment = self.missing()
            while segment is not None:
                for each in painted(self.order, self.painter, segment):
                    self.kept.add(each.moment, each.frame.time, each.pixels)
                    yield each.moment
                segment = None if segment.stop is None else self.missing(segment.stop)

    def missing(self, start: int = 0, stop: int | None = None) -> Segment | None:
        """The first segment that is missing from one place to before another one, or to the end; None for none."""
        order, (place, following) = self.order, self.kept.gap(start)
        stops = [following, stop, None if order.last is None else order.last + 1 - order.first]
        end = min((each for each in stops if each is not None), default=None)
        if end is not None and place >= end:
            return None
        past = range(place - self.kept.sight(place), place)
        return Segment(place, end, tuple(self.kept.past(each) for each in past))

    def write(self) -> Generator[float, None, None]:
        """Write the film and, when it is there, remove the frames; yields the fraction written.

        Stop pulling and there is no film, but all the frames. `notes` are then what is otherwise in the film than one
        would think. Raises ImageError when it cannot be written.
        """
        order, kept = self.order, self.kept
        if not len(kept):
            received = f"none from frame {order.first} on in {order.film.path}"
            raise ImageError("a film needs a frame to paint", received, "choose another --first")
        places = kept.places
        height, width = kept.pixels(places[0]).shape[2:]
        _sweep(Path(os.path.realpath(order.output)))
        with Writer(order.output, order.film, size=(height, width), sound=order.sound) as writer:
            for done, (place, time) in enumerate(zip(places, kept.times, strict=True), 1):
                writer.write(Frame(order.first + place, time, kept.pixels(place)))
                yield done / len(kept)
        self.notes = writer.notes
        kept.remove()


def _sweep(output: Path) -> None:
    """Remove what a run that was killed while it wrote the film has left beside it."""
    left = re.compile(re.escape(f".{output.name[:40]}.") + r"[0-9a-f]{8}\.tmp")
    for path in output.parent.iterdir():
        if left.fullmatch(path.name):
            shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)


def _identity(film: Film) -> dict[str, Any]:
    """What a film is, wherever it lies: the hash of its file, or of its pictures in their order; and its rate."""
    if film.kind != "folder":
        return {"sha256": images.sha256_of(film.path), "rate": str(film.rate)}
    digest = hashlib.sha256()
    for picture in folders.pictures_in(film.path):
        digest.update(bytes.fromhex(images.sha256_of(picture)))
    return {"sha256": digest.hexdigest(), "rate": str(film.rate)}
