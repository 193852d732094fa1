"""Several local processes: dead workers are replaced, poisonous trials set aside, nothing lost when told to end."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest

import crashing
import painters
from gramarye.errors import StudyError
from gramarye.study import processes, work
from gramarye.study.store import Store
from gramarye.study.work import Job


@pytest.fixture
def log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """What painters write down."""
    monkeypatch.setenv(painters.LOG, str(tmp_path / "log"))
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    return tmp_path / "log"


def job_for(tmp_path: Path, count: int, painter: str) -> tuple[Job, Store]:
    job = Job(str(tmp_path / "store"), None, "x", painter=f"painters:{painter}")
    job.open().add("x", painters.trials(count), {"ssim": "higher"})
    return job, job.open()


def begun(log: Path) -> Counter[int]:
    """How often each trial was begun."""
    lines = [line.split() for line in log.read_text().splitlines()]
    return Counter(int(number) for word, number, _ in lines if word == "begin")


def test_two_workers_paint_every_trial_once(tmp_path: Path, log: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(painters.SECONDS, "0.2")
    job, kept = job_for(tmp_path, 10, "quick")
    for _ in processes.run(job, 2):
        pass
    assert begun(log) == Counter(range(10))
    assert len({line.split()[2] for line in log.read_text().splitlines()}) == 2
    assert [record.state for record in kept.records("x")] == ["done"] * 10


def test_a_poisonous_trial_is_set_aside_and_a_failing_one_stops_nothing(tmp_path: Path, log: Path) -> None:
    job, kept = job_for(tmp_path, 4, "poison")
    for _ in processes.run(job, 1):
        pass
    assert begun(log) == {0: 1, 1: 2, 2: 1, 3: 1}
    record = kept.records("x")[1]
    assert (record.state, record.tries) == ("set aside", 2)
    assert record.error.startswith("its worker ended without a word (process ")
    assert [each.state for each in kept.records("x")] == ["done", "set aside", "done", "done"]


def test_workers_that_cannot_begin_are_told(tmp_path: Path, log: Path) -> None:
    job, kept = job_for(tmp_path, 2, "no_such_painter")
    with pytest.raises(StudyError, match="no_such_painter"):
        for _ in processes.run(job, 1):
            pass
    assert kept.summary("x").counts["waiting"] == 2


def test_ending_gives_trials_back(tmp_path: Path, log: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(painters.SECONDS, "60")
    job, kept = job_for(tmp_path, 3, "quick")
    going = processes.run(job, 1)
    for _ in going:
        if kept.summary("x").running:
            break
    going.close()
    assert [(each.state, each.tries) for each in kept.records("x")] == [("waiting", 0)] * 3


def test_who_does_not_end_is_killed_and_its_trial_unharmed(
    tmp_path: Path, log: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(processes, "PATIENCE", 0.2)
    job, kept = job_for(tmp_path, 1, "stubborn")
    going = processes.run(job, 1)
    for _ in going:
        if kept.summary("x").running:
            break
    going.close()
    assert [(each.state, each.tries) for each in kept.records("x")] == [("waiting", 0)]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_workers_end_with_whoever_began_them(
    number: int, tmp_path: Path, log: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(painters.SECONDS, "60")
    job, kept = job_for(tmp_path, 2, "quick")
    master = crashing.begin(job, 1)
    while not kept.summary("x").running:
        assert master.poll() is None
        time.sleep(0.1)
    os.kill(master.pid, number)
    master.wait()
    deadline = time.monotonic() + 60
    while kept.summary("x").running:
        assert time.monotonic() < deadline
        time.sleep(0.1)
    assert [(each.state, each.tries) for each in kept.records("x")] == [("waiting", 0)] * 2


def test_a_worker_that_is_asked_to_end_gives_back_its_trial(
    tmp_path: Path, log: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As a cluster's scheduler asks."""
    monkeypatch.setenv(painters.SECONDS, "60")
    job, kept = job_for(tmp_path, 1, "quick")
    text = work.json_of(job)
    environment = {**os.environ, "PYTHONPATH": str(Path(painters.__file__).parent)}
    command = [sys.executable, "-m", "gramarye.study.processes", text]
    worker = subprocess.Popen(command, stdin=subprocess.PIPE, env=environment)
    while not kept.summary("x").running:
        assert worker.poll() is None
        time.sleep(0.1)
    worker.terminate()
    worker.communicate(timeout=60)
    assert worker.returncode == 0
    assert [(each.state, each.tries) for each in kept.records("x")] == [("waiting", 0)]


def test_two_starts_of_one_plan_share_its_trials(tmp_path: Path, log: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(painters.SECONDS, "0.1")
    job, kept = job_for(tmp_path, 12, "quick")
    other = crashing.begin(job, 1)
    for _ in processes.run(job, 1):
        pass
    assert other.wait(60) == 0
    assert begun(log) == Counter(range(12))
    assert kept.summary("x").counts["done"] == 12
