"""Live knobs: changed between two steps, seen by the very next one, and repeated from the recipe to the same pixels."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch

from gramarye import checkpoint, images, transfer, weights
from gramarye.errors import SettingsError
from gramarye.objective import Objective
from gramarye.optimize import Step
from gramarye.painting import Painting
from gramarye.presets import preset
from gramarye.settings import KNOBS, Settings
from networks import picture, random_weights

SMALL = preset("default").with_(
    size=48, steps=9, precision="float32", **{"scales.smallest": 24, "scales.count": 2, "scales.shares": ""}
)
CHANGES: list[tuple[int, dict[str, Any]]] = [
    (0, {"strength": 0.8}),
    (2, {"style.weight": 300.0, "content.weight": 0.5}),
    (4, {"smoothness.weight": 0.0}),  # after the last step of the first size
    (6, {"style.layer_weights": [0.5, 0, 0, 0, 0.2, 0.2, 0.1]}),
]
WAYS: dict[str, dict[str, Any]] = {
    "lbfgs": {},
    "adam": {"optimizer.name": "adam"},
    "line search": {"optimizer.line_search": "strong-wolfe", "steps": 16},
    "shifting": {"optimizer.name": "adam", "shifting.degrees": 5},
}


@pytest.fixture(autouse=True)
def random_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """A random network instead of the embedded one: nothing here depends on what it has learned."""
    monkeypatch.setattr(weights, "load", lambda *_: random_weights())


def prepared(settings: Settings = SMALL, **inputs: Any) -> Painting:
    return transfer.prepare(picture(48, 40, 1), picture(40, 40, 2), settings, **inputs)


def painted(painting: Painting, by_hand: list[tuple[int, dict[str, Any]]] | None = None) -> torch.Tensor:
    """The result, with the changes made by hand when their evaluation has been reached."""
    left = list(by_hand or ())

    def change() -> None:
        while left and left[0][0] <= painting.evaluations:
            painting.change(left.pop(0)[1])

    change()
    for _ in painting.steps():
        change()
    return painting.result().pixels


@pytest.mark.parametrize("way", WAYS)
def test_a_recipe_with_changes_is_painted_again_to_the_same_pixels(way: str) -> None:
    settings = SMALL.with_(**WAYS[way])
    first = prepared(settings)
    by_hand = painted(first, CHANGES)
    recipe = first.recipe()
    assert recipe["settings"] == settings.to_dict(), "those it began with"
    changes = [(each["evaluation"], each["settings"]) for each in recipe["changes"]]
    assert [set(knobs) for _, knobs in changes] == [set(knobs) for _, knobs in CHANGES]
    again = prepared(settings, changes=changes)
    assert torch.equal(painted(again), by_hand)
    assert again.recipe()["changes"] == recipe["changes"]
    assert not torch.equal(painted(prepared(settings)), by_hand)


def test_the_very_next_step_follows() -> None:
    painting = prepared()
    steps = painting.steps()
    before = [next(steps) for _ in range(2)][-1]
    painting.change({"style.weight": 10 * SMALL.style.weight})
    after = next(steps)
    style = [name for name in before.weights if name.startswith("style")]
    assert style
    for name, weight in before.weights.items():
        assert after.weights[name] == pytest.approx(10 * weight if name in style else weight)
    assert painting.result().settings.style.weight == 10 * SMALL.style.weight


def test_a_term_that_comes_and_goes_is_in_the_ledger() -> None:
    painting = prepared(SMALL.with_(**{"smoothness.weight": 0}))
    painted(painting, [(2, {"smoothness.weight": 3}), (6, {"smoothness.weight": 0, "content.weight": 0})])
    rows = [row for row in painting.result().ledger if row["term"] in ("tv", "content relu4_2")]
    steps = {term: [row["step"] for row in rows if row["term"] == term] for term in ("tv", "content relu4_2")}
    assert steps == {"tv": [3, 4, 5, 6], "content relu4_2": [1, 2, 3, 4, 5, 6]}
    assert {row["kind"] for row in rows} == {"tv", "content"}


@pytest.mark.parametrize("way", WAYS)
def test_a_painting_that_was_changed_goes_on_from_its_checkpoint(way: str, tmp_path: Path) -> None:
    settings = SMALL.with_(**WAYS[way])
    whole = painted(prepared(settings, changes=CHANGES))
    for stop in (1, 3, 5, 7):
        first = prepared(settings, changes=CHANGES)
        for step in first.steps():
            if step.index >= stop:
                break
        checkpoint.save(tmp_path / "c", first.state(), {})
        again = prepared(settings, changes=CHANGES)
        again.restore(checkpoint.load(tmp_path / "c", {}))
        assert torch.equal(painted(again), whole), stop


def test_a_checkpoint_brings_its_changes_with_it(tmp_path: Path) -> None:
    first = prepared()
    for step in first.steps():
        if step.index == 2:
            first.change({"style.weight": 3.0})
            break
    state = first.state()
    again = prepared()
    again.restore(state)
    assert again.settings.style.weight == 3
    assert torch.equal(painted(again), painted(first))


def test_what_cannot_be_changed_changes_nothing() -> None:
    painting = prepared()
    steps = painting.steps()
    next(steps)
    for knobs, message in (
        ({"size": 64}, "size is settled when the painting begins"),
        ({"style.wieght": 3}, "style.weight"),
        ({"style.weight": -1}, "must lie in"),
        ({"style.layer_weights": [1, 2]}, "one weight for each"),
        ({"style.weight": 0, "content.weight": 0, "strength": 0}, "something must be asked"),
    ):
        with pytest.raises(SettingsError, match=message):
            painting.change(knobs)
    assert painting.settings == SMALL
    assert not painting.recipe()["changes"]
    assert torch.equal(painted(painting), painted(prepared()))
    with pytest.raises(SettingsError, match="settled when the painting begins"):
        prepared(changes=[(3, {"seed": 4})])
    with pytest.raises(SettingsError, match="in the order"):
        prepared(changes=[(3, {"strength": 1}), (2, {"strength": 1})])


def test_live_knobs_are_declared() -> None:
    live = {name for name, knob in KNOBS.items() if knob.live}
    assert live == {"strength", "content.weight", "style.weight", "style.layer_weights", "smoothness.weight"}


@pytest.mark.parametrize("way", WAYS)
def test_pulls_are_measured_where_they_are_asked_for_and_the_picture_is_the_same(way: str) -> None:
    settings = SMALL.with_(**WAYS[way])

    def some(painting: Painting) -> Iterator[Step]:
        painting.watched = True
        for step in painting.steps():
            painting.watched = step.index % 3 == 0
            yield step

    now_and_then, always = prepared(settings), prepared(settings)
    seen = list(some(now_and_then))
    always.watched = True
    known = {step.index: step.gradients for step in always.steps()}
    wanted = [True, *(step.index % 3 == 0 for step in seen[:-1])]
    assert [bool(step.gradients) for step in seen] == wanted
    for step in seen:
        if step.gradients:
            assert step.gradients == pytest.approx(known[step.index], rel=1e-5)
    assert torch.equal(now_and_then.result().pixels, painted(prepared(settings)))


def test_an_objective_can_be_altered() -> None:
    def without_content(objective: Objective, *_: Any) -> Objective:
        return Objective(tuple(term for term in objective.terms if term.kind != "content"))

    painting = prepared()
    painting.alter = without_content
    names = {name for step in painting.steps() for name in step.terms}
    assert names
    assert not [name for name in names if name.startswith("content")]


@pytest.fixture
def half(tmp_path: Path) -> Callable[[], Path]:
    """A mask, white on the left."""

    def made() -> Path:
        mask = torch.zeros(1, 3, 96, 80)
        mask[..., :40] = 1
        images.save(mask, tmp_path / "mask.png")
        return tmp_path / "mask.png"

    return made


@pytest.mark.parametrize("color", ["style", "luminance", "after"])
def test_where_no_region_is_the_photograph_stays(color: str, half: Callable[[], Path]) -> None:
    photograph = picture(96, 80, 1)
    photograph += 0.2 * torch.rand(photograph.shape, generator=torch.Generator().manual_seed(3)) - 0.1  # fine detail
    photograph.clamp_(0, 1)
    settings = SMALL.with_(size=96, color=color, **{"scales.detail": 0})  # or the fine detail would be in both halves
    inputs: dict[str, Any] = {"content_mask": {"painted": half()}, "style_masks": [{"painted": None}]}
    painting = transfer.prepare(photograph, picture(40, 40, 2), settings, **inputs)
    for _ in painting.steps():
        outside = painting.shown()[..., -painting.shown().shape[3] // 3 :]
        kept = images.resize(photograph, (painting.shown().shape[2], painting.shown().shape[3]))
        assert float((outside - kept[..., -outside.shape[3] :]).abs().max()) < 0.02
    difference = (painting.result().pixels - photograph).square().mean((1, 2)).sqrt()[0]
    assert float(difference[44:].max()) < 0.01
    assert float(difference[:36].min()) > 0.05


def test_regions_that_cover_everything_leave_nothing_of_the_photograph(half: Callable[[], Path]) -> None:
    inputs: dict[str, Any] = {"content_mask": half(), "style_masks": [{"white": None, "black": None}]}
    painting = transfer.prepare(picture(96, 80, 1), picture(40, 40, 2), SMALL.with_(steps=0), **inputs)
    assert painting.masks is not None
    assert painting.masks.covered((96, 80)) is None
