"""One trial painted and scored, and the worker who does so until none is left."""

from __future__ import annotations

import json
import math
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest
import torch

import gramarye
import painters
from gramarye import images, transfer
from gramarye.errors import StudyError
from gramarye.presets import preset
from gramarye.study import on_ray, work
from gramarye.study.record import Outcome, Pair, Trial
from gramarye.study.work import Job
from networks import picture

SETTINGS = preset("default").with_(size=48, steps=5, **{"network.name": "vgg19-lite"})


@pytest.fixture
def trial(tmp_path: Path) -> Trial:
    """A tiny painting."""
    images.save(picture(48, 40, 1), tmp_path / "c.png")
    images.save(picture(40, 60, 2), tmp_path / "s.png")
    pair = Pair("tiny", str(tmp_path / "c.png"), str(tmp_path / "s.png"))
    return replace(painters.trial(0), pair=pair, settings=SETTINGS, levels={})


@pytest.fixture
def job(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Job:
    """Four trials for a painter that tells what it does."""
    monkeypatch.setenv(painters.LOG, str(tmp_path / "log"))
    (tmp_path / "log").touch()
    made = Job(str(tmp_path / "store"), None, "x", painter="painters:instant")
    made.open().add("x", painters.trials(4), {"ssim": "higher"})
    return made


def test_a_trial_is_painted_and_scored(trial: Trial, tmp_path: Path) -> None:
    going, done = work.painting(trial), []
    while True:
        try:
            done.append(next(going))
        except StopIteration as end:
            outcome: Outcome = end.value
            break
    assert done == [0.2, 0.4, 0.6, 0.8, 1.0, 1.0]
    result = gramarye.stylize(trial.pair.content, trial.pair.style, SETTINGS)
    (tmp_path / "again.png").write_bytes(outcome.picture)
    assert torch.equal(images.load(tmp_path / "again.png").pixels, images.load(images.to_uint8(result.pixels)).pixels)
    assert images.read_recipe(tmp_path / "again.png")["settings"] == SETTINGS.to_dict()
    assert outcome.terms == {term["name"]: term["value"] for term in result.terms}
    assert outcome.total == pytest.approx(result.total)
    assert outcome.evaluations == 5
    assert outcome.version == gramarye.__version__
    assert 1e7 < outcome.memory < 1e11
    assert outcome.seconds > 0
    assert {name.partition("@")[0] for name in outcome.scores} >= {"ssim", "cfsd", "colour", "style-gram"}
    assert all(math.isfinite(value) for value in outcome.scores.values())


def test_the_ledger_has_the_curves(trial: Trial) -> None:
    outcome = work.paint(trial)
    plain = json.loads(outcome.ledger)
    painting = transfer.prepare(trial.pair.content, trial.pair.style, SETTINGS)
    history = list(painting.steps())
    assert plain["step"] == [1, 2, 3, 4, 5]
    assert plain["scale"] == [0] * 5
    assert plain["total"] == pytest.approx([step.total for step in history], rel=1e-7)
    assert {term["name"] for term in plain["terms"]} == set(outcome.terms) == set(plain["value"])
    for name, values in plain["weighted"].items():
        assert values == pytest.approx([step.weighted[name] for step in history], rel=1e-7)
    for place in range(5):
        parts = [values[place] for values in plain["weighted"].values()]
        assert math.fsum(parts) == pytest.approx(plain["total"][place], rel=1e-4)


def test_the_same_trial_gives_the_same_bytes(trial: Trial) -> None:
    one, two = work.paint(trial), work.paint(trial)
    assert (one.picture, one.ledger, one.scores) == (two.picture, two.ledger, two.scores)


def test_scores_do_not_depend_on_what_the_settings_make_of_the_painting(trial: Trial) -> None:
    still = trial.settings.with_(steps=0, init="content")
    plain = work.paint(replace(trial, settings=still))
    other = work.paint(replace(trial, settings=still.with_(**{"style.scale": 0.7, "color": "histogram"})))
    assert plain.scores == other.scores


def test_a_worker_paints_all_and_ends(job: Job) -> None:
    for _ in work.in_this_process(job):
        pass
    assert [record.state for record in job.open().records("x")] == ["done"] * 4
    assert list(work.in_this_process(job)) == []


def test_failures_are_tried_twice_and_stop_nothing(job: Job) -> None:
    for _ in work.in_this_process(replace(job, painter="painters:bad")):
        pass
    records = job.open().records("x")
    assert [record.state for record in records] == ["done", "set aside", "done", "done"]
    assert [record.tries for record in records] == [1, 2, 2, 1]
    assert records[1].error == "a picture must be a file that can be read; got a.jpg"
    assert records[2].error == ""


def test_errors_are_one_line() -> None:
    assert work.in_one_line(ZeroDivisionError("division\nby zero")) == "ZeroDivisionError: division by zero"
    assert work.in_one_line(StudyError("a rule", "that", "mend it")) == "a rule; got that. Mend it"
    assert work.in_one_line(KeyError()) == "KeyError"
    assert len(work.in_one_line(ValueError("x" * 10_000))) <= work.LONGEST


def test_closing_gives_the_trial_back(job: Job) -> None:
    going = work.in_this_process(job)
    next(going)
    assert job.open().summary("x").counts["running"] == 1
    going.close()
    assert [(each.state, each.tries) for each in job.open().records("x")] == [("waiting", 0)] * 4


def test_ctrl_c_gives_the_trial_back(job: Job) -> None:
    going = work.in_this_process(job)
    next(going)
    with pytest.raises(KeyboardInterrupt):
        going.throw(KeyboardInterrupt())
    assert [(each.state, each.tries) for each in job.open().records("x")] == [("waiting", 0)] * 4


def test_a_store_that_cannot_write_ends_the_worker_and_gives_the_trial_back(
    job: Job, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("gramarye.files.os.replace", full)
        with pytest.raises(StudyError, match="space"):
            for _ in work.in_this_process(job):
                pass
    assert [(each.state, each.tries) for each in job.open().records("x")] == [("waiting", 0)] * 4


def test_a_trial_that_was_given_to_another_is_left(job: Job, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(work, "BEAT", 0.02)
    monkeypatch.setenv(painters.SECONDS, "1")
    job = replace(job, painter="painters:quick")
    going, kept, lost = work.in_this_process(job), job.open(), None
    for _ in going:
        if lost is None:
            found = kept.database.tables["gramarye_trials"]
            with kept.database.writing() as connection:
                connection.execute(found.update().where(found.c.number == 0).values(owner="other-1-1/5/5"))
            lost = time.monotonic()
        if kept.summary("x").counts["done"] == 3:
            break
    going.close()
    assert kept.records("x")[0].state == "running"


def test_signs_of_life(job: Job, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(work, "BEAT", 0.02)
    kept = job.open()
    claim = kept.claim("x")
    assert claim
    table = kept.database.tables["gramarye_trials"]

    def seen() -> float:
        with kept.database.reading() as connection:
            return float(connection.execute(table.select().where(table.c.number == 0)).one().seen)

    first = seen()
    with work.Pulse(kept) as pulse:
        pulse.held[claim.row] = claim
        deadline = time.monotonic() + 20
        while seen() == first:
            assert time.monotonic() < deadline
            time.sleep(0.02)
    assert seen() > first


def test_budgets_are_kept(job: Job) -> None:
    for _ in work.in_this_process(replace(job, most=2)):
        pass
    assert job.open().summary("x").counts["done"] == 2
    for _ in work.in_this_process(replace(job, until=time.time() - 1)):
        pass
    assert job.open().summary("x").counts["done"] == 2


def test_the_jobs_of_other_processes() -> None:
    job = Job("store", None, "x", 2, until=5.0)
    assert work.job_from_json(work.json_of(job)) == job
    assert job.find_painter() is work.painting


def test_a_task_of_a_cluster_paints(trial: Trial) -> None:
    assert on_ray._paint(trial, work.PAINTING, torch.get_num_threads()).total == pytest.approx(work.paint(trial).total)


def test_a_missing_ray_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(gramarye.GramaryeError, match=r"gramarye\[ray\]"):
        next(on_ray.run(Job("store", None, "x")))
