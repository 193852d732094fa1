"""gramarye demo: every bundled style, a contact sheet, and nothing left behind when it cannot be."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest
import torch

from gramarye import demo as bundle
from gramarye import images

from .command import Gramarye, everything_in, refused

FAST = ("--size", "48", "--steps", "2")


@pytest.fixture
def two_styles(monkeypatch: pytest.MonkeyPatch) -> tuple[Path, ...]:
    chosen = bundle.styles()[:2]
    monkeypatch.setattr(bundle, "styles", lambda: chosen)
    return chosen


def test_every_style_and_the_sheet(place: Path, gramarye: Gramarye) -> None:
    answer = gramarye.ok("demo", "-o", "pictures/of/mine", *FAST, "--json").answer
    names = [style.stem for style in bundle.styles()]
    assert len(names) >= 4
    folder = Path("pictures/of/mine")
    assert answer["outputs"] == [str(folder / f"{name}.png") for name in names]
    assert answer["sheet"] == str(folder / "contact-sheet.png")
    assert {path.name for path in folder.iterdir()} == {f"{name}.png" for name in names} | {"contact-sheet.png"}
    for output in answer["outputs"]:
        assert images.load(output).pixels.shape == (1, 3, 48, 41)
        assert images.read_recipe(output)["preset"] == "default"
    assert min(images.load(answer["sheet"]).pixels.shape[2:]) > 600
    assert answer["seconds"] > 0


def test_default_folder_and_what_is_said(place: Path, gramarye: Gramarye, two_styles: tuple[Path, ...]) -> None:
    outcome = gramarye.ok("demo", *FAST)
    assert outcome.out == ""
    for style in two_styles:
        assert f"wrote gramarye-demo/{style.stem}.png" in outcome.err
    assert "wrote gramarye-demo/contact-sheet.png" in outcome.err


def test_a_demo_picture_can_be_replayed(place: Path, gramarye: Gramarye, two_styles: tuple[Path, ...]) -> None:
    outcome = gramarye.ok("demo", *FAST, "--quiet")
    assert (outcome.out, outcome.err) == ("", "")
    name = f"gramarye-demo/{two_styles[0].stem}.png"
    gramarye.ok("replay", name, "-o", "again.png")
    assert torch.equal(images.load(name).pixels, images.load("again.png").pixels)


@pytest.mark.parametrize(
    ("arguments", "about"),
    [
        (("--size", "0"), "size"),
        (("--size", "31"), "size"),
        (("--steps", "-1"), "steps"),
        (("-o", "content.png"), "content.png"),
        (("-o", "content.png/below"), "content.png"),
        (("-o", "taken"), "swirl.png"),
    ],
)
def test_nothing_is_made_when_it_cannot_be(
    arguments: tuple[str, ...], about: str, place: Path, gramarye: Gramarye, monkeypatch: pytest.MonkeyPatch
) -> None:
    (place / "taken" / "swirl.png").mkdir(parents=True)
    before = everything_in(place)
    refused(gramarye("demo", *FAST, *arguments), about=about)
    assert everything_in(place) == before


def test_ctrl_c_keeps_what_was_painted(
    place: Path, gramarye: Gramarye, two_styles: tuple[Path, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gramarye.cli.painting.ProgressBar.show", lambda *_: signal.raise_signal(signal.SIGINT))
    outcome = gramarye("demo", *FAST, "--json")
    assert outcome.status == 130
    first = f"gramarye-demo/{two_styles[0].stem}.png"
    assert outcome.answer["outputs"] == [first]
    assert f"interrupted, kept {first}" in outcome.err
    assert images.read_recipe(first)["evaluations"] == 1
    assert {path.name for path in Path("gramarye-demo").iterdir()} == {Path(first).name, "contact-sheet.png"}
