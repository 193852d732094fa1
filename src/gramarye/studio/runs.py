"""All runs: begun, steered, kept on the disk and found again. In memory are only those that are under way.

After a restart finished runs are there as they were; those that were not finished are `interrupted`, and `resume`
takes them up again.
"""

from __future__ import annotations

import json
import os
import secrets
import shutil
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from gramarye import presets
from gramarye.errors import GramaryeError
from gramarye.files import write_atomically
from gramarye.settings import Settings
from gramarye.studio import offers, orders, record
from gramarye.studio.commands import command_line, file_name
from gramarye.studio.frames import SIDE, kept_in
from gramarye.studio.gallery import Gallery
from gramarye.studio.kept import OVER
from gramarye.studio.orders import Order, branched
from gramarye.studio.record import Record
from gramarye.studio.refusals import Full, Unknown
from gramarye.studio.run_sitting import RunSitting
from gramarye.studio.steering import Steered
from gramarye.studio.worker import Publisher, Worker

MOST, BYTES = 300, 2_000_000_000  # runs, and what they may take on the disk
PATIENCE = 60.0  # seconds
LEAST_EFFORT = 0.5  # millions of pixels evaluated; a smaller painting tells little about a larger one's time


class Runs(Steered[Record, RunSitting]):
    """The runs in `home`/runs; every method may be called from any thread."""

    ONE = "run"
    ACTIONS = ("pause", "resume", "step", "stop", "change")
    INSTEAD = "branch from it"

    def __init__(self, home: Path, gallery: Gallery, events: Publisher, worker: Worker) -> None:
        super().__init__(home / "runs", Record, events, worker)
        self.gallery = gallery

    # ---- to look at ------------------------------------------------------------------------------------------------

    def summaries(self) -> list[dict[str, Any]]:
        """All runs as `RunSummary` in types.ts, the oldest first."""
        with self._lock:
            found = sorted(self._records.values(), key=lambda each: (each.started, each.id))
            return [each.summary() for each in found]

    def shown(self, run: object) -> dict[str, Any]:
        """A run as `Run` in types.ts."""
        found = self.get(run)
        folder, known = self.folder(found.id), found.known()
        columns = record.columns(record.rows(folder), len(known["terms"]))
        frames = kept_in(folder / "frames").plain()
        return known | {"steps_made": columns, "frames": frames, "command": command_line(found)}

    def folder(self, run: object) -> Path:
        """Where a run lies; raises Unknown."""
        return self.home / self.get(run).id

    def frame(self, run: object, index: int) -> tuple[bytes, bool]:
        """A frame as WebP, and whether it is the one asked for: the nearest stands in for one thinned out since."""
        folder = self.folder(run) / "frames"
        nearest = kept_in(folder).nearest(index)
        if nearest is None or not (path := folder / f"{nearest}.webp").is_file():
            raise Unknown("the run must have that frame", index, "choose one of its frames")
        return path.read_bytes(), nearest == index

    def result_path(self, run: object) -> Path:
        """The PNG with the recipe inside; raises Unknown as long as there is none."""
        self._wait_for_end(self.get(run))
        path = self.folder(run) / "result.png"
        if not path.is_file():
            raise Unknown("only a run that has ended has a result", self.get(run).state, "stop it, or wait")
        return path

    def result_name(self, run: object) -> str:
        """A safe name for the result's file."""
        return file_name(self.get(run).title, ".png", "painting")

    # ---- to begin and to end ---------------------------------------------------------------------------------------

    def create(self, request: Mapping[str, Any], *, demo: bool = False) -> Record:
        """Begin a run, as `RunRequest` in types.ts; raises a GramaryeError for what cannot be painted."""
        order = orders.read(request)
        made = self._record(order, demo)
        with self._lock:
            self._make_room()
            folder = self.home / made.id
            folder.mkdir()
        try:
            self._keep_inputs(order, made, folder)
            made.save(folder)
        except BaseException:
            shutil.rmtree(folder, ignore_errors=True)
            raise
        self._sit(made)
        return made

    def _record(self, order: Order, demo: bool) -> Record:
        title = " in the manner of ".join(
            (self.gallery.title_of(order.content), " and ".join(self.gallery.title_of(each) for each in order.styles))
        )
        settings = self._for_branch(order) if order.start else order.settings
        return Record(
            id=secrets.token_hex(8),
            title=title,
            content=order.content,
            styles=list(order.styles),
            preset=order.preset,
            settings=settings.to_dict(),
            started=datetime.now(UTC).isoformat(timespec="milliseconds"),
            steps=settings.steps,
            demo=demo,
            mask=order.mask is not None or self._masked(order),
            without=[list(pair) for pair in order.without],
            parent=None if order.start is None else {"run": order.start[0], "index": order.start[1]},
            names=[self._name(each) for each in (order.content, *order.styles)],
        )

    def _for_branch(self, order: Order) -> Settings:
        """The settings of a branch, which begins at the size that the frame was painted at, not smaller again.

        It gets the evaluations that the sizes from there on would have had; unless the request says otherwise.
        """
        assert order.start is not None
        parent, index = self.get(order.start[0]), order.start[1]
        sides = {frame[0]: max(frame[1:3]) for frame in kept_in(self.folder(parent.id) / "frames").frames}
        return branched(order, sides.get(index, SIDE) / max(parent.width, parent.height, 1))

    def _masked(self, order: Order) -> bool:
        """Whether a branch takes over the mask of its run: of the same photograph, and nothing said against it."""
        parent = self.get(order.start[0]) if order.start and not order.without else None
        return parent is not None and parent.mask and parent.content == order.content

    def _keep_inputs(self, order: Order, made: Record, folder: Path) -> None:
        """Copy the frame to start from, and the mask: the run is whole without the others."""
        if order.mask is not None:
            content = next(each for each in self.gallery.pictures() if each["id"] == made.content)
            orders.keep_mask(order.mask, folder / "mask.png", (content["height"], content["width"]))
        elif made.mask and order.start is not None:
            shutil.copyfile(self.folder(order.start[0]) / "mask.png", folder / "mask.png")
        if order.start is not None:
            data, exact = self.frame(*order.start)
            if not exact:
                raise Unknown("the run must have that frame", order.start[1], "choose one of its frames")
            made.start = "start.webp"
            (folder / made.start).write_bytes(data)

    def _name(self, picture: str) -> str:
        """A plain name for a picture's file."""
        path = self.gallery.path_of(picture)
        return path.name if picture.startswith("demo-") else file_name(self.gallery.title_of(picture), path.suffix)

    def _sit(self, made: Record, action: str = "resume") -> None:
        """Queue a run, with a first wish."""
        sitting = RunSitting(made, self.home / made.id, self.gallery, self.events, self._changed)
        getattr(sitting.wishes, action)()
        with self._lock:
            self._sittings[made.id] = sitting
            self._records[made.id] = made
        self.events.publish("run", made.summary())
        self.worker.begin(sitting)

    def remove(self, run: object) -> None:
        """Delete a run; raises Refusal while it is painted."""
        self._wait_for_end(self.get(run))
        super().remove(run)

    def _wait_for_end(self, found: Record) -> None:
        """Let a run that is over write what it has still to write."""
        with self._lock:
            sitting = self._sittings.get(found.id)
        if sitting is not None and found.state in OVER:
            sitting.over.wait(PATIENCE)

    def _make_room(self) -> None:
        """Delete the oldest finished runs until there is room for another; raises Full when that is not enough."""
        while len(self._records) >= MOST or bytes_in(self.home) > BYTES:
            over = [each for each in self.summaries() if each["state"] in OVER and not each["demo"]]
            over = [each for each in over if each["id"] not in self._sittings]
            if not over:
                raise Full(f"the studio keeps {MOST} runs and {BYTES / 1e9:g} GB", "one more", "delete some runs")
            self.remove(over[0]["id"])

    # ---- to steer --------------------------------------------------------------------------------------------------

    def _obey(self, found: Record, sitting: RunSitting | None, control: Mapping[str, Any]) -> None:
        if control["action"] != "change":
            super()._obey(found, sitting, control)
            return
        changes = orders.checked_changes(found.last, control.get("settings"))
        if sitting is None:
            found.pending = found.pending | changes
        else:
            sitting.wishes.change(changes)
        self._changed(found)

    def _untouched(self, found: Record) -> bool:
        return not (self.home / found.id / "checkpoint").exists()

    def _changed(self, found: Record) -> None:
        with self._lock:
            if found.id in self._sittings:
                found.pending = self._sittings[found.id].wishes.pending
        super()._changed(found)

    def _tell(self, found: Record) -> None:
        self.events.publish("run", found.summary())

    def _tell_gone(self, found: Record) -> None:
        self.events.publish("gone", {"run": found.id})

    # ---- how long it takes ----------------------------------------------------------------------------------------

    @property
    def speed(self) -> float | None:
        """Seconds for a million pixels evaluated once, as the last whole painting took; None before the first."""
        try:
            return float(json.loads((self.home / "speed.json").read_text()))
        except (OSError, ValueError, TypeError):
            return None

    def _learn(self, found: Record) -> None:
        """Note how fast a whole painting went."""
        effort = offers.effort(found.first, min(found.width, found.height) / max(found.width, found.height, 1))
        if found.state == "finished" and effort >= LEAST_EFFORT and not found.start:
            with suppress(GramaryeError):
                write_atomically(self.home / "speed.json", json.dumps(found.seconds / effort).encode())

    def estimate(self, preset: str) -> float | None:
        """About how many seconds a preset takes here; None as long as nothing was painted."""
        return offers.estimate(presets.preset(preset), self.speed)


def bytes_in(folder: Path) -> int:
    total = 0
    for place, _, names in os.walk(folder):
        for name in names:
            try:
                total += os.stat(os.path.join(place, name)).st_size  # noqa: PTH116, PTH118  many thousand of them
            except OSError:
                continue
    return total
