"""The studies of a folder as the page shows them: how far each is, what came of it, which picture is liked better.

Stores are only read, but for the answers to "which is better?", which are kept where `study tune --prefer` has them.
A study is called by a hash of its store's name and its own. Reading blocks: the routes do it in threads.
"""

from __future__ import annotations

import hashlib
import threading
import time
from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gramarye.errors import GramaryeError
from gramarye.studio import study_choices, study_shapes
from gramarye.studio.refusals import Unknown
from gramarye.studio.study_shapes import Kept, Plain

if TYPE_CHECKING:
    from gramarye.study.database import Database
    from gramarye.study.record import Record
    from gramarye.study.store import Store
    from gramarye.study.summary import Summary

    State = tuple[Database, int]  # of a store: what was read at one state holds until the next

PAGE = 2000  # trials in one answer
CURVES = 60  # in one answer, at most
PATIENCE = 10  # times as long as conclusions took, they are shown although the study went on
LETTERS = 16  # of an identifier


class Studies:
    """The stores that lie in a folder, or are that folder; without one, those of the working folder named *.study."""

    def __init__(self, folder: Path | None = None) -> None:
        self.folder, self._pattern = folder or Path.cwd(), "*" if folder else "*.study"
        self._lock, self._decoding = threading.RLock(), threading.Lock()
        self._stores: dict[Path, tuple[int, Store]] = {}
        self._summaries: dict[str, tuple[State, Summary]] = {}
        self._records: tuple[str, State, Sequence[Record]] | None = None
        self._told: dict[str, _Told] = {}
        self._seen: dict[str, Plain] | None = None

    def summaries(self) -> list[Plain]:
        """Every study as a StudySummary; a store that cannot be read says so. Raises MissingExtraError."""
        from gramarye.study.database import require

        require()
        found = []
        for folder in self._folders():
            try:
                found += [self._summarised(kept) for kept in self._kept(folder)]
            except (GramaryeError, OSError) as error:
                found.append(_unreadable(folder, error))
        return found

    def study(self, identifier: str, offset: int = 0) -> Plain:
        """A study as a Study, with PAGE trials from the place `offset` on; raises a GramaryeError."""
        kept = self._find(identifier)
        summary, records = self._summary(kept), self._read(kept)
        shown, told = list(records[offset : offset + PAGE]), self._concluded(kept, records)
        errors = kept.store.errors(kept.name)
        return {
            **self._summarised(kept),
            "groups": study_shapes.groups(kept, summary, shown),
            "scores": study_shapes.scores(shown),
            "trials_table": [study_shapes.trial(kept, record) for record in shown],
            "findings": told.findings,
            "warnings": [*told.warnings, *study_shapes.remarks(summary), *study_shapes.failures(errors)],
            **study_choices.asked(kept, records),
        }

    def curves(self, identifier: str, numbers: Sequence[int]) -> Plain:
        """The total loss of some finished trials by evaluation, thinned to POINTS; raises a GramaryeError."""
        kept = self._find(identifier)
        found = []
        for number in numbers[:CURVES]:
            record = self._record(kept, number)
            if (ledger := study_shapes.ledger(kept, record)) is not None:
                found.append({"trial": number, **study_shapes.curve(ledger)})
        return {"curves": found}

    def picture(self, identifier: str, number: int) -> Path:
        """Where the picture of a trial lies, named by its content; raises Unknown where there is none."""
        kept = self._find(identifier)
        record = self._record(kept, number)
        if record.picture is None:
            raise Unknown("only a finished trial has a picture", f"trial {number}, {record.state}")
        return study_shapes.inside(kept, record.picture)

    def thumbnail(self, path: Path, side: int) -> bytes:
        """A WebP of the picture in a file, its longer side at most `side` pixels; raises ImageError."""
        from gramarye import images, inline

        with self._decoding:  # one at a time: a contact sheet asks for dozens at once
            return inline.encoded(inline.shrunk(images.load(path).pixels, side), "WEBP", quality=84)

    def prefer(self, identifier: str, answer: Mapping[str, Any]) -> Plain:
        """Keep an answer to "which is better?" and ask the next; raises a GramaryeError."""
        kept = self._find(identifier)
        with self._lock:
            study_choices.keep(kept, answer, lambda number: self._record(kept, number))
            return study_choices.asked(kept, self._read(kept))

    def changed(self) -> list[str]:
        """The studies that are further than they were when this was last asked; none the first time."""
        now = {each["id"]: each for each in self.summaries()}
        before, self._seen = self._seen, now
        return [] if before is None else [each for each in now | before if now.get(each) != before.get(each)]

    # ---- beneath -------------------------------------------------------------------------------------

    def _folders(self) -> list[Path]:
        from gramarye.study.store import DATABASE

        known = [self.folder, *self.folder.glob(self._pattern)]
        return sorted(folder for folder in known if (folder / DATABASE).is_file())

    def _kept(self, folder: Path) -> Iterator[Kept]:
        store = self._opened(folder)
        for name in store.studies:
            yield Kept(_identifier(folder, name), name, folder, store)

    def _opened(self, folder: Path) -> Store:
        """The store in a folder as it is now; a connection to it is made once, and anew for another file."""
        from gramarye.study.store import DATABASE, Store

        file = (folder / DATABASE).stat().st_ino
        with self._lock:
            known = self._stores.get(folder)
            if known is None or known[0] != file:
                known = self._stores[folder] = (file, Store.open(folder))
        return Store(known[1].database, known[1].archive, known[1].name)

    def _find(self, identifier: str) -> Kept:
        for folder in self._folders():
            try:
                found = next((kept for kept in self._kept(folder) if kept.id == identifier), None)
            except (GramaryeError, OSError):
                if identifier == _identifier(folder):
                    raise
                continue
            if found is not None:
                return found
        raise Unknown("a study must be one of those that are there", identifier[:40], "open the list of studies again")

    def _summary(self, kept: Kept) -> Summary:
        state = _state(kept)
        known = self._summaries.get(kept.id)
        if known is None or known[0] != state:
            known = self._summaries[kept.id] = (state, kept.store.summary(kept.name))
        return known[1]

    def _summarised(self, kept: Kept) -> Plain:
        """A study as a StudySummary."""
        summary = self._summary(kept)
        working = bool(summary.running) and kept.store.at_work(kept.name)
        return {
            "id": kept.id,
            "name": kept.name,
            "question": study_shapes.question(kept),
            "state": "running" if working else "stopped" if summary.left else "done",
            "trials": {state: count for state, count in summary.counts.items() if count},
            "total": summary.total,
        }

    def _read(self, kept: Kept) -> Sequence[Record]:
        """All records of a study, read once for each state of its store; of one study at a time."""
        state = _state(kept)
        if (known := self._records) is None or known[:2] != (kept.id, state):
            known = self._records = (kept.id, state, kept.store.records(kept.name))
        return known[2]

    def _record(self, kept: Kept, number: int) -> Record:
        records = self._read(kept)
        place = bisect_left(records, number, key=lambda record: record.trial.number)
        if place == len(records) or records[place].trial.number != number:
            raise Unknown(f"a trial of {kept.name} must be one of its plan", number)
        return records[place]

    def _concluded(self, kept: Kept, records: Sequence[Record]) -> _Told:
        """What a study came to; while it goes on not made anew so often that nothing else is done."""
        finished = (self._summary(kept).ended, len(records))
        known = self._told.get(kept.id)
        if known is None or (known.of != finished and time.monotonic() > known.until):
            began = time.monotonic()
            findings, warnings = study_shapes.conclusions(kept, records)
            until = time.monotonic() + PATIENCE * (time.monotonic() - began)
            known = self._told[kept.id] = _Told(finished, until, findings, warnings)
        return known


@dataclass(frozen=True)
class _Told:
    """Findings and warnings `of` so many finished trials of so many."""

    of: tuple[int, int]
    until: float
    findings: list[Plain]
    warnings: list[str]


def _identifier(folder: Path, study: str = "") -> str:
    return hashlib.sha256(f"{folder.name}\0{study}".encode()).hexdigest()[:LETTERS]


def _state(kept: Kept) -> State:
    return kept.store.database, kept.store.database.version()


def _unreadable(folder: Path, error: Exception) -> Plain:
    """A StudySummary of a store that cannot be read."""
    told = {"id": _identifier(folder), "name": folder.name, "question": str(error)}
    return {**told, "state": "stopped", "trials": {}, "total": 0}
