"""The store of a study: trials are put in, claimed, finished; what is finished is never lost, doubled or redone.

A store is a folder (SQLite's `study.db`, and `files/`) or a PostgreSQL database and a folder for the files. It may hold
several studies, each an Optuna study of the plan's name; a trial is an Optuna trial that carries ours as the
user attribute "trial" and what it came to as "outcome".

A trial is claimed in one transaction and belongs then to one process. It is done in one transaction, after its files
are on the disk and only while it belongs to the process that says so. A process that is no more, or on
another machine has not been heard of for LEASE seconds, loses its trial, which waits again; twice so, or after two
errors, it is set aside. Trials with one key come to the same picture: one of them is painted, for all.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gramarye.errors import StudyError, unknown_name
from gramarye.study import adding, encoding, owner, reading
from gramarye.study.archive import Archive
from gramarye.study.database import OURS, Database, require
from gramarye.study.record import Outcome, Record, Trial
from gramarye.study.summary import Summary

if TYPE_CHECKING:
    from optuna.storages import RDBStorage
    from sqlalchemy import Connection

TRIES = 2  # after which a trial is set aside
BEAT, LEASE = 10.0, 90.0  # seconds between signs of life, and without any until a trial is given to another
DATABASE, FILES = "study.db", "files"
FOLDER = ".study"  # the end of the name of a store that nobody named
FINISHED = {"done": "COMPLETE", "pruned": "PRUNED"}


@dataclass(frozen=True)
class Claim:
    """A trial that this process may paint, being the `tries`-th to begin it."""

    trial: Trial
    row: int
    owner: str
    tries: int


@dataclass(frozen=True)
class Added:
    """What `Store.add` found: new trials, those known, and those that the plan does not have any more."""

    new: int
    known: int
    left_out: int


class Store:
    """Everything that is known of one or more studies. May be shared by threads; each process opens it for itself."""

    def __init__(self, database: Database, archive: Archive, name: str) -> None:
        self.database, self.archive, self.name = database, archive, name

    @classmethod
    def open(cls, where: str | Path, files: str | Path | None = None) -> Store:
        """The store in a folder, or in the PostgreSQL database of a URL with its `files` in a folder.

        A folder is for the processes of one machine: SQLite's locks do not hold on a network's disk. Nothing is made
        until something is added. Raises StudyError, MissingExtraError.
        """
        require()
        if "://" not in str(where):
            folder = Path(where)
            if "?" in str(folder.absolute()):
                raise StudyError("a store's folder must have no question mark in its name", str(where))
            if folder.exists() and not folder.is_dir():
                raise StudyError("a store is a folder or a URL", f"a file, {folder}", "choose another name")
            return cls(Database(folder / DATABASE), Archive(Path(files or folder / FILES)), str(where))
        if not str(where).startswith(("postgresql://", "postgres://", "postgresql+psycopg://")):
            raise StudyError("a store's address must be that of a PostgreSQL database", str(where).partition(":")[0])
        if files is None:
            remedy = "add --files DIR: a folder that all machines share"
            raise StudyError("a store on PostgreSQL needs a folder for its pictures", "none", remedy)
        address = str(where).replace("postgres://", "postgresql://", 1)
        return cls(Database(address), Archive(Path(files)), str(where))

    def add(self, study: str, trials: Sequence[Trial], scores: Mapping[str, str] | None = None) -> Added:
        """Put in the trials of a plan, begin its study if there is none: those that are there already stay as they are.

        `scores` names those that Optuna's tools are to show as values, each "lower" or "higher" being better; they
        count when a study is begun. Trials that the plan has no more are kept and not painted.
        """
        if not self._has(study):
            adding.begin(self.database.optuna(), study, scores or {})
        number = self._number(study)
        with self.database.writing(number) as connection:
            return Added(*adding.put(self.database, connection, number, trials))

    def optuna(self) -> RDBStorage:
        """Optuna's own storage on this store, for `optuna.load_study(storage=…)`."""
        return self.database.optuna()

    # ---- whose turn it is ----------------------------------------------------------------------------

    def claim(self, study: str, worker: str | None = None, *, most: int | None = None) -> Claim | None:
        """The next trial for `worker` (this process), fresh ones before those that failed; None if none waits.

        Trials whose owners are no more are given back before. Once `most` trials have been begun, none is.
        """
        worker, number = worker or owner.me(), self._number(study)
        self.release(study)
        with self.database.writing(number) as connection:
            found = connection.execute(self._next, {"study": number}).first()
            if found is None or (most is not None and self._begun(connection, number) >= most):
                return None
            row, place, tries = found
            self._set(connection, row, "RUNNING", datetime_start=_now())
            seen = self.database.now(connection)
            self._note(connection, row, tries=tries + 1, owner=worker, seen=seen)
            trial = reading.trial(self.database, connection, number, row, place)
        return Claim(trial, row, worker, tries + 1)

    def heartbeat(self, claim: Claim) -> bool:
        """Say that a trial is still being painted; False if it belongs to this process no more."""
        with self.database.writing() as connection:
            return self._note(connection, claim.row, claim.owner, seen=self.database.now(connection))

    def finish(self, claim: Claim, outcome: Outcome, state: str = "done") -> bool:
        """Keep what a trial has come to, for good, also for those with the same key; `state` is done or pruned.

        False if it belongs to this process no more: what another one makes of it will count, or counts already.
        """
        names = self.archive.keep(outcome.picture, ".png"), self.archive.keep(outcome.ledger, ".json")
        text = encoding.outcome_to_json(outcome, *names)
        known = {"seconds": outcome.seconds, "version": outcome.version, "error": "", "owner": None}
        with self.database.writing() as connection:
            if not self._note(connection, claim.row, claim.owner, **known):
                return False
            rows = [claim.row, *self._twins(connection, claim.row)] if state == "done" else [claim.row]
            for row in rows:
                self._note(connection, row, **known)
                self._set(connection, row, FINISHED[state], datetime_complete=_now())
                adding.put_outcome(self.database, connection, row, text, outcome.scores, state == "done")
        return True

    def fail(self, claim: Claim, error: str) -> None:
        """A trial came to nothing: it waits for another try, or is set aside if this was the last one."""
        with self.database.writing() as connection:
            self._lose(connection, claim.row, claim.owner, claim.tries, error)

    def give_back(self, claim: Claim) -> None:
        """A trial was not painted to its end, by nobody's fault: it waits as if it had not been begun."""
        self._unbegin(claim.row, claim.owner, claim.tries)

    def release(self, study: str, *, stopped: Iterable[str] = ()) -> int:
        """Let go of the trials whose owners are no more; those of the processes `stopped`, ended on purpose, unharmed.

        Returns how many.
        """
        number, ended, count = self._number(study), set(stopped), 0
        table = self.database.tables[OURS]
        held = table.select().where(table.c.study_id == number, table.c.owner.is_not(None))
        with self.database.reading() as connection:
            now, rows = self.database.now(connection), connection.execute(held).all()
        for row in rows:
            if row.owner in ended and not owner.alive(row.owner):
                self._unbegin(row.trial_id, row.owner, row.tries)
            elif _is_gone(row.owner, row.seen, now):
                error = f"its worker ended without a word ({owner.in_words(row.owner)})"
                with self.database.writing() as connection:
                    self._lose(connection, row.trial_id, row.owner, row.tries, error)
            else:
                continue
            count += 1
        return count

    def at_work(self, study: str) -> bool:
        """Whether a process holds a trial that is still there; nothing is changed."""
        table, number = self.database.tables[OURS], self._number(study)
        held = table.select().where(table.c.study_id == number, table.c.owner.is_not(None))
        with self.database.reading() as connection:
            now, rows = self.database.now(connection), connection.execute(held).all()
        return any(not _is_gone(row.owner, row.seen, now) for row in rows)

    def retry(self, study: str) -> int:
        """Let trials that were set aside wait again, as if never tried; returns how many."""
        ours, trials = self.database.tables[OURS], self.database.tables["trials"]
        number = self._number(study)
        with self.database.writing(number) as connection:
            chosen = ours.select().join(trials, trials.c.trial_id == ours.c.trial_id)
            rows = connection.execute(chosen.where(ours.c.study_id == number, trials.c.state == "FAIL")).all()
            for row in rows:
                self._note(connection, row.trial_id, tries=0, error="")
                self._set(connection, row.trial_id, "WAITING", datetime_complete=None)
        return len(rows)

    # ---- what is known -------------------------------------------------------------------------------

    @property
    def studies(self) -> tuple[str, ...]:
        """The names of the studies in this store."""
        return tuple(self._studies)

    def records(self, study: str) -> Sequence[Record]:
        """Every trial of the plan in its order, and what has become of it; as of now, whatever comes after."""
        with self.database.reading() as connection:
            return reading.records(self.database, connection, self._number(study))

    def summary(self, study: str) -> Summary:
        """How far a study is."""
        with self.database.reading() as connection:
            return reading.summary(self.database, connection, study, self._number(study))

    def errors(self, study: str) -> list[tuple[int, str, str]]:
        """Number, state and error of the trials that failed and are not done, in their order."""
        with self.database.reading() as connection:
            return reading.errors(self.database, connection, self._number(study))

    def path(self, name: str) -> Path:
        """Where a record's picture or ledger lies."""
        return self.archive.path(name)

    def ledger(self, record: Record) -> dict[str, Any]:
        """The curves of a finished trial, as study/ledger.py describes them."""
        if record.ledger is None:
            raise StudyError("only a finished trial has a ledger", f"trial {record.trial.number}, {record.state}")
        plain: dict[str, Any] = json.loads(self.path(record.ledger).read_bytes())
        return plain

    # ---- beneath -------------------------------------------------------------------------------------

    @cached_property
    def _studies(self) -> dict[str, int]:
        table = self.database.tables["studies"]
        with self.database.reading() as connection:
            return {
                row.study_name: row.study_id for row in connection.execute(table.select().order_by(table.c.study_id))
            }

    def _has(self, study: str) -> bool:
        """Whether the store is there, and the study in it."""
        try:
            self._number(study)
        except StudyError:
            return False
        return True

    def _number(self, study: str) -> int:
        """Optuna's number of a study; raises StudyError with the nearest known name."""
        if study not in self._studies:
            self.__dict__.pop("_studies", None)  # it may have been begun since
        if study not in self._studies:
            raise StudyError(*unknown_name(f"study in {self.name}", study, self._studies))
        return self._studies[study]

    @cached_property
    def _next(self) -> Any:
        """The statement that finds the next trial: of the plan, waiting, no other with its key being painted."""
        from sqlalchemy import bindparam, exists, select

        ours, trials = self.database.tables[OURS], self.database.tables["trials"]
        other = ours.alias()
        twin_runs = exists().where(
            other.c.study_id == ours.c.study_id, other.c.key == ours.c.key, other.c.owner.is_not(None)
        )
        return (
            select(ours.c.trial_id, ours.c.number, ours.c.tries)
            .join(trials, trials.c.trial_id == ours.c.trial_id)
            .where(ours.c.study_id == bindparam("study"), ours.c.number.is_not(None), trials.c.state == "WAITING")
            .where(~twin_runs)
            .order_by(ours.c.tries, ours.c.number)
            .limit(1)
        )

    def _begun(self, connection: Connection, number: int) -> int:
        """How many trials do not wait."""
        from sqlalchemy import func, select

        trials = self.database.tables["trials"]
        chosen = select(func.count()).where(trials.c.study_id == number, trials.c.state != "WAITING")
        return int(connection.execute(chosen).scalar_one())

    def _twins(self, connection: Connection, row: int) -> list[int]:
        """Trials of the same study and key as `row`'s that wait, or were set aside."""
        from sqlalchemy import select

        ours, trials = self.database.tables[OURS], self.database.tables["trials"]
        this = connection.execute(ours.select().where(ours.c.trial_id == row)).one()
        chosen = select(ours.c.trial_id).join(trials, trials.c.trial_id == ours.c.trial_id)
        same = chosen.where(ours.c.study_id == this.study_id, ours.c.key == this.key, ours.c.trial_id != row)
        return list(connection.execute(same.where(trials.c.state.in_(["WAITING", "FAIL"]))).scalars())

    def _unbegin(self, row: int, holder: str, tries: int) -> None:
        """Let a trial of `holder` wait as before it was begun for the `tries`-th time."""
        with self.database.writing() as connection:
            if self._note(connection, row, holder, tries=tries - 1, owner=None):
                self._set(connection, row, "WAITING", datetime_start=None)

    def _lose(self, connection: Connection, row: int, holder: str, tries: int, error: str) -> None:
        """Take a trial from its owner, who has come to nothing with it."""
        if self._note(connection, row, holder, owner=None, error=error):
            last = {"datetime_complete": _now()} if tries >= TRIES else {}
            self._set(connection, row, "FAIL" if tries >= TRIES else "WAITING", **last)

    def _set(self, connection: Connection, row: int, state: str, **known: Any) -> None:
        """Give a trial another state in Optuna's eyes."""
        table = self.database.tables["trials"]
        connection.execute(table.update().where(table.c.trial_id == row).values(state=state, **known))

    def _note(self, connection: Connection, row: int, holder: str | None = None, /, **known: Any) -> bool:
        """Write into our table what is known of a trial; with a `holder` only if that is its owner: whether it is."""
        table = self.database.tables[OURS]
        chosen = table.update().where(table.c.trial_id == row)
        if holder is not None:
            chosen = chosen.where(table.c.owner == holder)
        return connection.execute(chosen.values(**known)).rowcount == 1


def place_of(study: str) -> Path:
    """The store of a plan where none is named: a folder here."""
    return Path(f"{study}{FOLDER}")


def _is_gone(holder: str, seen: float, now: float) -> bool:
    """Whether a process is no more: one of this machine, or one of another that has been silent for too long."""
    here = owner.alive(holder)
    return now - seen > LEASE if here is None else not here


def _now() -> datetime:
    """As Optuna keeps times: UTC, and no word of it."""
    return datetime.now(UTC).replace(tzinfo=None)
