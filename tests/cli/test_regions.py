"""Masks, starts, mixing, strength and colour on the command line, and that replay finds them again."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from gramarye import images

from .command import TINY, Gramarye, everything_in, refused

PAINT = ("transfer", "content.png", "style.png", "other.png", "-o", "out.png", *TINY)


@pytest.fixture
def masked(place: Path) -> Path:
    """Masks in red and blue for all three pictures, and grey ones of the left half."""
    for name, (height, width) in {"content": (60, 80), "style": (70, 64), "other": (64, 64)}.items():
        left = torch.zeros(1, 3, height, width)
        left[..., : width // 2] = 1
        images.save(left, f"{name}-left.png")
        images.save(1 - left, f"{name}-right.png")
        images.save(
            left * torch.tensor([1.0, 0, 0]).view(1, 3, 1, 1) + (1 - left) * torch.tensor([0, 0, 1.0]).view(1, 3, 1, 1),
            f"{name}-mask.png",
        )
    return place


def same(one: str, other: str) -> bool:
    return bool((images.load(one).pixels == images.load(other).pixels).all())


MASKS = {
    "coloured": (
        "--content-mask",
        "content-mask.png",
        "--style-mask",
        "style-mask.png",
        "--style-mask",
        "other-mask.png",
    ),
    "by name": (
        *("--content-mask", "l=content-left.png", "--content-mask", "r=content-right.png"),
        *("--style-mask", "l=style-left.png,r=style-right.png", "--style-mask", "r"),
    ),
}


@pytest.mark.parametrize("masks", MASKS)
def test_masks_are_in_the_recipe_and_found_again(masks: str, masked: Path, gramarye: Gramarye) -> None:
    gramarye.ok(*PAINT)
    plain = images.load("out.png").pixels
    label = {"coloured": "red", "by name": "l"}[masks]
    gramarye.ok(*PAINT, *MASKS[masks], "--region-content", f"{label}=0.2")
    assert not bool((images.load("out.png").pixels == plain).all())
    recipe = gramarye.ok("inspect", "out.png", "--json").answer
    assert recipe["region_content"] == {label: 0.2}
    assert len(recipe["style_masks"]) == 2
    gramarye.ok("inspect", "out.png")
    gramarye.ok("replay", "out.png", "-o", "again.png")
    assert same("out.png", "again.png")


def test_replay_looks_in_another_folder(masked: Path, gramarye: Gramarye, monkeypatch: pytest.MonkeyPatch) -> None:
    gramarye.ok(*PAINT, *MASKS["by name"], "--start", "painted.png")
    before = images.load("out.png").pixels
    (masked / "moved").mkdir()
    for path in masked.glob("*-*.png"):
        path.rename(masked / "moved" / path.name)
    (masked / "painted.png").rename(masked / "moved" / "painted.png")
    refused(gramarye("replay", "out.png", "-o", "again.png"), about="--inputs")
    gramarye.ok("replay", "out.png", "-o", "again.png", "--inputs", "moved")
    assert bool((images.load("again.png").pixels == before).all())


def test_a_start_of_ones_own(place: Path, gramarye: Gramarye) -> None:
    gramarye.ok(*PAINT, "--start", "painted.png", "--steps", "0")
    assert same("out.png", "painted.png")
    recipe = images.read_recipe("out.png")
    assert recipe["start"]["name"] == "painted.png"
    gramarye.ok(*PAINT, "--start", "painted.png")
    gramarye.ok("replay", "out.png", "-o", "again.png")
    assert same("out.png", "again.png")


def test_mix_strength_and_colour_are_knobs(place: Path, gramarye: Gramarye) -> None:
    gramarye.ok(*PAINT, "--mix", "30,70", "--strength", "0.5", "--color", "pca")
    settings = images.read_recipe("out.png")["settings"]
    assert (settings["style"]["mix"], settings["strength"], settings["color"]) == ([30, 70], 0.5, "pca")
    gramarye.ok(
        *PAINT[:-6], "-o", "same.png", *TINY, "--set", "style.mix=30,70", "--set", "strength=0.5", "--set", "color=pca"
    )
    assert same("out.png", "same.png")


def test_masks_and_start_in_a_comparison(masked: Path, gramarye: Gramarye) -> None:
    gramarye.ok(*PAINT, *MASKS["coloured"], "--compare", "style.weight=1,5")
    assert images.read_recipe("out-compare/style.weight=5.png")["content_mask"]["name"] == "content-mask.png"


def test_a_checkpoint_belongs_to_its_masks(masked: Path, gramarye: Gramarye, monkeypatch: pytest.MonkeyPatch) -> None:
    from .test_interrupt import interrupt_at

    every = ("--checkpoint-every", "1")
    with monkeypatch.context() as patch:
        interrupt_at(patch, 2)
        assert gramarye(*PAINT, *MASKS["coloured"], *every).status == 130
    refused(gramarye(*PAINT, *every, "-q"), about="content_mask")
    assert "resumed" in gramarye.ok(*PAINT, *MASKS["coloured"], *every).err


@pytest.mark.parametrize(
    ("more", "about"),
    [
        (("--mix", "1,2,3"), "2 paintings"),
        (("--mix", "much"), "style.mix"),
        (("--strength", "3"), "0 … 2"),
        (("--color", "blue"), "luminance"),
        (("--start", "nowhere.png"), "nowhere.png"),
        (("--start", "painted.png", "-o", "painted.png"), "one of the inputs"),
        (("--content-mask", "nowhere.png"), "nowhere.png"),
        (("--style-mask", "style-mask.png"), "mask of the photograph"),
        (("--content-mask", "content-mask.png", "--style-mask", "style-mask.png"), "1 for 2"),
        ((*MASKS["coloured"], "-o", "style-mask.png"), "one of the inputs"),
        ((*MASKS["by name"], "-o", "style-left.png"), "one of the inputs"),
        ((*MASKS["coloured"], "--region-content", "green=1"), "green"),
        ((*MASKS["coloured"], "--region-content", "red"), "NAME=WEIGHT"),
        ((*MASKS["coloured"], "--region-content", "red=some"), "NAME=WEIGHT"),
        ((*MASKS["coloured"], "--region-content", "red=nan"), "red"),
    ],
)
def test_what_cannot_be(more: tuple[str, ...], about: str, masked: Path, gramarye: Gramarye) -> None:
    before = everything_in(masked)
    refused(gramarye(*PAINT, *more), about=about)
    assert everything_in(masked) == before


@pytest.mark.parametrize(
    "damage",
    [
        {"start": "x"},
        {"start": {"name": "a"}},
        {"content_mask": 3},
        {"content_mask": {"regions": {"a": 1}}},
        {"content_mask": {"name": 1}},
        {"style_masks": {"a": 1}},
        {"style_masks": [None]},
        {"region_content": ["a"]},
        {"region_content": {"a": "b"}},
        {"start_networks": ["fast-many"]},
        {"start_networks": {"fast-many": 1}},
    ],
)
def test_a_damaged_recipe(damage: dict[str, object], place: Path, gramarye: Gramarye) -> None:
    recipe = images.read_recipe("painted.png")
    images.save(images.load("painted.png").pixels, "damaged.png", recipe=recipe | damage)
    refused(gramarye("replay", "damaged.png", "-o", "again.png"), about="must be whole")
