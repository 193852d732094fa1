"""The films that may be painted: the demonstration, and those that were given, kept in the studio's folder.

What is given is kept as it came, because its sound is wanted again, and is never served: pages see frames of it that
were decoded and written anew. On the disk: clips/ID/ with film, poster.webp and clip.json, which comes last.
"""

from __future__ import annotations

import json
import re
import secrets
import shutil
import threading
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gramarye.errors import ImageError, MissingExtraError
from gramarye.files import write_atomically
from gramarye.studio import film_demo
from gramarye.studio.gallery import GIVEN, title_from
from gramarye.studio.refusals import Full, Refusal, TooLarge, TooManyPixels, Unknown
from gramarye.studio.safety import MAX_BODY

if TYPE_CHECKING:
    from torch import Tensor

    from gramarye.video.frames import Film

MAX_BYTES = MAX_BODY  # of a film that is given
MOST_FRAMES, LONGEST = 1500, 60.0  # seconds
MAX_MEGAPIXELS = 9.0  # of a frame: 4K
SUFFIXES = (  # of containers.FORMATS and of animations
    *(".mp4", ".m4v", ".mov", ".mkv", ".webm", ".avi", ".mpg", ".mpeg", ".ts", ".3gp", ".flv", ".wmv", ".ogv"),
    *(".gif", ".webp", ".png"),
)
MOST, KEPT_BYTES = 30, 400_000_000  # films that were given, and what they may take on the disk
DEMO = "demo"  # the identifier of the demonstration
POSTER_SIDE, QUALITY = 512, 84
REMEDY = "choose one from the list, or give it again"
MODULES = ("av", "cv2")  # of the extra `video`


@dataclass(frozen=True)
class Clip:
    """A film that may be painted, as `Clip` in types.ts; `added` is the time in ISO 8601."""

    id: str
    title: str
    width: int
    height: int
    frames: int
    seconds: float
    rate: float
    sound: bool
    notes: tuple[str, ...] = ()
    bundled: bool = False
    added: str = ""
    bytes: int = field(default=0, repr=False)

    def plain(self) -> dict[str, Any]:
        """As it goes to the page."""
        return {name: value for name, value in asdict(self).items() if name not in ("added", "bytes")}


def missing() -> str | None:
    """What has to be installed before films can be painted, in one line; None when all is there."""
    absent = [name for name in MODULES if find_spec(name) is None]
    return str(_missing(absent)) if absent else None


def _missing(absent: list[str]) -> MissingExtraError:
    remedy = 'install them with pip install "gramarye[video]", then start the studio again'
    return MissingExtraError("films need PyAV and OpenCV", f"no module {' and '.join(absent)}", remedy)


def check_there() -> None:
    """Raises MissingExtraError without the extra `video`."""
    absent = [name for name in MODULES if find_spec(name) is None]
    if absent:
        raise _missing(absent)


class Clips:
    """The demonstration and the films under `home`/clips; every method may be called from any thread."""

    def __init__(self, home: Path) -> None:
        self.folder = home / "clips"
        self.folder.mkdir(parents=True, exist_ok=True)
        self._lock, self._decoding = threading.RLock(), threading.Lock()
        self._given = {clip.id: clip for clip in _kept(self.folder)}

    def all(self) -> list[Clip]:
        """The demonstration, then those that were given, the oldest first."""
        with self._lock:
            return [_demonstration(), *self._given.values()]

    def get(self, clip: object) -> Clip:
        """What is known of a film; raises Unknown for anything but an identifier from here."""
        found = next((each for each in self.all() if each.id == clip), None)
        if found is None:
            raise Unknown("there must be a film with that identifier", repr(clip)[:80], REMEDY)
        return found

    def path_of(self, clip: object) -> Path:
        """The file of a film; the demonstration is made when it is first asked for. Raises Unknown."""
        found = self.get(clip)
        path = self.folder / found.id / "film"
        if found.bundled and not path.is_file():
            with self._decoding:
                _make_demonstration(path)
        return path

    def poster(self, clip: object) -> bytes:
        """The first frame as a WebP; raises Unknown."""
        found = self.get(clip)
        if found.bundled:
            return _encoded(next(film_demo.frames()))
        try:
            return (self.folder / found.id / "poster.webp").read_bytes()
        except FileNotFoundError as error:  # deleted meanwhile
            raise Unknown("there must be a film with that identifier", repr(clip)[:80], REMEDY) from error

    def add(self, name: str, file: Path) -> Clip:
        """Keep the film in `file`, called `name`.

        Raises MissingExtraError without PyAV, Full when there are too many, TooLarge and TooManyPixels for what is too
        long or too large, ImageError for what is no film.
        """
        check_there()
        self._check_room(file.stat().st_size)
        identifier = secrets.token_hex(8)
        folder = self.folder / identifier
        folder.mkdir()
        try:
            with self._decoding:  # one at a time
                clip = _looked_at(file, folder, identifier, title_from(name))
            file.rename(folder / "film")
            write_atomically(folder / "clip.json", json.dumps(asdict(clip)).encode())
        except BaseException:
            shutil.rmtree(folder, ignore_errors=True)
            raise
        with self._lock:
            self._given[identifier] = clip
        return clip

    def _check_room(self, more: int) -> None:
        with self._lock:
            given = list(self._given.values())
        if len(given) >= MOST or sum(each.bytes for each in given) + more > KEPT_BYTES:
            rule = f"the studio keeps {MOST} films that were brought, {KEPT_BYTES / 1e6:g} MB"
            raise Full(rule, "one more", "delete some")

    def remove(self, clip: object) -> None:
        """Forget a film that was given; raises Unknown, and Refusal for the demonstration."""
        found = self.get(clip)
        if found.bundled:
            raise Refusal("the demonstration stays", repr(clip), "delete one of yours")
        with self._lock:
            self._given.pop(found.id, None)
        shutil.rmtree(self.folder / found.id, ignore_errors=True)


