"""Reading a store's tables in plain SQL: Optuna takes minutes to load 100 000 trials."""

from __future__ import annotations

import gc
import json
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cached_property
from typing import TYPE_CHECKING, Any, overload

from gramarye.settings import Settings
from gramarye.study import encoding, owner
from gramarye.study.adding import BASE, OUTCOME, TRIAL
from gramarye.study.database import OURS, Database
from gramarye.study.record import Record, Trial
from gramarye.study.summary import Experiment, Summary

if TYPE_CHECKING:
    from sqlalchemy import Connection

STATES = {"RUNNING": "running", "COMPLETE": "done", "PRUNED": "pruned", "FAIL": "set aside"}


def trial(database: Database, connection: Connection, study: int, row: int, number: int) -> Trial:
    """One trial."""
    attributes = database.tables["trial_user_attributes"]
    chosen = attributes.select().where(attributes.c.trial_id == row, attributes.c.key == TRIAL)
    text = connection.execute(chosen).one().value_json
    return encoding.trial_from_json(text, number, bases(database, connection, study))


def bases(database: Database, connection: Connection, study: int) -> dict[str, Settings]:
    """The settings of which trials are changes, by their names."""
    table = database.tables["study_user_attributes"]
    chosen = table.select().where(table.c.study_id == study, table.c.key.startswith(BASE))
    found = {row.key.removeprefix(BASE): row.value_json for row in connection.execute(chosen)}
    return {name: _settings(text) for name, text in found.items()}


_read: dict[str, Settings] = {}


def _settings(text: str) -> Settings:
    """Settings from their JSON; each text is read once."""
    if text not in _read:
        _read[text] = Settings.from_json(text)
    return _read[text]


def records(database: Database, connection: Connection, study: int) -> Records:
    """Every trial of the plan in its order, and what has become of it."""
    from sqlalchemy import select

    ours, trials = database.tables[OURS], database.tables["trials"]
    attributes = database.tables["trial_user_attributes"]
    known, come_to = attributes.alias(), attributes.alias()
    chosen = (
        select(
            ours.c.number,
            trials.c.state,
            ours.c.tries,
            ours.c.version,
            ours.c.error,
            known.c.value_json,
            come_to.c.value_json,
        )
        .join(trials, trials.c.trial_id == ours.c.trial_id)
        .join(known, (known.c.trial_id == ours.c.trial_id) & (known.c.key == TRIAL))
        .outerjoin(come_to, (come_to.c.trial_id == ours.c.trial_id) & (come_to.c.key == OUTCOME))
        .where(ours.c.study_id == study, ours.c.number.is_not(None))
        .order_by(ours.c.number)
    )
    with _uncollected():
        rows = connection.execute(chosen).all()
    return Records(rows, bases(database, connection, study))


class Records(Sequence[Record]):
    """Records as rows of a database, each made when it is first asked for: 100 000 take seconds, their rows do not."""

    def __init__(self, rows: Sequence[Any], bases: dict[str, Settings]) -> None:
        self._rows, self._bases = rows, bases

    @cached_property
    def _all(self) -> list[Record]:
        with _uncollected():
            return [_record(row, self._bases) for row in self._rows]

    def __len__(self) -> int:
        return len(self._rows)

    def __iter__(self) -> Iterator[Record]:
        return iter(self._all)

    @overload
    def __getitem__(self, place: int) -> Record: ...
    @overload
    def __getitem__(self, place: slice) -> Records: ...
    def __getitem__(self, place: int | slice) -> Record | Records:
        if isinstance(place, slice):
            return Records(self._rows[place], self._bases)
        return self._all[place] if "_all" in vars(self) else _record(self._rows[place], self._bases)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sequence) and list(self) == list(other)

    __hash__ = None  # type: ignore[assignment]  # as that of a list


def _record(row: Any, bases: dict[str, Settings]) -> Record:
    number, state, tries, version, error, trial_text, outcome_text = row
    return Record(
        trial=encoding.trial_from_json(trial_text, number, bases),
        state=_state(state, error),
        tries=tries,
        error=error,
        **(json.loads(outcome_text) if outcome_text else {"version": version or ""}),
    )


def _state(state: str, error: str) -> str:
    """Our word for Optuna's state."""
    return ("failed" if error else "waiting") if state == "WAITING" else STATES[state]


@contextmanager
def _uncollected() -> Iterator[None]:
    """No search for cycles while a million objects are made that have none: it would take half of the time."""
    was = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was:
            gc.enable()


def summary(database: Database, connection: Connection, study: str, number: int) -> Summary:
    """How far a study is, counted by the database."""
    from sqlalchemy import select

    ours = database.tables[OURS]
    rows = connection.execute(_counts(database, number)).all()
    planned = [row for row in rows if row.planned]
    versions: dict[str, int] = defaultdict(int)
    for row in planned:
        if row.state == "COMPLETE":
            versions[row.version or ""] += row.trials
    held = select(ours.c.number, ours.c.owner).where(ours.c.study_id == number, ours.c.owner.is_not(None))
    holders = connection.execute(held.where(ours.c.number.is_not(None)).order_by(ours.c.number))
    return Summary(
        study,
        tuple(_experiment(name, planned) for name in dict.fromkeys(row.experiment for row in planned)),
        tuple((place, owner.in_words(who)) for place, who in holders),
        dict(versions),
        sum(row.trials for row in rows if not row.planned),
        sum(row.tries for row in planned),
    )


def _counts(database: Database, study: int) -> Any:
    """The statement that counts trials by all that a summary tells apart, in the order of the plan."""
    from sqlalchemy import func, select

    ours, trials = database.tables[OURS], database.tables["trials"]
    planned, failed = ours.c.number.is_not(None).label("planned"), (ours.c.error != "").label("failed")
    kinds = (ours.c.experiment, trials.c.state, ours.c.version, planned, failed)
    counted = (
        func.count().label("trials"),
        func.sum(ours.c.tries).label("tries"),
        func.sum(ours.c.seconds).label("seconds"),
    )
    joined = select(*kinds, *counted).join(trials, trials.c.trial_id == ours.c.trial_id)
    return joined.where(ours.c.study_id == study).group_by(*kinds).order_by(func.min(ours.c.number))


def _experiment(name: str, rows: Sequence[Any]) -> Experiment:
    """One experiment from the counts of all."""
    counts: dict[str, int] = defaultdict(int)
    done, seconds = 0, 0.0
    for row in rows:
        if row.experiment == name:
            counts[_state(row.state, "error" if row.failed else "")] += row.trials
            if row.state == "COMPLETE":
                done, seconds = done + row.trials, seconds + row.seconds
    return Experiment(name, dict(counts), seconds / done if done else None)


def errors(database: Database, connection: Connection, study: int) -> list[tuple[int, str, str]]:
    """Number, state and error of the trials that failed and are not done."""
    from sqlalchemy import select

    ours, trials = database.tables[OURS], database.tables["trials"]
    chosen = select(ours.c.number, trials.c.state, ours.c.error).join(trials, trials.c.trial_id == ours.c.trial_id)
    failed = chosen.where(ours.c.study_id == study, ours.c.number.is_not(None), ours.c.error != "")
    rows = connection.execute(failed.order_by(ours.c.number))
    return [(number, _state(state, error), error) for number, state, error in rows]
