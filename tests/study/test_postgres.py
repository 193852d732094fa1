"""A store on a real PostgreSQL server, of Debian's package, started here."""

from __future__ import annotations

import os
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import optuna
import pytest

import crashing
import painters
import postgres
from gramarye.errors import StudyError
from gramarye.study import owner, processes
from gramarye.study.store import Store
from gramarye.study.work import Job

SCORES = {"ssim": "higher", "cfsd": "lower"}


@pytest.fixture(scope="module")
def server() -> Iterator[postgres.Server]:
    """A server; without Debian's package there is none, which is allowed but under CI."""
    if postgres.programs() is None:
        reason = "no PostgreSQL on this machine: apt-get install postgresql"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
    with postgres.server() as running:
        yield running


@pytest.fixture
def job(server: postgres.Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Job:
    """Twelve trials in an empty database."""
    monkeypatch.setenv(painters.LOG, str(tmp_path / "log"))
    made = Job(server.database(), str(tmp_path / "files"), "x", painter="painters:quick")
    assert made.open().add("x", painters.trials(12), SCORES).new == 12
    return made


def test_two_workers(job: Job, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(painters.SECONDS, "0.1")
    for _ in processes.run(job, 2):
        pass
    kept = job.open()
    records = kept.records("x")
    assert [(each.state, each.tries) for each in records] == [("done", 1)] * 12
    assert [each.scores for each in records] == [painters.outcome(each.trial).scores for each in records]
    assert records[3].picture
    assert kept.path(records[3].picture).read_bytes() == painters.outcome(records[3].trial).picture
    lines = (tmp_path / "log").read_text().splitlines()
    assert Counter(line.split()[1] for line in lines if line.startswith("begin")) == Counter(map(str, range(12)))
    again = kept.add("x", painters.trials(13), SCORES)
    assert (again.new, again.known) == (1, 12)
    assert kept.summary("x").counts == {
        "waiting": 1, "running": 0, "done": 12, "failed": 0, "set aside": 0, "pruned": 0,
    }  # fmt: skip


def test_who_is_gone_and_who_is_not_heard_of(job: Job, monkeypatch: pytest.MonkeyPatch) -> None:
    kept = job.open()
    here, away = kept.claim("x", f"{owner.machine()}/999999999/1"), kept.claim("x", "elsewhere-1-1/5/5")
    assert here
    assert away
    assert kept.claim("x")
    assert [each.state for each in kept.records("x")[:3]] == ["failed", "running", "running"]
    assert kept.heartbeat(away)
    assert not kept.heartbeat(here)
    monkeypatch.setattr("gramarye.study.store.LEASE", -1.0)
    assert kept.release("x") == 1
    assert not kept.finish(away, painters.outcome(away.trial))
    kept.fail(kept.claim("x"), "error")
    assert kept.errors("x")[-1][2] == "error"


def test_optuna_reads_it(job: Job) -> None:
    kept = job.open()
    claim = kept.claim("x")
    assert claim
    kept.finish(claim, painters.outcome(claim.trial))
    study = optuna.load_study(study_name="x", storage=kept.optuna())
    assert len(study.trials) == 12
    assert study.best_trials[0].values == list(painters.outcome(claim.trial).scores.values())
    assert study.best_trials[0].params == {"style.weight": 1.0}


def test_kills_at_random_moments(job: Job, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(painters.SECONDS, "0.8")
    crashes = crashing.crash(job, 4, pause=(0.1, 0.8), seed=1)
    assert crashes.kills == 4
    calm = replace(job, store=str(tmp_path / "calm"), files=None, painter="painters:instant")
    calm.open().add("x", painters.trials(12), SCORES)
    crashing.undisturbed(calm)
    assert crashing.table(job.open(), "x") == crashing.table(calm.open(), "x")
    assert sum(record.tries - 1 for record in job.open().records("x")) <= 4


def test_stores_made_at_the_same_time_are_one(server: postgres.Server, tmp_path: Path) -> None:
    code = (
        "import sys; sys.path.insert(0, sys.argv[3]); import painters; from gramarye.study.store import Store;"
        "print(Store.open(sys.argv[1], sys.argv[2]).add('x', painters.trials(20), {'ssim': 'higher'}).new)"
    )
    url = server.database()
    command = [sys.executable, "-c", code, url, str(tmp_path), str(Path(painters.__file__).parent)]
    begun = [subprocess.Popen(command, stdout=subprocess.PIPE) for _ in range(2)]
    assert sorted(int(each.communicate()[0]) for each in begun) == [0, 20]
    assert len(Store.open(url, tmp_path).records("x")) == 20


def test_a_server_that_is_not_there_is_told_without_its_password(tmp_path: Path) -> None:
    kept = Store.open("postgresql://me:secret@/none?host=/nowhere", tmp_path)
    for attempt in (lambda: kept.add("x", painters.trials(1)), lambda: kept.records("x")):
        with pytest.raises(StudyError, match="readable and writable") as told:
            attempt()
        assert "secret" not in str(told.value)
