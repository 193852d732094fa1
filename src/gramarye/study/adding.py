"""Putting trials and outcomes into a store's tables, many at once."""

from __future__ import annotations

import json
import math
import warnings
from collections import defaultdict
from collections.abc import Mapping, Sequence
from functools import partial
from itertools import islice
from typing import TYPE_CHECKING, Any, Literal

from gramarye.settings import KNOBS
from gramarye.study import encoding
from gramarye.study.database import OURS, Database
from gramarye.study.record import Trial

if TYPE_CHECKING:
    from optuna.storages import RDBStorage
    from sqlalchemy import Connection

SHOWN = 3  # scores, at most, that are Optuna's values
BASE = "settings "  # and its name: the key of a base among a study's attributes
TRIAL, OUTCOME = "trial", "outcome"  # the keys of a trial's attributes
SCORE_NAMES = "scores"  # the key of the names of Optuna's values
ROWS = 20_000  # that are written by one statement


def begin(storage: RDBStorage, study: str, scores: Mapping[str, str]) -> None:
    """Make the Optuna study if there is none of that name, its values being the first of `scores`."""
    import optuna

    names = list(islice(scores, SHOWN)) or ["total"]
    directions: list[Literal["minimize", "maximize"]] = [
        "maximize" if scores.get(name) == "higher" else "minimize" for name in names
    ]
    before = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.WARNING)  # else it says that a study was created
    try:
        if study not in optuna.study.get_all_study_names(storage):
            made = optuna.create_study(storage=storage, study_name=study, directions=directions, load_if_exists=True)
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
                made.set_metric_names(names)
            made.set_user_attr(SCORE_NAMES, names)
    finally:
        optuna.logging.set_verbosity(before)


def put(database: Database, connection: Connection, study: int, trials: Sequence[Trial]) -> tuple[int, int, int]:
    """Put in the trials that are not there yet; how many are new, known, and in the study but not in `trials`.

    A trial is known by its experiment and key; where it stands in the plan, how its levels are called and where its
    pictures lie may change.
    """
    _sweep(database, connection)
    known = _known(database, connection, study)
    bases = {group: (encoding.name_of(base), encoding.flat(base)) for group, base in encoding.bases_of(trials).items()}
    new, moved = [], []
    for trial in trials:
        rows, text = known[trial.group, trial.key], encoding.trial_to_json(trial, *bases[trial.group])
        if not rows:
            new.append((trial, text))
            continue
        row, *before = rows.pop(0)
        if before != [trial.number, text]:
            moved.append((row, trial.number, text))
    gone = [row for rows in known.values() for row, *_ in rows]
    _put_bases(database, connection, study, trials)
    for row, number, text in moved:
        _move(database, connection, row, number, text)
    for row in gone:
        _move(database, connection, row, None, None)
    if new:
        _put_new(database, connection, study, new, _parameters(trials))
        _share(database, connection, study, {trial.key for trial, _ in new})
    return len(new), len(trials) - len(new), len(gone)


def _sweep(database: Database, connection: Connection) -> None:
    """Remove what was known of trials that Optuna has deleted: their numbers are used again."""
    from sqlalchemy import select

    ours, trials = database.tables[OURS], database.tables["trials"]
    connection.execute(ours.delete().where(ours.c.trial_id.not_in(select(trials.c.trial_id))))


def _known(database: Database, connection: Connection, study: int) -> dict[tuple[str, str], list[Any]]:
    """Rows of a study, their places in the plan and their trials as JSON, by experiment and key; the planned first."""
    from sqlalchemy import select

    ours, attributes = database.tables[OURS], database.tables["trial_user_attributes"]
    chosen = (
        select(ours.c.experiment, ours.c.key, ours.c.trial_id, ours.c.number, attributes.c.value_json)
        .join(attributes, (attributes.c.trial_id == ours.c.trial_id) & (attributes.c.key == TRIAL))
        .where(ours.c.study_id == study)
        .order_by(ours.c.number.is_(None), ours.c.number)
    )
    known = defaultdict(list)
    for group, key, *rest in connection.execute(chosen):
        known[group, key].append(rest)
    return known


