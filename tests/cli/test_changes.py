"""Replaying a picture whose settings were changed while it was painted, or that went without pairs of channels."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from gramarye import images, transfer
from gramarye.explain.lacking import leave_out
from gramarye.presets import preset

from .command import Gramarye, refused

SETTINGS = preset("default").with_(size=48, steps=6, **{"network.name": "vgg19-lite", "scales.smallest": 32})


def test_the_same_pixels_again(place: Path, gramarye: Gramarye) -> None:
    painting = transfer.prepare("content.png", "style.png", SETTINGS, preset="default")
    leave_out(painting, [("relu2_1", 3, 5), ("relu1_1", 0, 0)])
    for step in painting.steps():
        if step.index in (2, 4):
            painting.change({"style.weight": 100.0 * step.index, "style.layer_weights": [1, 0, 0, 0, 0, 0, 1]})
    painting.result().save("changed.png")
    gramarye.ok("replay", "changed.png", "-o", "again.png", "-q")
    same = images.load("changed.png").pixels == images.load("again.png").pixels
    assert bool(same.all())
    first, second = (images.read_recipe(name) for name in ("changed.png", "again.png"))
    for part in ("changes", "without", "settings", "terms"):
        assert first[part] == second[part]
    assert [each["evaluation"] for each in first["changes"]] == [2, 4]
    assert not (images.load("painted.png").pixels == images.load("again.png").pixels).all()


@pytest.mark.parametrize(
    ("part", "value"),
    [
        ("changes", [{"evaluation": "2", "settings": {}}]),
        ("changes", [{"evaluation": 2}]),
        ("changes", "all"),
        ("without", [["relu1_1", 0]]),
        ("without", [["relu1_1", 0, "x"]]),
        ("without", "all"),
    ],
)
def test_a_damaged_recipe_is_refused(part: str, value: Any, place: Path, gramarye: Gramarye) -> None:
    recipe = images.read_recipe("painted.png") | {part: value}
    images.save(images.load("painted.png").pixels, "damaged.png", recipe=recipe)
    refused(gramarye("replay", "damaged.png", "-o", "again.png", "-q"), about=part)


def test_changes_that_cannot_be_made_are_refused(place: Path, gramarye: Gramarye) -> None:
    for settings, about in (({"size": 3}, "settled"), ({"style.weigth": 3}, "style.weight")):
        recipe = images.read_recipe("painted.png") | {"changes": [{"evaluation": 1, "settings": settings}]}
        images.save(images.load("painted.png").pixels, "damaged.png", recipe=recipe)
        refused(gramarye("replay", "damaged.png", "-o", "again.png", "-q"), about=about)
