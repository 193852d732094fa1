"""Films in and out: what a film is (`film`), its frames (`frames`), and a new one (`Writer`).

Frames are `1 3 H W`, sRGB in [0, 1], upright, with square pixels. They stream: however long a film, a few of its frames
are in memory. The index of a frame is its place in the order in which frames are shown, the same however one
comes to it.
"""

from __future__ import annotations

import os
from collections.abc import Generator
from fractions import Fraction
from pathlib import Path

from gramarye import images
from gramarye.errors import ImageError
from gramarye.files import open_regular
from gramarye.video import animations, containers, decoding, folders
from gramarye.video.film import Film, Frame
from gramarye.video.writing import Writer, check_destination

__all__ = ["Film", "Frame", "Writer", "check_destination", "film", "frames"]

_PICTURES = {b"\xff\xd8\xff": "a JPEG", b"BM": "a BMP", b"II*\0": "a TIFF", b"MM\0*": "a TIFF"}
_READERS = {"video": decoding.pixels, "gif": animations.pixels, "folder": folders.pixels}


def film(source: str | os.PathLike[str], *, rate: Fraction | float | None = None) -> Film:
    """The film in a file or a folder; `rate`, in frames a second, is for folders, which tell none (24 by default).

    A file that is cut off is a film of the frames that are there, with a note. Raises ImageError, in one line, for
    whatever is no film, and MissingExtraError for a video without PyAV.
    """
    path = Path(os.fsdecode(source))
    try:
        is_folder = path.is_dir()
    except (OSError, ValueError):  # a name too long, or with a zero byte: told below
        is_folder = False
    if is_folder:
        return folders.film(path, _checked(rate))
    if rate is not None:
        raise ImageError("only a folder of pictures is told its rate", path.name, "leave the rate out")
    with open_regular(path, "film") as file:
        start = file.read(16)
    if animations.is_one(start):
        return animations.film(path)
    picture = next((kind for magic, kind in _PICTURES.items() if start.startswith(magic)), None)
    if picture is not None:
        remedy = "paint it with `gramarye transfer`"
        raise ImageError("a film must move", f"{path.name}: {picture}, one picture", remedy)
    return containers.film(path)


def _checked(rate: Fraction | float | None) -> Fraction | None:
    if rate is None:
        return None
    if not 0 < rate <= 1000:
        raise ImageError("a rate must be above 0 and at most 1000 frames a second", rate, "24 is that of cinema")
    return Fraction(rate).limit_denominator(1001)


def frames(
    film: Film, first: int = 0, last: int | None = None, *, size: int | None = None
) -> Generator[Frame, None, None]:
    """The frames from index `first` to `last`, both among them; None is the end of the film.

    `size` is the long side in pixels, the film's own by default. Decoding begins at the keyframe before `first`. Past
    the end nothing more comes. Raises ImageError for a negative index, and for a file that is no longer that film.
    """
    if first < 0 or (last is not None and last < 0):
        raise ImageError("frames are counted from 0", f"{first} to {last}", "name the first by 0")
    shape = film.size if size is None else images.fitted_size(film.size, size)
    return _frames(film, first, None if last is None else last + 1, shape)


def _frames(film: Film, first: int, stop: int | None, shape: tuple[int, int]) -> Generator[Frame, None, None]:
    if (film.frames is not None and first >= film.frames) or (stop is not None and first >= stop):
        return
    for index, pixels, held in _READERS[film.kind](film, first, stop):
        yield Frame(index, film.time(index), images.resize(pixels, shape), held)
