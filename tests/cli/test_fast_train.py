"""gramarye fast train: a network of one's own, Ctrl-C and kills on the way, and what is refused."""

from __future__ import annotations

import csv
import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch

from gramarye import images, presets
from gramarye.cli.fast import keeping
from gramarye.cli.fast.train import Bar
from gramarye.fast import learning, stored
from gramarye.fast.plan import Plan
from networks import picture

from .command import Gramarye, everything_in, refused
from .test_interrupt import wait_for

SMALL = ("--batch", "1", "--crop", "32", "--size", "48", "--device", "cpu")
TRAIN = ("fast", "train", "photographs", "sea.png", "wood.png", "-o", "out.safetensors", *SMALL)
MINE = (*TRAIN, "--steps", "6")


@pytest.fixture(scope="module")
def _made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("made")
    for each in ("photographs", "paintings"):
        (folder / each).mkdir()
    for seed in range(8):
        images.save(picture(40, 48, seed), folder / "photographs" / f"{seed}.png")
    for seed, name in enumerate(("sea.png", "wood.png", "paintings/sky.png", "paintings/sand.png")):
        images.save(picture(48, 40, 20 + seed), folder / name)
    return folder


@pytest.fixture
def place(_made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of photographs, one of paintings, and two paintings, as the working folder."""
    folder = tmp_path / "place"
    shutil.copytree(_made, folder)
    monkeypatch.chdir(folder)
    return folder


@pytest.fixture(scope="module")
def whole(_made: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The network of MINE with its log, trained without interruption."""
    folder, threads = tmp_path_factory.mktemp("whole"), torch.get_num_threads()
    torch.set_num_threads(1)
    settings = presets.DEFAULT.with_(**{"network.name": "vgg19-lite", "device": "cpu"})
    plan = Plan("many", settings, steps=6, batch=1, crop=32, size=48)
    learned = learning.prepare(_made / "photographs", [_made / "sea.png", _made / "wood.png"], plan)
    kept = keeping.Kept(folder / "out.safetensors", quiet=True)
    kept.go_on(learned)
    for _ in kept.steps(learned):
        pass
    kept.end(learned)
    torch.set_num_threads(threads)
    return folder


def run(folder: Path, arguments: tuple[str, ...], prelude: str = "") -> subprocess.Popen[str]:
    """The program in a process of its own."""
    code = f"{prelude}\nimport signal\nsignal.signal(signal.SIGINT, signal.default_int_handler)\n"
    code += "import gramarye.cli\ngramarye.cli.main()"
    command, environment = [sys.executable, "-c", code, *arguments], os.environ | {"OMP_NUM_THREADS": "1"}
    pipes: Any = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    return subprocess.Popen(command, cwd=folder, env=environment, **pipes)


def interrupt_at(monkeypatch: pytest.MonkeyPatch, index: int, times: int = 1) -> None:
    """Press Ctrl-C when the step `index` has been made."""
    show = Bar.show

    def shown(bar: Bar) -> None:
        show(bar)
        if bar.learning.training.index == index:
            for _ in range(times):
                signal.raise_signal(signal.SIGINT)

    monkeypatch.setattr(Bar, "show", shown)


def log_of(folder: Path) -> list[list[str]]:
    """The rows of the log without their seconds."""
    with (folder / "out.training.csv").open(newline="") as file:
        return [row[:1] + row[2:] for row in csv.reader(file)]


def assert_same(folder: Path, other: Path) -> None:
    """The same network, bit for bit, with the same card but for seconds, and the same log."""
    one, two = (stored.load(each / "out.safetensors") for each in (folder, other))
    ours, theirs = one.painter.state_dict(), two.painter.state_dict()
    assert ours.keys() == theirs.keys()
    assert all(torch.equal(each, theirs[name]) for name, each in ours.items())
    assert {**one.card, "seconds": 0} == {**two.card, "seconds": 0}
    assert log_of(folder) == log_of(other)


# ---- a network of one's own ------------------------------------------------------------------------


def test_a_network_and_what_is_told_of_it(place: Path, gramarye: Gramarye) -> None:
    outcome = gramarye.ok(*MINE, "--preview", "sheet.png", "--preview-every", "4", "--json")
    answer = outcome.answer
    assert (answer["output"], answer["kind"], answer["styles"]) == ("out.safetensors", "many", ["sea", "wood"])
    assert (answer["steps"], answer["steps_in_all"], answer["interrupted"]) == (6, 6, False)
    assert answer["held_out"]["photograph"]["content"] == 0
    lines = outcome.err.splitlines()
    assert "pictures  7 to learn from, 1 held out; 6 steps of 1" in lines
    assert "device    cpu, " in outcome.err
    assert any(line.startswith("training  6/6  content ") for line in lines)
    assert any(line.startswith("wrote out.safetensors · 6 steps in ") for line in lines)
    assert lines[-1].startswith("held out  content ")
    card = stored.load(place / "out.safetensors").card
    assert {name: card[name] for name in ("held_out", "last")} == {name: answer[name] for name in ("held_out", "last")}
    rows = log_of(place)
    assert rows[0] == ["step", "rate", "content", "style", "smoothness", "total"]
    assert [row[0] for row in rows[1:]] == ["1", "2", "3", "4", "5", "6"]
    assert images.load("sheet.png").pixels.shape == (1, 3, 320, 2 * 273)
    assert not list(place.glob("*checkpoint*"))
    gramarye.ok("fast", "apply", "photographs/1.png", "sea.png", "--network", "out.safetensors", "-o", "painted.png")


def test_any_style_from_a_folder(place: Path, gramarye: Gramarye) -> None:
    outcome = gramarye.ok(
        *("fast", "train", "photographs", "paintings", "demo:cubist", "-o", "any.safetensors", "--any", *SMALL),
        *("--steps", "2", "--unseen", "paintings/sky.png", "-q", "--json"),
    )
    assert outcome.err == ""
    answer = outcome.answer
    assert (answer["kind"], answer["styles"]) == ("any", ["sand", "cubist"])
    assert [*answer["held_out"]["unseen"]["paintings"]] == ["sky"]
    gramarye.ok("fast", "apply", "photographs/1.png", "sea.png", "--network", "any.safetensors", "-o", "painted.png")
    assert images.read_recipe("painted.png")["settings"]["style"]["size"] == 48


def test_ones_own_painting_from_what_another_network_knows(place: Path, gramarye: Gramarye) -> None:
    outcome = gramarye.ok(*TRAIN, "--steps", "1", "--start", "any", "--rate", "1e-6", "--json")
    assert "starts from fast-any" in outcome.err
    assert stored.load("out.safetensors").card["rate"] == 1e-6
    gramarye.ok(*TRAIN[:-2], *SMALL, "-o", "more.safetensors", "--steps", "1", "--start", "out.safetensors", "-q")
    assert stored.load("more.safetensors").card["start"]["name"] == "fast-many"


def test_hours(place: Path, gramarye: Gramarye) -> None:
    answer = gramarye.ok(*TRAIN, "--hours", "1e-9", "--json").answer
    assert (answer["steps"], answer["steps_in_all"]) == (1, 1)
    refused(gramarye(*MINE, "--hours", "1"), about="--steps and --hours both say how long")


def test_what_is_not_said_is_as_in_the_library(
    gramarye: Gramarye, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[Plan] = []
    monkeypatch.setattr("gramarye.fast.learning.prepare", lambda *inputs, **_: seen.append(inputs[2]) or 1 / 0)
    with pytest.raises(ZeroDivisionError):
        gramarye("fast", "train", "photographs", "sea.png", "-o", "out.safetensors")
    assert seen == [Plan()]


def test_knobs_of_the_objective(place: Path, gramarye: Gramarye) -> None:
    knobs = ("--set", "style.weight=7", "--set", "network.pooling=max", "--seed", "3")
    gramarye.ok(*TRAIN, "--steps", "1", *knobs)
    settings = stored.load(place / "out.safetensors").card["settings"]
    assert (settings["style.weight"], settings["network.pooling"], settings["seed"]) == (7, "max", 3)


# ---- Ctrl-C, kills and going on --------------------------------------------------------------------


@pytest.mark.skipif(os.name == "nt", reason="signals are POSIX's")
def test_ctrl_c_and_kills_in_processes_of_their_own(place: Path, whole: Path, gramarye: Gramarye) -> None:
    """With a checkpoint after every step, stopped at several moments: the network is the same bit for bit."""
    often = "from gramarye.cli.fast import keeping\nkeeping.EVERY = 0"
    with run(place, (*MINE, "--json"), often) as process:
        wait_for(process, "training  2/6")
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=120)
    assert process.returncode == 130
    assert "the same command goes on" in err
    assert "Traceback" not in err
    answer = json.loads(out)
    assert answer["interrupted"] is True
    assert 2 <= answer["steps"] < 6
    assert not (place / "out.safetensors").exists()
    with run(place, MINE, often) as process:
        lines = wait_for(process, "training  5/6") if answer["steps"] < 5 else []
        process.kill()
    assert not lines or any(line.startswith("resumed   out.safetensors.checkpoint at step ") for line in lines)
    assert not (place / "out.safetensors").exists()
    assert "resumed   out.safetensors.checkpoint at step " in gramarye.ok(*MINE).err
    assert_same(place, whole)
    assert not [each for each in place.iterdir() if "checkpoint" in each.name]


def test_ctrl_c_and_the_same_command(
    place: Path, whole: Path, gramarye: Gramarye, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        interrupt_at(patch, 3)
        outcome = gramarye(*MINE)
    assert (outcome.status, outcome.out) == (130, "")
    assert "interrupted at step 3 of 6, kept out.safetensors.checkpoint: the same command goes on" in outcome.err
    with monkeypatch.context() as patch:  # as if it had been killed between log and checkpoint
        with (place / "out.training.csv").open("a") as log:
            log.write("4,9,9,9,9,9,9\n5,9")
        interrupt_at(patch, 4, times=2)
        outcome = gramarye(*MINE)
    assert (outcome.status, outcome.out) == (130, "")
    assert outcome.err.endswith("\ninterrupted\n")
    outcome = gramarye.ok(*MINE)
    assert "resumed   out.safetensors.checkpoint at step 3 of 6" in outcome.err
    assert_same(place, whole)


def test_ctrl_c_at_the_last_step_costs_nothing(
    place: Path, whole: Path, gramarye: Gramarye, monkeypatch: pytest.MonkeyPatch
) -> None:
    interrupt_at(monkeypatch, 6)
    gramarye.ok(*MINE)
    assert_same(place, whole)


def test_another_commands_checkpoint(place: Path, gramarye: Gramarye, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        interrupt_at(patch, 1)
        assert gramarye(*MINE).status == 130
    before = everything_in(place)
    for other, name in ((("--steps", "7"), "steps"), (("--steps", "6", "--seed", "1"), "seed")):
        outcome = gramarye(*TRAIN, *other, "-q")
        refused(outcome, about=f"a training goes on from its own checkpoint; got that of other {name}")
        assert "Begin anew with --restart" in outcome.err
        assert everything_in(place) == before
    (place / "out.safetensors.checkpoint").write_bytes(b"damaged")
    refused(gramarye(*MINE, "-q"), about="a damaged one, out.safetensors.checkpoint")
    outcome = gramarye.ok(*TRAIN, "--steps", "1", "--restart")
    assert "resumed" not in outcome.err
    assert [row[0] for row in log_of(place)] == ["step", "1"]


def test_a_full_disk_costs_no_training(place: Path, gramarye: Gramarye, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("gramarye.checkpoint.save_file", full)
    monkeypatch.setattr(keeping, "_append", full)
    outcome = gramarye.ok(*TRAIN, "--steps", "1")
    assert "warning   the checkpoint cannot be written" in outcome.err
    assert "warning   [Errno 28] No space left on device" in outcome.err
    assert (place / "out.safetensors").exists()


# ---- what is refused -------------------------------------------------------------------------------

OUT = ("-o", "out.safetensors")
BAD: dict[str, tuple[tuple[str, ...], str]] = {
    "no folder": (("nowhere", "sea.png", *OUT), "learns from a folder of photographs; got nowhere"),
    "a file": (("sea.png", "wood.png", *OUT), "learns from a folder of photographs; got sea.png"),
    "too few": (("paintings", "sea.png", *OUT), "at least 8 photographs; got 2 in paintings"),
    "no painting": (("photographs", "gone.png", *OUT), "gone.png"),
    "an empty folder": (("photographs", "empty", *OUT), "a folder of pictures must have some; got none in empty"),
    "no picture": (("photographs", "text.txt", *OUT), "text.txt"),
    "a bundled one": (("photographs", "demo:cubits", *OUT), "Did you mean 'cubist'?"),
    "all unseen": (("photographs", "sea.png", *OUT, "--any", "--unseen", "sea.png"), "a painting is needed"),
    "unseen of many": (("photographs", "sea.png", *OUT, "--unseen", "wood.png"), "paints what it has learned"),
    "suffix": (("photographs", "sea.png", "-o", "out.pt"), "written as .safetensors; got out.pt"),
    "output folder": (
        ("photographs", "sea.png", "-o", "gone/out.safetensors"),
        "a painter is written to a file; got gone",
    ),
    "output is an input": (
        ("photographs", "odd.safetensors", "-o", "odd.safetensors"),
        "must not be one of the inputs",
    ),
    "preview is an input": (("photographs", "sea.png", *OUT, "--preview", "sea.png"), "must not be one of the inputs"),
    "preview among them": (("photographs", "sea.png", *OUT, "--preview", "photographs/x.png"), "must not lie among"),
    "preview's suffix": (("photographs", "sea.png", *OUT, "--preview", "x.tga"), ".tga"),
    "preview every": (("photographs", "sea.png", *OUT, "--preview-every", "5"), "--preview-every is about the preview"),
    "never": (("photographs", "sea.png", *OUT, "--preview", "x.png", "--preview-every", "0"), "must be at least 1"),
    "steps": (("photographs", "sea.png", *OUT, "--steps", "-3"), "steps must lie in 1 … 10000000; got -3"),
    "rate": (("photographs", "sea.png", *OUT, "--rate", "0"), "rate must lie above 0, at most 1; got 0"),
    "no start": (("photographs", "sea.png", *OUT, "--start", "gone.safetensors"), "gone.safetensors"),
    "start of others": (("photographs", "sea.png", *OUT, "--start", "many"), "got sea. Start from any"),
    "start of many": (("photographs", "sea.png", *OUT, "--any", "--start", "many"), "starts from another of any style"),
    "start is the output": (
        ("photographs", "sea.png", "-o", "odd.safetensors", "--start", "odd.safetensors"),
        "must not be one of the inputs",
    ),
    "batch": (("photographs", "sea.png", *OUT, "--batch", "0"), "batch must lie in 1 … 256; got 0"),
    "crop": (("photographs", "sea.png", *OUT, "--crop", "16"), "crop must lie in 32 … 512; got 16"),
    "size": (("photographs", "sea.png", *OUT, "--size", "1"), "size must lie in 32 … 4096; got 1"),
    "hours": (("photographs", "sea.png", *OUT, "--hours", "0"), "hours must be positive; got 0"),
    "preset": (("photographs", "sea.png", *OUT, "--preset", "gatys-2015"), "a painter is trained with balance=start"),
    "no preset": (("photographs", "sea.png", *OUT, "--preset", "defult"), "Did you mean 'default'?"),
    "knob": (("photographs", "sea.png", *OUT, "--set", "style.weihgt=3"), "'style.weight'"),
    "idle knob": (("photographs", "sea.png", *OUT, "--set", "optimizer.name=sgd"), "only knobs of the objective"),
    "network": (("photographs", "sea.png", *OUT, "--network", "vgg20"), "vgg20"),
    "device": (("photographs", "sea.png", *OUT, "--device", "abacus"), "unknown device"),
}


@pytest.mark.parametrize("what", BAD)
def test_what_is_refused(what: str, place: Path, gramarye: Gramarye) -> None:
    (place / "empty").mkdir()
    (place / "text.txt").write_text("no picture")
    shutil.copy("sea.png", "odd.safetensors")
    before = everything_in(place)
    arguments, about = BAD[what]
    refused(gramarye("fast", "train", *arguments, "-q"), about=about)
    assert everything_in(place) == before


def test_memory_that_is_used_up(place: Path, gramarye: Gramarye, monkeypatch: pytest.MonkeyPatch) -> None:
    def none_left(*_: object, **__: object) -> None:
        raise MemoryError

    monkeypatch.setattr("gramarye.fast.learning.prepare", none_left)
    refused(gramarye(*MINE, "-q"), about="Use a smaller --batch or --crop")
