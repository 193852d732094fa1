"""gramarye study run and show."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from gramarye import images
from gramarye.cli.study import following
from gramarye.study import running, work
from gramarye.study.store import Store

from .command import Gramarye, refused

PLAN = """
name = "tiny"
question = "does it run?"
[[pairs]]
content = "content.png"
style = "style.png"
[base]
size = 48
steps = 4
"network.name" = "vgg19-lite"
[axes]
"style.weight" = [3, 30]
init = ["black", "content"]
[design]
kind = "factorial"
"""


@pytest.fixture
def plan(place: Path) -> Path:
    """A plan of four tiny trials, in the working folder."""
    (place / "tiny.toml").write_text(PLAN)
    return place


def test_run_show_and_run_again(plan: Path, gramarye: Gramarye) -> None:
    outcome = gramarye.ok("study", "run", "tiny.toml", "--workers", "1", "--json")
    answer = outcome.answer
    assert (answer["name"], answer["interrupted"]) == ("tiny", False)
    assert answer["counts"] == {"waiting": 0, "running": 0, "done": 4, "failed": 0, "set aside": 0, "pruned": 0}
    first = answer["trials"][0]
    assert first["state"] == "done"
    assert first["levels"] == {"style.weight": 3.0, "init": "black"}
    assert first["settings"]["style"]["weight"] == 3.0
    assert first["content"] == str(plan / "content.png")
    assert first["seconds"] > 0
    assert {"ssim"} <= set(first["scores"])
    assert images.read_recipe(first["image"])["settings"] == first["settings"]
    assert json.loads(Path(first["ledger"]).read_text())["step"] == [1, 2, 3, 4]
    assert "study     tiny: 0 of 4 trials done" in outcome.err
    assert "workers   1" in outcome.err
    assert "ended · 4 of 4 trials done · tiny.study" in outcome.err

    shown = gramarye.ok("study", "show", "tiny.toml", "--json").answer
    assert shown["trials"] == answer["trials"]
    assert shown["counts"] == answer["counts"]
    assert gramarye.ok("study", "show", "tiny").out.endswith("4 of 4 trials done\n")

    files = {file: file.stat().st_mtime_ns for file in Path("tiny.study").rglob("*.*") if "study.db" not in file.name}
    again = gramarye.ok("study", "run", "tiny.toml", "--workers", "1", "--json").answer
    assert again["trials"] == answer["trials"]
    assert {file: file.stat().st_mtime_ns for file in files} == files


def test_what_is_seen(plan: Path, gramarye: Gramarye, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "160")
    gramarye.ok("study", "run", "tiny.toml", "--workers", "1", "-q")
    lines = gramarye.ok("study", "show", "tiny.toml").out.splitlines()
    assert "style weight" in lines[0]
    assert [line.split()[:4] for line in lines[1:3]] == [["0", "3", "black", "done"], ["1", "3", "content", "done"]]
    assert lines[5].split() == ["experiment", "trials", "done", "a", "trial"]
    assert lines[6].split()[:3] == ["tiny", "4", "4"]
    monkeypatch.setattr("gramarye.cli.study.running.ROWS", 3)
    assert len(gramarye.ok("study", "show", "tiny.toml").out.splitlines()) == 3
    assert len(gramarye.ok("study", "show", "tiny.toml", "--all").out.splitlines()) == 8


def test_two_workers_and_a_store_elsewhere(plan: Path, gramarye: Gramarye) -> None:
    options = ("--store", "a/b", "--files", "pictures")
    answer = gramarye.ok("study", "run", "tiny.toml", "--workers", "2", "--json", *options).answer
    assert answer["counts"]["done"] == 4
    assert Path(answer["trials"][0]["image"]).is_relative_to("pictures")
    alone = gramarye.ok("study", "run", "tiny.toml", "--workers", "1", "--threads", "1", "--json", "-q").answer
    for one, other in zip(answer["trials"], alone["trials"], strict=True):
        assert one["scores"] == other["scores"]
        assert Path(one["image"]).name == Path(other["image"]).name


def test_a_failing_trial_is_told_and_tried_again_when_asked(plan: Path, gramarye: Gramarye) -> None:
    gramarye.ok("study", "run", "tiny.toml", "--workers", "1", "-q")
    (plan / "more.toml").write_text(PLAN.replace("[3, 30]", "[3, 30, 300]"))
    original = (plan / "style.png").read_bytes()
    begun = running.begin("more.toml", workers=1)
    (plan / "style.png").write_bytes(b"no picture any more")
    work._scorer.cache_clear()
    for _ in begun.summaries():
        pass
    (plan / "style.png").write_bytes(original)
    shown = gramarye.ok("study", "show", "tiny")
    assert "2 set aside" in shown.out
    assert "trial 4, set aside: a picture must be" in shown.out
    outcome = gramarye("study", "run", "more.toml", "--workers", "1")
    assert outcome.status == 1
    assert "error: trial 4 and 1 more: a picture must be" in outcome.err
    answer = gramarye.ok("study", "run", "more.toml", "--workers", "1", "--retry", "--json").answer
    assert answer["counts"]["done"] == 6


def test_another_version_is_said(plan: Path, gramarye: Gramarye, monkeypatch: pytest.MonkeyPatch) -> None:
    gramarye.ok("study", "run", "tiny.toml", "--workers", "1", "-q")
    with monkeypatch.context() as patch:
        patch.setattr("gramarye.__version__", "9.9.9")
        outcome = gramarye.ok("study", "run", "tiny.toml", "--workers", "1", "--json")
    assert "note      4 trials were painted by Gramarye 0.1.0, this is 9.9.9: they are kept" in outcome.err
    assert {trial["version"] for trial in outcome.answer["trials"]} == {"0.1.0"}


def test_another_version_of_the_plan(plan: Path, gramarye: Gramarye) -> None:
    gramarye.ok("study", "run", "tiny.toml", "--workers", "1", "-q")
    (plan / "tiny.toml").write_text(PLAN.replace("[3, 30]", "[3]"))
    outcome = gramarye.ok("study", "run", "tiny.toml", "--workers", "1", "--json")
    assert "2 trials of an earlier version of the plan are kept and not shown" in outcome.err
    assert len(outcome.answer["trials"]) == 2


def test_ctrl_c_gives_back_and_the_next_run_goes_on(
    plan: Path, gramarye: Gramarye, monkeypatch: pytest.MonkeyPatch
) -> None:
    def show(bar: following.Bar, summary: object) -> None:
        if summary.counts["done"] == 1:  # type: ignore[attr-defined]
            signal.raise_signal(signal.SIGINT)

    with monkeypatch.context() as patch:
        patch.setattr(following.Bar, "show", show)
        patch.setattr(running, "BETWEEN", 0.0)
        outcome = gramarye("study", "run", "tiny.toml", "--workers", "1", "--json")
    assert outcome.status == 130
    assert outcome.answer["interrupted"] is True
    assert outcome.answer["counts"]["done"] == 1
    assert outcome.answer["counts"]["waiting"] == 3
    assert sum(trial["tries"] for trial in outcome.answer["trials"]) == 1
    assert gramarye.ok("study", "run", "tiny.toml", "--workers", "1", "--json").answer["counts"]["done"] == 4


def test_ctrl_c_with_workers_in_a_terminal(plan: Path) -> None:
    """The whole program, its group interrupted as a terminal does it."""
    (plan / "tiny.toml").write_text(PLAN.replace("steps = 4", "steps = 2000"))
    command = [sys.executable, "-c", "from gramarye.cli import main; main()", "study", "run", "tiny.toml"]
    begun = subprocess.Popen([*command, "--workers", "2"], stderr=subprocess.PIPE, start_new_session=True)
    kept = Store.open("tiny.study")
    deadline = threading.Event()
    while not (Path("tiny.study/study.db").exists() and kept._has("tiny") and kept.summary("tiny").running):
        assert begun.poll() is None
        deadline.wait(0.2)
    os.killpg(begun.pid, signal.SIGINT)
    _, said = begun.communicate(timeout=120)
    assert begun.returncode == 130, said
    assert b"interrupted" in said
    assert b"Traceback" not in said
    counts = kept.summary("tiny").counts
    assert (counts["waiting"], counts["running"], counts["failed"]) == (4, 0, 0)


def test_following_ends_with_the_study(plan: Path, gramarye: Gramarye, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(following, "REFRESH", 0.05)
    begun = running.begin("tiny.toml", workers=1)
    going = begun.summaries()
    next(going)
    thread = threading.Thread(target=lambda: [None for _ in going])
    thread.start()
    outcome = gramarye.ok("study", "show", "tiny", "--follow")
    thread.join()
    assert outcome.out.endswith("4 of 4 trials done\n")
    monkeypatch.setattr("gramarye.cli.console.on_terminal", lambda: True)
    assert gramarye.ok("study", "show", "tiny", "--follow").out.endswith("4 of 4 trials done\n")


def test_a_budget_ends_a_run(plan: Path, gramarye: Gramarye) -> None:
    (plan / "tiny.toml").write_text(PLAN + "[budget]\ntrials = 3\n")
    outcome = gramarye.ok("study", "run", "tiny.toml", "--workers", "1", "--json")
    assert outcome.answer["counts"]["done"] == 3
    assert "ended · 3 of 4 trials done" in outcome.err
    assert gramarye.ok("study", "run", "tiny.toml", "--workers", "1", "--json").answer["counts"]["done"] == 4


def test_progress_on_a_terminal(plan: Path, gramarye: Gramarye, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gramarye.cli.console.on_terminal", lambda: True)
    outcome = gramarye.ok("study", "run", "tiny.toml", "--workers", "1")
    assert "ended · 4 of 4 trials done" in outcome.err


@pytest.mark.parametrize(
    ("arguments", "about"),
    [
        (("show", "tiny.toml"), "must be there"),
        (("show", "nonsense"), "must be there"),
        (("show", "tiny.toml", "--store", "mysql://x/y"), "PostgreSQL"),
        (("run", "tiny.toml", "--store", "postgresql://x/y"), "--files"),
        (("run", "nonsense"), "unknown plan"),
        (("run", "tiny.toml", "--store", "content.png"), "a folder or a URL"),
        (("run", "missing.toml"), "missing.toml"),
    ],
)
def test_what_cannot_be_run_or_shown(arguments: tuple[str, ...], about: str, plan: Path, gramarye: Gramarye) -> None:
    refused(gramarye("study", *arguments), about=about)


def test_in_python(plan: Path) -> None:
    import gramarye.study

    records = gramarye.study.run("tiny.toml", store="kept")
    assert [record.state for record in records] == ["done"] * 4
    assert Store.open("kept").records("tiny") == records
    with pytest.raises(AttributeError, match="rum"):
        gramarye.study.rum  # noqa: B018


def test_how_many_workers_suit_a_machine(monkeypatch: pytest.MonkeyPatch, plan: Path) -> None:
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    trials = running.begin("tiny.toml").store.records("tiny")
    several = [record.trial for record in trials]
    monkeypatch.setattr(running.os, "sched_getaffinity", lambda _: set(range(8)), raising=False)
    monkeypatch.setattr("gramarye.machine.available_memory", lambda: 10**12)
    assert running.shape(several, None, None) == (4, 2)  # no more than trials
    assert running.shape(several[:1], None, None) == (1, 8)
    assert running.shape(several * 10, None, 4) == (2, 4)
    assert running.shape(several, 3, None) == (3, 2)
    assert running.shape(several, 2, 1) == (2, 1)
    monkeypatch.setattr("gramarye.machine.available_memory", lambda: 10**9)
    assert running.shape(several, None, None)[0] in (1, 2)
    monkeypatch.setenv("OMP_NUM_THREADS", "4")
    monkeypatch.setattr("gramarye.machine.available_memory", lambda: 10**12)
    assert running.shape(several, None, None) == (2, 4)
