"""Which of two pictures a person likes better: what to ask next, and the answers as they are kept."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path

from gramarye.errors import StudyError
from gramarye.study.preferences import Choice, Preferences, bradley_terry
from gramarye.study.record import Record

ASKED = 2  # comparisons of each picture, at least, where there are as many others


def place_of(store: Path, study: str, pair: str) -> Path:
    """The file of the answers about one pair of a study, in the folder of a store's files and nowhere else."""
    plain = "".join(letter if letter.isalnum() else "-" for letter in pair)
    return store / "choices" / f"{study.replace('/', '-').replace(os.sep, '-')}-{plain}.jsonl"


def read(path: Path) -> list[Choice]:
    """The answers in a file, one JSON object a line, none if it is not there; a last line cut off is dropped."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        return []
    found = []
    for number, line in enumerate(lines, 1):
        try:
            found.append(Choice(**json.loads(line)))
        except (ValueError, TypeError) as error:
            if number < len(lines):
                raise StudyError("answers are one JSON object a line", f"line {number} of {path}") from error
    return found


def add(path: Path, choice: Choice) -> None:
    """Write an answer at the end of the file, on the disk for good when this returns."""
    path.parent.mkdir(parents=True, exist_ok=True)
    torn = path.exists() and not path.read_bytes().endswith(b"\n") and path.stat().st_size
    with path.open("a", encoding="utf-8") as file:
        file.write(("\n" if torn else "") + json.dumps(asdict(choice)) + "\n")
        file.flush()
        os.fsync(file.fileno())


def question(records: Sequence[Record], choices: Sequence[Choice]) -> tuple[Record, Record] | None:
    """The next two pictures to compare: the least compared one, the newest of equals, against the strongest other.

    None when every picture was compared twice, or with all others. Pictures that were compared do not come again.
    """
    known = {record.trial.key: record for record in records}
    played: dict[str, set[str]] = {key: set() for key in known}
    for choice in choices:
        for one, other in ((choice.winner, choice.loser), (choice.loser, choice.winner)):
            if one in played:
                played[one].add(other)
    strengths = ranked(records, choices).strengths
    order = sorted(known, key=lambda key: (len(played[key]), -known[key].trial.number))
    for key in order:
        others = [each for each in known if each != key and each not in played[key]]
        if others and len(played[key] & set(known)) < min(ASKED, len(known) - 1):
            return known[key], known[max(others, key=lambda each: strengths[each])]
    return None


def ranked(records: Sequence[Record], choices: Sequence[Choice]) -> Preferences:
    """Bradley–Terry strengths of these pictures, by their trials' keys, from the choices among them."""
    keys = [record.trial.key for record in records]
    return bradley_terry([each for each in choices if {each.winner, each.loser} <= set(keys)], keys)


def losses(records: Sequence[Record], choices: Sequence[Choice]) -> Mapping[str, float]:
    """−ln strength by key, for the pictures that were compared: what the sampler makes small."""
    found = ranked(records, choices)
    compared = {name for choice in choices for name in (choice.winner, choice.loser)}
    return {key: -math.log(strength) for key, strength in found.strengths.items() if key in compared}
