"""What is made before anybody asks: a run of each bundled painting, and what the lens shows of the first of them.

All of it is low priority, goes on after a restart where it was, and is never made twice. A demo run that was deleted
stays away.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from gramarye.files import write_atomically
from gramarye.layers import STYLE_LAYERS
from gramarye.pulling import Work, part_of
from gramarye.studio.frames import kept_in
from gramarye.studio.gallery import bundled_paths
from gramarye.studio.kept import OVER
from gramarye.studio.refusals import Unknown

if TYPE_CHECKING:
    from gramarye.studio.questions import Question
    from gramarye.studio.record import Record
    from gramarye.studio.studio import Studio

PHOTOGRAPH, FIRST = "demo-photograph", "demo-swirl"  # FIRST: the one that the tour speaks of
SETTINGS = {"size": 256, "steps": 96}
MADE = "demo.json"  # in the studio's folder: the run of each painting
PAUSE = 0.02  # seconds between two looks at a run that somebody else paints


def begin(studio: Studio) -> threading.Thread:
    """Have it made on the worker's thread, when torch is in and nothing else is to be done."""

    def wait() -> None:
        studio.loaded.wait()
        studio.worker.idle(partial(prepare, studio))

    thread = threading.Thread(target=wait, name="warming", daemon=True)
    thread.start()
    return thread


def prepare(studio: Studio) -> Work[None]:
    """Everything, one thing after another; the runs are painted by the studio's worker, which must be at work."""
    paintings = sorted((each for each in bundled_paths() if each != PHOTOGRAPH), key=lambda each: each != FIRST)
    for number, painting in enumerate(paintings):
        share = number / len(paintings), (number + 1) / len(paintings)
        yield from part_of(_shown(studio, painting), *share)


def _shown(studio: Studio, painting: str) -> Work[None]:
    """One run, and what the lens shows of it; a run that is gone in the meantime is passed over."""
    yield 0.0
    try:
        record = _begun(studio, painting)
        if record is None:
            return
        yield from part_of(_painted(studio, record), 0.0, 0.3)
        record = studio.runs.get(record.id)
        asked = list(questions(studio, record, everything=painting == FIRST))
        for number, question in enumerate(asked):
            if studio.lens.ready(question) is None:
                work = studio.lens.answer(question)
                yield from part_of(work, 0.3 + 0.7 * number / len(asked), 0.3 + 0.7 * (number + 1) / len(asked))
    except Unknown:
        return


def _begun(studio: Studio, painting: str) -> Record | None:
    """The run of a painting: as it is, taken up again, or begun; None for one that was deleted."""
    made = _made(studio.home)
    if painting in made:
        try:
            record = studio.runs.get(made[painting])
        except Unknown:
            return None
        if record.state == "interrupted":
            studio.runs.control(record.id, {"action": "resume"})
        return record
    request = {"content": PHOTOGRAPH, "styles": [painting], "preset": "draft", "settings": SETTINGS}
    record = studio.runs.create(request, demo=True)
    write_atomically(studio.home / MADE, json.dumps(made | {painting: record.id}).encode())
    return record


def _made(home: Path) -> dict[str, str]:
    try:
        found = json.loads((home / MADE).read_text())
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _painted(studio: Studio, record: Record) -> Work[None]:
    """Wait until a run is over; not for one that somebody has paused."""
    resting = threading.Event()
    while record.state in ("waiting", "running"):
        yield record.index / max(record.steps, 1)
        if threading.current_thread().name != "worker":
            resting.wait(PAUSE)
        record = studio.runs.get(record.id)
    if record.state not in OVER:
        raise Unknown("a run must be over to be shown", record.state)


def questions(studio: Studio, record: Record, *, everything: bool) -> Iterator[Question]:
    """What is asked of a demo run beforehand: what is quick, and with `everything` what takes seconds each."""
    lens, frames = studio.lens, kept_in(studio.runs.folder(record.id) / "frames").plain()
    for layer in STYLE_LAYERS:
        yield lens.channels(record, layer)
        yield lens.gram(record, layer)
        yield lens.shuffle(record, layer, 0)
    for frame in frames:
        yield lens.pulls(record, frame["index"])
    for layer in STYLE_LAYERS if everything else ():
        yield lens.rebuilt(record, layer)
    for layer in STYLE_LAYERS if everything else ():
        yield lens.texture(record, layer, False)
        yield lens.texture(record, layer, True)