def _move(database: Database, connection: Connection, row: int, number: int | None, text: str | None) -> None:
    """Give a trial another place in the plan, or none."""
    ours, attributes = database.tables[OURS], database.tables["trial_user_attributes"]
    connection.execute(ours.update().where(ours.c.trial_id == row).values(number=number))
    if text is not None:
        chosen = attributes.update().where(attributes.c.trial_id == row, attributes.c.key == TRIAL)
        connection.execute(chosen.values(value_json=text))


def _put_bases(database: Database, connection: Connection, study: int, trials: Sequence[Trial]) -> None:
    table = database.tables["study_user_attributes"]
    known = set(
        connection.execute(table.select().with_only_columns(table.c.key).where(table.c.study_id == study)).scalars()
    )
    for base in encoding.bases_of(trials).values():
        key = BASE + encoding.name_of(base)
        if key not in known:
            known.add(key)
            connection.execute(table.insert().values(study_id=study, key=key, value_json=base.to_json()))


def _put_new(
    database: Database, connection: Connection, study: int, new: Sequence[tuple[Trial, str]], parameters: dict[str, Any]
) -> None:
    """Write new trials, with their JSON, as waiting ones of Optuna's, with their parameters, and into our table."""
    from sqlalchemy import func, select

    table = database.tables["trials"]
    first = connection.execute(select(func.count()).select_from(table).where(table.c.study_id == study)).scalar_one()
    places = range(first, first + len(new))
    _insert(connection, table, [{"study_id": study, "number": place, "state": "WAITING"} for place in places])
    chosen = select(table.c.trial_id).where(table.c.study_id == study, table.c.number >= first)
    rows = list(connection.execute(chosen.order_by(table.c.number)).scalars())
    trials = [(row, trial) for row, (trial, _) in zip(rows, new, strict=True)]
    _insert(connection, database.tables[OURS], [_our_row(study, row, trial) for row, trial in trials])
    texts = zip(rows, (text for _, text in new), strict=True)
    attributes = [{"trial_id": row, "key": TRIAL, "value_json": text} for row, text in texts]
    _insert(connection, database.tables["trial_user_attributes"], attributes)
    written = [
        {"trial_id": row, "param_name": name, "param_value": kept(value), "distribution_json": text}
        for row, trial in trials
        for name, value in trial.levels.items()
        for kept, text in (parameters[name],)
    ]
    _insert(connection, database.tables["trial_params"], written)


def _our_row(study: int, row: int, trial: Trial) -> dict[str, Any]:
    place = {"trial_id": row, "study_id": study, "number": trial.number}
    return {**place, "experiment": trial.group, "key": trial.key, "tries": 0, "error": ""}


def _insert(connection: Connection, table: Any, rows: list[dict[str, Any]]) -> None:
    for begin in range(0, len(rows), ROWS):
        connection.execute(table.insert(), rows[begin : begin + ROWS])


def _parameters(trials: Sequence[Trial]) -> dict[str, Any]:
    """For each level's knob, how Optuna keeps a value of it, and its distribution as JSON.

    Numbers are numbers, between the least and the largest; everything else is one of a few choices.
    """
    from optuna import distributions

    values: dict[str, dict[Any, None]] = defaultdict(dict)
    for trial in trials:
        for name, value in trial.levels.items():
            values[name][value if _is_number(value) else _word(value)] = None
    found: dict[str, Any] = {}
    for name, seen in values.items():
        if all(map(_is_number, seen)):
            low, high = float(min(seen)), float(max(seen))
            known = KNOBS.get(name)
            log = known is not None and known.log and low > 0
            numbers = distributions.FloatDistribution(low, high, log=log)
            found[name] = (float, distributions.distribution_to_json(numbers))
        else:
            words = [_word(value) for value in seen]
            choices = distributions.CategoricalDistribution(words)
            found[name] = (partial(_place, words), distributions.distribution_to_json(choices))
    return found


