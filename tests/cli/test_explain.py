"""gramarye explain: the report from the command line, and every way in which it can be refused."""

from __future__ import annotations

import errno
import json
import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from gramarye import images
from gramarye.explain import story
from gramarye.explain.section import Section
from gramarye.explain.subject import Subject
from gramarye.pulling import Work
from gramarye.report import explanation as report
from networks import picture
from sections import FINDING, draw, told

from .command import TINY, Gramarye, everything_in, refused

EXPLAIN = ("explain", "content.png", "style.png", "-o", "why", "--only", "ledger,gram")
SMALL = (*TINY, "--network", "vgg19-lite")


@pytest.fixture(autouse=True)
def _fakes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(story, "told", told)
    monkeypatch.setattr(report, "drawings", draw)


def test_a_report(place: Path, gramarye: Gramarye) -> None:
    outcome = gramarye.ok(*EXPLAIN, *SMALL)
    assert outcome.out == ""
    lines = outcome.err.splitlines()
    assert lines[0].startswith("network   vgg19-lite")
    assert lines[1] == "picture   48×36, 4 evaluations"
    assert lines[2].startswith("sections  2, depth quick, about ")
    assert [line.split()[:2] for line in lines[3:6]] == [["1/3", "painting"], ["2/3", "ledger"], ["3/3", "gram"]]
    assert lines[-1].startswith("wrote why/report.html · 2 sections in ")
    assert (place / "why" / "report.html").is_file()
    assert images.read_recipe(place / "why" / "result.png")["evaluations"] == 4


def test_json(place: Path, gramarye: Gramarye) -> None:
    outcome = gramarye.ok(*EXPLAIN, *SMALL, "--json", "--quiet")
    assert outcome.err == ""
    answer = outcome.answer
    for name in ("report", "numbers", "result", "ledger"):
        assert Path(answer[name]).is_file()
    assert all(Path(name).is_file() for name in answer["figures"])
    assert len(answer["figures"]) == 8
    assert answer["sections"]["gram"]["findings"] == [FINDING]
    assert answer["sections"] == json.loads(Path(answer["numbers"]).read_text())["sections"]
    assert answer["interrupted"] is False
    assert set(answer["seconds_by_section"]) == {"painting", "ledger", "gram"}
    assert answer["seconds"] >= sum(answer["seconds_by_section"].values()) - 0.01


def test_a_section_that_cannot_be_told(place: Path, gramarye: Gramarye) -> None:
    outcome = gramarye.ok("explain", "content.png", "style.png", "-o", "why", "--only", "gram,landscape", *SMALL)
    assert "note      without landscape: a landscape needs a picture that was painted here" in outcome.err
    assert "· 1 section in" in outcome.err


def test_nothing_but_what_cannot_be_told(place: Path, gramarye: Gramarye) -> None:
    outcome = gramarye("explain", "content.png", "style.png", "-o", "why", "--only", "landscape", *SMALL, "-q")
    refused(outcome, about="a landscape needs")
    assert not (place / "why").exists()


# ---- a finished picture -----------------------------------------------------------------------------


def test_a_finished_picture_with_its_own_settings(place: Path, gramarye: Gramarye) -> None:
    outcome = gramarye.ok(*EXPLAIN, "--image", "painted.png", "--json")
    assert "settings  those inside painted.png, preset default" in outcome.err
    assert "picture   48×36, brought along" in outcome.err
    assert "other pictures" not in outcome.err
    assert outcome.answer["ledger"] is None
    assert "painting" not in outcome.answer["seconds_by_section"]
    assert images.read_recipe("why/result.png") == images.read_recipe("painted.png")


def test_or_with_others(place: Path, gramarye: Gramarye) -> None:
    outcome = gramarye.ok(*EXPLAIN, "--image", "painted.png", "--preset", "draft")
    assert "settings  not those inside painted.png" in outcome.err
    gramarye.ok(*EXPLAIN, "--image", "painted.png", "--set", "style.layers=relu1_1,relu2_1")
    recipe = json.loads((place / "why" / "numbers.json").read_text())
    assert {term["layer"] for term in recipe["terms"] if term["kind"] == "style"} == {"relu1_1", "relu2_1"}


def test_of_other_pictures(place: Path, gramarye: Gramarye) -> None:
    outcome = gramarye.ok(
        "explain", "content.png", "other.png", "-o", "why", "--only", "gram", "--image", "painted.png"
    )
    assert "note      its recipe names other pictures than these: style.png" in outcome.err


