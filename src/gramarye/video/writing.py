"""Writing films: beside where they shall be, renamed when they are whole, gone when they are not."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import TracebackType

from gramarye import images
from gramarye.errors import ImageError, unknown_name
from gramarye.files import beside, not_written, put_in_place, writable
from gramarye.video.encoding import FORMATS, QUALITY, Encoder, Gif
from gramarye.video.film import Film, Frame, pyav

_OURS = re.compile(r"\d{6,}\.png")  # frames in a folder


class Writer:
    """A film being written, with `with`: whole under its name when the block ends well, else nothing is left.

    `path` ends in .mp4, .mov or .mkv (H.264), .webm (VP9), .webp or .gif, or is a folder, which gets 000000.png and so
    on. The first frame that is written is at 0; frames keep the times between them, and with `sound` what is heard
    meanwhile in `film`. `size` is (height, width), that of `film` by default; videos are cut to even sides. `quality`
    is x264's CRF: 18 looks lossless, 23 is smaller by half. Raises ImageError, and MissingExtraError without PyAV.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        film: Film,
        size: tuple[int, int] | None = None,
        sound: bool = True,
        *,
        quality: int = QUALITY,
    ) -> None:
        if not 0 <= quality <= 40:
            raise ImageError("the quality of a film must be from 0 to 40", quality, "18 looks lossless, 23 is smaller")
        self._asked, self._film, self._sound, self._quality = Path(path), film, sound, quality
        self._size = film.size if size is None else size
        self._count = 0
        self._sink: Encoder | Gif | Folder | None = None
        self.notes: tuple[str, ...] = ()

    def __enter__(self) -> Writer:
        self._destination = check_destination(self._asked)
        self._temporary = beside(self._destination)
        with self._telling():
            self._sink = self._made()
        return self

    def _made(self) -> Encoder | Gif | Folder:
        suffix = self._asked.suffix.lower()
        if suffix not in FORMATS:
            return Folder(self._temporary)
        if suffix == ".gif":
            return Gif(self._temporary, beside(self._destination), self._film, self._size)
        form = FORMATS[suffix]
        heard = suffix if self._sound and form.has_sound else ""
        return Encoder(self._temporary, form, self._film, self._size, suffix=heard, quality=self._quality)

    def write(self, frame: Frame) -> None:
        """The next frame, of the writer's size, at its own time; raises ImageError."""
        if self._sink is None:
            raise RuntimeError("a film is opened by `with` before frames are written")
        size = (frame.pixels.shape[2], frame.pixels.shape[3])
        if size != self._size:
            received = f"{size[1]} × {size[0]} pixels for {self._size[1]} × {self._size[0]}"
            raise ImageError("the frames of a film must be of one size", received, "resize them")
        with self._telling():
            self._sink.write(frame)
        self._count += 1

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        try:
            if error is None:
                self._finish()
        finally:
            self._discard()

    def _finish(self) -> None:
        assert self._sink is not None
        if not self._count:
            raise ImageError("a film must have at least one frame", "none", "write one, or choose a longer part")
        with self._telling():
            self._sink.close()
            self.notes = tuple(self._sink.notes)
            if self._temporary.is_dir():
                _replace_folder(self._temporary, self._destination)
            else:
                put_in_place(self._temporary, self._destination)
        self._sink = None

    def _discard(self) -> None:
        if self._sink is not None:
            self._sink.abort()
            self._sink = None
        with suppress(OSError):
            self._temporary.unlink(missing_ok=True)
        shutil.rmtree(self._temporary, ignore_errors=True)

    @contextmanager
    def _telling(self) -> Iterator[None]:
        """What goes wrong with a file as ImageError."""
        try:
            yield
        except OSError as error:
            raise not_written(error, self._destination, "film") from error
        except Exception as error:
            if type(error).__module__.startswith("av."):
                raise not_written(error, self._destination, "film") from error
            raise


class Folder:
    """Frames as PNG in a new folder, each named by its index."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.notes: list[str] = []
        folder.mkdir()

    def write(self, frame: Frame) -> None:
        """The next frame."""
        images.save(frame.pixels, self._folder / f"{frame.index:06d}.png")

    def close(self) -> None:
        """All frames are there already."""

    def abort(self) -> None:
        """Nothing is held open."""


def check_destination(path: str | os.PathLike[str]) -> Path:
    """Where a film would be written, links followed, after a trial; call it before hours of painting.

    Raises ImageError for an unknown suffix, for a folder with other things in it, and where nothing can be written;
    MissingExtraError for a video without PyAV.
    """
    path = Path(path)
    suffix = path.suffix.lower()
    if suffix in FORMATS:
        pyav()
        return writable(path)
    if suffix and not path.is_dir():
        rule, received, remedy = unknown_name("suffix for a film", suffix, FORMATS)
        raise ImageError(rule, f"{received} in {os.fspath(path)!r}", f"{remedy}; a folder has none")
    destination = Path(os.path.realpath(path))
    if destination.is_dir():
        _check_ours(destination)
    elif destination.exists():
        raise ImageError("a folder of frames cannot replace a file", str(path), "choose another name")
    writable(destination.with_name(f".{destination.name}.trial"))
    return destination


def _check_ours(folder: Path) -> None:
    others = [each.name for each in folder.iterdir() if not _OURS.fullmatch(each.name)]
    if others:
        received = f"{folder} with {len(others)} other things, such as {min(others)}"
        raise ImageError("a folder that frames replace may hold frames alone", received, "choose another name")


def _replace_folder(temporary: Path, destination: Path) -> None:
    """A new folder in the place of an old one, which is brought back should that fail."""
    if not destination.exists():
        temporary.rename(destination)
        return
    _check_ours(destination)
    old = beside(destination)
    destination.rename(old)
    try:
        temporary.rename(destination)
    except BaseException:
        old.rename(destination)
        raise
    shutil.rmtree(old, ignore_errors=True)