def _place(words: list[str], value: Any) -> float:
    """Which of some words a value is, as Optuna keeps a choice."""
    return float(words.index(_word(value)))


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _word(value: Any) -> str:
    return ",".join(map(str, value)) if isinstance(value, tuple) else str(value)


def _share(database: Database, connection: Connection, study: int, keys: set[str]) -> None:
    """Give waiting trials what trials of the same study with their keys, being among `keys`, have come to already."""
    from sqlalchemy import select

    ours, trials = database.tables[OURS], database.tables["trials"]
    what = (ours.c.trial_id, ours.c.key, ours.c.seconds, ours.c.version, trials.c.datetime_complete)
    in_study = select(*what).join(trials, trials.c.trial_id == ours.c.trial_id).where(ours.c.study_id == study)
    done = {row.key: row for row in connection.execute(in_study.where(trials.c.state == "COMPLETE"))}
    if keys.isdisjoint(done):
        return
    for row in connection.execute(in_study.where(trials.c.state == "WAITING")).all():
        if row.key in done and row.key in keys:
            _copy_outcome(database, connection, done[row.key], row.trial_id)


def _copy_outcome(database: Database, connection: Connection, done: Any, row: int) -> None:
    ours, trials, attributes = (database.tables[name] for name in (OURS, "trials", "trial_user_attributes"))
    chosen = attributes.select().where(attributes.c.trial_id == done.trial_id, attributes.c.key == OUTCOME)
    text = connection.execute(chosen).one().value_json
    known = {"seconds": done.seconds, "version": done.version, "error": "", "owner": None}
    connection.execute(ours.update().where(ours.c.trial_id == row).values(**known))
    state = {"state": "COMPLETE", "datetime_start": done.datetime_complete, "datetime_complete": done.datetime_complete}
    connection.execute(trials.update().where(trials.c.trial_id == row).values(**state))
    put_outcome(database, connection, row, text, json.loads(text)["scores"], True)


def put_outcome(
    database: Database, connection: Connection, row: int, text: str, scores: Mapping[str, float], values: bool
) -> None:
    """Write what a trial has come to: all of it as a user attribute, the shown scores as Optuna's values."""
    attributes, table = database.tables["trial_user_attributes"], database.tables["trial_values"]
    connection.execute(attributes.delete().where(attributes.c.trial_id == row, attributes.c.key == OUTCOME))
    connection.execute(attributes.insert().values(trial_id=row, key=OUTCOME, value_json=text))
    connection.execute(table.delete().where(table.c.trial_id == row))
    if values:
        names = _shown_names(database, connection, row)
        plain = {**scores, "total": json.loads(text)["total"]}
        rows = [_value(row, place, _score(plain, name)) for place, name in enumerate(names)]
        connection.execute(table.insert(), rows)


def _shown_names(database: Database, connection: Connection, row: int) -> list[str]:
    """The scores that are Optuna's values in the study of a trial."""
    table, ours = database.tables["study_user_attributes"], database.tables[OURS]
    chosen = table.select().join(ours, ours.c.study_id == table.c.study_id).where(ours.c.trial_id == row)
    found = connection.execute(chosen.where(table.c.key == SCORE_NAMES)).one_or_none()
    names: list[str] = ["total"] if found is None else json.loads(found.value_json)
    return names


def _score(scores: Mapping[str, float], name: str) -> float:
    """A score by its name, or the first that is it in some network's eyes: "cfsd" may be "cfsd@vgg19-lite"."""
    return next((value for known, value in scores.items() if known.partition("@")[0] == name), math.nan)


def _value(row: int, place: int, value: float) -> dict[str, Any]:
    """A row of Optuna's values, which must not be NaN: what is unknown is infinite."""
    finite = math.isfinite(value)
    kind = "FINITE" if finite else "INF_NEG" if value < 0 else "INF_POS"
    return {"trial_id": row, "objective": place, "value": value if finite else None, "value_type": kind}
