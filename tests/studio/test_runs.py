"""Runs: begun, queued, branched, found again after a restart or a crash, and never too many."""

from __future__ import annotations

import itertools
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch

from gramarye import images
from gramarye.errors import GramaryeError
from gramarye.studio import orders, runs
from gramarye.studio.commands import command_line, file_name
from gramarye.studio.refusals import Full, Refusal, Unknown, UnknownPicture
from gramarye.studio.runs import Runs

from .easel import OTHER, PAINTING, PHOTOGRAPH, TINY, Easel, data_url, request

ROOT = Path(__file__).parents[2]


@pytest.fixture
def easels(home: Path) -> Iterator[Callable[..., Easel]]:
    """Makes easels of the test's folder, one after another."""
    made: list[Easel] = []

    def make(**options: Any) -> Easel:
        for each in made:
            each.close()
        made.append(Easel(home, **options))
        return made[-1]

    yield make
    for each in made:
        each.close()


@pytest.fixture
def easel(easels: Callable[..., Easel]) -> Easel:
    return easels()


def pixels(easel: Easel, run: str) -> torch.Tensor:
    return images.load(easel.runs.result_path(run)).pixels


def test_two_runs_are_painted_one_after_another(easel: Easel) -> None:
    first, second = easel.begin(), easel.begin(OTHER)
    assert easel.runs.get(second).state == "waiting"
    easel.end(first)
    easel.end(second)
    steps = [data["run"] for kind, data in easel.events.told if kind == "step"]
    assert steps == [first] * 6 + [second] * 6
    assert [each["id"] for each in easel.runs.summaries()] == [first, second]


def test_a_painting_and_a_long_look_go_on_together(easels: Callable[..., Easel]) -> None:
    """200 steps of another work beside a painting: they take turns, and neither waits for the end of the other."""
    easel = easels(start=False)
    order: list[str] = []

    def look() -> Any:
        for step in range(200):
            time.sleep(0.002)  # 0.4 seconds in all, eight slices
            order.append("look")
            yield step / 200

    easel.events.then = lambda kind, _: order.append("paint") if kind == "step" else None
    run = easel.begin(settings={"steps": 30})
    looked = easel.worker.ask("look", look)
    easel.worker.start()
    looked.result(100)
    assert easel.end(run)["state"] == "finished"
    assert (order.count("look"), order.count("paint")) == (200, 30)
    turns = [name for name, _ in itertools.groupby(order)]
    assert len(turns) >= 12


def test_stopped_before_it_was_begun(easels: Callable[..., Easel]) -> None:
    easel = easels(start=False)
    run = easel.begin()
    assert easel.runs.control(run, {"action": "stop"}).state == "stopped"
    with pytest.raises(Unknown, match="only a run that has ended has a result"):
        easel.runs.result_path(run)
    easel.runs.remove(run)
    assert not easel.runs.summaries()
    assert easel.events.told[-1] == ("gone", {"run": run})


def test_pause_and_change_before_it_was_begun(easels: Callable[..., Easel]) -> None:
    easel = easels(start=False)
    run = easel.begin()
    assert easel.runs.control(run, {"action": "pause"}).state == "paused"
    easel.runs.control(run, {"action": "change", "settings": {"strength": 0.3}})
    assert easel.runs.shown(run)["settings"]["strength"] == 0.3
    easel.worker.start()
    easel.end(easel.begin(OTHER))
    assert easel.runs.get(run).state == "paused"
    easel.runs.control(run, {"action": "resume"})
    assert easel.end(run)["changes"] == [{"index": 0, "settings": {"strength": 0.3}}]


def test_what_is_over_stays_as_it_is(easel: Easel) -> None:
    run = easel.begin()
    easel.end(run)
    for action in ("pause", "resume", "step", "stop", "change"):
        with pytest.raises(Refusal, match=r"stays as it is; got .* of one that is finished\. Branch from it"):
            easel.runs.control(run, {"action": action, "settings": {"strength": 1}})
    with pytest.raises(Refusal, match="an action is one of pause"):
        easel.runs.control(run, {"action": "explode"})


def test_a_run_that_is_painted_is_not_deleted(easel: Easel) -> None:
    run = easel.begin(settings={"steps": 5000})
    easel.until_step(run, 1)
    with pytest.raises(Refusal, match="Stop it first"):
        easel.runs.remove(run)
    easel.runs.control(run, {"action": "stop"})
    easel.until_state(run, "stopped")
    folder = easel.runs.folder(run)
    easel.runs.remove(run)
    assert not folder.exists()


