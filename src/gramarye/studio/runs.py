"""All runs: begun, steered, kept on the disk and found again. In memory are only those that are under way.

After a restart finished runs are there as they were; those that were not finished are `interrupted`, and `resume`
takes them up again.
"""

from __future__ import annotations

import json
import logging
import os
import re
import secrets
import shutil
import threading
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
from gramarye.studio.orders import Order, branched
from gramarye.studio.painting import Sitting
from gramarye.studio.record import OVER, UNFINISHED, Record
from gramarye.studio.refusals import Full, Refusal, Unknown
from gramarye.studio.worker import Publisher, Worker

MOST, BYTES = 300, 2_000_000_000  # runs, and what they may take on the disk
PATIENCE = 60.0  # seconds
ACTIONS = ("pause", "resume", "step", "stop", "change")
REMEDY = "choose one from the list"
LEAST_EFFORT = 0.5  # millions of pixels evaluated; a smaller painting tells little about a larger one's time
_log = logging.getLogger(__name__)


class Runs:
    """The runs in `home`/runs; every method may be called from any thread."""

    def __init__(self, home: Path, gallery: Gallery, events: Publisher, worker: Worker) -> None:
        self.home = home / "runs"
        self.home.mkdir(parents=True, exist_ok=True)
        self.gallery, self.events, self.worker = gallery, events, worker
        self._lock = threading.RLock()
        self._sittings: dict[str, Sitting] = {}
        self._summaries: dict[str, dict[str, Any]] = {}
        for found in _found(self.home):
            self._summaries[found.id] = found.summary()

    # ---- to look at ------------------------------------------------------------------------------------------------

    def summaries(self) -> list[dict[str, Any]]:
        """All runs as `RunSummary` in types.ts, the oldest first."""
        with self._lock:
            live = {run: sitting.record.summary() for run, sitting in self._sittings.items()}
            found = list((self._summaries | live).values())
        return sorted(found, key=lambda summary: (summary["started"], summary["id"]))

    def get(self, run: object) -> Record:
        """What is known of a run; raises Unknown for anything but an identifier from here."""
        with self._lock:
            if not isinstance(run, str) or run not in self._summaries:
                raise Unknown("there must be a run with that identifier", repr(run)[:80], REMEDY)
            if run in self._sittings:
                return self._sittings[run].record
        try:
            return record.read(self.home / run)
        except FileNotFoundError as error:  # deleted meanwhile
            raise Unknown("there must be a run with that identifier", repr(run), REMEDY) from error

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
        sitting = Sitting(made, self.home / made.id, self.gallery, self.events, self._changed)
        getattr(sitting.wishes, action)()
        with self._lock:
            self._sittings[made.id] = sitting
            self._summaries[made.id] = made.summary()
        self.events.publish("run", made.summary())
        self.worker.begin(sitting)

    def remove(self, run: object) -> None:
        """Delete a run; raises Refusal while it is painted."""
        found = self.get(run)
        self._wait_for_end(found)
        with self._lock:
            sitting = self._sittings.get(found.id)
            if sitting is not None and not self.worker.leave(sitting):
                raise Refusal("a run is deleted when it is not being painted", found.state, "stop it first")
            self._sittings.pop(found.id, None)
            self._summaries.pop(found.id, None)
        shutil.rmtree(self.home / found.id, ignore_errors=True)
        self.events.publish("gone", {"run": found.id})

    def _wait_for_end(self, found: Record) -> None:
        """Let a run that is over write what it has still to write."""
        with self._lock:
            sitting = self._sittings.get(found.id)
        if sitting is not None and found.state in OVER:
            sitting.over.wait(PATIENCE)

    def _make_room(self) -> None:
        """Delete the oldest finished runs until there is room for another; raises Full when that is not enough."""
        while len(self._summaries) >= MOST or bytes_in(self.home) > BYTES:
            over = [each for each in self.summaries() if each["state"] in OVER and not each["demo"]]
            over = [each for each in over if each["id"] not in self._sittings]
            if not over:
                raise Full(f"the studio keeps {MOST} runs and {BYTES / 1e9:g} GB", "one more", "delete some runs")
            self.remove(over[0]["id"])

    # ---- to steer --------------------------------------------------------------------------------------------------

    def control(self, run: object, control: Mapping[str, Any]) -> Record:
        """Do what `Control` in types.ts says; raises a GramaryeError where the run's state does not allow it."""
        action = control.get("action")
        if action not in ACTIONS:
            raise Refusal(f"an action is one of {', '.join(ACTIONS)}", repr(action)[:80])
        with self._lock:
            found = self.get(run)
            if found.state in OVER:
                raise Refusal(
                    "a run that is over stays as it is", f"{action} of one that is {found.state}", "branch from it"
                )
            sitting = self._sittings.get(found.id)
            if action == "change":
                self._change(found, sitting, control.get("settings"))
            elif sitting is None:
                self._take_up(found, action)
            else:
                self._steer(sitting, action)
        self.worker.wake()
        return found

    def _change(self, found: Record, sitting: Sitting | None, settings: object) -> None:
        changes = orders.checked_changes(found.last, settings)
        if sitting is None:
            found.pending = found.pending | changes
        else:
            sitting.wishes.change(changes)
        self._changed(found)

    def _take_up(self, found: Record, action: str) -> None:
        """What an interrupted run is told."""
        if action == "pause":
            raise Refusal("only a run that is painted can be paused", found.state, "resume it, or leave it")
        found.state, found.error = "waiting", None
        found.save(self.home / found.id)
        self._sit(found, action)

    def _steer(self, sitting: Sitting, action: str) -> None:
        getattr(sitting.wishes, action)()
        found = sitting.record
        untouched = not (self.home / found.id / "checkpoint").exists()
        if action == "stop" and untouched and self.worker.leave(sitting):
            found.state = "stopped"
            sitting.over.set()
        elif sitting.at_work:
            return  # it tells when it has come to that
        else:
            found.state = "paused" if sitting.wishes.resting else "waiting"
        self._changed(found)

    def _changed(self, found: Record) -> None:
        """Keep and tell a record; forget the sitting of a run that is over."""
        with self._lock:
            if found.id not in self._summaries:
                return
            if found.id in self._sittings:
                found.pending = self._sittings[found.id].wishes.pending
            try:
                found.save(self.home / found.id)
            except GramaryeError as error:  # a full disk; the painting goes on
                _log.warning("run %s: %s", found.id, error)
            self._summaries[found.id] = found.summary()
            sitting = self._sittings.get(found.id)
            if sitting is not None and sitting.over.is_set():
                del self._sittings[found.id]
                self._learn(found)
        self.events.publish("run", found.summary())

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


def _found(home: Path) -> list[Record]:
    """The runs on the disk; those that were under way are interrupted, and what is no run is passed over."""
    kept = []
    for folder in home.iterdir():
        try:
            if not re.fullmatch(r"[0-9a-f]{16}", folder.name):
                continue
            found = record.read(folder)
        except (OSError, ValueError, TypeError, KeyError):
            continue
        if found.state in UNFINISHED:
            last = record.mend_rows(folder)
            found.state, found.remaining = "interrupted", None
            found.index = last["index"] if last else 0
            newest = kept_in(folder / "frames").newest
            found.frame = newest if newest >= 0 else None
            found.save(folder)
        kept.append(found)
    return kept


def bytes_in(folder: Path) -> int:
    total = 0
    for place, _, names in os.walk(folder):
        for name in names:
            try:
                total += os.stat(os.path.join(place, name)).st_size  # noqa: PTH116, PTH118  many thousand of them
            except OSError:
                continue
    return total
