"""A run at the easel: the same pixels as without the studio, wishes followed at the next step, nothing lost."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch

import gramarye
from gramarye import images, transfer
from gramarye.explain.lacking import leave_out
from gramarye.presets import preset
from gramarye.settings import Settings
from gramarye.studio import run_sitting as sittings

from .easel import OTHER, PAINTING, PHOTOGRAPH, TINY, Easel, data_url

SETTINGS = preset("draft").with_(**TINY)


@pytest.fixture
def easel(home: Path) -> Iterator[Easel]:
    made = Easel(home)
    yield made
    made.close()


def result(easel: Easel, run: str) -> torch.Tensor:
    return images.load(easel.runs.result_path(run)).pixels


def eight(pixels: torch.Tensor) -> torch.Tensor:
    return (pixels.clamp(0, 1) * 255).round() / 255


def without_the_studio(easel: Easel, settings: Settings, *styles: str, **inputs: Any) -> torch.Tensor:
    """What the library paints of the same pictures, as 8 bit."""
    content, *others = [easel.gallery.path_of(each) for each in (PHOTOGRAPH, *(styles or (PAINTING,)))]
    return eight(gramarye.stylize(content, others, settings, **inputs).pixels)


@pytest.mark.parametrize("name", ["lbfgs", "adam"])
def test_the_same_pixels_as_without_the_studio(name: str, easel: Easel) -> None:
    run = easel.begin(settings={"optimizer.name": name})
    assert easel.end(run)["state"] == "finished"
    expected = without_the_studio(easel, SETTINGS.with_(**{"optimizer.name": name}))
    assert torch.equal(result(easel, run), expected)


@pytest.mark.parametrize(
    "settings",
    [
        {"style.mix": [1, 3]},
        {"color": "after"},
        {"color": "luminance"},
        {"strength": 0.5, "init": "noise", "seed": 7},
        {"style.layer_weights": [2, 1, 1, 0, 1]},
    ],
)
def test_every_knob_arrives(settings: dict[str, Any], easel: Easel) -> None:
    several = [PAINTING, OTHER] if "style.mix" in settings else [PAINTING]
    run = easel.begin(*several, settings=settings)
    shown = easel.end(run)
    assert shown["state"] == "finished", shown["error"]
    for name, value in settings.items():
        assert shown["settings"][name] == value
    known = dict(settings)
    if "style.layer_weights" in known:  # 1_1, 1_2, 2_1, 2_2, 3_1, 4_1, 5_1 by blocks, each of an even share
        known["style.layer_weights"] = [factor / 7 for factor in (2, 2, 1, 1, 1, 0, 1)]
    assert torch.equal(result(easel, run), without_the_studio(easel, SETTINGS.with_(**known), *several))


def test_a_change_acts_on_the_very_next_step_and_is_in_the_recipe(easel: Easel) -> None:
    asked = {"action": "change", "settings": {"style.weight": 3000, "style.layer_weights": [1, 1, 1, 1, 0]}}
    easel.at_step(3, asked)
    run = easel.begin(settings={"steps": 8})
    shown = easel.end(run)
    assert shown["changes"] == [{"index": 3, "settings": asked["settings"]}]
    assert shown["settings"]["style.weight"] == 3000
    assert shown["settings"]["style.layer_weights"] == [1, 1, 1, 1, 0]
    style = next(k for k, term in enumerate(shown["terms"]) if term["name"] == "style relu3_1")
    weighted = [step[style] for step in shown["steps_made"]["weighted"]]
    assert weighted[3] > 10 * weighted[2] > 0
    recipe = images.read_recipe(easel.runs.result_path(run))
    assert recipe["settings"]["style"]["weight"] == 30, "those it began with"
    changes = [(each["evaluation"], each["settings"]) for each in recipe["changes"]]
    expected = without_the_studio(easel, SETTINGS.with_(steps=8), changes=changes)
    assert torch.equal(result(easel, run), expected)


def test_stopping_keeps_what_is_there_within_one_step(easel: Easel) -> None:
    easel.at_step(5, {"action": "stop"})
    run = easel.begin(settings={"steps": 5000})
    shown = easel.end(run)
    assert (shown["state"], shown["index"]) == ("stopped", 5)
    assert shown["steps_made"]["index"] == [1, 2, 3, 4, 5]
    assert shown["frames"][-1]["index"] == shown["frame"] == 5
    recipe = images.read_recipe(easel.runs.result_path(run))
    assert (recipe["evaluations"], recipe["finished"]) == (5, False)
    assert recipe["terms"]
    assert not (easel.runs.folder(run) / "checkpoint").exists()


def test_pause_step_and_resume_end_at_the_same_pixels(easel: Easel) -> None:
    easel.at_step(2, {"action": "pause"})
    run = easel.begin()
    easel.until_state(run, "paused")
    easel.until((easel.runs.folder(run) / "checkpoint").exists)
    assert easel.runs.get(run).index == 2
    for index in (3, 4):
        easel.runs.control(run, {"action": "step"})
        easel.until(lambda at=index: any(frame["index"] == at for frame in easel.events.of("frame", run)))
        easel.until_state(run, "paused")
        assert easel.runs.get(run).index == index
    easel.runs.control(run, {"action": "resume"})
    assert easel.end(run)["state"] == "finished"
    assert torch.equal(result(easel, run), without_the_studio(easel, SETTINGS))


def test_put_away_for_another_and_taken_up_again(easel: Easel) -> None:
    easel.at_step(3, {"action": "pause"})
    first = easel.begin()
    easel.until_state(first, "paused")
    second = easel.begin(settings={"seed": 3, "init": "noise"})
    assert easel.end(second)["state"] == "finished"
    assert easel.runs.get(first).state == "paused"
    easel.runs.control(first, {"action": "change", "settings": {"style.weight": 100}})
    easel.runs.control(first, {"action": "resume"})
    shown = easel.end(first)
    assert shown["steps_made"]["index"] == [1, 2, 3, 4, 5, 6]
    assert torch.equal(
        result(easel, first), without_the_studio(easel, SETTINGS, changes=[(3, {"style.weight": 100.0})])
    )


def test_demonstrations_give_way(easel: Easel) -> None:
    demo = easel.runs.create({"content": PHOTOGRAPH, "styles": [OTHER], "preset": "draft", "settings": TINY}, demo=True)
    easel.until_step(demo.id, 2)
    other = easel.begin()
    easel.end(other)
    assert easel.end(demo.id)["state"] == "finished"
    ends = [data["id"] for kind, data in easel.events.told if kind == "run" and data["state"] == "finished"]
    assert ends == [other, demo.id]
    assert torch.equal(result(easel, demo.id), without_the_studio(easel, SETTINGS, OTHER))


def test_events_come_in_order_and_agree_with_what_is_kept(easel: Easel) -> None:
    run = easel.begin(settings={"steps": 12})
    shown = easel.end(run)
    told = [(kind, data) for kind, data in easel.events.told if run in (data.get("run"), data.get("id"))]
    states = list(dict.fromkeys(data["state"] for kind, data in told if kind == "run"))
    assert states == ["waiting", "running", "finished"]
    kinds = [kind for kind, _ in told]
    assert kinds.index("terms") < kinds.index("step")
    assert kinds[-1] == "run"
    steps = easel.events.of("step", run)
    assert [step["index"] for step in steps] == list(range(1, 13))
    made = shown["steps_made"]
    for name in ("index", "scale", "total", "weighted", "gradients", "ms"):
        assert made[name] == [step[name] for step in steps]
    assert all(len(weighted) == len(shown["terms"]) for weighted in made["weighted"])
    for total, weighted in zip(made["total"], made["weighted"], strict=True):
        assert math.fsum(weighted) == pytest.approx(total, rel=1e-4)
    assert sorted(set(made["scale"])) == [0, 1]
    frames = [(each["index"], each["width"], each["height"]) for each in easel.events.of("frame", run)]
    assert frames == [(each["index"], each["width"], each["height"]) for each in shown["frames"]]
    assert (frames[0][0], frames[-1][0]) == (0, 12)
    assert (shown["width"], shown["height"]) == (55, 64)
    assert steps[-1]["remaining"] == 0
    assert steps[0]["remaining"] > 0


def test_gradients_are_measured_only_where_there_is_a_frame(easel: Easel) -> None:
    shown = easel.end(easel.begin(settings={"steps": 40}))
    measured = [
        index
        for index, gradients in zip(shown["steps_made"]["index"], shown["steps_made"]["gradients"], strict=True)
        if gradients
    ]
    assert measured
    assert len(measured) < 40
    assert set(measured) <= {frame["index"] for frame in shown["frames"]}
    first = shown["steps_made"]["gradients"][measured[0] - 1]
    assert len(first) == len(shown["terms"])
    assert max(first) > 0


def half(height: int, width: int) -> torch.Tensor:
    mask = torch.zeros(1, 3, height, width)
    mask[..., : width // 2] = 1
    return mask


@pytest.mark.parametrize("color", ["style", "after"])
def test_paint_here_only(color: str, easel: Easel, tmp_path: Path) -> None:
    """The photograph is 512 × 600; the mask is drawn at another size of the same shape."""
    settings = {"size": 128, "steps": 12, "color": color}
    run = easel.begin(settings=settings, mask=data_url(half(300, 256), tmp_path))
    shown = easel.end(run)
    assert (shown["state"], shown["mask"]) == ("finished", True), shown["error"]
    pixels = result(easel, run)
    photograph = images.load(easel.gallery.path_of(PHOTOGRAPH)).pixels
    moved = (pixels - images.resize(photograph, (128, 109))).square().mean((0, 1, 2)).sqrt()
    assert float(moved[60:].max()) < 0.004, "where it is black"
    assert float(moved[:49].mean()) > 0.05, "where it is white"
    newest = images.load(easel.runs.folder(run) / "frames" / "12.webp").pixels
    assert float((newest - pixels)[..., 60:].abs().mean()) < 0.02, "frames too"
    assert images.read_recipe(easel.runs.result_path(run))["content_mask"]["regions"]["painted"]["sha256"]


def test_without_a_pair_of_channels(easel: Easel) -> None:
    left_out = [{"layer": "relu1_1", "channels": [0, 0]}, {"layer": "relu3_1", "channels": [5, 9]}]
    run = easel.begin(without=left_out)
    assert easel.end(run)["state"] == "finished"
    painting = transfer.prepare(
        easel.gallery.path_of(PHOTOGRAPH), easel.gallery.path_of(PAINTING), SETTINGS, preset="draft"
    )
    leave_out(painting, [("relu1_1", 0, 0), ("relu3_1", 5, 9)])
    for _ in painting.steps():
        pass
    assert torch.equal(result(easel, run), eight(painting.result().pixels))
    assert not torch.equal(result(easel, run), without_the_studio(easel, SETTINGS))
    assert images.read_recipe(easel.runs.result_path(run))["without"] == [["relu1_1", 0, 0], ["relu3_1", 5, 9]]


def test_a_branch_begins_with_the_frame(easel: Easel) -> None:
    parent = easel.begin(settings={"steps": 12})
    easel.end(parent)
    last = easel.runs.folder(parent) / "frames" / "12.webp"
    unchanged = easel.begin(settings={"steps": 0}, start={"run": parent, "index": 12})
    assert easel.end(unchanged)["parent"] == {"run": parent, "index": 12}
    assert torch.equal(result(easel, unchanged), images.load(last).pixels)
    branch = easel.begin(settings={"steps": 3, "style.weight": 300}, start={"run": parent, "index": 12})
    assert set(easel.end(branch)["steps_made"]["scale"]) == {0}, "at its size, not smaller again"
    expected = SETTINGS.with_(**{"steps": 3, "style.weight": 300, "scales.count": 1, "scales.shares": 1})
    assert torch.equal(result(easel, branch), without_the_studio(easel, expected, start=last))
    early = easel.begin(start={"run": parent, "index": 0})
    assert set(easel.end(early)["steps_made"]["scale"]) == {0, 1}


def test_what_cannot_be_painted_is_told_in_one_line_and_the_next_goes_on(easel: Easel) -> None:
    wrong = easel.begin(without=[{"layer": "relu1_1", "channels": [0, 500]}])
    right = easel.begin()
    shown = easel.end(wrong)
    assert shown["state"] == "failed"
    assert "channels of relu1_1 are numbered from 0 to 15" in shown["error"]
    assert easel.end(right)["state"] == "finished"


def test_a_failure_nobody_foresaw_ends_the_run_not_the_studio(easel: Easel, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise ZeroDivisionError("division\nby zero")

    with monkeypatch.context() as patch:
        patch.setattr(sittings.RunSitting, "_note", broken)
        shown = easel.end(easel.begin())
    assert shown["error"] == "something went wrong: ZeroDivisionError: division by zero"
    assert easel.end(easel.begin())["state"] == "finished"


def test_what_would_not_fit_into_the_memory_is_refused(easel: Easel, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gramarye.machine.available_memory", lambda: 10**6)
    shown = easel.end(easel.begin())
    assert shown["state"] == "failed"
    assert "Choose a smaller size" in shown["error"]
