"""Ctrl-C: the first keeps the picture, the second stops at once and leaves nothing half done."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from gramarye import images, transfer
from gramarye.cli import painting

from .command import TINY, Gramarye, everything_in

PAINT = ("transfer", "content.png", "style.png", "-o", "out.png", *TINY)
# A program whose saving takes half a minute, with its temporary file open.
SLOW_TO_SAVE = """
import os, time
os.fsync = lambda _: (print("saving", file=__import__("sys").stderr, flush=True), time.sleep(30))
"""
pytestmark = pytest.mark.skipif(os.name == "nt", reason="signals are POSIX's")


def start(place: Path, *more: str, prelude: str = "") -> subprocess.Popen[str]:
    """A painting of many evaluations in a process of its own."""
    code = f"{prelude}\nimport signal\nsignal.signal(signal.SIGINT, signal.default_int_handler)\n"
    code += "import gramarye.cli\ngramarye.cli.main()"
    arguments = ("transfer", "content.png", "style.png", "-o", "out.png", "--size", "48", "--steps", "600", *more)
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    return subprocess.Popen(
        [sys.executable, "-c", code, *arguments],
        cwd=place,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def wait_for(process: subprocess.Popen[str], word: str) -> list[str]:
    """The lines on standard error up to the first that has the word."""
    lines = []
    assert process.stderr is not None
    for line in process.stderr:
        lines.append(line)
        if word in line:
            return lines
    raise AssertionError(f"ended without {word!r}: {lines}")


def test_ctrl_c_in_a_process_of_its_own(place: Path) -> None:
    with start(place, "--json") as process:
        wait_for(process, "painting")
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=30)
    assert process.returncode == 130
    assert "interrupted, kept out.png" in err
    assert "Traceback" not in err
    answer = json.loads(out)
    assert answer["interrupted"] is True
    assert 60 <= answer["evaluations"] < 600
    recipe = images.read_recipe(place / "out.png")
    assert recipe["evaluations"] == answer["evaluations"] == len(answer["history"])
    assert images.load(place / "out.png").pixels.shape == (1, 3, 36, 48)


def test_second_ctrl_c_in_a_process_of_its_own(place: Path) -> None:
    before = everything_in(place)
    with start(place, prelude=SLOW_TO_SAVE) as process:
        wait_for(process, "painting")
        process.send_signal(signal.SIGINT)
        wait_for(process, "saving")
        began = time.monotonic()
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=25)
    assert time.monotonic() - began < 15
    assert process.returncode == 130
    assert out == ""
    assert err.splitlines()[-1] == "interrupted"
    assert "Traceback" not in err
    assert everything_in(place) == before


def interrupt_at(monkeypatch: pytest.MonkeyPatch, index: int, times: int = 1) -> None:
    """Press Ctrl-C when the evaluation `index` has been made."""
    show = painting.ProgressBar.show

    def shown(bar: painting.ProgressBar, done: int, loss: float) -> None:
        show(bar, done, loss)
        if done == index:
            for _ in range(times):
                signal.raise_signal(signal.SIGINT)

    monkeypatch.setattr(painting.ProgressBar, "show", shown)


def test_first_ctrl_c_keeps_the_picture(place: Path, gramarye: Gramarye, monkeypatch: pytest.MonkeyPatch) -> None:
    interrupt_at(monkeypatch, 2)
    outcome = gramarye(*PAINT)
    assert outcome.status == 130
    assert outcome.out == ""
    assert "finishing what is under way; Ctrl-C again stops at once" in outcome.err
    assert "interrupted, kept out.png · 2 evaluations" in outcome.err
    assert images.read_recipe("out.png")["evaluations"] == 2
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_at_the_small_scale_the_picture_has_its_full_size(
    place: Path, gramarye: Gramarye, monkeypatch: pytest.MonkeyPatch
) -> None:
    interrupt_at(monkeypatch, 1)
    outcome = gramarye(*PAINT, "--set", "scales.smallest=32", "--set", "scales.factor=1.5", "--json")
    assert outcome.status == 130
    assert outcome.answer["size"] == [36, 48]
    assert outcome.answer["evaluations"] == 1
    assert images.load("out.png").pixels.shape == (1, 3, 36, 48)


def test_a_replay_is_kept_too(place: Path, gramarye: Gramarye, monkeypatch: pytest.MonkeyPatch) -> None:
    interrupt_at(monkeypatch, 3)
    outcome = gramarye("replay", "painted.png", "-o", "out.png", "--json")
    assert outcome.status == 130
    assert outcome.answer["evaluations"] == 3
    assert "interrupted, kept out.png" in outcome.err


def test_an_interrupted_picture_can_be_replayed_to_its_end(
    place: Path, gramarye: Gramarye, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        interrupt_at(patch, 2)
        assert gramarye(*PAINT).status == 130
    assert gramarye.ok("replay", "out.png", "-o", "again.png", "--json").answer["evaluations"] == 4


def test_quiet_is_quiet_also_then(place: Path, gramarye: Gramarye, monkeypatch: pytest.MonkeyPatch) -> None:
    result = transfer.Painting.result

    def interrupted(under_way: transfer.Painting) -> transfer.Result:
        signal.raise_signal(signal.SIGINT)
        return result(under_way)

    monkeypatch.setattr(transfer.Painting, "result", interrupted)
    outcome = gramarye(*PAINT, "--quiet")
    assert (outcome.status, outcome.out, outcome.err) == (130, "", "")
    assert images.read_recipe("out.png")["evaluations"] == 4  # it was finished: nothing is lost


def test_second_ctrl_c_while_painting(place: Path, gramarye: Gramarye, monkeypatch: pytest.MonkeyPatch) -> None:
    interrupt_at(monkeypatch, 2, times=2)
    before = everything_in(place)
    outcome = gramarye(*PAINT, "--json")
    assert (outcome.status, outcome.out) == (130, "")
    assert outcome.err.endswith("\ninterrupted\n")
    assert everything_in(place) == before
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


@pytest.mark.parametrize("output", ["out.png", "other.png"], ids=["new", "over"])
def test_second_ctrl_c_while_saving(
    output: str, place: Path, gramarye: Gramarye, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(_: int) -> None:
        signal.raise_signal(signal.SIGINT)
        signal.raise_signal(signal.SIGINT)

    monkeypatch.setattr(os, "fsync", interrupted)
    before = everything_in(place)
    outcome = gramarye("transfer", "content.png", "style.png", "-o", output, *TINY)
    assert (outcome.status, outcome.out) == (130, "")
    assert everything_in(place) == before


def test_ctrl_c_before_the_painting(place: Path, gramarye: Gramarye, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(painting, "announce", lambda *_, **__: signal.raise_signal(signal.SIGINT))
    before = everything_in(place)
    outcome = gramarye(*PAINT)
    assert (outcome.status, outcome.out, outcome.err) == (130, "", "interrupted\n")
    assert everything_in(place) == before
