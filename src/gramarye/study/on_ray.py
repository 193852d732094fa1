"""Workers on a Ray cluster: this process keeps the store, the cluster's machines paint.

Only pictures' names and outcomes travel: no machine but this one needs the store, all need the pictures under the
same names and the same networks. A task that dies with its machine is a try of its trial; the trial waits again here.
"""

from __future__ import annotations

import time
from collections.abc import Generator
from contextlib import suppress
from typing import Any

from gramarye import cluster
from gramarye.errors import StudyError
from gramarye.pulling import finish
from gramarye.study import work
from gramarye.study.record import Outcome, Trial
from gramarye.study.store import Claim, Store
from gramarye.study.work import Job, Pulse

LOOK = 0.5  # seconds to wait for a task before the others are looked at


def run(job: Job, address: str = "auto") -> Generator[None, None, None]:
    """Let the cluster at `address` paint until no trial is left; `auto` is this machine's, or one made for this run.

    Yields about twice a second; closing it gives back the trials under way. As many trials are painted at a time as
    the cluster has processors for, `job.threads` each. Raises SettingsError, StudyError, MissingExtraError.
    """
    with cluster.connected(address) as ray:
        store = job.open()
        task = ray.remote(num_cpus=job.threads, max_retries=0)(_paint)
        under_way: dict[Any, Claim] = {}
        try:
            with Pulse(store) as pulse:
                yield from _course(ray, task, job, store, under_way, pulse)
        finally:
            for reference, claim in under_way.items():
                with suppress(Exception):  # whatever Ray has to say of a cluster that is gone
                    ray.cancel(reference, force=True)
                with suppress(StudyError):
                    store.give_back(claim)


def _course(
    ray: Any, task: Any, job: Job, store: Store, under_way: dict[Any, Claim], pulse: Pulse
) -> Generator[None, None, None]:
    """Give out trials and take in what comes of them."""
    while True:
        while len(under_way) < cluster.places(ray, job.threads):
            claim = work.claimed(job, store)
            if claim is None:
                break
            under_way[task.remote(claim.trial, job.painter, job.threads)] = claim
            pulse.held[claim.row] = claim
        yield
        if under_way:
            ready, _ = ray.wait(list(under_way), timeout=LOOK)
            for reference in ready:
                claim = under_way.pop(reference)
                pulse.held.pop(claim.row, None)
                _take(ray, reference, claim, store)
        elif work.is_over(job, store):
            return
        else:
            time.sleep(LOOK)


def _take(ray: Any, reference: Any, claim: Claim, store: Store) -> None:
    """Keep what came of a task: an outcome, the error of its trial, or the end of its worker."""
    try:
        outcome: Outcome = ray.get(reference)
    except ray.exceptions.RayTaskError as error:
        store.fail(claim, work.in_one_line(error.cause or error))
    except ray.exceptions.RayError as error:
        store.fail(claim, f"its worker ended without a word ({type(error).__name__})")
    else:
        work.keep(store, claim, outcome)


def _paint(trial: Trial, painter: str, threads: int) -> Outcome:
    """On a machine of the cluster: paint a trial to its end."""
    if painter == work.PAINTING:
        import torch

        torch.set_num_threads(threads)
    return finish(Job("", None, "", painter=painter).find_painter()(trial))
