"""What is kept while a painter is trained: a checkpoint to go on from, a log, a sheet of pictures, the network."""

from __future__ import annotations

import csv
import io
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gramarye.cli import console
from gramarye.cli import painting as shared
from gramarye.errors import GramaryeError, ImageError, WeightsError

if TYPE_CHECKING:
    from gramarye.fast.learning import Learning
    from gramarye.fast.training import Step

SUFFIX = ".safetensors"
EVERY = 30.0  # seconds between checkpoints
HEAD = ("step", "seconds", "rate", "content", "style", "smoothness", "total")


@dataclass
class Kept:
    """What is written while `output` is trained; a picture at `preview` every so many steps, if asked for."""

    output: Path
    preview: Path | None = None
    preview_every: int = 250
    restart: bool = False
    quiet: bool = False
    _rows: list[tuple[Any, ...]] = field(default_factory=list)
    _saved: float = 0.0

    @property
    def checkpoint(self) -> Path:
        """Where the checkpoint lies: beside the network."""
        from gramarye import checkpoint

        return checkpoint.path_for(self.output)

    @property
    def log(self) -> Path:
        """Where the log lies: beside the network."""
        return self.output.with_suffix(".training.csv")

    def check(self, folder: Path, styles: Sequence[str]) -> None:
        """Refuse, before any work, what cannot be written, is an input, or would become one."""
        from gramarye import files

        if self.output.suffix.lower() != SUFFIX:
            raise WeightsError(f"a painter is written as {SUFFIX}", str(self.output), f"choose a name with {SUFFIX}")
        inputs = [each for style in styles for each in _inside(Path(style))] + _inside(folder)
        for path in (self.output, self.checkpoint, self.log):
            try:
                files.writable(path)
            except ImageError as error:
                raise WeightsError("a painter is written to a file", error.received, error.remedy) from error
            shared.refuse_input(path, inputs)
        if self.preview is not None:
            shared.check_output(self.preview, inputs)
            self._keep_apart(self.preview, [folder, *map(Path, styles)])

    def _keep_apart(self, preview: Path, folders: Sequence[Path]) -> None:
        """A picture in a folder of inputs would be one of them, when the command goes on."""
        for folder in folders:
            if folder.is_dir() and preview.resolve().parent == folder.resolve():
                rule = "the preview must not lie among photographs or paintings"
                raise ImageError(rule, str(preview), "choose another folder")

    def go_on(self, learning: Learning) -> None:
        """Restore what there is of the same training; raises OptimizationError for another one's checkpoint."""
        from gramarye import checkpoint

        if self.checkpoint.exists() and not self.restart:
            learning.restore(checkpoint.load(self.checkpoint, learning.identity(), "a training"))
            reached, steps = learning.training.index, learning.training.steps_in_all
            console.say(f"resumed   {self.checkpoint} at step {reached} of {steps}", quiet=self.quiet)
        elif learning.plan.hours is not None:
            learning.fit(learning.plan.hours)
        self._attempt(partial(_cut, self.log, learning.training.index))
        self._saved = time.monotonic()

    def steps(self, learning: Learning) -> Iterator[Step]:
        """The steps that are left; what is due at each is kept first."""
        for step in learning.steps():
            parts = [step.values[name] for name in HEAD[3:-1]]
            numbers = (learning.seconds, step.rate, *parts, step.total)
            self._rows.append((step.index, *(f"{number:.6g}" for number in numbers)))
            if step.index % self.preview_every == 0:
                self.show(learning)
            if time.monotonic() - self._saved >= EVERY:
                self.save(learning)
            yield step

    def save(self, learning: Learning) -> None:
        """Renew log and checkpoint; that they cannot be written is no reason to stop."""
        from gramarye import checkpoint

        rows, self._rows = self._rows, []
        self._attempt(partial(_append, self.log, rows))
        self._attempt(lambda: checkpoint.save(self.checkpoint, learning.state(), learning.identity()))
        self._saved = time.monotonic()

    def show(self, learning: Learning) -> None:
        """Renew the preview."""
        if self.preview is not None:
            self._attempt(partial(_paint, learning, self.preview))

    def end(self, learning: Learning) -> dict[str, Any]:
        """Measure the painter, write it with its card, which is returned, and remove the checkpoint.

        Before that all is kept once more: measuring takes a while.
        """
        from gramarye import checkpoint
        from gramarye.fast import stored

        self.save(learning)
        self.show(learning)
        card = learning.card()
        stored.save(self.output, learning.painter, card)
        checkpoint.remove(self.checkpoint)
        return card

    def _attempt(self, work: Callable[[], object]) -> None:
        try:
            work()
        except (GramaryeError, OSError) as error:
            console.say(f"warning   {error}", quiet=self.quiet)


def _inside(place: Path) -> list[str | Path]:
    return [*place.iterdir()] if place.is_dir() else [place]


def _paint(learning: Learning, preview: Path) -> None:
    from gramarye import demo, images

    images.save(learning.sheet(images.load(demo.photograph()).pixels), preview)


def _append(log: Path, rows: Sequence[Sequence[Any]]) -> None:
    with log.open("a", encoding="utf-8", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows(rows)


def _cut(log: Path, reached: int) -> None:
    """Leave of a log the rows up to the step that was reached: what came after is made anew."""
    from gramarye.files import write_atomically

    kept: list[tuple[str, ...]] = [HEAD]
    if reached and log.exists():
        with log.open(encoding="utf-8", errors="replace", newline="") as file:
            rows = [tuple(row) for row in csv.reader(file)]
        kept += [row for row in rows if len(row) == len(HEAD) and row[0].isdecimal() and int(row[0]) <= reached]
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(kept)
    write_atomically(log, text.getvalue().encode())
