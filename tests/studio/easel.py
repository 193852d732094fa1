"""Runs without a server: a gallery, a worker, and everything that was told."""

from __future__ import annotations

import base64
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch

from gramarye import images
from gramarye.studio.gallery import Gallery
from gramarye.studio.kept import OVER
from gramarye.studio.runs import Runs
from gramarye.studio.worker import Worker

PATIENCE = 120.0  # seconds
PHOTOGRAPH, PAINTING, OTHER = "demo-photograph", "demo-cubist", "demo-mosaic"
TINY = {"size": 64, "steps": 6, "scales.smallest": 32, "precision": "float32"}


def request(*styles: str, preset: str = "draft", **more: Any) -> dict[str, Any]:
    """A tiny run of the bundled pictures; `settings` are added to the tiny ones."""
    settings = TINY | more.pop("settings", {})
    return {"content": PHOTOGRAPH, "styles": list(styles) or [PAINTING], "preset": preset, "settings": settings, **more}


def data_url(pixels: torch.Tensor, folder: Path) -> str:
    """A mask as the page sends it; `pixels` is 1 3 H W."""
    folder.mkdir(parents=True, exist_ok=True)
    images.save(pixels, folder / "drawn.png")
    return "data:image/png;base64," + base64.b64encode((folder / "drawn.png").read_bytes()).decode()


class Events:
    """Keeps what is published, and wakes who waits for it."""

    def __init__(self) -> None:
        self.told: list[tuple[str, dict[str, Any]]] = []
        self.news = threading.Condition()
        self.then: Callable[[str, Mapping[str, Any]], None] | None = None  # called on the worker's thread

    def publish(self, kind: str, data: Mapping[str, Any]) -> None:
        with self.news:
            self.told.append((kind, dict(data)))
            self.news.notify_all()
        if self.then is not None:
            self.then(kind, data)

    def of(self, kind: str, run: str) -> list[dict[str, Any]]:
        """The data of one run's events of a kind."""
        with self.news:
            return [data for each, data in self.told if each == kind and run in (data.get("run"), data.get("id"))]


class Easel:
    """The runs of one folder with a worker of their own."""

    def __init__(self, home: Path, *, start: bool = True) -> None:
        home.mkdir(parents=True, exist_ok=True)
        self.events = Events()
        self.worker = Worker(self.events)
        self.gallery = Gallery(home)
        self.runs = Runs(home, self.gallery, self.events, self.worker)
        if start:
            self.worker.start()

    def begin(self, *styles: str, **more: Any) -> str:
        """Create a run and return its identifier."""
        return self.runs.create(request(*styles, **more)).id

    def until(self, condition: Callable[[], bool]) -> None:
        """Wait for something that is told of."""
        end = time.monotonic() + PATIENCE
        while not condition():
            assert time.monotonic() < end, self.runs.summaries()
            with self.events.news:
                self.events.news.wait(0.05)

    def until_state(self, run: str, *states: str) -> None:
        self.until(lambda: self.runs.get(run).state in states)

    def until_step(self, run: str, index: int) -> None:
        self.until(lambda: any(step["index"] >= index for step in self.events.of("step", run)))

    def end(self, run: str) -> dict[str, Any]:
        """Wait until a run is over and nothing more is written; the run as the page has it."""
        self.until(lambda: self.runs.get(run).state in OVER and run not in self.runs._sittings)
        return self.runs.shown(run)

    def at_step(self, index: int, control: dict[str, Any]) -> None:
        """Steer the next run as soon as so many of its steps were told: before another can begin."""

        def then(kind: str, data: Mapping[str, Any]) -> None:
            if kind == "step" and data["index"] == index:
                self.events.then = None
                self.runs.control(data["run"], control)

        self.events.then = then

    def close(self) -> None:
        self.worker.close()
