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
    from sqlalchemy import func, select

    ours, trials = database.tables[OURS], database.tables["trials"]
    with_trials = ours.join(trials, trials.c.trial_id == ours.c.trial_id)
    planned = ours.c.number.is_not(None)
    failed = ours.c.error != ""
    what = (ours.c.experiment, trials.c.state, failed)
    counted = (
        select(
            *what,
            ours.c.version,
            planned,
            func.count(),
            func.avg(ours.c.seconds),
            func.min(ours.c.number),
            func.sum(ours.c.tries),
        )
        .select_from(with_trials)
        .where(ours.c.study_id == number)
        .group_by(*what, ours.c.version, planned)
        .order_by(func.min(ours.c.number))
    )
    counts: dict[str, dict[str, int]] = {}
    times: dict[str, list[tuple[float, int]]] = defaultdict(list)
    versions: dict[str, int] = defaultdict(int)
    left_out = begun = 0
    for group, state, has_failed, version, in_plan, count, seconds, _, tries in connection.execute(counted):
        begun += tries
        if not in_plan:
            left_out += count
            continue
        ours_state = _state(state, "error" if has_failed else "")
        of_group = counts.setdefault(group, {})
        of_group[ours_state] = of_group.get(ours_state, 0) + count
        if ours_state == "done":
            times[group].append((seconds, count))
            versions[version or ""] += count
    held = select(ours.c.number, ours.c.owner).where(ours.c.study_id == number, ours.c.owner.is_not(None), planned)
    running = tuple((place, owner.in_words(who)) for place, who in connection.execute(held.order_by(ours.c.number)))
    experiments = tuple(Experiment(group, counts[group], _mean(times[group])) for group in counts)
    return Summary(study, experiments, running, dict(versions), left_out, begun)


def errors(database: Database, connection: Connection, study: int) -> list[tuple[int, str, str]]:
    """Number, state and error of the trials that failed and are not done."""
    from sqlalchemy import select

    ours, trials = database.tables[OURS], database.tables["trials"]
    chosen = select(ours.c.number, trials.c.state, ours.c.error).join(trials, trials.c.trial_id == ours.c.trial_id)
    failed = chosen.where(ours.c.study_id == study, ours.c.number.is_not(None), ours.c.error != "")
    rows = connection.execute(failed.order_by(ours.c.number))
    return [(number, _state(state, error), error) for number, state, error in rows]


def _mean(times: list[tuple[float, int]]) -> float | None:
    """The mean of means, each of so many."""
    return sum(seconds * count for seconds, count in times) / sum(count for _, count in times) if times else None