def _demonstration() -> Clip:
    height, width = film_demo.SIZE
    count, rate = film_demo.COUNT, film_demo.RATE
    return Clip(DEMO, film_demo.TITLE, width, height, count, count / rate, rate, sound=False, bundled=True)


def _make_demonstration(path: Path) -> None:
    """Write the demonstration; what has its name is whole."""
    path.parent.mkdir(exist_ok=True)
    film_demo.write(path.with_suffix(".mp4"))
    path.with_suffix(".mp4").rename(path)


def _looked_at(file: Path, folder: Path, identifier: str, title: str) -> Clip:
    """What is in a file, with its first frame in the folder."""
    film = checked(file)
    _write_poster(film, folder)
    height, width = film.size
    return Clip(
        identifier,
        title,
        width,
        height,
        count_of(film),
        round(film.seconds, 3),
        float(film.rate),
        film.sound,
        film.notes,
        added=datetime.now(UTC).isoformat(timespec="milliseconds"),
        bytes=file.stat().st_size,
    )


def checked(file: Path) -> Film:
    """The film in a file; raises TooLarge, TooManyPixels and ImageError for what is not painted here."""
    from gramarye import images
    from gramarye.video import animations, frames

    with file.open("rb") as begun:
        if animations.is_one(begun.read(16)):
            _check_animation(file)
    film = frames.film(file)
    _check_length(count_of(film), film.seconds)
    _check_pixels(film.size)
    images.check_size(images.fitted_size(film.size, POSTER_SIDE), "a film", MAX_MEGAPIXELS)
    return film


def _check_animation(file: Path) -> None:
    """By its header and its count, before all its frames are decoded to tell how long each is shown."""
    from gramarye import images

    with file.open("rb") as opened, images.quiet_pillow("film"):
        image = images.opened(opened, "film")
        size = image.height, image.width
    _check_pixels(size)
    with file.open("rb") as opened, images.quiet_pillow("film"):
        count = getattr(images.opened(opened, "film"), "n_frames", 1)
    _check_length(count, 0.0)


def _check_length(count: int, seconds: float) -> None:
    if count < 2:
        raise ImageError("a film must move", "one picture", "bring it to the first screen, as a photograph")
    if count > MOST_FRAMES or seconds > LONGEST:
        received = f"{count} frames" + (f", {seconds:.1f} s" if seconds else "")
        rule = f"a film has at most {MOST_FRAMES} frames and {LONGEST:g} s in the studio"
        raise TooLarge(rule, received, "cut it shorter, or paint it with `gramarye video`")


def _check_pixels(size: tuple[int, int]) -> None:
    height, width = size
    if height * width > MAX_MEGAPIXELS * 1e6:
        rule = f"a frame has at most {MAX_MEGAPIXELS:g} megapixels in the studio"
        raise TooManyPixels(rule, f"{width} × {height} pixels", "make the film smaller")


def count_of(film: Film) -> int:
    """How many frames a film has, about where it does not tell."""
    return film.frames if film.frames is not None else max(1, round(film.seconds * film.rate))


def _write_poster(film: Film, folder: Path) -> None:
    from gramarye.video import frames

    first = next(frames.frames(film, 0, 0), None)
    if first is None:
        raise ImageError("a film must have a frame", "none that can be decoded", "convert it to MP4 with H.264")
    write_atomically(folder / "poster.webp", _encoded(first.pixels))


def _encoded(pixels: Tensor) -> bytes:
    from gramarye import inline

    return inline.encoded(inline.shrunk(pixels, POSTER_SIDE), "WEBP", quality=QUALITY)


def _kept(folder: Path) -> list[Clip]:
    """What was given before, the oldest first; what a crash has left is removed, what is damaged passed over."""
    found = []
    for each in folder.iterdir():
        try:
            found.append(_read(each))
        except FileNotFoundError:
            if each.name.startswith(GIVEN) or re.fullmatch(r"[0-9a-f]{16}", each.name):
                shutil.rmtree(each, ignore_errors=True)
        except (OSError, ValueError, TypeError, KeyError):
            continue
    return sorted(found, key=lambda clip: (clip.added, clip.id))


def _read(folder: Path) -> Clip:
    plain: Mapping[str, Any] = json.loads((folder / "clip.json").read_text())
    clip = Clip(**{**plain, "notes": tuple(plain["notes"])})
    if clip.id != folder.name or not re.fullmatch(r"[0-9a-f]{16}", clip.id) or clip.bundled:
        raise ValueError(clip.id)
    return clip
