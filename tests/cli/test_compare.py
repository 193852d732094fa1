"""The same picture with several values of a knob."""

from __future__ import annotations

from pathlib import Path

import pytest

from gramarye import images
from gramarye.settings import KNOBS

from .command import TINY, Gramarye, everything_in, refused

COMPARE = ("transfer", "content.png", "style.png", "-o", "sheet.png", *TINY, "--compare")


def test_every_choice_of_a_knob(place: Path, gramarye: Gramarye) -> None:
    outcome = gramarye.ok(*COMPARE, "color", "--json")
    results = outcome.answer["results"]
    assert [each["knobs"] for each in results] == [{"color": choice} for choice in KNOBS["color"].choices]
    assert outcome.answer["sheet"] == "sheet.png"
    for each in results:
        assert each["output"] == f"sheet-compare/color={each['knobs']['color']}.png"
        assert images.read_recipe(each["output"])["settings"]["color"] == each["knobs"]["color"]
        assert each["evaluations"] == 4
    assert len(list((place / "sheet-compare").iterdir())) == len(results)
    assert images.load("sheet.png").pixels.shape[2] > 300
    assert "wrote sheet.png · the pictures are in sheet-compare" in outcome.err


def test_rows_and_columns(place: Path, gramarye: Gramarye) -> None:
    outcome = gramarye.ok(*COMPARE, "style.weight=10", "--compare", "init=content,black,noise", "--json")
    assert [each["knobs"] for each in outcome.answer["results"]] == [
        {"style.weight": 10.0, "init": init} for init in ("content", "black", "noise")
    ]
    sheet = images.load("sheet.png").pixels
    assert sheet.shape[3] > 3 * sheet.shape[2] * 0.9  # one row of three
    gramarye.ok(
        "transfer",
        "content.png",
        "style.png",
        "-o",
        "alone.png",
        *TINY,
        "--set",
        "style.weight=10",
        "--set",
        "init=black",
    )
    same = images.load("alone.png").pixels == images.load("sheet-compare/style.weight=10,init=black.png").pixels
    assert bool(same.all())


def test_a_choice_that_fails_is_a_cell_with_its_error(place: Path, gramarye: Gramarye) -> None:
    outcome = gramarye(*COMPARE, "init=content,file", "--json")
    assert outcome.status == 1
    good, bad = outcome.answer["results"]
    assert "error" not in good
    assert "start" in bad["error"]
    assert outcome.err.splitlines()[-2].startswith("error: init=file.png: ") or "error: init=file.png: " in outcome.err
    assert images.load("sheet.png").pixels.shape[2] > 100
    assert {each.name for each in (place / "sheet-compare").iterdir()} == {"init=content.png"}


@pytest.mark.parametrize(
    ("more", "about"),
    [
        (("color=blue",), "luminance"),
        (("colour",), "'color'"),
        (("style.weight",), "needs values"),
        (("style.weight=1,-1",), "0 …"),
        (("color", "--compare", "color"), "different knobs"),
        (("color", "--compare", "init", "--compare", "seed=1"), "rows and columns"),
        (("color", "--snapshots", "1"), "--snapshots does not go with"),
        (("color", "--checkpoint-every", "1"), "--checkpoint-every does not go with"),
        (("color", "-o", "out.jpg"), ".png"),
        (("color", "-o", "content.png"), "one of the inputs"),
        (("color", "-o", "nowhere/out.png"), "nowhere"),
    ],
)
def test_values_are_checked_before_any_painting(
    more: tuple[str, ...], about: str, place: Path, gramarye: Gramarye
) -> None:
    before = everything_in(place)
    refused(gramarye(*COMPARE, *more), about=about)
    assert everything_in(place) == before


def test_a_folder_that_cannot_be_made(place: Path, gramarye: Gramarye) -> None:
    (place / "sheet-compare").write_text("in the way")
    refused(gramarye(*COMPARE, "color"), about="sheet-compare")
