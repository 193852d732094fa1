"""Reading a folder of pictures as a film, in natural order: frame2 comes before frame10."""

from __future__ import annotations

import re
from collections.abc import Generator
from fractions import Fraction
from pathlib import Path

from torch import Tensor

from gramarye import images
from gramarye.batch import SUFFIXES
from gramarye.errors import ImageError
from gramarye.files import open_regular
from gramarye.video import colours
from gramarye.video.film import Film

RATE = Fraction(24)  # frames a second, where nothing tells


def film(path: Path, rate: Fraction | None = None) -> Film:
    """The pictures of a folder as a film; raises ImageError for none, and for pictures of different sizes."""
    files = pictures_in(path)
    first = images.load(files[0])
    size = (first.pixels.shape[2], first.pixels.shape[3])
    header = _header(files[0])
    for file in files[1:]:
        if _header(file) != header:
            raise _different(file, _header(file), header)
    rate = rate or RATE
    notes = ("transparent parts are laid over white",) if first.alpha is not None else ()
    return Film(path, size, rate, len(files), float(len(files) / rate), False, 0, "folder", notes=notes)


def pictures_in(folder: Path) -> list[Path]:
    """The pictures of a folder in natural order; raises ImageError when there are none."""
    try:
        files = [each for each in folder.iterdir() if each.is_file() and not each.name.startswith(".")]
    except OSError as error:
        received = f"{folder}: {(error.strerror or str(error)).lower()}"
        raise ImageError("a folder of frames must be one that can be read", received, "check permissions") from error
    pictures = [each for each in files if each.suffix.lower() in SUFFIXES]
    if not pictures:
        raise ImageError("a folder of frames must have pictures", f"none in {folder}", f"known: {', '.join(SUFFIXES)}")
    return sorted(pictures, key=lambda each: (natural(each.name), each.name))


def natural(name: str) -> list[tuple[bool, int, str]]:
    """A key by which names sort as people count: digits as numbers and first, letters without case."""
    parts = re.findall(r"\d+|\D+", name.casefold())
    return [(False, int(part), "") if part.isdecimal() else (True, 0, part) for part in parts]


def pixels(film: Film, first: int, stop: int | None) -> Generator[tuple[int, Tensor, bool], None, None]:
    """Index, sRGB values and False, of the frames from `first` to before `stop`."""
    for index, file in enumerate(pictures_in(film.path)[first:stop], first):
        picture = images.load(file)
        size = (picture.pixels.shape[2], picture.pixels.shape[3])
        if size != film.size:
            raise _different(file, size, film.size)
        over = picture.pixels if picture.alpha is None else colours.over_white(picture.pixels, picture.alpha)
        yield index, over, False


def _header(file: Path) -> tuple[int, int]:
    """(height, width) as a picture is stored, before it is turned."""
    with open_regular(file) as opened, images.quiet_pillow(file.name):
        image = images.opened(opened, file.name)
        return image.height, image.width


def _different(file: Path, size: tuple[int, int], first: tuple[int, int]) -> ImageError:
    received = f"{file.name}: {size[1]} × {size[0]} pixels, the first being {first[1]} × {first[0]}"
    return ImageError("the frames of a folder must be of one size", received, "resize it, or take it out")
