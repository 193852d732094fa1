"""A study from its plan to its records: in this process, in several of this machine, or on a Ray cluster.

import gramarye.study
records = gramarye.study.run("plan.toml", store="DIR")
"""

from __future__ import annotations

import os
import time
from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from gramarye.errors import StudyError
from gramarye.study import plan as plans
from gramarye.study import processes, work
from gramarye.study.plan import Plan
from gramarye.study.record import Record, Trial
from gramarye.study.store import Added, Store, place_of
from gramarye.study.summary import Summary
from gramarye.study.work import Job

SPARE = 1.2  # memory that must be free for each worker, relative to what is predicted
BETWEEN = 0.5  # seconds between two summaries, at least


@dataclass
class Run:
    """A study that is going to be painted: its store, and where the work is done.

    `workers` is how many at a time; with `ray` (a cluster's address, or auto) as many as the cluster has room for.
    """

    job: Job
    store: Store
    added: Added
    workers: int
    ray: str | None = None

    def summaries(self) -> Generator[Summary, None, None]:
        """Paint until no trial is left, saying how far the study is, several times a minute at least.

        Stop by closing it: trials under way are given back and wait. Raises StudyError.
        """
        if self.ray is not None:
            from gramarye.study import on_ray

            going = on_ray.run(self.job, self.ray)
        elif self.workers == 1:
            going = work.in_this_process(self.job)
        else:
            going = processes.run(self.job, self.workers)
        said = 0.0
        try:
            for _ in going:
                if time.monotonic() - said >= BETWEEN:
                    yield self.store.summary(self.job.study)
                    said = time.monotonic()
        finally:
            going.close()
        yield self.store.summary(self.job.study)


def run(
    plan: Plan | str | Path,
    *,
    store: str | Path | None = None,
    files: str | Path | None = None,
    workers: int | None = 1,
    threads: int | None = None,
    ray: str | None = None,
    **as_read: Any,
) -> Sequence[Record]:
    """Paint what a plan asks for and return the record of every trial; what the store has already is not done again.

    `plan` is a file, a bundled name or a Plan; `as_read` are the arguments of `plan.read` (scale, changes …). `workers`
    paint in processes of their own if there are several; None is as many as suit this machine. Raises a GramaryeError.
    """
    begun = begin(plan, store=store, files=files, workers=workers, threads=threads, ray=ray, **as_read)
    for _ in begun.summaries():
        pass
    return begun.store.records(begun.job.study)


def begin(
    plan: Plan | str | Path,
    *,
    store: str | Path | None = None,
    files: str | Path | None = None,
    workers: int | None = None,
    threads: int | None = None,
    ray: str | None = None,
    painter: str = work.PAINTING,
    **as_read: Any,
) -> Run:
    """Put the trials of a plan into the store and choose how they are painted; nothing is painted yet."""
    read = plan if isinstance(plan, Plan) else plans.read(plan, **as_read)
    trials = _found_anywhere(plans.trials(read))
    place = str(store or place_of(read.name))
    kept = Store.open(place, files)
    added = kept.add(read.name, trials, _directions(read))
    kept.archive.sweep()
    number, each = shape(trials, workers, threads)
    summary = kept.summary(read.name)
    budget = read.budget
    begun = summary.total - summary.counts["waiting"] - summary.counts["failed"]
    job = Job(
        place,
        None if files is None else str(files),
        read.name,
        each,
        painter,
        None if budget.seconds is None else time.time() + budget.seconds,
        None if budget.trials is None else begun + budget.trials,
    )
    return Run(job, kept, added, number, ray)


def _found_anywhere(trials: Sequence[Trial]) -> list[Trial]:
    """The trials with their pictures' whole paths: workers may be elsewhere."""
    placed = {
        pair: replace(pair, content=_whole(pair.content), style=_whole(pair.style))
        for pair in {trial.pair for trial in trials}
    }
    return [replace(trial, pair=placed[trial.pair]) for trial in trials]


def _whole(path: str) -> str:
    return str(Path(path).absolute())


def _directions(plan: Plan) -> Mapping[str, str]:
    from gramarye import scores

    return {name: scores.SCORES[name].better for name in plan.scores}


def shape(trials: Sequence[Trial], workers: int | None, threads: int | None) -> tuple[int, int]:
    """How many workers, and threads for each, suit this machine and the trials.

    As many workers as cores, a thread each: two paintings side by side share nothing and wait for nothing, while two
    threads of one wait for each other hundreds of times an evaluation (`benchmarks/study.py` measures it). Fewer, with
    more threads each, where there are fewer trials, where memory is short, or on a graphics card, which one
    worker fills. OMP_NUM_THREADS, where it is set, has the last word on threads.
    """
    for name, given in (("--workers", workers), ("--threads", threads)):
        if given is not None and given < 1:
            raise StudyError(f"{name} must be at least 1", given)
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    told = os.environ.get("OMP_NUM_THREADS", "")
    threads = threads or (int(told) if told.isdecimal() and int(told) else None)
    if workers is None:
        workers = max(1, min(cores // (threads or 1), len({trial.key for trial in trials}), _room(trials)))
    return workers, threads or max(1, cores // workers)


def _room(trials: Sequence[Trial]) -> int:
    """How many of the largest trials can be painted at a time: memory allows, or one a graphics card."""
    from gramarye import cost, machine, weights

    kinds = {(trial.settings.device, trial.settings.network.name) for trial in trials}
    if any(machine.choose_device(device).type != "cpu" for device, _ in kinds):
        return 1
    free = machine.available_memory()
    largest = max(trials, key=lambda trial: trial.settings.size).settings
    network = weights.choose(largest.network.name).network
    needed = cost.memory(largest, network, (largest.size, largest.size), 4)
    return len(trials) if free is None else max(1, int(free / (SPARE * needed)))
