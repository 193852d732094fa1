"""A study whose workers, and whoever began them, are killed at random moments; and what must hold of it then.

As a program it is who begins the workers: `python crashing.py JOB WORKERS`.
"""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from gramarye.study import processes, work
from gramarye.study.record import Record
from gramarye.study.store import Store
from gramarye.study.work import Job

HERE = Path(__file__)


@dataclass
class Crashes:
    """How a study went: kills of workers and of those who began them, and what was seen of its trials meanwhile."""

    workers_killed: int = 0
    masters_killed: int = 0
    retried: int = 0
    seconds: float = 0.0
    seen: dict[int, Record] = field(default_factory=dict)  # done, by number

    @property
    def kills(self) -> int:
        """All of them."""
        return self.workers_killed + self.masters_killed

    def look(self, records: Sequence[Record], trials: int) -> None:
        """What is done must stay as it is, and no trial may be lost or doubled."""
        assert [record.trial.number for record in records] == list(range(trials))
        for record in records:
            before = self.seen.get(record.trial.number)
            assert before is None or before == record, f"{before} became {record}"
            if record.state == "done":
                self.seen[record.trial.number] = record


def crash(
    job: Job,
    kills: int,
    *,
    workers: int = 2,
    pause: tuple[float, float] = (0.1, 1.5),
    seed: int = 0,
    at_work: bool = False,
) -> Crashes:
    """Carry out `job`, killing one of its processes with SIGKILL every so often, until it is done.

    With `at_work` only workers are killed that have a trial in hand; else also those that have only just begun.
    """
    store, chance, crashes = job.open(), random.Random(seed), Crashes()
    trials, began = store.summary(job.study).total, time.monotonic()
    master = begin(job, workers)
    try:
        while True:
            time.sleep(chance.uniform(*pause))
            crashes.look(store.records(job.study), trials)
            if master.poll() is not None:
                assert master.returncode == 0, master.returncode
                crashes.retried += store.retry(job.study)  # hit twice, and taken for poisonous
                if not store.summary(job.study).left:
                    break
                master = begin(job, workers)
            elif crashes.kills < kills:
                _kill_one(master, _holders(store, job.study) if at_work else None, chance, crashes)
                if master.poll() is not None:
                    master = begin(job, workers)
    finally:
        master.kill()
        master.wait()
    crashes.seconds = time.monotonic() - began
    crashes.look(store.records(job.study), trials)
    return crashes


def _kill_one(
    master: subprocess.Popen[bytes], holders: set[int] | None, chance: random.Random, crashes: Crashes
) -> None:
    """Kill a worker, of the `holders` if given, or one time in six whoever began them all."""
    found = [process for process in _children(master.pid) if holders is None or process in holders]
    if not found:  # it has only just begun
        return
    if chance.random() < 1 / 6:
        master.kill()
        master.wait()
        crashes.masters_killed += 1
    else:
        with suppress(ProcessLookupError):
            os.kill(chance.choice(found), signal.SIGKILL)
            crashes.workers_killed += 1


def _holders(store: Store, study: str) -> set[int]:
    """The processes of this machine that have a trial in hand."""
    return {int(words.split()[1]) for _, words in store.summary(study).running}


def _children(process: int) -> list[int]:
    return [int(word) for word in Path(f"/proc/{process}/task/{process}/children").read_text().split()]


def begin(job: Job, workers: int) -> subprocess.Popen[bytes]:
    """A process that begins workers for `job`, and replaces them."""
    command = [sys.executable, str(HERE), work.json_of(job), str(workers)]
    return subprocess.Popen(command, env={**os.environ, "PYTHONPATH": str(HERE.parent)})


def table(store: Store, study: str) -> list[tuple[Any, ...]]:
    """What a study has come to, without what differs from run to run: times and memory."""
    return [
        (each.trial, each.state, each.scores, each.terms, each.total, each.evaluations, each.picture, each.ledger)
        for each in store.records(study)
    ]


def undisturbed(job: Job) -> None:
    """Carry out `job` in one worker that nobody kills."""
    for _ in processes.run(job, 1):
        pass


if __name__ == "__main__":
    for _ in processes.run(work.job_from_json(sys.argv[1]), int(sys.argv[2])):
        pass
