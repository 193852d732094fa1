"""Progress as people follow it: bars with remaining time on a terminal, lines elsewhere."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from gramarye.cli import console

if TYPE_CHECKING:
    from rich.progress import Progress

EVERY = 25  # frames, after which a line is due where nobody knows how many there will be


class ProgressBar:
    """One painting: a bar with remaining time and loss on a terminal; elsewhere a line at every tenth."""

    def __init__(self, label: str, total: int) -> None:
        self.label, self.total, self.tenth = label, total, 0
        self.live = console.on_terminal()

    def __enter__(self) -> ProgressBar:
        if self.live:
            self.progress = _bars()
            self.task = self.progress.add_task(self.label, total=self.total, loss="loss –")
            self.progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self.live:
            self.progress.stop()

    def show(self, done: int, loss: float) -> None:
        """`done` of the total, at this loss."""
        if self.live:
            self.progress.update(self.task, completed=done, loss=f"loss {loss:.4g}")
        elif done * 10 // self.total > self.tenth:
            self.tenth = done * 10 // self.total
            console.say(f"{self.label}  {done}/{self.total}  loss {loss:.4g}")


class SeriesBar:
    """Several paintings in one display: all of them and the current one; where nobody looks on, a line for each."""

    def __init__(self, count: int, *, quiet: bool) -> None:
        self.count, self.number, self.quiet = count, 0, quiet
        self.live = console.on_terminal() and not quiet

    def __enter__(self) -> SeriesBar:
        if self.live:
            self.progress = _bars()
            self.all = self.progress.add_task("all pictures", total=self.count, loss="")
            self.task = self.progress.add_task("", total=1, loss="")
            self.progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self.live:
            self.progress.stop()

    def begin(self, label: str, total: int) -> None:
        """The next picture, of so many evaluations."""
        self.number, self.total = self.number + 1, max(total, 1)
        if self.live:
            self.progress.reset(self.task, total=self.total, description=label, loss="loss –")
            self.progress.update(self.all, completed=self.number - 1)
        else:
            console.say(f"{self.number}/{self.count}  {label}", quiet=self.quiet)

    def show(self, done: int, loss: float) -> None:
        """`done` evaluations of the current picture, at this loss."""
        if self.live:
            self.progress.update(self.task, completed=done, loss=f"loss {loss:.4g}")
            self.progress.update(self.all, completed=self.number - 1 + done / self.total)


class FilmBar:
    """The frames of a film: a bar with remaining time and pace on a terminal; elsewhere a line at every tenth.

    `done` are there already. Where the film does not tell how long it is, `total` is None.
    """

    def __init__(self, label: str, total: int | None, done: int = 0) -> None:
        self.label, self.total, self.before, self.done = label, total, done, done
        self.live, self.began = console.on_terminal(), time.monotonic()

    def __enter__(self) -> FilmBar:
        if self.live:
            self.progress = _bars()
            self.task = self.progress.add_task(self.label, total=self.total or 0, completed=self.done, loss="")
            self.progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self.live:
            self.progress.stop()

    def show(self) -> None:
        """One frame more."""
        self.done += 1
        if self.live:
            self.progress.update(self.task, completed=self.done, loss=self._pace())
        elif self._is_due():
            console.say(f"{self.label}  {self.done}/{self.total or '?'}  {self._pace()}{self._remaining()}")

    def _is_due(self) -> bool:
        if not self.total:
            return self.done % EVERY == 0
        return self.done * 10 // self.total > (self.done - 1) * 10 // self.total

    def _rate(self) -> float:
        return (self.done - self.before) / max(time.monotonic() - self.began, 1e-6)

    def _pace(self) -> str:
        return f"{self._rate():.3g} frames/s"

    def _remaining(self) -> str:
        left = (self.total or 0) - self.done
        return f"  {console.seconds_in_words(left / self._rate())} left" if left > 0 else ""


def _bars() -> Progress:
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.completed:.0f}/{task.total:.0f}"),
        TimeRemainingColumn(compact=True),
        TextColumn("{task.fields[loss]}"),
        console=Console(stderr=True),
        transient=True,
    )