# ---- refused ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "about"),
    [
        (("--only", "grams"), "unknown section; got 'grams'. Did you mean 'gram'?"),
        (("--depth", "fullest"), "unknown depth; got 'fullest'. Did you mean 'full'?"),
        (("--set", "style.layers=relu9_1"), "unknown layer"),
        (("--set", "style.layers=relu5_2"), "It ends at conv5_1: use --network vgg19"),
        (("--size", "33", "--set", "style.layers=pool5"), "pool5"),
        (("--set", "style.wait=3"), "unknown knob"),
        (("--weights", "nowhere.safetensors"), "nowhere.safetensors"),
        (("--network", "vgg19"), "vgg19"),
        (("--image", "other.png"), "the result must have the shape of the photograph; got 48×48"),
        (("--image", "nowhere.png"), "nowhere.png"),
        (("--image", "content.png", "-o", "content.png"), "a report is written to a folder; got a file"),
        (("-o", "style.png/why"), "style.png"),
        (("-o", "taken"), "a report must not overwrite other files; got taken with result.png"),
    ],
)
def test_one_clear_line_and_nothing_written(
    arguments: tuple[str, ...], about: str, place: Path, gramarye: Gramarye
) -> None:
    (place / "taken").mkdir()
    (place / "taken" / "result.png").write_text("mine")
    before = everything_in(place)
    refused(gramarye(*EXPLAIN[:3], "-o", "why", "--only", "gram", *SMALL, *arguments), about=about)
    assert everything_in(place) == before


def test_a_picture_too_small_for_a_layer(place: Path, gramarye: Gramarye) -> None:
    images.save(picture(40, 160, 1), "content.png")
    before = everything_in(place)
    outcome = gramarye(*EXPLAIN, *SMALL, "--set", "style.layers=conv5_1")
    refused(outcome, about="conv5_1 needs a picture of at least 16 px on each side; got 48×12")
    assert everything_in(place) == before


def test_the_output_is_not_an_input(place: Path, gramarye: Gramarye) -> None:
    gramarye.ok(*EXPLAIN, *SMALL)
    before = everything_in(place)
    outcome = gramarye(*EXPLAIN, "--image", "why/result.png")
    refused(outcome, about="the output must not be one of the inputs")
    assert everything_in(place) == before
    gramarye.ok(*EXPLAIN[:3], "-o", "again", "--only", "gram", "--image", "why/result.png")


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_may_not_be_written(place: Path, gramarye: Gramarye) -> None:
    (place / "locked").mkdir(mode=0o555)
    refused(gramarye(*EXPLAIN[:3], "-o", "locked", *SMALL), about="choose a folder in which you may write")


def test_a_full_disk(place: Path, gramarye: Gramarye, monkeypatch: pytest.MonkeyPatch) -> None:
    replace, done = os.replace, []

    def full(*paths: object) -> None:
        done.append(paths)
        if len(done) > 2:
            raise OSError(errno.ENOSPC, "No space left on device")
        replace(*paths)

    before = everything_in(place)
    monkeypatch.setattr(os, "replace", full)
    refused(gramarye(*EXPLAIN, *SMALL, "--quiet"), about="Free some space")
    assert everything_in(place) == before


# ---- Ctrl-C -----------------------------------------------------------------------------------------


def interrupt_in(monkeypatch: pytest.MonkeyPatch, section: str, times: int = 1) -> None:
    """Press Ctrl-C when a section is about to be told."""

    def pressed(name: str, subject: Subject, depth: str) -> Work[Section]:
        for _ in range(times if name == section else 0):
            signal.raise_signal(signal.SIGINT)
        return (yield from told(name, subject, depth))

    monkeypatch.setattr(story, "told", pressed)


def test_ctrl_c_keeps_what_was_told(place: Path, gramarye: Gramarye, monkeypatch: pytest.MonkeyPatch) -> None:
    interrupt_in(monkeypatch, "gram")
    outcome = gramarye(
        "explain", "content.png", "style.png", "-o", "why", "--only", "ledger,gram,kernels", *SMALL, "--json"
    )
    assert outcome.status == 130
    assert outcome.answer["interrupted"] is True
    assert list(outcome.answer["sections"]) == ["ledger", "gram"]  # the one under way was told at once
    assert "interrupted, kept why/report.html · 2 sections" in outcome.err
    assert "not told: kernels" in (place / "why" / "report.html").read_text()


def test_ctrl_c_while_painting(place: Path, gramarye: Gramarye, monkeypatch: pytest.MonkeyPatch) -> None:
    follow = story.follow

    def pressed(painting: object) -> Iterator[float]:
        work = follow(painting)
        for count, done in enumerate(work):
            if count == 1:
                signal.raise_signal(signal.SIGINT)
            yield done

    monkeypatch.setattr(story, "follow", pressed)
    outcome = gramarye(*EXPLAIN, *SMALL)
    assert outcome.status == 130
    assert "interrupted, kept why/report.html · 0 sections" in outcome.err
    assert images.read_recipe("why/result.png")["evaluations"] == 2


def test_a_second_ctrl_c_leaves_nothing(place: Path, gramarye: Gramarye, monkeypatch: pytest.MonkeyPatch) -> None:
    interrupt_in(monkeypatch, "gram", times=2)
    before = everything_in(place)
    outcome = gramarye(*EXPLAIN, *SMALL)
    assert (outcome.status, outcome.out) == (130, "")
    assert outcome.err.endswith("\ninterrupted\n")
    assert everything_in(place) == before
