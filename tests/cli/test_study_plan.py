"""gramarye study list and plan: what is told before anything is painted."""

from __future__ import annotations

from pathlib import Path

import pytest

from gramarye.study import forecast, plan

from .command import Gramarye, refused

PLAN = """
question = "How strong?"
pairs = [{ content = "content.png", style = "style.png" }]
[base]
preset = "draft"
size = 48
steps = 4
"network.name" = "vgg19-lite"
[axes]
"style.weight" = [1, 10]
init = ["content", "noise"]
[design]
kind = "factorial"
"""


@pytest.fixture
def study(place: Path) -> Path:
    """study.toml beside the pictures."""
    path = place / "study.toml"
    path.write_text(PLAN)
    return path


def test_list_shows_every_bundled_plan(gramarye: Gramarye) -> None:
    rows = gramarye.ok("study", "list", "--json").answer["plans"]
    assert {row["name"] for row in rows} == set(plan.bundled())
    assert {row["name"]: row["trials"] for row in rows}["error-layers"] == 124
    text = gramarye.ok("study", "list").out
    assert all(name in text for name in plan.bundled())


def test_plan_counts_and_predicts_and_paints_nothing(gramarye: Gramarye, study: Path) -> None:
    before = sorted(study.parent.iterdir())
    answer = gramarye.ok("study", "plan", "study.toml", "--json").answer
    assert (answer["name"], answer["trials"], answer["paintings"]) == ("study", 4, 4)
    assert answer["groups"][0]["axes"] == {"style.weight": [1.0, 10.0], "init": ["content", "noise"]}
    assert answer["predicted"]["seconds"] > 0
    assert answer["predicted"]["disk_mb"] > 0
    assert sorted(study.parent.iterdir()) == before


def test_plan_shows_the_question_the_trials_and_the_cost(gramarye: Gramarye, study: Path) -> None:
    text = gramarye.ok("study", "plan", study).out
    for words in (
        "How strong?",
        "4 trials, factorial",
        "style weight",
        "content × style",
        "4 paintings: about",
        "disk",
    ):
        assert words in text


def test_long_experiments_are_shown_by_their_first_trials(gramarye: Gramarye, study: Path) -> None:
    study.write_text(PLAN.replace("[1, 10]", "[1, 2, 3, 4, 5, 6, 7, 8, 9, 10]"))
    text = gramarye.ok("study", "plan", study).out
    assert "20 trials" in text
    assert "… and 12 more" in text


def test_options_change_the_plan(gramarye: Gramarye, study: Path) -> None:
    options = ("--scale", 0.75, "--set", "content.weight=5", "--pairs", "other.png,style.png", "--json")
    answer = gramarye.ok("study", "plan", study, *options).answer
    assert answer["scale"] == 0.75
    assert [Path(pair["content"]).name for pair in answer["groups"][0]["pairs"]] == ["other.png"]
    every = ("--content", "content.png", "--content", "other.png", "--style", "style.png", "--style", "painted.png")
    answer = gramarye.ok("study", "plan", study, *every, "--json").answer
    assert len(answer["groups"][0]["pairs"]) == 4
    assert answer["trials"] == 16


def test_a_bundled_plan_with_a_picture_of_ones_own(gramarye: Gramarye, place: Path) -> None:
    options = ("--scale", 0.125, "--network", "vgg19-lite", "--picture", "demo:cubist=style.png", "--json")
    answer = gramarye.ok("study", "plan", "loss", *options).answer
    assert Path(answer["groups"][0]["pairs"][0]["style"]) == (place / "style.png").resolve()


@pytest.mark.parametrize(
    ("arguments", "about"),
    [
        (("losss",), "unknown plan; got 'losss'. Did you mean 'loss'?"),
        (("gone.toml",), "a plan must be a TOML file that can be read"),
        (("study.toml", "--set", "style.wieght=3"), "unknown knob; got 'style.wieght' in study"),
        (("study.toml", "--set", "style.weight"), "--set takes NAME=VALUE"),
        (("study.toml", "--pairs", "content.png"), "--pairs takes PHOTO,PAINTING"),
        (("study.toml", "--content", "content.png"), "--content and --style are given together; got no --style"),
        (("study.toml", "--pairs", "content.png,gone.png"), "a picture must be a file that can be read"),
        (("study.toml", "--scale", "0"), "a scale must lie in"),
        (("study.toml", "--picture", "cubist"), "--picture takes NAME=VALUE"),
    ],
)
def test_what_cannot_be_planned_is_one_line(
    gramarye: Gramarye, study: Path, arguments: tuple[str, ...], about: str
) -> None:
    refused(gramarye("study", "plan", *arguments), about=about)


def test_a_forecast_counts_each_painting_once_and_in_proportion(study: Path) -> None:
    trials = plan.trials(plan.read(study))
    once, twice = forecast.forecast(trials), forecast.forecast([*trials, *trials])
    assert once.paintings == twice.paintings == 4
    assert once.disk == twice.disk
    longer = plan.trials(plan.read(study, changes={"steps": 8}))
    sizes = [forecast._multiplications(each.settings) for each in (trials[0], longer[0])]
    assert sizes[1] == pytest.approx(2 * sizes[0])
