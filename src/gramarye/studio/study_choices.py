"""Which of two pictures of a study is better: the next question, and the answers so far."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gramarye.errors import StudyError
from gramarye.studio.study_shapes import Kept, Plain

if TYPE_CHECKING:
    from gramarye.study.preferences import Choice
    from gramarye.study.record import Record

FEW = 60  # pictures of one pair that are asked about
BETTER = ("left", "right", "same")


def asked(kept: Kept, records: Iterable[Record]) -> Plain:
    """The next choice, None when enough was asked, and the strengths of what was compared.

    Pictures of different pairs are not set against each other: neither are their strengths.
    """
    from gramarye.study import choosing

    pairs, choice, preferences = _finished(records), None, list[Plain]()
    for pair, own in pairs.items():
        answers = choosing.read(_file(kept, pair))
        few = _few(own, answers)
        if answers:
            preferences += _strengths(few, answers)
        if choice is None and (both := choosing.question(few, answers)) is not None:
            choice = _choice(both, pair if len(pairs) > 1 else "")
    return {"choice": choice, "preferences": preferences}


def keep(kept: Kept, answer: Mapping[str, Any], record: Callable[[int], Record]) -> None:
    """Write {"left", "right", "better"} at the end of the pair's answers; raises a GramaryeError."""
    from gramarye.study import choosing
    from gramarye.study.preferences import Choice

    numbers, better = (answer.get("left"), answer.get("right")), answer.get("better")
    if not all(isinstance(number, int) and not isinstance(number, bool) for number in numbers):
        raise StudyError("a choice is between the numbers of two trials", f"{numbers!r}"[:80])
    if better not in BETTER:
        raise StudyError("what is better must be left, right or same", repr(better)[:40])
    both = [record(int(number)) for number in numbers if number is not None]
    same_pair = len({each.trial.pair.name for each in both}) == 1
    if not same_pair or any(each.state != "done" for each in both) or both[0].trial.key == both[1].trial.key:
        raise StudyError("a choice is between two finished pictures of one pair", f"trials {numbers[0]}, {numbers[1]}")
    first, second = reversed(both) if better == "right" else both
    choice = Choice(first.trial.key, second.trial.key, tie=better == "same")
    choosing.add(_file(kept, first.trial.pair.name), choice)


def _file(kept: Kept, pair: str) -> Path:
    from gramarye.study import choosing

    return choosing.place_of(kept.store.archive.folder, kept.name, pair)


def _finished(records: Iterable[Record]) -> dict[str, list[Record]]:
    """Finished trials by pair, each painting once."""
    found: dict[str, dict[str, Record]] = defaultdict(dict)
    for record in records:
        if record.state == "done" and record.picture is not None:
            found[record.trial.pair.name].setdefault(record.trial.key, record)
    return {pair: list(own.values()) for pair, own in found.items()}


def _few(records: Sequence[Record], answers: Sequence[Choice]) -> list[Record]:
    """The pictures to be asked about: those that were compared, then others in the order of the plan."""
    known = {name for answer in answers for name in (answer.winner, answer.loser)}
    return sorted(records, key=lambda record: (record.trial.key not in known, record.trial.number))[:FEW]


def _choice(both: tuple[Record, Record], pair: str) -> Plain:
    """Two pictures in an order that tells nothing, the same whenever they are asked about."""
    shown = list(both)
    random.Random(both[0].trial.key + both[1].trial.key).shuffle(shown)
    numbers = dict(zip(("left", "right"), (record.trial.number for record in shown), strict=True))
    return {"question": f"Which is better{f', of {pair}' if pair else ''}?", **numbers}


def _strengths(records: Sequence[Record], answers: Sequence[Choice]) -> list[Plain]:
    from gramarye.study import choosing

    found = choosing.ranked(records, answers).strengths
    compared = {name for answer in answers for name in (answer.winner, answer.loser)}
    numbers = {record.trial.key: record.trial.number for record in records}
    return [{"trial": numbers[key], "strength": value} for key, value in found.items() if key in compared]