def test_after_a_restart_all_is_there(easels: Callable[..., Easel]) -> None:
    easel = easels()
    done, paused = easel.begin(), easel.begin(settings={"steps": 5000})
    easel.end(done)
    easel.until_step(paused, 3)
    easel.runs.control(paused, {"action": "pause"})
    easel.until_state(paused, "paused")
    easel.until(lambda: easel.runs.get(paused).frame == easel.runs.get(paused).index)
    before = {run: easel.runs.shown(run) for run in (done, paused)}
    again = easels()
    assert [(each["id"], each["state"]) for each in again.runs.summaries()] == [
        (done, "finished"),
        (paused, "interrupted"),
    ]
    assert again.runs.shown(done) == before[done]
    changed = {"state", "remaining", "seconds"}
    shown = again.runs.shown(paused)
    assert {name for name in shown if shown[name] != before[paused][name]} <= changed
    with pytest.raises(Refusal, match="only a run that is painted can be paused"):
        again.runs.control(paused, {"action": "pause"})
    again.runs.control(paused, {"action": "step"})
    again.until_step(paused, before[paused]["index"] + 1)
    again.until_state(paused, "paused")
    again.runs.control(paused, {"action": "stop"})
    assert again.end(paused)["steps_made"]["index"] == list(range(1, before[paused]["index"] + 2))


SERVER = """
import sys
from pathlib import Path
sys.path.insert(0, {root!r})
from gramarye.studio import run_sitting
run_sitting.CHECKPOINT_EVERY = 0.0
run_sitting.CHECKPOINT_SHARE = 3
from tests.studio.easel import Easel
easel = Easel(Path({home!r}))
easel.at_step(9, {{"action": "change", "settings": {{"style.weight": 90}}}})
run = easel.begin(settings={{"steps": 40}})
easel.until_step(run, {at})
print(run, flush=True)
easel.end(run)
"""


