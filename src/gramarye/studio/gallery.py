"""The pictures to choose from: the bundled ones, and those that were given, kept in the studio's folder.

What is given is decoded and written anew: no byte of the file that came is kept or ever served, so neither metadata nor
anything hidden behind the pixels survives. On the disk: pictures/ID.jpg (or .png, if parts are transparent) and
pictures/ID.json beside it; thumbnails under cache/, which may be deleted at any time.
"""

from __future__ import annotations

import json
import re
import secrets
import shutil
import threading
import unicodedata
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gramarye import demo
from gramarye.errors import ImageError
from gramarye.files import write_atomically
from gramarye.studio.refusals import Full, Refusal, TooManyPixels, UnknownPicture

if TYPE_CHECKING:
    from gramarye.images import Picture as Decoded

MAX_BYTES = 20_000_000  # of a file that is given
MAX_MEGAPIXELS = 40.0
SUFFIXES = (".jpg", ".jpeg", ".png", ".webp", ".tif", ".tiff", ".bmp", ".gif")  # of images.READABLE
KINDS = ("photograph", "painting")
SIDES = (160, 512, 1024)  # of thumbnails, pixels
KEPT_SIDE = 4096  # larger ones are shrunk to it when they are kept: 17 megapixels in a square
KEPT_QUALITY = 95
GIVEN = ".given-"  # begins the name of a folder for a file that is coming
MOST, KEPT_BYTES = 200, 1_000_000_000  # pictures that were given, and what they may take on the disk
TITLE = 80  # characters
REMEDY = "choose one from the gallery, or give it again"
WHAT_IS_BUNDLED = {
    "photograph": ("Grace Hopper", "US Navy, public domain", 512, 600),
    "cubist": ("Guitar, Bottle and Pear", "Gramarye, BSD-3-Clause", 592, 736),
    "mosaic": ("Peacock", "Gramarye, BSD-3-Clause", 704, 704),
    "pointillist": ("Poplars at Evening", "Gramarye, BSD-3-Clause", 768, 600),
    "swirl": ("Night Wind over the River", "Gramarye, BSD-3-Clause", 768, 608),
    "watercolour": ("Maple and Temple in the Mist", "Gramarye, BSD-3-Clause", 560, 752),
    "woodcut": ("Pine at Sunrise", "Gramarye, BSD-3-Clause", 552, 744),
}


@dataclass(frozen=True)
class Entry:
    """One picture of the gallery, as types.ts has it; `added` is the time in ISO 8601, empty for the bundled."""

    id: str
    kind: str
    title: str
    credit: str
    width: int
    height: int
    bundled: bool
    added: str = ""

    def plain(self) -> dict[str, Any]:
        """As it goes to the page."""
        return {name: value for name, value in asdict(self).items() if name != "added"}


