"""Progress as people follow it: bars with remaining time on a terminal, lines elsewhere."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gramarye.cli import console

if TYPE_CHECKING:
    from rich.progress import Progress


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
