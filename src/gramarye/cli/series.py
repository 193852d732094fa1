"""Several pictures in one command: one display, going on past what fails."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from gramarye.cli import console, keeping
from gramarye.cli import painting as shared
from gramarye.cli.progress import SeriesBar
from gramarye.errors import ImageError
from gramarye.settings import Settings

PANEL = "Many pictures"


@dataclass(frozen=True)
class Piece:
    """One picture of a series."""

    label: str
    content: str
    styles: tuple[str, ...]
    settings: Settings
    output: Path


@dataclass
class Course:
    """How a series went: `found` has what --json tells of each picture, in their order.

    A picture that was painted has its terms, one that failed its "error", one that was not begun or not
    ended neither.
    """

    found: list[dict[str, Any]] = field(default_factory=list)
    interrupted: bool = False
    announced: bool = False

    def errors(self) -> dict[str, list[str]]:
        """What went wrong, each with the names of the pictures."""
        errors: dict[str, list[str]] = {}
        for each in self.found:
            if "error" in each:
                errors.setdefault(each["error"], []).append(Path(each["output"]).name)
        return errors

    def tell(self) -> None:
        """Say what went wrong, a line for each different error."""
        for message, names in self.errors().items():
            more = f" and {len(names) - 1} more" if len(names) > 1 else ""
            console.say(f"error: {names[0]}{more}: {message}")

    @property
    def status(self) -> int:
        """The exit status: 0, 1 if a picture failed, 130 after Ctrl-C."""
        return console.INTERRUPTED if self.interrupted else 1 if self.errors() else 0


def paint(order: shared.Order, pieces: Sequence[Piece], *, every: int | None = None, restart: bool = False) -> Course:
    """Paint the pieces one after another. The one that Ctrl-C interrupts is not written, and no other begun."""
    course = Course()
    with console.hear_interrupt(quiet=order.quiet) as stop, SeriesBar(len(pieces), quiet=order.quiet) as bar:
        for piece in pieces:
            course.found.append({"output": str(piece.output)})
            if not stop.requested:
                kept = keeping.Kept(piece.output, every=every, restart=restart, bits=order.bits, quiet=order.quiet)
                error = console.tried(partial(_paint_one, order, piece, kept, bar, stop, course))
                course.found[-1] |= {"error": error} if error else {}
            course.interrupted |= stop.requested
    return course


def _paint_one(
    order: shared.Order, piece: Piece, kept: keeping.Kept, bar: SeriesBar, stop: console.Stop, course: Course
) -> None:
    """Paint and write one picture and add to the course what --json tells of it."""
    bar.begin(piece.label, piece.settings.steps)
    painting = order.prepare(piece.content, piece.styles, piece.settings)
    if not course.announced:
        shared.announce(painting, quiet=order.quiet)
        course.announced = True
    for step in kept.steps(painting):
        bar.show(step.index, step.total)
        if stop.requested and step.index < piece.settings.steps:
            kept.pause(painting)
            return
    result = painting.result()
    result.save(piece.output, bits=order.bits)
    kept.end(painting, result)
    course.found[-1].update(shared.as_json(result, order.preset))


def make_folder(folder: Path) -> None:
    """Make a folder for pictures; raises ImageError."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        received = f"{folder}: {error.strerror}"
        raise ImageError("several pictures need a folder", received, "choose another name") from error


def check_outputs(outputs: Sequence[Path], inputs: Sequence[str | Path], *, bits: int) -> None:
    """Refuse, before any work, pictures in a folder that cannot be written or that are inputs; raises ImageError."""
    shared.check_output(outputs[0], inputs, bits=bits)  # a trial for all, which lie in one folder
    places = {Path(each).resolve() for each in inputs}
    for output in outputs:
        if output.resolve() in places:
            raise ImageError("the output must not be one of the inputs", str(output), "choose another name")