@pytest.mark.skipif(os.name == "nt", reason="signals are POSIX's")
def test_killed_in_the_middle_resumed_and_finished(home: Path, easels: Callable[..., Easel]) -> None:
    """By SIGKILL, in a process of its own; then the same pixels, and every step once."""
    code = SERVER.format(root=str(ROOT), home=str(home), at=15)
    path = os.pathsep.join([str(ROOT / "tests"), *sys.path])
    environment = os.environ | {"OMP_NUM_THREADS": "1", "PYTHONPATH": path}
    with subprocess.Popen([sys.executable, "-c", code], env=environment, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        run = process.stdout.readline().strip()
        process.send_signal(signal.SIGKILL)
    folder = home / "runs" / run
    assert (folder / "checkpoint").exists()
    with (folder / "steps.jsonl").open("a") as file:
        file.write('{"index": 99, "torn')  # as a crash may leave it
    easel = easels()
    (summary,) = easel.runs.summaries()
    assert (summary["id"], summary["state"]) == (run, "interrupted")
    assert 15 <= summary["index"] < 40
    assert easel.runs.shown(run)["steps_made"]["index"] == list(range(1, summary["index"] + 1))
    easel.runs.control(run, {"action": "resume"})
    shown = easel.end(run)
    assert shown["state"] == "finished"
    assert shown["steps_made"]["index"] == list(range(1, 41))
    assert len(easel.events.of("step", run)) == 40 - summary["index"], "none twice"
    assert shown["changes"] == [{"index": 9, "settings": {"style.weight": 90}}]
    easel.at_step(9, {"action": "change", "settings": {"style.weight": 90}})
    other = easel.begin(settings={"steps": 40})
    easel.end(other)
    assert torch.equal(pixels(easel, run), pixels(easel, other))


def test_a_change_after_a_crash_waits_until_what_was_known_is_made_again(easels: Callable[..., Easel]) -> None:
    easel = easels()
    easel.at_step(3, {"action": "pause"})
    run = easel.begin()
    easel.until_state(run, "paused")
    checkpoint = easel.runs.folder(run) / "checkpoint"
    easel.until(checkpoint.exists)
    old = checkpoint.read_bytes()
    for index in (4, 5):
        easel.runs.control(run, {"action": "step"})
        easel.until_step(run, index)
    again = easels()
    checkpoint.write_bytes(old)  # as if the server had been killed before it kept another one
    again.runs.control(run, {"action": "change", "settings": {"style.weight": 200}})
    again.runs.control(run, {"action": "resume"})
    shown = again.end(run)
    assert shown["changes"] == [{"index": 5, "settings": {"style.weight": 200}}]
    assert shown["steps_made"]["index"] == [1, 2, 3, 4, 5, 6]
    again.at_step(5, {"action": "change", "settings": {"style.weight": 200}})
    other = again.begin()
    again.end(other)
    assert torch.equal(pixels(again, run), pixels(again, other))


def test_a_checkpoint_that_does_not_fit_is_told(easels: Callable[..., Easel]) -> None:
    easel = easels()
    easel.at_step(2, {"action": "pause"})
    run = easel.begin()
    easel.until_state(run, "paused")
    easel.until((easel.runs.folder(run) / "checkpoint").exists)
    again = easels()
    (again.runs.folder(run) / "checkpoint").write_bytes(b"damaged")
    again.runs.control(run, {"action": "resume"})
    shown = again.end(run)
    assert shown["state"] == "failed"
    assert "damaged" in shown["error"]
    assert "Paint it anew" in shown["error"]


def test_what_is_no_run_is_passed_over(home: Path, easels: Callable[..., Easel]) -> None:
    easel = easels()
    run = easel.begin()
    easel.end(run)
    for name, text in (("0" * 16, "{}"), ("1" * 16, "[]"), ("2" * 16, "no JSON"), ("name", "{}")):
        (home / "runs" / name).mkdir()
        (home / "runs" / name / "run.json").write_text(text)
    plain = json.loads((home / "runs" / run / "run.json").read_text())
    (home / "runs" / ("3" * 16)).mkdir()
    (home / "runs" / ("3" * 16) / "run.json").write_text(json.dumps(plain))  # of another identifier
    assert [each["id"] for each in easels().runs.summaries()] == [run]


def test_the_oldest_finished_run_makes_room(easel: Easel, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runs, "MOST", 3)
    demo = easel.runs.create(request(), demo=True).id
    old = [easel.begin() for _ in range(2)]
    for each in (demo, *old):
        easel.end(each)
    new = easel.begin()
    assert {each["id"] for each in easel.runs.summaries()} == {demo, old[1], new}
    assert ("gone", {"run": old[0]}) in easel.events.told


def test_when_nothing_may_go_it_is_told(easels: Callable[..., Easel], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runs, "MOST", 2)
    easel = easels(start=False)
    for _ in range(2):
        easel.begin()
    with pytest.raises(Full, match=r"keeps 2 runs .* Delete some runs"):
        easel.begin()
    monkeypatch.setattr(runs, "BYTES", 10)
    monkeypatch.setattr(runs, "MOST", 10)
    with pytest.raises(Full):
        easel.begin()
    assert len(list(easel.runs.home.iterdir())) == 2, "nothing is left of what was refused"


def test_many_runs_take_no_memory(easel: Easel) -> None:
    for _ in range(6):
        easel.end(easel.begin(settings={"steps": 2}))
    assert not easel.runs._sittings
    assert len(easel.runs.summaries()) == 6
    assert easel.worker._current is None
    assert not easel.worker._sittings


def test_how_long_it_takes_is_learned(easel: Easel, monkeypatch: pytest.MonkeyPatch) -> None:
    assert easel.runs.estimate("draft") is None
    monkeypatch.setattr(runs, "LEAST_EFFORT", 0.0)
    easel.end(easel.begin())
    draft, large = easel.runs.estimate("draft"), easel.runs.estimate("large")
    assert draft is not None
    assert large is not None
    assert 0 < draft < large


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"content": "demo-nothing"}, "a picture with that identifier"),
        ({"content": "../../etc/passwd"}, "a picture with that identifier"),
        ({"content": 3}, "content must be a text"),
        ({"styles": []}, "identifiers of one painting or more"),
        ({"styles": ["demo-cubist"] * 7}, "at most 6"),
        ({"styles": [["x"]]}, "identifiers of one painting or more"),
        ({"styles": "demo-cubist"}, "styles must be a list"),
        ({"preset": "swift"}, "unknown preset"),
        ({"settings": {"style.wieght": 3}}, "Did you mean 'style.weight'"),
        ({"settings": {"style.weight": -1}}, "must lie in"),
        ({"settings": {"style.weight": "many"}}, "finite number"),
        ({"settings": {"style.weight": float("nan")}}, "finite number"),
        ({"settings": {"style.weight": {"a": 1}}}, "a number, a text, or a list"),
        ({"settings": {"style.layer_weights": [1, 2]}}, "one factor for each of the 5 blocks, or"),
        ({"settings": {"style.layer_weights": [0] * 5, "content.weight": 0}}, "something must be asked"),
        ({"settings": {"size": 100_000}}, "size must lie in"),
        ({"settings": {"size": 4000}}, "size must be at most 2048 in the studio"),
        ({"settings": {"steps": 900_000}}, "steps must be at most"),
        ({"settings": {"init": "file"}}, "needs a picture to start from"),
        ({"settings": {"device": "cuda:0"}}, "the same for all runs"),
        ({"settings": {"style.mix": [1] * 100}}, "a number, a text, or a list"),
        ({"settings": [1]}, "an object of knobs"),
        ({"start": {"run": "0" * 16, "index": 1}}, "a run with that identifier"),
        ({"start": {"run": "x"}}, "a run and the index of its frame"),
        ({"start": {"run": "x", "index": True}}, "a run and the index of its frame"),
        ({"mask": "http://example.org/mask.png"}, "a PNG as a data URL"),
        ({"mask": orders.MASK_START + "***"}, "in base64"),
        ({"mask": orders.MASK_START + "R0lGODlh"}, "must be a PNG"),
        ({"without": [{"layer": "relu9_1", "channels": [0, 1]}]}, "unknown layer"),
        ({"without": [{"layer": "relu4_2", "channels": [0, 1]}]}, "a layer that the style is asked of"),
        ({"without": [{"layer": "relu1_1", "channels": [0]}]}, "each with two channels"),
        ({"without": [{"layer": "relu1_1", "channels": [0, -1]}]}, "each with two channels"),
        ({"colour": "red"}, "unknown part of a request"),
    ],
)
def test_what_cannot_be_ordered_is_refused_in_one_line(
    wrong: dict[str, Any], message: str, easels: Callable[..., Easel]
) -> None:
    easel = easels(start=False)
    with pytest.raises(GramaryeError, match=message) as refused:
        easel.runs.create(request() | wrong)
    assert "\n" not in str(refused.value)
    assert len(str(refused.value)) < 400
    assert not list(easel.runs.home.iterdir())
    assert not easel.events.told


