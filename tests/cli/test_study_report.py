"""gramarye study report and tune, from painting to page."""

from __future__ import annotations

import builtins
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from gramarye.report import study

from .command import Gramarye, refused

pytest.importorskip("optuna")

PLAN = """
name = "tiny"
question = "How does the weight act?"

[[pairs]]
content = "content.png"
style = "style.png"

[base]
preset = "default"
size = 48
steps = 4
"network.name" = "vgg19-lite"

[axes]
"style.weight" = [10, 100]
"""


@pytest.fixture
def plan(place: Path) -> Path:
    (place / "plan.toml").write_text(PLAN)
    return place / "plan.toml"


def tune(gramarye: Gramarye, *more: object) -> dict[str, object]:
    options = ("--store", "store", "--trials", 3, "--knob", "style.weight", "--quiet", "--json")
    return gramarye.ok("study", "tune", "plan.toml", *options, *more).answer


def test_a_study_from_plan_to_page(gramarye: Gramarye, plan: Path) -> None:
    gramarye.ok("study", "run", "plan.toml", "--store", "store", "--workers", 1, "--quiet")
    told = gramarye.ok("study", "report", "plan.toml", "--store", "store", "-o", "report", "--json")
    assert told.answer["states"] == {"done": 3}
    assert "style.weight differs" in told.answer["refused"]["tiny"]["total"]
    assert "3 of 3 trials" in told.err
    page = Path(told.answer["page"]).read_text()
    assert "How does the weight act?" in page
    assert json.loads(Path("report/numbers.json").read_text())["states"] == {"done": 3}


def test_a_report_of_nothing_is_refused(gramarye: Gramarye, plan: Path) -> None:
    refused(gramarye("study", "report", "plan.toml", "--store", "nowhere", "-o", "report"))
    assert not Path("report").exists()


def test_tuning_begins_with_the_preset_and_goes_on(
    gramarye: Gramarye, plan: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = tune(gramarye)
    (pair,) = found["pairs"]
    assert pair["trials"] == 3
    assert not set(pair["goal"]) & set(pair["judges"])
    assert pair["judged"]["both"] == pytest.approx((pair["judged"]["content"] + pair["judged"]["style"]) / 2)
    assert tune(gramarye) == found
    (more,) = tune(gramarye, "--trials", 4)["pairs"]
    assert more["trials"] == 4
    monkeypatch.setattr(study, "draw", lambda chapter: [])  # that takes longest
    told = gramarye.ok("study", "report", "tiny-tune", "--store", "store", "-o", "report", "--quiet")
    assert told.err == ""
    assert "style weight" in Path("report/report.html").read_text()


def test_choices_are_asked_for_and_kept(
    gramarye: Gramarye, plan: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    answers: Iterator[str] = iter(["nonsense", "1", "same", "2", "quit"])
    monkeypatch.setattr(builtins, "input", lambda prompt="": next(answers))
    found = tune(gramarye, "--prefer")
    (pair,) = found["pairs"]
    assert pair["choices"] == 3
    (sheet,) = Path("store").rglob("choices/*.png")
    assert sheet.stat().st_size > 1000
    assert tune(gramarye, "--prefer")["pairs"][0]["choices"] == 3  # nothing is left to ask


def test_bad_knobs_are_refused_before_anything_is_painted(gramarye: Gramarye, plan: Path) -> None:
    refused(gramarye("study", "tune", "plan.toml", "--store", "store", "--knob", "style.wieght"), about="style.weight")
    refused(gramarye("study", "tune", "plan.toml", "--store", "store", "--group", "tny"), about="tiny")
    assert not Path("store").exists()
