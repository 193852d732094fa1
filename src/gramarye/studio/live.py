"""Films that are painted as they come: each frame in one pass, one at a time, on a thread of its own.

Frames do not queue behind long work: the worker goes on with its painting beside this, and both share the processor.
Of a film nothing is kept but its last frame, in memory, and only where it is asked to be steady.
"""

from __future__ import annotations

import io
import threading
import time
from collections import OrderedDict
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import TYPE_CHECKING, TypeVar

from gramarye.studio.gallery import Gallery
from gramarye.studio.refusals import Busy, Refusal, TooManyPixels, UnknownPicture

if TYPE_CHECKING:
    from torch import Tensor

    from gramarye.fast.paint import FastPainter
    from gramarye.images import Picture
    from gramarye.video.film import Frame

T = TypeVar("T")
LONGEST = 512  # px, the long side of a frame
JPEG = b"\xff\xd8\xff"  # how one begins
NAME = "a frame of a film"
PAINTERS, FILMS = 4, 4  # that are kept; what was used least recently makes room
WAITING = 4  # frames at a time, of as many pages
TOLERANCE = 0.04  # difference of two frames at which a third of the blend is left: of a camera's noise, not of motion
KINDS = {False: "image/jpeg", True: "image/png"}  # of what is painted, by whether it is a still


@dataclass(frozen=True)
class Wish:
    """How a frame is to be painted: in which painting's manner, and how strongly, 0 … 1.

    `film` names the film that it belongs to, None if it is painted alone. A `still` is painted alone too, and is a PNG
    with its recipe inside.
    """

    painting: str
    strength: float = 1.0
    film: str | None = None
    still: bool = False


@dataclass(frozen=True)
class Shown:
    """A painted frame, and for how many seconds it waited for others and was painted."""

    data: bytes = field(repr=False)
    waited: float
    painting: float


@dataclass(frozen=True)
class Past:
    """A frame that was painted: what was wished, as it was filmed, as it was painted."""

    wish: Wish
    frame: Frame
    painted: Tensor = field(repr=False)


class Live:
    """Paints frames in the manner of the gallery's paintings: `ask` from any thread, `close` at the end."""

    def __init__(self, gallery: Gallery) -> None:
        self.gallery = gallery
        # One thread, the same for all: each that calls torch gets threads and memory of its own, and keeps them.
        self._thread = ThreadPoolExecutor(1, "live")
        self._lock = threading.Lock()
        self._asked = 0
        self._painters: OrderedDict[str, FastPainter] = OrderedDict()  # that thread alone touches these two
        self._films: OrderedDict[str, Past] = OrderedDict()

    def ask(self, frame: bytes, wish: Wish) -> Future[Shown]:
        """A frame, a JPEG, painted; raises Busy when too many wait, and the Future what is wrong with this one."""
        with self._lock:
            if self._asked >= WAITING:
                rule = f"frames are painted one at a time, and {WAITING} may wait"
                raise Busy(rule, "one more", "stop the film in another window")
            self._asked += 1
        future = self._thread.submit(self._shown, frame, wish, time.perf_counter())
        future.add_done_callback(self._answered)
        return future

    def close(self) -> None:
        """Stop after the frame that is being painted. Idempotent."""
        self._thread.shutdown(cancel_futures=True)

    def _answered(self, future: Future[Shown]) -> None:
        with self._lock:
            self._asked -= 1

    def _shown(self, frame: bytes, wish: Wish, asked: float) -> Shown:
        from gramarye import inline

        waited = time.perf_counter() - asked
        picture, painter = decoded(frame), self._painter(wish)
        began = time.perf_counter()
        data = still(painter, picture) if wish.still else inline.encoded(self._next(painter, picture, wish))
        return Shown(data, waited, time.perf_counter() - began)

    def _painter(self, wish: Wish) -> FastPainter:
        self.gallery.path_of(wish.painting)  # one whose painter is kept may have been deleted
        painter = self._painters.pop(wish.painting, None) or self._made(wish.painting)
        _keep(self._painters, wish.painting, painter, PAINTERS)
        return replace(painter, settings=painter.settings.with_(strength=wish.strength))

    def _made(self, painting: str) -> FastPainter:
        """By the network that has learned a bundled painting, by that of any painting for others."""
        from gramarye.fast.paint import painter_for

        if not any(each["id"] == painting and each["kind"] == "painting" for each in self.gallery.pictures()):
            raise UnknownPicture("a film is painted in the manner of a painting", "a photograph", "choose a painting")
        return painter_for(self.gallery.path_of(painting))

    def _next(self, painter: FastPainter, picture: Picture, wish: Wish) -> Tensor:
        """A frame painted, and kept for the next of its film."""
        from gramarye.video.film import Frame

        frame = Frame(0, Fraction(0), picture.pixels)
        past = self._films.pop(wish.film, None) if wish.film else None
        known = past is not None and past.wish == wish and past.frame.pixels.shape == frame.pixels.shape
        painted = steadied(painter, frame, past if known else None)
        if wish.film:
            _keep(self._films, wish.film, Past(wish, frame, painted), FILMS)
        return painted


def _keep(kept: OrderedDict[str, T], name: str, thing: T, most: int) -> None:
    """As the one that was used last; beyond `most`, the first ones go."""
    kept[name] = thing
    while len(kept) > most:
        kept.popitem(last=False)


def decoded(frame: bytes) -> Picture:
    """The pixels of a JPEG; raises Refusal for anything else, TooManyPixels for a large one, ImageError for damage."""
    from gramarye import images

    if not frame.startswith(JPEG):
        raise Refusal("a frame must be a JPEG", f"{len(frame)} bytes that begin {frame[:8]!r}", "send another one")
    with images.quiet_pillow(NAME):
        image = images.opened(io.BytesIO(frame), NAME)
        if max(image.size) > LONGEST:
            received = f"{image.width} × {image.height} pixels"
            raise TooManyPixels(f"a frame may be {LONGEST} pixels long", received, "send it smaller")
    return replace(images.load(image), name=NAME)


def steadied(painter: FastPainter, frame: Frame, past: Past | None) -> Tensor:
    """A frame painted, and blended with the painting before wherever the camera sees the same as before.

    As `video.painters.Fast` has it, for a camera that stands still: the flow is taken to be nought, for to find it
    would take longer than to paint. What moves is not followed, and so less is taken for the same than in a film.
    """
    import torch

    from gramarye.video.painters import Fast
    from gramarye.video.sequence import Before, Earlier

    if past is None:
        return painter(frame.pixels)
    nought, everywhere = torch.zeros_like(frame.pixels[:, :2]), torch.ones_like(frame.pixels[:, :1])
    before = Before((Earlier(1, past.frame, past.painted, nought, everywhere),))
    return Fast(painter, tolerance=TOLERANCE)(frame, before)


def still(painter: FastPainter, picture: Picture) -> bytes:
    """A frame painted alone, as a PNG with its recipe inside."""
    from gramarye import colour, images, png, recipe
    from gramarye.fast.paint import prepare

    result = prepare(painter, picture).result()
    text = {recipe.KEYWORD: recipe.to_text(result.recipe)}
    return png.encode(images.to_uint8(result.pixels), colour.srgb_profile(), text)
