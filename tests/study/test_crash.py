"""Killed at random moments: nothing that is done is lost, doubled or redone. The whole test is benchmarks/crash.py."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

import crashing
import painters
from gramarye import demo
from gramarye.presets import preset
from gramarye.study import work
from gramarye.study.record import Pair
from gramarye.study.work import PAINTING, Job

KILLS, TRIALS = 6, 16


def test_kills_at_random_moments(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(painters.LOG, str(tmp_path / "log"))
    monkeypatch.setenv(painters.SECONDS, "0.5")
    job = Job(str(tmp_path / "store"), None, "x", painter="painters:quick")
    calm = replace(job, store=str(tmp_path / "calm"), painter="painters:instant")
    for each in (job, calm):
        each.open().add("x", painters.trials(TRIALS), {"ssim": "higher"})
    crashes = crashing.crash(job, KILLS, pause=(0.1, 0.8))
    lines = [line.split() for line in (tmp_path / "log").read_text().splitlines()]
    begun = Counter(number for word, number, _ in lines if word == "begin")
    ended = Counter(number for word, number, _ in lines if word == "end")
    assert crashes.kills == KILLS
    assert len(begun) == TRIALS
    assert sum(begun.values()) - TRIALS <= KILLS  # at most one redone for each kill
    assert sum(ended.values()) - TRIALS <= KILLS  # killed between its end and the store's word that it is done
    crashing.undisturbed(calm)
    assert crashing.table(job.open(), "x") == crashing.table(calm.open(), "x")


def test_real_paintings_come_out_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    settings = preset("default").with_(
        size=48, steps=24, init="noise", precision="float32", **{"network.name": "vgg19-lite"}
    )
    pair = Pair("demo", str(demo.photograph()), str(demo.styles()[0]))
    trials = [
        replace(painters.trial(number), pair=pair, settings=settings.with_(seed=number), levels={"seed": number})
        for number in range(3)
    ]
    jobs = [Job(str(tmp_path / name), None, "x", painter=PAINTING) for name in ("killed", "calm")]
    for job in jobs:
        job.open().add("x", trials, {"ssim": "higher"})
    crashes = crashing.crash(jobs[0], 1, workers=1, pause=(0.05, 0.2), at_work=True)
    assert crashes.kills == 1
    for _ in work.in_this_process(jobs[1]):
        pass
    killed, calm = (crashing.table(job.open(), "x") for job in jobs)
    assert killed == calm
    assert {row[1] for row in calm} == {"done"}
    assert len({row[6] for row in calm}) == 3  # three different pictures
