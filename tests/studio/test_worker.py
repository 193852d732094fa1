"""One thread for everything: paintings a step at a time, other work between, and an end within one step."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import CancelledError
from typing import Any

import pytest

from gramarye.errors import ImageError
from gramarye.pulling import Work
from gramarye.studio.worker import Worker

PATIENCE = 20.0  # seconds; nothing here takes a tenth of it


class Events:
    """Keeps what is published."""

    def __init__(self) -> None:
        self.told: list[tuple[str, dict[str, Any]]] = []

    def publish(self, kind: str, data: Mapping[str, Any]) -> None:
        self.told.append((kind, dict(data)))

    def states(self, key: str) -> list[str]:
        """The states of a job, each once."""
        return list(dict.fromkeys(data["state"] for kind, data in self.told if data["key"] == key))


class Painting:
    """So many steps of no work at all; each is written into `log`."""

    def __init__(self, name: str, log: list[str], steps: int = 30, *, patient: bool = False) -> None:
        self.name, self.log, self.left, self.patient = name, log, steps, patient
        self.paused = False
        self.reached, self.over = threading.Event(), threading.Event()
        self.gate: threading.Event | None = None  # waited for in every step

    @property
    def ready(self) -> bool:
        return not self.paused

    def pull(self) -> bool:
        if not self.left:
            self.over.set()
            return False
        self.left -= 1
        self.log.append(self.name)
        self.reached.set()
        if self.gate is not None:
            self.gate.wait(PATIENCE)
        return True

    def put_away(self) -> None:
        self.log.append(f"{self.name} away")


def counting(log: list[str], name: str, steps: int, *, slow: bool = False) -> Callable[[], Work[str]]:
    """A job of so many steps; a slow one takes a whole slice for each."""

    def work() -> Work[str]:
        for step in range(steps):
            log.append(name)
            if slow:
                threading.Event().wait(0.06)
            yield step / steps
        return name.upper()

    return work


@pytest.fixture
def events() -> Events:
    return Events()


@pytest.fixture
def worker(events: Events) -> Iterator[Worker]:
    made = Worker(events)
    yield made
    made.close()


def test_what_is_asked_for_is_done_and_told(worker: Worker, events: Events) -> None:
    log: list[str] = []
    first = worker.ask("key", counting(log, "a", 5), "looking")
    assert worker.ask("key", counting(log, "b", 5)) is first, "the same key under way is the same work"
    worker.start()
    assert first.result(PATIENCE) == "A"
    assert log == ["a"] * 5
    assert worker.ask("key", counting(log, "c", 1)).result(PATIENCE) == "C", "afterwards it is done anew"
    assert events.states("key")[:3] == ["waiting", "running", "done"]
    told = [data for kind, data in events.told if kind == "job"]
    assert {data["said"] for data in told} == {"looking", ""}
    assert [data["done"] for data in told if data["state"] == "done"] == [1, 1]


def test_what_goes_wrong_is_told_and_stops_nothing(worker: Worker, events: Events) -> None:
    def refused() -> Work[None]:
        yield 0.5
        raise ImageError("a picture must be whole", "half of one", "use another")

    def broken() -> Work[None]:
        yield 0.5
        raise ZeroDivisionError("division\nby zero")

    def never() -> Work[None]:
        raise ValueError("not even begun")

    worker.start()
    wrong = [worker.ask(make.__name__, make) for make in (refused, broken, never)]
    worker.idle(never)
    for future in wrong:
        with pytest.raises((ImageError, ZeroDivisionError, ValueError)):
            future.result(PATIENCE)
    assert worker.ask("after", counting([], "a", 1)).result(PATIENCE) == "A"
    errors = {data["key"]: data["error"] for kind, data in events.told if data["state"] == "failed"}
    assert errors["refused"] == "a picture must be whole; got half of one. Use another"
    assert errors["broken"] == "something went wrong: ZeroDivisionError: division by zero"
    assert set(errors) == {"refused", "broken", "never"}, "nobody is told of what was idle"


def test_a_painting_and_a_long_job_do_not_wait_for_each_other(worker: Worker) -> None:
    log: list[str] = []
    painting = Painting("paint", log, 10)
    worker.begin(painting)
    job = worker.ask("long", counting(log, "job", 10, slow=True))
    worker.start()
    assert job.result(PATIENCE) == "JOB"
    assert painting.over.wait(PATIENCE)
    assert log == ["paint", "job"] * 10


def test_short_jobs_take_no_whole_slice_and_long_ones_take_turns(worker: Worker) -> None:
    log: list[str] = []
    futures = [worker.ask(name, counting(log, name, 3, slow=True)) for name in ("a", "b")]
    futures += [worker.ask("c", counting(log, "c", 3))]
    worker.start()
    for future in futures:
        future.result(PATIENCE)
    assert log == ["a", "b", "c", "c", "c", "a", "b", "a", "b"]


def test_paintings_one_after_another_in_order(worker: Worker) -> None:
    log: list[str] = []
    paintings = [Painting(name, log, 3) for name in ("first", "second")]
    for each in paintings:
        worker.begin(each)
    worker.start()
    assert paintings[1].over.wait(PATIENCE)
    assert log == ["first"] * 3 + ["second"] * 3


def test_a_paused_painting_makes_room_and_goes_on_later(worker: Worker) -> None:
    log: list[str] = []
    first, second = Painting("first", log, 3), Painting("second", log, 2)
    first.paused = True
    worker.begin(first)
    worker.begin(second)
    worker.start()
    assert second.over.wait(PATIENCE)
    first.paused = False
    worker.wake()
    assert first.over.wait(PATIENCE)
    assert log == ["second", "second", "first", "first", "first"]


def test_a_patient_painting_gives_way_and_is_put_away(worker: Worker) -> None:
    log: list[str] = []
    patient, other = Painting("patient", log, 4, patient=True), Painting("other", log, 2)
    patient.gate = threading.Event()
    worker.begin(patient)
    worker.start()
    assert patient.reached.wait(PATIENCE)
    worker.begin(other)
    patient.gate.set()
    assert patient.over.wait(PATIENCE)
    assert log == ["patient", "patient away", "other", "other", "patient", "patient", "patient"]


def test_idle_things_are_done_when_nothing_else_waits(worker: Worker) -> None:
    log: list[str] = []
    idle = worker.idle(counting(log, "idle", 3))
    painting = Painting("paint", log, 3)
    worker.begin(painting)
    worker.ask("job", counting(log, "job", 1))
    worker.start()
    assert idle.result(PATIENCE) == "IDLE"
    assert log == ["paint", "job", "paint", "paint", "idle", "idle", "idle"]


def test_closing_stops_within_one_step_and_leaves_nobody_waiting(worker: Worker) -> None:
    log: list[str] = []
    painting = Painting("paint", log, 1000)
    painting.gate = threading.Event()
    worker.begin(painting)
    started, waiting = worker.ask("a", counting(log, "job", 10_000, slow=True)), worker.ask("b", counting(log, "b", 1))
    worker.start()
    assert painting.reached.wait(PATIENCE)
    closing = threading.Thread(target=worker.close)
    closing.start()
    painting.gate.set()
    closing.join(PATIENCE)
    assert not closing.is_alive()
    assert log.count("paint") <= 2
    assert log[-1] == "paint away"
    for future in (started, waiting):
        with pytest.raises(CancelledError):
            future.result(PATIENCE)
    with pytest.raises(RuntimeError, match="closed"):
        worker.ask("later", counting(log, "later", 1))
    worker.close()


def test_a_future_that_was_given_up_is_not_worked_at(worker: Worker) -> None:
    log: list[str] = []
    assert worker.ask("a", counting(log, "a", 1)).cancel()
    after = worker.ask("b", counting(log, "b", 1))
    worker.start()
    assert after.result(PATIENCE) == "B"
    assert log == ["b"]
    assert worker.ask("a", counting(log, "a", 1)).result(PATIENCE) == "A"


def test_a_painting_can_leave_the_queue_unless_it_is_at_work(worker: Worker) -> None:
    log: list[str] = []
    first, second = Painting("first", log, 2), Painting("second", log, 2)
    first.gate = threading.Event()
    worker.begin(first)
    worker.begin(second)
    worker.start()
    assert first.reached.wait(PATIENCE)
    assert not worker.leave(first)
    assert worker.leave(second)
    assert not worker.leave(second)
    first.gate.set()
    assert first.over.wait(PATIENCE)
    worker.ask("after", counting(log, "job", 1)).result(PATIENCE)
    assert log == ["first", "first", "job"]
