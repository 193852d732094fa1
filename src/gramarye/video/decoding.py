"""The frames of a video from any index on, each the same however one comes to it.

A frame's index is looked up in the film's timetable by the time at which it is shown. So one that is decoded from the
keyframe before it has the index that it has from the beginning, whatever order the frames are stored in, and what a
decoder makes of frames whose references it has not seen is known by its time and left out.
"""

from __future__ import annotations

from collections.abc import Generator, Iterable, Iterator
from itertools import chain
from typing import Any

from torch import Tensor

from gramarye import images
from gramarye.video import colours
from gramarye.video.containers import decoded, opened, packets, pictures_in
from gramarye.video.film import Film, Timetable, pyav

NEAR = 3  # keyframes before a frame that are tried; then it is decoded from the beginning


def pixels(film: Film, first: int, stop: int | None) -> Generator[tuple[int, Tensor, bool], None, None]:
    """Index, sRGB values and whether it is held, of the frames from `first` to before `stop`."""
    with opened(film.path) as container:
        found = _from(container, pictures_in(container, film.path.name), film.timetable, first)
        if found is not None:
            yield from _upright(_filled(found, first, stop, film.frames), film.size)
            return
    with opened(film.path) as container:
        stream = pictures_in(container, film.path.name)
        found = _indexed(packets(container, stream), stream, film.timetable)
        yield from _upright(_filled(found, first, stop, film.frames), film.size)


def _upright(found: Iterable[tuple[int, Any, bool]], size: tuple[int, int]) -> Iterator[tuple[int, Tensor, bool]]:
    read = colours.Reading()
    for index, frame, held in found:
        # A stream may change its size on the way: to one that its header did not tell.
        images.check_size((frame.height, frame.width), f"frame {index}", images.DEFAULT_MAX_MEGAPIXELS)
        upright = colours.turn_of(frame)(read(frame)).contiguous()
        yield index, images.resize(upright, size), held


def _from(container: Any, stream: Any, table: Timetable | None, first: int) -> Iterator[tuple[int, Any]] | None:
    """The frames from `first` on, decoded from a keyframe before it; None where that does not lead to it."""
    if table is None or first == 0:
        return None
    wanted = int(table.stamps[first])
    for key in reversed(table.keys[table.keys <= wanted][-NEAR:]):
        try:
            container.seek(int(key), stream=stream)
        except pyav().FFmpegError:
            continue
        rest = packets(container, stream)
        head = next(rest, None)
        if head is None or not head.is_keyframe or head.pts is None or head.pts > wanted:
            continue
        found = (each for each in _indexed(chain([head], rest), stream, table) if each[0] >= first)
        frame = next(found, None)
        if frame is not None and frame[0] == first:
            return chain([frame], found)
    return None


def _indexed(packets: Iterable[Any], stream: Any, table: Timetable | None) -> Iterator[tuple[int, Any]]:
    """Decoded frames with their indices: by the timetable, or counted."""
    for count, frame in enumerate(decoded(packets, stream)):
        index = count if table is None else table.index(frame.pts)
        if index is not None:
            yield index, frame


def _filled(
    found: Iterable[tuple[int, Any]], first: int, stop: int | None, count: int | None
) -> Iterator[tuple[int, Any, bool]]:
    """Every frame from `first` to before `stop`, none left out: in a gap stands the frame before it, held."""
    wanted, before = first, None
    for index, frame in found:
        if index >= wanted and before is not None:
            for missing in range(wanted, index if stop is None else min(index, stop)):
                yield missing, before, True
        wanted = max(wanted, index)
        if stop is not None and wanted >= stop:
            return
        if index == wanted:
            yield index, frame, False
            wanted += 1
            if wanted == stop:  # before more is decoded
                return
        before = frame
    ends = [each for each in (stop, count) if each is not None]
    for missing in range(wanted, min(ends) if ends and before is not None else wanted):
        yield missing, before, True