def test_masks_that_cannot_be_used(easels: Callable[..., Easel], tmp_path: Path) -> None:
    easel = easels(start=False)
    white, whole = torch.ones(1, 3, 300, 256), data_url(torch.ones(1, 3, 300, 256), tmp_path)
    for mask, message in (
        (data_url(torch.zeros(1, 3, 300, 256), tmp_path), "white where the style goes"),
        (data_url(white[..., :100], tmp_path), "the shape of the photograph"),
        (data_url(torch.ones(1, 3, 2100, 2000), tmp_path), "at most 4 megapixels"),
        (orders.MASK_START + whole.removeprefix(orders.MASK_START)[:400], "undamaged"),
    ):
        with pytest.raises(GramaryeError, match=message):
            easel.runs.create(request(mask=mask))
    assert not list(easel.runs.home.iterdir())
    with pytest.raises(Refusal, match="the whole picture"):
        easel.runs.create(request(mask=whole, without=[{"layer": "relu1_1", "channels": [0, 1]}]))


def test_a_change_that_cannot_be_is_refused(easels: Callable[..., Easel]) -> None:
    easel = easels(start=False)
    run = easel.begin()
    for settings, message in (
        ({"size": 128}, "settled when the painting begins"),
        ({"style.weight": 1e99}, "must lie in"),
        ({"unknown": 1}, "unknown knob"),
        ({}, "must name a knob"),
        (None, "an object of knobs"),
        ({"style.weight": 0, "content.weight": 0}, "something must be asked"),
    ):
        with pytest.raises(GramaryeError, match=message):
            easel.runs.control(run, {"action": "change", "settings": settings})
    assert easel.runs.get(run).pending == {}


def test_unknown_runs_and_frames(easel: Easel) -> None:
    run = easel.begin()
    easel.end(run)
    for identifier in ("0" * 16, "../" + run, "", None, 7):
        for ask in (easel.runs.get, easel.runs.shown, easel.runs.remove, easel.runs.folder, easel.runs.result_path):
            with pytest.raises(Unknown):
                ask(identifier)
    for index in (-1, 5000):
        with pytest.raises(Unknown, match="must have that frame"):
            easel.runs.frame(run, index)
    data, exact = easel.runs.frame(run, 6)
    assert exact
    assert data[8:12] == b"WEBP"


