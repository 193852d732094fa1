"""One study as plain data, as types.ts has it: its groups, trials, scores, curves, and what came of it."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gramarye.errors import GramaryeError
from gramarye.studio.refusals import Unknown

if TYPE_CHECKING:
    from gramarye.study.plan import Plan
    from gramarye.study.record import Record
    from gramarye.study.store import Store
    from gramarye.study.summary import Summary

POINTS = 400  # of one curve, at most
CONCLUDED = 3000  # trials; of more, `study report` says what they came to
TUNING = "-tune"  # the end of the name of a tuning
ERRORS = 5  # told

Plain = dict[str, Any]


@dataclass(frozen=True)
class Kept:
    """One study in one store."""

    id: str
    name: str
    folder: Path
    store: Store


def inside(kept: Kept, name: str) -> Path:
    """A file of a store by the name that its database has; raises Unknown for one that lies elsewhere."""
    path = kept.store.path(name).resolve()
    if not (path.is_relative_to(kept.store.archive.folder.resolve()) and path.is_file()):
        raise Unknown("a file of a study must lie in its store", Path(name).name)
    return path


def question(kept: Kept) -> str:
    """What a study asks; empty where its plan is not here."""
    plan = _plan(kept)
    if plan is not None and not kept.name.endswith(TUNING):
        return plan.question
    return "Which values suit each pair of pictures?" if kept.name.endswith(TUNING) else ""


def _plan(kept: Kept) -> Plan | None:
    """The plan of a study, beside its store or bundled; None where it is neither."""
    from gramarye.study import plan

    name = kept.name.removesuffix(TUNING)
    beside = kept.folder.with_name(f"{name}.toml") if Path(name).name == name else kept.folder
    if beside.is_file():
        return _plan_in(beside, beside.stat().st_mtime_ns)
    return _plan_in(plan.bundled()[name], 0) if name in plan.bundled() else None


@lru_cache(maxsize=64)
def _plan_in(file: Path, _changed: int) -> Plan | None:
    from gramarye.study import plan

    try:
        return plan.read(file)
    except GramaryeError:  # its questions are all that is wanted
        return None


def groups(kept: Kept, summary: Summary, shown: Sequence[Record]) -> list[Plain]:
    """The experiments of a study with the axes that vary among the trials shown."""
    from gramarye.study.effects import axes_of

    plan = _plan(kept)
    known = {} if plan is None else {group.name: group for group in plan.groups}
    return [
        {
            "name": each.name,
            "question": known[each.name].question if each.name in known else "",
            "reported": known[each.name].reported if each.name in known else "",
            "axes": list(axes_of([record for record in shown if record.trial.group == each.name])),
        }
        for each in summary.experiments
    ]


def scores(shown: Sequence[Record]) -> list[Plain]:
    """The scores that the trials shown have, and what each tells."""
    from gramarye import scores
    from gramarye.study.grids import measured

    return [
        {"name": each.name, "title": each.label, "better": each.better, "help": scores.record(each.name).help}
        for each in measured(shown)
    ]


def trial(kept: Kept, record: Record) -> Plain:
    """One trial, as Trial."""
    trial = record.trial
    return {
        "number": trial.number,
        "group": trial.group,
        "pair": trial.pair.name,
        "state": record.state,
        "levels": {axis: _level(level) for axis, level in trial.levels.items()},
        "scores": {name: value for name, value in record.scores.items() if math.isfinite(value)},
        "seconds": record.seconds,
        "image": f"/api/studies/{kept.id}/trials/{trial.number}.webp" if record.picture else None,
    }


def _level(level: Any) -> str | float:
    from gramarye.study.wording import word

    if isinstance(level, bool):
        return "yes" if level else "no"
    if isinstance(level, int | float) and math.isfinite(level):
        return level
    return word(tuple(level) if isinstance(level, list) else level)


def ledger(kept: Kept, record: Record) -> Plain | None:
    """The curves of a finished trial, as study/ledger.py has them; None of one that is not finished."""
    if record.ledger is None:
        return None
    found: Plain = json.loads(inside(kept, record.ledger).read_bytes())
    return found


def curve(ledger: Mapping[str, Any]) -> Plain:
    """The finite totals of a ledger by evaluation, evenly thinned, the last one kept."""
    known = [at for at, total in enumerate(ledger["total"]) if total is not None and math.isfinite(total)]
    every = max(1, math.ceil(len(known) / POINTS))
    kept = known[::-1][::every][::-1]
    return {name: [ledger[key][at] for at in kept] for name, key in (("index", "step"), ("total", "total"))}


def conclusions(kept: Kept, records: Sequence[Record]) -> tuple[list[Plain], list[str]]:
    """What each group came to, and what of it may not be ranked."""
    from gramarye.study import findings

    if len(records) > CONCLUDED:
        says = f"Of {len(records)} trials, gramarye study report {kept.name} says what they came to."
        return [{"group": kept.name, "says": [says]}], []
    plan = _plan(kept)
    asked = () if plan is None else findings.asked(plan)
    here = {record.trial.group for record in records}
    found = findings.find(
        kept.name,
        records,
        lambda record: ledger(kept, record),
        groups=[each for each in asked if each.name in here],
    )
    warnings = [
        f"{chapter.name}: {column.label} must not be ranked; {column.refused}."
        for chapter in found.chapters
        for column in (chapter.grids[0].columns if chapter.grids else ())
        if column.refused
    ]
    return [{"group": chapter.name, "says": list(chapter.conclusions)} for chapter in found.chapters], warnings


def remarks(summary: Summary) -> Iterator[str]:
    """What has to be known of a study as a whole."""
    if len(summary.versions or {}) > 1:
        counts = ", ".join(f"{count} by {version or 'unknown'}" for version, count in (summary.versions or {}).items())
        yield f"Not all trials were painted by one version of Gramarye: {counts}."
    if summary.left_out:
        yield f"{summary.left_out} trials of an earlier version of the plan are kept and not shown."


def failures(errors: Sequence[tuple[int, str, str]]) -> Iterator[str]:
    """The first errors of trials that are not done."""
    yield from (f"Trial {number}, {state}: {error}" for number, state, error in errors[:ERRORS])
    if len(errors) > ERRORS:
        yield f"And {len(errors) - ERRORS} more trials failed: gramarye study show tells which."
