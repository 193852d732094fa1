"""The one thread that computes: paintings a step at a time, and between two steps whatever else is asked.

Everything is pulled: nothing runs longer than one step before the thread looks again at what there is to do, so a
long reconstruction does not stop a painting, nor a painting the reconstruction, and stopping is not pulling.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from concurrent.futures import CancelledError, Future
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeVar, runtime_checkable

from gramarye.errors import GramaryeError
from gramarye.pulling import Work

T = TypeVar("T")
SLICE = 0.05  # seconds that other work gets at a time
TOLD_EVERY = 0.25  # seconds between two events about one job's progress
_log = logging.getLogger(__name__)


@runtime_checkable
class Publisher(Protocol):
    """Where events go: a kind and its data, from any thread."""

    def publish(self, kind: str, data: Mapping[str, Any]) -> None:
        """Tell all who listen."""


@runtime_checkable
class Sitting(Protocol):
    """A painting as the worker sees it."""

    @property
    def ready(self) -> bool:
        """Whether there is something to do: not while it is paused."""

    @property
    def patient(self) -> bool:
        """Whether it gives way to others that are ready."""

    def pull(self) -> bool:
        """Make one step; False when nothing is left. Never raises."""

    def put_away(self) -> None:
        """Keep on disk what is needed to go on later, and free the memory."""


@dataclass
class Job:
    """Something that was asked for, or an idle thing to do in advance."""

    key: str
    said: str
    make: Callable[[], Work[Any]]
    future: Future[Any] = field(default_factory=Future)
    work: Work[Any] | None = None
    done: float = 0.0
    told: float = 0.0  # when its progress was last published


class Worker:
    """One thread. `start` and `close` it; `begin` paintings, `ask` for other work, leave `idle` things for later."""

    def __init__(self, events: Publisher) -> None:
        self.events = events
        self._turn = threading.Condition()
        self._sittings: list[Sitting] = []
        self._current: Sitting | None = None
        self._jobs: deque[Job] = deque()
        self._idle: deque[Job] = deque()
        self._asked: dict[str, Job] = {}
        self._closing = False
        self._thread = threading.Thread(target=self._run, name="worker", daemon=True)

    def start(self) -> None:
        """Begin to work."""
        self._thread.start()

    def close(self) -> None:
        """Stop within one step; the painting under way keeps what it needs to go on. Idempotent."""
        with self._turn:
            self._closing = True
            self._turn.notify_all()
        if self._thread.is_alive() and threading.current_thread() is not self._thread:
            self._thread.join()

    def wake(self) -> None:
        """Look again: a sitting has become ready."""
        with self._turn:
            self._turn.notify_all()

    def begin(self, sitting: Sitting) -> None:
        """Queue a painting."""
        with self._turn:
            self._sittings.append(sitting)
            self._turn.notify_all()

    def leave(self, sitting: Sitting) -> bool:
        """Take a painting from the queue; False if it is the one at work, or not there."""
        with self._turn:
            there = sitting in self._sittings and sitting is not self._current
            if there:
                self._sittings.remove(sitting)
            return there

    def ask(self, key: str, make: Callable[[], Work[T]], said: str = "") -> Future[T]:
        """What `make` comes to; the same key under way gives the same Future. `said` tells people what it is."""
        with self._turn:
            if self._closing:
                raise RuntimeError("the worker is closed")
            job = self._asked.get(key)
            if job is None:
                job = self._asked[key] = Job(key, said, make)
                self._jobs.append(job)
                self._tell(job, "waiting")
                self._turn.notify_all()
            return job.future

    def idle(self, make: Callable[[], Work[Any]]) -> Future[Any]:
        """Something to do in advance, only when nothing else waits; nobody is told of it."""
        with self._turn:
            job = Job("", "", make)
            self._idle.append(job)
            self._turn.notify_all()
            return job.future

    def _run(self) -> None:
        while not self._closing:
            sitting = self._choose()
            if sitting is not None:
                self._pull_sitting(sitting)
            if self._jobs:
                self._pull_jobs()
            elif sitting is None and self._idle:
                self._pull(self._idle[0], self._idle, 0.0)
            elif sitting is None:
                self._wait()
        if self._current is not None:
            self._current.put_away()
        for job in (*self._jobs, *self._idle):
            if not job.future.cancel():
                job.future.set_exception(CancelledError())
            if job.work is not None:
                job.work.close()

    def _wait(self) -> None:
        with self._turn:
            while not (self._closing or self._jobs or self._idle or any(each.ready for each in self._sittings)):
                self._turn.wait()

    def _choose(self) -> Sitting | None:
        """The painting to go on with: the one at work, unless it rests or is patient and another is not."""
        with self._turn:
            ready = [each for each in self._sittings if each.ready]
            ready.sort(key=lambda each: (each.patient, each is not self._current))
            chosen = ready[0] if ready else None
            before = self._current
            if chosen is not None:
                self._current = chosen
        if chosen is not None and before is not None and chosen is not before:
            before.put_away()
        return chosen

    def _pull_sitting(self, sitting: Sitting) -> None:
        if sitting.pull():
            return
        with self._turn:
            self._sittings.remove(sitting)
            self._current = None

    def _pull_jobs(self) -> None:
        """The first job for a while; then it is another one's turn."""
        with self._turn:
            self._jobs.rotate(-1)
            job = self._jobs[-1]
        self._pull(job, self._jobs, SLICE)

    def _pull(self, job: Job, queue: deque[Job], seconds: float) -> None:
        """Pull `job` for so long, at least once; take it from its queue when it has ended."""
        until = time.perf_counter() + seconds
        try:
            if job.work is None:
                if not job.future.set_running_or_notify_cancel():
                    self._ended(job, queue)
                    return
                job.work = job.make()
            while True:
                job.done = next(job.work)
                self._told(job)
                if self._closing or time.perf_counter() >= until:
                    return
        except StopIteration as end:
            self._ended(job, queue)
            job.future.set_result(end.value)
            self._tell(job, "done")
        except Exception as error:
            if not isinstance(error, GramaryeError):
                _log.exception("job %s failed", job.key)
            self._ended(job, queue)
            job.future.set_exception(error)
            self._tell(job, "failed", in_one_line(error))

    def _ended(self, job: Job, queue: deque[Job]) -> None:
        """Forget a job, before its Future tells: whoever asks again then begins anew."""
        with self._turn:
            queue.remove(job)
            self._asked.pop(job.key, None)
        job.work, job.done = None, 1.0

    def _told(self, job: Job) -> None:
        if time.perf_counter() - job.told >= TOLD_EVERY:
            job.told = time.perf_counter()
            self._tell(job, "running")

    def _tell(self, job: Job, state: str, error: str | None = None) -> None:
        if job.key:
            done = min(max(float(job.done), 0.0), 1.0)
            told = {"key": job.key, "state": state, "done": done, "said": job.said, "error": error}
            self.events.publish("job", told)


def in_one_line(error: BaseException) -> str:
    """What went wrong, for the page: a Gramarye error as it is, another one with its kind."""
    if isinstance(error, GramaryeError):
        return str(error)
    if isinstance(error, MemoryError):
        return "the memory did not suffice. Choose a smaller size"
    return " ".join(f"something went wrong: {type(error).__name__}: {error}".split())[:400]