def test_a_picture_that_was_deleted_is_missed(easel: Easel, tmp_path: Path) -> None:
    images.save(torch.rand(1, 3, 64, 64), tmp_path / "x.png")
    given = easel.gallery.add("painting", "Été; rm -rf.png", tmp_path / "x.png")["id"]
    easel.at_step(2, {"action": "pause"})
    run = easel.begin(given)
    easel.until_state(run, "paused")
    assert "ete-rm-rf.jpg" in easel.runs.shown(run)["command"]
    easel.gallery.remove(given)
    with pytest.raises(UnknownPicture):
        easel.begin(given)
    other = easel.begin()
    easel.end(other)
    easel.runs.control(run, {"action": "resume"})
    assert "a picture with that identifier" in easel.end(run)["error"]


def test_the_command_line_says_the_same(easel: Easel, tmp_path: Path) -> None:
    run = easel.begin(settings={"style.weight": 3, "style.layer_weights": [1, 1, 1, 0, 1], "seed": 5})
    easel.end(run)
    line = easel.runs.shown(run)["command"]
    assert line.startswith("gramarye transfer grace_hopper.jpg cubist.jpg -o out.png --preset draft --set size=64")
    assert "--set style.weight=3.0" not in line
    assert "--set style.weight=3 " in line
    assert "\n" not in line
    from gramarye.cli.painting import settings_from

    words = line.split()
    knobs = [words[at + 1] for at, word in enumerate(words) if word == "--set"]
    assert settings_from("draft", knobs=knobs) == easel.runs.get(run).first


def test_a_branch_takes_the_mask_of_its_run_along(easel: Easel, tmp_path: Path) -> None:
    parent = easel.begin(mask=data_url(torch.ones(1, 3, 300, 256), tmp_path))
    easel.end(parent)
    start = {"run": parent, "index": 6}
    branch, other, without = (
        easel.begin(start=start),
        easel.begin(start=start, mask=data_url(torch.full((1, 3, 300, 256), 0.5), tmp_path)),
        easel.begin(start=start, without=[{"layer": "relu3_1", "channels": [5, 9]}]),
    )
    masks = {run: (easel.runs.folder(run) / "mask.png") for run in (parent, branch, other, without)}
    assert masks[branch].read_bytes() == masks[parent].read_bytes() != masks[other].read_bytes()
    assert [easel.runs.get(run).mask for run in masks] == [True, True, True, False]
    assert not masks[without].exists()


def test_the_command_line_of_what_only_the_studio_can(easel: Easel, tmp_path: Path) -> None:
    easel.at_step(2, {"action": "change", "settings": {"style.layer_weights": [2, 1, 1, 1, 1]}})
    parent = easel.begin()
    easel.end(parent)
    mask = data_url(torch.ones(1, 3, 300, 256), tmp_path)
    branch = easel.begin(PAINTING, OTHER, start={"run": parent, "index": 6}, mask=mask)
    found = easel.runs.get(branch)
    line = command_line(found)
    assert "cubist.jpg mosaic.jpg" in line
    assert "init" not in line
    assert line.endswith("--start start.webp --content-mask painted=mask.png --style-mask painted --style-mask painted")
    easel.end(branch)
    told = easel.runs.shown(parent)["command"].splitlines()
    assert len(told) == 2
    assert told[1].startswith("# then, at step 2: style.layer_weights=0.2857")
    left_out = easel.begin(without=[{"layer": "relu3_1", "channels": [5, 9]}])
    assert "# without channels 5 and 9 of relu3_1" in easel.runs.shown(left_out)["command"]


@pytest.mark.parametrize(
    ("title", "name"),
    [
        ("Grace Hopper in the manner of Guitar", "grace-hopper-in-the-manner-of-guitar.png"),
        ('"; rm -rf / #', "rm-rf.png"),
        ("../../etc/passwd", "etc-passwd.png"),
        ("Sterrennacht über der Rhône", "sterrennacht-uber-der-rhone.png"),
        ("星空", "picture.png"),
        ("x" * 500, "x" * 60 + ".png"),
        ("a\r\nSet-Cookie: b", "a-set-cookie-b.png"),
    ],
)
def test_names_of_files_are_plain(title: str, name: str) -> None:
    assert file_name(title, ".png") == name


def test_the_runs_folder_is_all_that_is_needed(easel: Easel, home: Path) -> None:
    run = easel.begin(settings={"steps": 2})
    easel.end(run)
    names = {path.name for path in (home / "runs" / run).iterdir()}
    assert names == {"run.json", "steps.jsonl", "frames", "result.png"}
    assert TINY["size"] == easel.runs.get(run).first.size
    assert isinstance(easel.runs, Runs)
    assert easel.runs.get(run).content == PHOTOGRAPH
