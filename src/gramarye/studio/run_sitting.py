"""One run at the easel: a painting that is pulled a step at a time, looks at people's wishes between two, and is kept.

A sitting can be put away after any step: what is on the disk then is enough to go on later to the same pixels.
"""

from __future__ import annotations

import json
import logging
import math
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from gramarye.errors import GramaryeError, SettingsError
from gramarye.studio.faders import weighed
from gramarye.studio.frames import Frames
from gramarye.studio.gallery import Gallery
from gramarye.studio.kept import OVER
from gramarye.studio.record import Record, mend_rows
from gramarye.studio.sitting import Sitting
from gramarye.studio.worker import Publisher

if TYPE_CHECKING:
    from torch import Tensor

    from gramarye.optimize import Step
    from gramarye.painting import Painting

CHECKPOINT_EVERY = 5.0  # seconds
CHECKPOINT_SHARE = 20  # times as long as writing one takes: no more than a twentieth of the time goes there
LEARNING = 0.3  # how fast the estimate of a step's time follows
_log = logging.getLogger(__name__)


class RunSitting(Sitting[Record]):
    """A run while it is painted, a step at a time."""

    def __init__(
        self, record: Record, folder: Path, gallery: Gallery, events: Publisher, told: Callable[[Record], None]
    ) -> None:
        super().__init__(record, folder, events, told, record.pending)
        self.gallery = gallery
        self.frames = Frames(folder / "frames", record.steps)
        self._painting: Painting | None = None
        self._kept_at, self._keeping_takes = time.monotonic(), 0.0
        self._rate = 0.0  # seconds a pixel and evaluation
        self._written = 0  # the last step in the file

    @property
    def patient(self) -> bool:
        """Whether it gives way: what was not asked for by anybody does."""
        return self.record.demo

    def _clear(self) -> None:
        from gramarye import checkpoint

        checkpoint.remove(self.folder / "checkpoint")

    def _free(self) -> None:
        super()._free()
        self._painting = None

    # ---- the course of a run -------------------------------------------------------------------------------------

    def _course(self) -> Iterator[None]:
        if not self.wishes.resting:
            self._say("running")
        painting = self._painting = self._prepared()
        self._begin(painting)
        steps = painting.steps()
        while True:
            yield
            if self.wishes.stopped:
                break
            if self.wishes.resting:
                self._rest(painting)
            elif not self._make(painting, steps):
                break
        self._end(painting)

    def _prepared(self) -> Painting:
        from gramarye.studio.preparing import prepare, restore

        painting = prepare(self.record, self.folder, self.gallery)
        restore(painting, self.folder)
        last = mend_rows(self.folder)
        self._written = last["index"] if last else 0
        return painting

    def _begin(self, painting: Painting) -> None:
        """Tell what is known now that everything is loaded, and show the start."""
        height, width = painting.scales[-1].size
        self.record.width, self.record.height, self.record.index = width, height, painting.evaluations
        self._tell_terms(painting)
        if painting.evaluations == 0:
            self._show(0, painting.shown())
        self._told(self.record)

    def _rest(self, painting: Painting) -> None:
        """Begin a pause: everything is on the disk, and the picture as it is on the page."""
        if not self._resting:
            self._resting = True
            self._say("paused")
            self._show(self.record.index, painting.shown())
            self._keep()

    def _make(self, painting: Painting, steps: Iterator[Step]) -> bool:
        """One step, under the settings that people wish for; False when there is none left."""
        self._resting = False
        self.wishes.take_step()
        if self.record.state != "running":
            self._say("running")
        self._change(painting)
        index = self.record.index + 1
        painting.watched = due = self.frames.due(index)
        began = time.perf_counter()
        step = next(steps, None)
        if step is None:
            return False
        self._note(painting, step, time.perf_counter() - began)
        if due or self.frames.spare(step.index, self.record.remaining):
            self._show(step.index, painting.shown())
        wait = max(CHECKPOINT_EVERY, CHECKPOINT_SHARE * self._keeping_takes)
        if time.monotonic() - self._kept_at > wait:
            self._keep()
        return True

    def _change(self, painting: Painting) -> None:
        """Let the next step follow what was asked for; what cannot be done is told, and the painting goes on.

        Steps that were known before a crash are first made again as they were.
        """
        asked = self.wishes.take_changes() if painting.evaluations >= self._written else None
        if not asked:
            return
        try:
            painting.change(weighed(painting.settings, asked))
        except SettingsError as error:
            self.record.error = str(error)
        else:
            self.record.error = None
            self.record.changes.append({"index": painting.evaluations, "settings": asked})
            self._tell_terms(painting)
        self._told(self.record)

    def _note(self, painting: Painting, step: Step, seconds: float) -> None:
        """Write a step down and tell it; one that was made before a crash is known already."""
        record = self.record
        record.index, record.seconds = step.index, record.seconds + seconds
        record.remaining = self._left(painting, step, seconds)
        if step.index <= self._written:
            return
        names = [term["name"] for term in record.terms]
        row = {
            "index": step.index,
            "scale": step.scale,
            "total": _finite(step.total),
            "weighted": [_finite(step.weighted.get(name, 0.0)) for name in names],
            "gradients": [_finite(step.gradients.get(name, 0.0)) for name in names] if step.gradients else None,
            "ms": round(1000 * seconds, 2),
        }
        self._written = step.index
        with (self.folder / "steps.jsonl").open("a") as file:
            file.write(json.dumps(row, separators=(",", ":")) + "\n")
        self.events.publish("step", {"run": record.id, **row, "remaining": record.remaining})

    def _left(self, painting: Painting, step: Step, seconds: float) -> float:
        """Seconds to the end, by the pixels that are left: a step's time is proportional to its pixels."""
        scales = painting.scales
        rate = seconds / math.prod(scales[step.scale].size)
        self._rate = rate if not self._rate else self._rate + LEARNING * (rate - self._rate)
        end, left = 0, 0.0
        for scale in scales:
            end += scale.evaluations
            left += math.prod(scale.size) * max(0, min(scale.evaluations, end - step.index))
        return round(self._rate * left, 2)

    def _end(self, painting: Painting) -> None:
        """Write the result with its recipe, and show it; that a run was stopped is told before, and again then."""
        finished = painting.scale >= len(painting.scales)
        if not finished:
            self._end_as("stopped")
            self._told(self.record)
        result = painting.result()
        result.save(self.folder / "result.png")
        self._show(self.record.index, result.pixels)
        if finished:
            self._end_as("finished")

    # ---- what is kept and told ------------------------------------------------------------------------------------

    def _show(self, index: int, pixels: Tensor) -> None:
        frame = self.frames.add(index, pixels)
        if frame is not None:
            self.record.frame = frame["index"]
            self.events.publish("frame", {"run": self.record.id, **frame})

    def _keep(self) -> None:
        """Renew the checkpoint; that it cannot be written is no reason to lose the painting."""
        from gramarye.studio.preparing import keep

        if self._painting is None or self.record.state in OVER:
            return
        began = time.monotonic()
        try:
            keep(self._painting, self.folder)
            self.record.save(self.folder)
        except GramaryeError as error:
            _log.warning("run %s: %s", self.record.id, error)
        self._kept_at = time.monotonic()
        self._keeping_takes = self._kept_at - began

    def _tell_terms(self, painting: Painting) -> None:
        """The terms there have been so far, in the order in which they came."""
        known = {term["name"] for term in self.record.terms}
        for term in painting.objective(painting.scales[min(painting.scale, len(painting.scales) - 1)].size).terms:
            if term.weight and term.name not in known:
                self.record.terms.append({"name": term.name, "kind": term.kind, "layer": term.layer})
        self.events.publish("terms", {"run": self.record.id, "terms": self.record.terms})


def _finite(value: float) -> float | None:
    return float(f"{value:.7g}") if math.isfinite(value) else None
