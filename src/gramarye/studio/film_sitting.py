"""One film at the easel: pulled a frame at a time, it looks at people's wishes between two, and every frame is kept.

The painting itself, and going on with it after a crash, is `gramarye.video.segments`; here the frames become pictures
for the page, and what they tell is written down.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from gramarye.errors import OptimizationError
from gramarye.plain import finite
from gramarye.studio import film_record
from gramarye.studio.film_clips import MOST_FRAMES, Clips
from gramarye.studio.film_record import FILM, FilmRecord, Row
from gramarye.studio.gallery import Gallery
from gramarye.studio.sitting import Sitting
from gramarye.studio.worker import Publisher

if TYPE_CHECKING:
    from torch import Tensor

    from gramarye.video.film import Frame
    from gramarye.video.flow import Flow, Mask
    from gramarye.video.measure import Moment
    from gramarye.video.segments import Filming
    from gramarye.video.sequence import Before, Painter

QUALITY = 84  # of WebP
LEARNING = 0.2  # how fast the estimate of a frame's time follows
FULL_COLOUR = 0.99  # the share of a flow that is shorter than the length with the full colour


@dataclass
class Seen:
    """A frame with all there is to show of it; without flow and mask where nothing is before it."""

    filmed: Tensor = field(repr=False)
    painted: Tensor = field(repr=False)
    flow: Flow | None = field(default=None, repr=False)
    mask: Mask | None = field(default=None, repr=False)


class Watched:
    """A painter of films that remembers what it was shown last, and what it made of it."""

    def __init__(self, painter: Painter) -> None:
        self.painter = painter
        self.last: Seen | None = None

    def __call__(self, frame: Frame, before: Before | None) -> Tensor:
        """The painted frame."""
        painted = self.painter(frame, before)
        self.last = Seen(frame.pixels, painted)
        if before is not None:
            self.last.flow, self.last.mask = before.earlier[0].flow, before.earlier[0].mask
        return painted


class FilmSitting(Sitting[FilmRecord]):
    """A film while it is painted, a frame at a time; every painted frame is on the disk."""

    patient = True  # a film takes long, and gives way to pictures

    def __init__(
        self,
        record: FilmRecord,
        folder: Path,
        clips: Clips,
        gallery: Gallery,
        events: Publisher,
        told: Callable[[FilmRecord], None],
    ) -> None:
        super().__init__(record, folder, events, told)
        self.clips, self.gallery = clips, gallery
        self._rate = 0.0  # seconds a frame

    def _for_the_page(self, error: Exception) -> Exception:
        """Without the remedies of the command line."""
        if isinstance(error, OptimizationError):
            return OptimizationError(error.rule, error.received, "delete this film, and paint it anew")
        return error

    # ---- the course of a film ------------------------------------------------------------------------------------

    def _course(self) -> Iterator[None]:
        if not self.wishes.resting:
            self._say("running")
        watched, filming = self._prepared()
        with filming:
            yield from self._catch_up(filming)
            with closing(filming.paint()) as painting:
                while not self.wishes.stopped:
                    yield
                    if self.wishes.resting:
                        self._rest()
                    elif not self._paint(filming, painting, watched):
                        break
            yield from self._write(filming)

    def _prepared(self) -> tuple[Watched, Filming]:
        """The painter and the film, whose frames so far are found when it is opened; raises a GramaryeError."""
        from gramarye.fast.paint import painter_for
        from gramarye.video import frames
        from gramarye.video.painters import DEFAULTS, Fast
        from gramarye.video.segments import Filming, Order

        record = self.record
        fast = painter_for(self.gallery.path_of(record.painting))
        watched = Watched(Fast(fast))
        identity = {
            "painter": "fast",
            "style": [each["sha256"] for each in fast.origins],
            "temporal": asdict(DEFAULTS),
            "network": fast.network.sha256,
            "device": str(fast.device),
            "precision": str(fast.dtype),
        }
        film = frames.film(self.clips.path_of(record.clip))
        order = Order(film, self.folder / FILM, size=max(record.width, record.height), last=MOST_FRAMES - 1)
        return watched, Filming(order, watched, identity)

    def _catch_up(self, filming: Filming) -> Iterator[None]:
        """Show what is kept and was not shown before a crash, and forget what was shown and is not kept."""
        kept = {moment.index: moment for moment in filming.flicker.rows}
        known = {row["index"]: row for row in film_record.rows(self.folder) if row["index"] in kept}
        film_record.write_rows(self.folder, list(known.values()))
        self.record.index = filming.kept.gap()[0]
        for index in sorted(kept.keys() - known.keys()):
            yield
            self._note(filming, kept[index], _again(filming, kept[index]))

    def _rest(self) -> None:
        if not self._resting:
            self._resting = True
            self._say("paused")

    def _paint(self, filming: Filming, painting: Iterator[Moment], watched: Watched) -> bool:
        """One frame; False when none is left."""
        self._resting = False
        if self.record.state != "running":
            self._say("running")
        began = time.perf_counter()
        moment = next(painting, None)
        if moment is None:
            return False
        assert watched.last is not None
        self._note(filming, moment, watched.last, began)
        return True

    def _note(self, filming: Filming, moment: Moment, seen: Seen, began: float | None = None) -> None:
        """The pictures of a frame first, then its row: what has a row is there to be seen."""
        record = self.record
        motion = self._show(moment.index, seen)
        row: Row = finite(asdict(moment) | {"motion": motion})
        film_record.add_row(self.folder, row)
        record.index = filming.kept.gap()[0]  # a damaged frame is painted anew, whatever follows it
        record.count = max(record.count, record.index)
        if began is not None:
            seconds = time.perf_counter() - began
            record.seconds += seconds
            self._rate = seconds if not self._rate else self._rate + LEARNING * (seconds - self._rate)
            record.remaining = round(self._rate * (record.count - record.index), 2)
        self.events.publish("moment", {"film": record.id, "remaining": record.remaining, **row})

    def _show(self, index: int, seen: Seen) -> float | None:
        """Write the pictures of a frame; the length of flow, in pixels, that has the full colour."""
        from gramarye.video.flow import as_picture, veiled

        pictures, motion = {"painted": seen.painted, "filmed": seen.filmed}, None
        if seen.flow is not None and seen.mask is not None:
            motion = max(float(seen.flow.square().sum(1).sqrt().flatten().quantile(FULL_COLOUR)), 0.1)
            pictures |= {"flow": as_picture(seen.flow, motion), "hidden": veiled(seen.filmed, seen.mask)}
        for view, pixels in pictures.items():
            (self.folder / view).mkdir(exist_ok=True)
            (self.folder / view / f"{index}.webp").write_bytes(_encoded(pixels))
        return motion

    def _write(self, filming: Filming) -> Iterator[None]:
        """Write the film of the frames that are there; when it is stopped before the first one there is none."""
        from gramarye.video.account import Account

        record, order = self.record, filming.order
        ended = "stopped" if self.wishes.stopped else "finished"
        if len(filming.kept):
            account = Account(record.title, "fast", order.shape, record.rate, filming.flicker, ())
            for _ in filming.write():
                yield
            record.findings, record.notes, record.film = list(account.findings), list(filming.notes), True
        if ended == "finished":
            record.count = record.index  # now it is known
        self._end_as(ended)


def _again(filming: Filming, moment: Moment) -> Seen:
    """What there is to show of a frame that is kept."""
    from gramarye.video import flow as motion
    from gramarye.video.frames import frames

    order, index = filming.order, moment.index
    *before, now = [each.pixels for each in frames(order.film, max(index - 1, 0), index, size=order.size)]
    seen = Seen(now, filming.kept.pixels(index))
    if moment.warp_error is not None:
        seen.flow, seen.mask = motion.matched(now, before[0])
    return seen


def _encoded(pixels: Tensor) -> bytes:
    from gramarye import inline

    return inline.encoded(pixels, "WEBP", quality=QUALITY)
