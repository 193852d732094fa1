"""Painters that paint nothing: fast, and as good or as bad as a test needs them. Named as "painters:quick" to workers.

Where the environment names a GRAMARYE_TEST_LOG, each appends a line when it begins a trial and one when it ends it.
"""

from __future__ import annotations

import hashlib
import os
import signal
import time
from collections.abc import Generator
from pathlib import Path

from gramarye.errors import ImageError
from gramarye.presets import preset
from gramarye.study.record import Outcome, Pair, Trial

LOG = "GRAMARYE_TEST_LOG"
SECONDS = "GRAMARYE_TEST_SECONDS"
PAIR = Pair("a", "a.jpg", "b.jpg")
BASE = preset("default").with_(size=48, steps=4)


def trial(number: int, group: str = "weights", key: str | None = None, **levels: object) -> Trial:
    """A trial that is like no other, unless its key is given."""
    levels = levels or {"style.weight": float(number + 1)}
    own = hashlib.sha256(f"{group} {number}".encode()).hexdigest()
    return Trial(number, group, PAIR, levels, BASE.with_(**levels), "default", 0, key or own)


def trials(count: int) -> list[Trial]:
    """So many different trials."""
    return [trial(number) for number in range(count)]


def outcome(trial: Trial) -> Outcome:
    """What every painter here makes of a trial; nothing of it is by chance."""
    value = int(hashlib.sha256(trial.key.encode()).hexdigest()[:8], 16) / 2**32
    return Outcome(
        picture=f"picture {trial.key}".encode(),
        ledger=b'{"terms":[],"step":[],"scale":[],"total":[],"value":{},"weighted":{}}',
        scores={"ssim": value, "cfsd@vgg19-lite": 1 - value},
        terms={"content relu4_2": value},
        total=10 * value,
        seconds=0.5,
        memory=1000,
        evaluations=4,
        version="test",
    )


def log(word: str, trial: Trial) -> None:
    """One line, written whole."""
    if LOG in os.environ:
        with Path(os.environ[LOG]).open("ab", buffering=0) as file:
            file.write(f"{word} {trial.number} {os.getpid()}\n".encode())


def quick(trial: Trial) -> Generator[float, None, Outcome]:
    """As long as GRAMARYE_TEST_SECONDS says."""
    log("begin", trial)
    seconds = float(os.environ.get(SECONDS, "0"))
    steps = round(seconds / 0.05) or 1
    for step in range(steps):
        time.sleep(seconds / steps)
        yield step / steps
    log("end", trial)
    return outcome(trial)


def instant(trial: Trial) -> Generator[float, None, Outcome]:
    """At once."""
    log("begin", trial)
    yield 1.0
    return outcome(trial)


def bad(trial: Trial) -> Generator[float, None, Outcome]:
    """Trial 1 has no picture, trial 2 fails in a way that nobody foresaw, at its first try only."""
    log("begin", trial)
    yield 0.5
    if trial.number == 1:
        raise ImageError("a picture must be a file that can be read", "a.jpg")
    if trial.number == 2 and Path(os.environ[LOG]).read_text().count("begin 2 ") == 1:
        raise ZeroDivisionError("division\nby zero")
    return outcome(trial)


def poison(trial: Trial) -> Generator[float, None, Outcome]:
    """Trial 1 kills its worker."""
    log("begin", trial)
    yield 0.5
    if trial.number == 1:
        os.kill(os.getpid(), signal.SIGKILL)
    return outcome(trial)


def stubborn(trial: Trial) -> Generator[float, None, Outcome]:
    """Takes no notice of being told to end."""
    log("begin", trial)
    time.sleep(600)
    yield 1.0
    return outcome(trial)