class Gallery:
    """The bundled pictures and those under `home`; every method may be called from any thread."""

    def __init__(self, home: Path) -> None:
        self.folder, self.cache = home / "pictures", home / "cache"
        for each in (self.folder, self.cache):
            each.mkdir(parents=True, exist_ok=True)
        for left in self.cache.glob(f"{GIVEN}*"):  # by a server that was killed
            shutil.rmtree(left, ignore_errors=True)
        self._lock, self._decoding = threading.Lock(), threading.Lock()
        self._paths = bundled_paths()
        self._entries = {identifier: _bundled(identifier) for identifier in self._paths}
        self._given: dict[str, Entry] = {}
        for entry in _kept(self.folder):
            self._take_in(entry)

    def pictures(self) -> list[dict[str, Any]]:
        """All pictures: the bundled ones, then those that were given, the oldest first."""
        with self._lock:
            return [entry.plain() for entry in (*self._entries.values(), *self._given.values())]

    def path_of(self, identifier: object) -> Path:
        """The file of a picture; raises UnknownPicture, an ImageError, for anything but an identifier from here."""
        with self._lock:
            path = self._paths.get(identifier) if isinstance(identifier, str) else None
        if path is None:
            raise UnknownPicture("there must be a picture with that identifier", repr(identifier)[:80], REMEDY)
        return path

    def title_of(self, identifier: str) -> str:
        """The title of a picture; raises UnknownPicture."""
        self.path_of(identifier)
        with self._lock:
            return (self._entries | self._given)[identifier].title

    def add(self, kind: str, name: str, file: Path) -> dict[str, Any]:
        """Keep the picture in `file`, called `name`, and return it as the page has it.

        Raises Refusal for another kind, Full when there are too many, and ImageError for what is no picture or too
        large a one.
        """
        if kind not in KINDS:
            raise Refusal("a picture is a photograph or a painting", repr(kind)[:80])
        self._check_room()
        with self._decoding:  # one at a time: a picture of 40 megapixels takes a gigabyte for a moment
            entry = self._keep(kind, name, file)
        with self._lock:
            self._take_in(entry)
        return entry.plain()

    def _check_room(self) -> None:
        with self._lock:
            kept = [path for identifier, path in self._paths.items() if identifier in self._given]
        if len(kept) >= MOST or sum(path.stat().st_size for path in kept if path.exists()) > KEPT_BYTES:
            raise Full(
                f"the gallery keeps {MOST} pictures of yours, {KEPT_BYTES / 1e9:g} GB", "one more", "delete some"
            )

    def _keep(self, kind: str, name: str, file: Path) -> Entry:
        from gramarye import images, inline

        picture = _decoded(file)
        pixels, alpha = inline.shrunk(picture.pixels, KEPT_SIDE), picture.alpha
        if alpha is not None:
            alpha = images.resize(alpha, (pixels.shape[2], pixels.shape[3]))
        identifier = secrets.token_hex(8)
        path = self.folder / f"{identifier}{'.jpg' if alpha is None else '.png'}"
        images.save(pixels, path, alpha=alpha, quality=KEPT_QUALITY)
        height, width = pixels.shape[2:]
        now = datetime.now(UTC).isoformat(timespec="milliseconds")
        entry = Entry(identifier, kind, title_from(name), "yours", int(width), int(height), False, now)
        write_atomically(self.folder / f"{identifier}.json", json.dumps(asdict(entry)).encode())
        return entry

    def _take_in(self, entry: Entry) -> None:
        self._given[entry.id] = entry
        self._paths[entry.id] = _file_of(self.folder, entry.id)

    def remove(self, identifier: str) -> None:
        """Forget a picture that was given; raises UnknownPicture, and Refusal for a bundled one."""
        path = self.path_of(identifier)
        with self._lock:
            if identifier not in self._given:
                raise Refusal("bundled pictures stay", repr(identifier), "delete one of yours")
            del self._given[identifier], self._paths[identifier]
        with self._decoding:  # nobody reads it any more
            for each in (path.with_suffix(".json"), path, *(self._cached(identifier, side) for side in SIDES)):
                each.unlink(missing_ok=True)

    def checked(self, identifier: str, side: int) -> Path:
        """The file of a picture of which there may be such a thumbnail; raises UnknownPicture and Refusal."""
        if side not in SIDES:
            raise Refusal("a thumbnail has a side of " + ", ".join(map(str, SIDES)), side)
        return self.path_of(identifier)

    def thumbnail(self, identifier: str, side: int) -> bytes:
        """A WebP of the picture with its longer side at most `side` pixels; raises UnknownPicture and Refusal."""
        self.checked(identifier, side)
        cached = self._cached(identifier, side)
        if not cached.is_file():
            with self._decoding:  # and then it may be gone
                write_atomically(cached, _thumbnail(self.path_of(identifier), side))
        return cached.read_bytes()

    def has_thumbnail(self, identifier: str, side: int) -> bool:
        """Whether a thumbnail is there already, so that no torch is needed for it."""
        return self._cached(identifier, side).is_file()

    def _cached(self, identifier: str, side: int) -> Path:
        return self.cache / f"{identifier}-{side}.webp"


def bundled_paths() -> dict[str, Path]:
    """The files of the bundled pictures by identifier, the photograph first."""
    paths = {"demo-photograph": demo.photograph()}
    return paths | {f"demo-{path.stem}": path for path in demo.styles()}


def _bundled(identifier: str) -> Entry:
    name = identifier.removeprefix("demo-")
    title, credit, width, height = WHAT_IS_BUNDLED[name]
    return Entry(identifier, "photograph" if name == "photograph" else "painting", title, credit, width, height, True)


def _kept(folder: Path) -> list[Entry]:
    """What was given before, the oldest first; files that are not as they were written are passed over."""
    found = []
    for path in folder.glob("*.json"):
        try:
            entry = _entry_from(json.loads(path.read_text()))
            _file_of(folder, entry.id)
        except (OSError, ValueError, TypeError, KeyError):
            continue
        if entry.id == path.stem:
            found.append(entry)
    return sorted(found, key=lambda entry: (entry.added, entry.id))


def _entry_from(plain: Any) -> Entry:
    entry = Entry(**plain)
    if not re.fullmatch(r"[0-9a-f]{16}", entry.id) or entry.kind not in KINDS or entry.bundled:
        raise ValueError(entry.id)
    return entry


def _file_of(folder: Path, identifier: str) -> Path:
    for suffix in (".jpg", ".png"):
        if (path := folder / f"{identifier}{suffix}").is_file():
            return path
    raise FileNotFoundError(identifier)


def _decoded(file: Path) -> Decoded:
    """The picture in a file that was given; raises TooManyPixels and ImageError."""
    from gramarye import images

    try:
        return images.load(file, max_megapixels=MAX_MEGAPIXELS)
    except ImageError as error:
        if "megapixels" not in error.rule:
            raise
        raise TooManyPixels(error.rule, error.received, "save it smaller") from error


def _thumbnail(path: Path, side: int) -> bytes:
    from gramarye import images, inline

    return inline.encoded(inline.shrunk(images.load(path).pixels, side), "WEBP", quality=84)


def title_from(name: str) -> str:
    """What a picture is called: the last part of a file's name without its suffix, of letters that can be shown.

    Control characters go, and those that turn the direction of writing (Unicode's categories C).
    """
    last = re.split(r"[/\\]", name)[-1]
    stem = re.sub(r"\.[A-Za-z0-9]{1,5}$", "", last)
    shown = "".join(letter for letter in stem if not unicodedata.category(letter).startswith("C"))
    return " ".join(shown.split())[:TITLE].strip() or "untitled"
