"""What a study is made of: pairs of pictures, trials, and the record of what each trial came to."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from gramarye.settings import Settings

STATES = ("waiting", "running", "done", "failed", "set aside", "pruned")


@dataclass(frozen=True)
class Pair:
    """A photograph and a painting, by path, under a short name."""

    name: str
    content: str
    style: str


@dataclass(frozen=True)
class Trial:
    """One painting of a study: everything that decides its outcome.

    `number` is its place in the plan, from 0. `group` names the experiment of the plan that it belongs to (a plan
    may hold several). `levels` are the values of the plan's axes, by dotted knob; `settings` has them all.
    `key` is the SHA-256 of all that decides the outcome (settings and the pictures' hashes): two trials with one
    key come to the same picture on one machine.
    """

    number: int
    group: str
    pair: Pair
    levels: dict[str, Any]
    settings: Settings
    preset: str
    replicate: int
    key: str


@dataclass(frozen=True)
class Record:
    """A trial and what has become of it so far.

    `scores` and `terms` (raw values by term) are of the finished picture; `seconds` of painting, `memory` in bytes at
    the peak. `picture` and `ledger` are paths relative to the store, named by the hash of their content. `tries`
    counts how often it was begun; `version` is the Gramarye that did it; `error` is one line.
    """

    trial: Trial
    state: str
    scores: dict[str, float] = field(default_factory=dict)
    terms: dict[str, float] = field(default_factory=dict)
    total: float | None = None
    seconds: float | None = None
    memory: int | None = None
    evaluations: int | None = None
    picture: str | None = None
    ledger: str | None = None
    tries: int = 0
    version: str = ""
    error: str = ""


@dataclass(frozen=True)
class Outcome:
    """What painting a trial has come to, before it is stored; its fields as in Record.

    `picture` is the bytes of a PNG with its recipe inside, `ledger` those of a JSON object (see study/ledger.py).
    """

    picture: bytes = field(repr=False)
    ledger: bytes = field(repr=False)
    scores: dict[str, float]
    terms: dict[str, float]
    total: float
    seconds: float
    memory: int
    evaluations: int
    version: str
