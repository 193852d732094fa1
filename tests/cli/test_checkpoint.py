"""Checkpoints: a painting that was killed goes on, to the same pixels bit for bit."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from gramarye import images

from .command import TINY, Gramarye, everything_in, refused
from .test_interrupt import interrupt_at, wait_for

PAINT = ("transfer", "content.png", "style.png", "-o", "out.png", *TINY)
EVERY = ("--checkpoint-every", "1")
SCALES = ("--set", "scales.smallest=32", "--set", "scales.factor=1.3", "--set", "scales.shares=")
WAYS = {
    "lbfgs": (),
    "adam": ("--set", "optimizer.name=adam", "--set", "optimizer.averaging=0.9", "--set", "optimizer.learning_rate=0"),
    "line search": ("--set", "optimizer.line_search=strong-wolfe"),
    "shifting": ("--set", "shifting.degrees=5", "--set", "optimizer.name=adam"),
}


def same(one: str, other: str) -> bool:
    return bool((images.load(one).pixels == images.load(other).pixels).all())


@pytest.mark.parametrize("way", WAYS)
def test_it_goes_on_to_the_same_pixels(
    way: str, place: Path, gramarye: Gramarye, monkeypatch: pytest.MonkeyPatch
) -> None:
    knobs = ("--set", "steps=8", *SCALES, *WAYS[way])
    whole = gramarye.transfer("whole.png", "--json", *knobs).answer
    reached = [index for index, _ in whole["history"]]
    for stop in (reached[0], reached[-2]):
        with monkeypatch.context() as patch:
            interrupt_at(patch, stop)
            assert gramarye(*PAINT, *knobs, *EVERY).status == 130
        assert (place / "out.png.checkpoint").exists()
    outcome = gramarye.ok(*PAINT, *knobs, *EVERY, "--json")
    assert f"resumed   out.png.checkpoint after {reached[-2]} evaluations" in outcome.err
    assert outcome.answer["history"] == whole["history"]
    assert outcome.answer["terms"] == whole["terms"]
    assert same("out.png", "whole.png")
    assert not (place / "out.png.checkpoint").exists()


@pytest.mark.skipif(os.name == "nt", reason="signals are POSIX's")
def test_killed_at_several_moments(place: Path, gramarye: Gramarye) -> None:
    """In a process of its own, by SIGKILL; the film too is the same."""
    more = ("--set", "steps=30", *SCALES)
    gramarye.transfer("whole.png", *more, "--film", "whole.webp")
    arguments = [*PAINT, *more, "--checkpoint-every", "2", "--film", "out.webp"]
    code = "import gramarye.cli; gramarye.cli.main()"
    environment = os.environ | {"OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
    reached = 0
    for word in ("painting  3/30", "painting  15/30", "painting  27/30"):
        command = [sys.executable, "-c", code, *arguments]
        with subprocess.Popen(command, cwd=place, env=environment, stderr=subprocess.PIPE, text=True) as process:
            lines = wait_for(process, word)
            process.kill()
        assert (place / "out.png.checkpoint").exists()
        assert not (place / "out.png").exists()
        resumed = [int(line.split()[3]) for line in lines if line.startswith("resumed")]
        assert all(evaluation >= reached for evaluation in resumed)
        reached = int(word.split()[1].partition("/")[0]) // 2 * 2
    outcome = gramarye.ok(*arguments)
    assert "resumed   out.png.checkpoint after " in outcome.err
    assert same("out.png", "whole.png")
    assert (place / "out.webp").read_bytes() == (place / "whole.webp").read_bytes()
    assert not [each for each in place.iterdir() if "checkpoint" in each.name]


def test_another_painting_does_not_go_on_from_it(
    place: Path, gramarye: Gramarye, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        interrupt_at(patch, 2)
        gramarye(*PAINT, *EVERY)
    before = everything_in(place)
    outcome = gramarye(*PAINT, *EVERY, "--set", "style.weight=7", "-q")
    refused(outcome, about="style.weight")
    assert "--restart" in outcome.err
    assert everything_in(place) == before
    (place / "out.png.checkpoint").write_bytes(b"damaged")
    refused(gramarye(*PAINT, *EVERY, "-q"), about="damaged")
    outcome = gramarye.ok(*PAINT, *EVERY, "--set", "style.weight=7", "--restart")
    assert "resumed" not in outcome.err
    assert not (place / "out.png.checkpoint").exists()


def test_without_the_option_nothing_is_kept(place: Path, gramarye: Gramarye, monkeypatch: pytest.MonkeyPatch) -> None:
    interrupt_at(monkeypatch, 2)
    assert gramarye(*PAINT).status == 130
    assert not (place / "out.png.checkpoint").exists()
    refused(gramarye(*PAINT, "--restart"), about="--checkpoint-every")
    assert gramarye(*PAINT, "--checkpoint-every", "0").status == 2


def test_a_checkpoint_that_cannot_be_written_costs_no_painting(
    place: Path, gramarye: Gramarye, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("gramarye.checkpoint.save_file", full)
    outcome = gramarye.ok(*PAINT, *EVERY)
    assert "warning   the checkpoint cannot be written" in outcome.err
    assert (place / "out.png").exists()
