"""Films without a server: small films to be given, and a worker that paints them."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

import films as small
from gramarye.studio.film_record import FilmRecord
from gramarye.studio.films import Films
from gramarye.studio.kept import OVER

from .easel import PAINTING, PATIENCE, Easel

COUNT = 6


def gliding(index: int, height: int, width: int) -> np.ndarray[Any, Any]:
    """A frame of a glide over soft hills, two pixels to the right from frame to frame."""
    rows, columns = np.mgrid[0:height, 0:width] + np.array([0, 2 * index])[:, None, None]
    waves = [np.sin(rows / 5 + each) * np.cos(columns / (4 + each)) for each in range(3)]
    return (127 + 100 * np.stack(waves, -1)).clip(0, 255).astype(np.uint8)


def cut_in_the_middle(index: int, height: int, width: int) -> np.ndarray[Any, Any]:
    """The same, and from the fourth frame on something else altogether, which stands still."""
    if index < COUNT // 2:
        return gliding(index, height, width)
    tiles = np.random.default_rng(0).integers(0, 2, (height // 8, width // 8, 3)) * 255
    return tiles.repeat(8, 0).repeat(8, 1).astype(np.uint8)


def film(path: Path, count: int = COUNT, **options: Any) -> Path:
    """A small film of a glide."""
    options.setdefault("format", "mp4")
    return small.video(path, count, **{"size": (72, 96), "draw": gliding, **options})


class Cinema:
    """The films of one folder, with a worker of their own."""

    def __init__(self, home: Path) -> None:
        self.easel = Easel(home, start=False)
        self.events, self.worker = self.easel.events, self.easel.worker
        self.films = Films(home, self.easel.gallery, self.events, self.worker)
        self.worker.start()

    def given(self, folder: Path, count: int = COUNT, **options: Any) -> str:
        """The identifier of a small film that was given."""
        return self.films.clips.add("glide.mp4", film(folder / f"given-{time.monotonic_ns()}", count, **options)).id

    def begin(self, clip: str, painting: str = PAINTING) -> FilmRecord:
        return self.films.create({"clip": clip, "painting": painting, "size": 256})

    def until(self, condition: Callable[[], bool]) -> None:
        """Wait for something that is told of."""
        self.easel.until(condition)

    def end(self, record: FilmRecord) -> dict[str, Any]:
        """Wait until a film is over and nothing more is written; the film as the page has it."""
        self.until(lambda: record.state in OVER and record.id not in self.films._sittings)
        return self.films.shown(record.id)

    def at_frame(self, index: int, then: Callable[[str], Any]) -> None:
        """Do something on the worker's thread as soon as a frame was told, before the next can begin."""

        def heard(kind: str, data: Mapping[str, Any]) -> None:
            if kind == "moment" and data["index"] == index:
                self.events.then = None
                then(data["film"])

        self.events.then = heard

    def close(self) -> None:
        self.worker.close()


def stopped_at(cinema: Cinema, index: int) -> threading.Event:
    """Close the worker when a frame was told, as Ctrl-C does; the event is set when that has happened."""
    reached = threading.Event()

    def stop(film: str) -> None:
        with cinema.worker._turn:
            cinema.worker._closing = True
        reached.set()

    cinema.at_frame(index, stop)
    return reached


__all__ = ["COUNT", "PATIENCE", "Cinema", "cut_in_the_middle", "film", "gliding", "stopped_at"]
