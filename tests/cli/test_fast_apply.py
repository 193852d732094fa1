"""gramarye fast apply: one picture, a folder, what is refused, and that replay paints the same pixels."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest

from feedforward import CARD, many, write_both
from gramarye import demo, images
from gramarye.cli.progress import SeriesBar
from gramarye.fast import stored

from .command import Gramarye, everything_in, refused


@pytest.fixture(scope="module", autouse=True)
def networks(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The package's networks, for all tests here."""
    made = write_both(tmp_path_factory.mktemp("networks"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(stored, "FOLDER", made)
        yield made


def same(one: str, other: str) -> bool:
    return bool((images.load(one).pixels == images.load(other).pixels).all())


# ---- one picture -----------------------------------------------------------------------------------


def test_a_bundled_style(place: Path, gramarye: Gramarye) -> None:
    outcome = gramarye.ok("fast", "apply", "content.png", "demo:cubist", "-o", "out.png", "--json")
    answer = outcome.answer
    assert (answer["network"], answer["styles"], answer["size"]) == ("fast-many", ["cubist"], [60, 80])
    assert (answer["output"], answer["interrupted"]) == ("out.png", False)
    assert answer["seconds"] > 0
    assert answer["peak_memory_mb"] > 0
    lines = outcome.err.splitlines()
    assert lines[0].startswith("network   fast-many, embedded, of the styles cubist, ")
    assert lines[1].startswith("device    ")
    assert lines[2].startswith("wrote out.png · 80×60 in ")
    assert images.load("out.png").pixels.shape == (1, 3, 60, 80)


def test_any_painting(place: Path, gramarye: Gramarye) -> None:
    outcome = gramarye.ok("fast", "apply", "content.png", "style.png", "-o", "out.webp", "--size", "64", "-q", "--json")
    assert outcome.err == ""
    answer = outcome.answer
    assert (answer["network"], answer["styles"], answer["size"]) == ("fast-any", ["style.png"], [48, 64])


def test_everything_that_can_be_asked(place: Path, gramarye: Gramarye) -> None:
    asked = ("--mix", "30,70", "--strength", "0.5", "--color", "after", "--style-size", "48", "--bits", "16")
    gramarye.ok("fast", "apply", "content.png", "style.png", "cubist", "-o", "out.png", "--device", "cpu", *asked)
    recipe = images.read_recipe("out.png")
    kept = recipe["settings"]
    assert (kept["strength"], kept["color"], kept["device"]) == (0.5, "after", "cpu")
    assert (kept["style"]["mix"], kept["style"]["size"]) == ([30, 70], 48)
    assert [each["name"] for each in recipe["styles"]] == ["style.png", "cubist.jpg"]


def test_the_bundled_photograph(place: Path, gramarye: Gramarye) -> None:
    gramarye.ok("fast", "apply", "demo:photograph", "woodcut", "-o", "out.png", "--size", "64")
    recipe = images.read_recipe("out.png")
    assert recipe["content"]["path"] == str(demo.photograph())


def test_the_recipe_is_shown(place: Path, gramarye: Gramarye) -> None:
    gramarye.ok("fast", "apply", "content.png", "demo:cubist", "-o", "out.png")
    shown = gramarye.ok("inspect", "out.png").out
    for word in ("fast-many", "cubist", "content.png", "'kind': 'many'", "'steps': 0"):
        assert word in shown
    recipe = gramarye.ok("inspect", "out.png", "--json").answer
    assert recipe == images.read_recipe("out.png")


def test_a_large_picture_gets_a_hint(place: Path, gramarye: Gramarye, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gramarye.cli.fast.apply.BROAD", 64)
    outcome = gramarye.ok("fast", "apply", "content.png", "cubist", "-o", "out.png")
    assert "a smaller --size has broader ones" in outcome.err
    outcome = gramarye.ok("fast", "apply", "content.png", "cubist", "-o", "out.png", "--size", "64")
    assert "--size" not in outcome.err


# ---- again -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "asked",
    [
        ("demo:cubist",),
        ("cubist", "demo:swirl", "--mix", "1,3", "--strength", "0.6", "--size", "64"),
        ("style.png", "--color", "pca"),
        ("style.png", "demo:swirl", "--mix", "30,70", "--style-size", "64", "--color", "luminance"),
        ("sea", "--network", "own.safetensors"),
    ],
    ids=lambda asked: asked[0],
)
def test_the_same_pixels(asked: tuple[str, ...], place: Path, gramarye: Gramarye) -> None:
    stored.save("own.safetensors", many(("cubist", "sea"), seed=3), CARD)
    gramarye.ok("fast", "apply", "content.png", *asked, "-o", "out.png")
    answer = gramarye.ok("replay", "out.png", "-o", "again.png", "--json").answer
    assert answer["output"] == "again.png"
    assert same("again.png", "out.png")
    one, other = (images.read_recipe(each) for each in ("out.png", "again.png"))
    assert {**one, "styles": 0} == {**other, "styles": 0}


def test_inputs_that_have_moved(place: Path, gramarye: Gramarye) -> None:
    gramarye.ok("fast", "apply", "content.png", "style.png", "-o", "out.png")
    (place / "moved").mkdir()
    for name in ("content.png", "style.png"):
        (place / name).rename(place / "moved" / name)
    refused(gramarye("replay", "out.png", "-o", "again.png"), about="none at style.png. Name it with --style")
    gramarye.ok("replay", "out.png", "-o", "again.png", "--inputs", "moved")
    gramarye.ok("replay", "out.png", "-o", "two.png", "--content", "moved/content.png", "--style", "moved/style.png")
    assert same("again.png", "out.png")
    assert same("two.png", "out.png")


def test_another_network_is_told(place: Path, gramarye: Gramarye) -> None:
    gramarye.ok("fast", "apply", "content.png", "cubist", "-o", "out.png")
    stored.save("other.safetensors", many(seed=5), CARD)
    outcome = gramarye.ok("replay", "out.png", "-o", "again.png", "--weights", "other.safetensors")
    assert "warning   another network than the picture was painted with" in outcome.err
    assert not same("again.png", "out.png")


def test_a_network_that_has_gone(place: Path, gramarye: Gramarye) -> None:
    stored.save("own.safetensors", many(("sea",)), CARD)
    gramarye.ok("fast", "apply", "content.png", "sea", "-o", "out.png", "--network", "own.safetensors")
    Path("own.safetensors").rename("gone.safetensors")
    refused(gramarye("replay", "out.png", "-o", "again.png"), about="own.safetensors")
    gramarye.ok("replay", "out.png", "-o", "again.png", "--weights", "gone.safetensors")
    assert same("again.png", "out.png")


@pytest.mark.parametrize("fast", [{"kind": "many"}, {"kind": 3, "styles": []}, {"kind": "many", "styles": [1]}, "many"])
def test_a_recipe_that_is_not_whole(fast: object, place: Path, gramarye: Gramarye) -> None:
    gramarye.ok("fast", "apply", "content.png", "cubist", "-o", "out.png")
    recipe = images.read_recipe("out.png") | {"fast": fast}
    images.save(images.load("out.png").pixels, "damaged.png", recipe=recipe)
    refused(gramarye("replay", "damaged.png", "-o", "again.png"), about="must be whole")


def test_it_can_be_explained_by_what_it_was_trained_for(place: Path, gramarye: Gramarye) -> None:
    from gramarye.explain import story

    gramarye.ok("fast", "apply", "content.png", "cubist", "-o", "out.png")
    settings, _ = story.settings_in(images.read_recipe("out.png"))
    assert settings.network.name == "auto"


# ---- a folder --------------------------------------------------------------------------------------


@pytest.fixture
def photos(place: Path) -> Path:
    (place / "photos").mkdir()
    for name in ("content.png", "other.png"):
        (place / name).rename(place / "photos" / name)
    return place


def test_a_folder(photos: Path, gramarye: Gramarye) -> None:
    images.save(images.load("photos/other.png").pixels, "photos/content.jpg")
    outcome = gramarye.ok("fast", "apply", "photos", "cubist", "-o", "out", "--json")
    answer = outcome.answer
    assert (answer["painted"], answer["skipped"], answer["failed"], answer["interrupted"]) == (3, 0, 0, False)
    assert [each["output"] for each in answer["results"]] == ["out/content.png", "out/content-2.png", "out/other.png"]
    assert answer["seconds"] == pytest.approx(sum(each["seconds"] for each in answer["results"]), abs=1e-3)
    assert answer["output"] == "out"
    assert outcome.err.count("network   ") == 1
    assert "3/3  other" in outcome.err
    assert "3 painted, 0 already there, 0 failed · out · painted in " in outcome.err
    gramarye.ok("fast", "apply", "photos/other.png", "cubist", "-o", "alone.png")
    assert same("alone.png", "out/other.png")


def test_what_is_done_is_left_as_it_is(photos: Path, gramarye: Gramarye) -> None:
    gramarye.ok("fast", "apply", "photos", "cubist", "-o", "out", "-q")
    before = everything_in(photos)
    answer = gramarye.ok("fast", "apply", "photos", "demo:cubist", "-o", "out", "--json").answer
    assert (answer["painted"], answer["skipped"]) == (0, 2)
    assert everything_in(photos) == before
    Path("out/other.png").unlink()
    answer = gramarye.ok("fast", "apply", "photos", "cubist", "-o", "out", "--json", "-q").answer
    assert (answer["painted"], answer["skipped"]) == (1, 1)
    assert gramarye.ok("fast", "apply", "photos", "swirl", "-o", "out", "--json").answer["painted"] == 2


def test_it_goes_on_past_what_fails(photos: Path, gramarye: Gramarye) -> None:
    Path("photos/bad.png").write_bytes(b"no picture")
    outcome = gramarye("fast", "apply", "photos", "cubist", "-o", "out", "--json", "-q")
    assert outcome.status == 1
    assert (outcome.answer["painted"], outcome.answer["failed"]) == (2, 1)
    assert outcome.err.startswith("error: bad.png: ")
    assert outcome.err.count("\n") == 1
    assert {each.name for each in Path("out").iterdir()} == {"content.png", "other.png"}


def test_ctrl_c_ends_after_the_picture_under_way(
    photos: Path, gramarye: Gramarye, monkeypatch: pytest.MonkeyPatch
) -> None:
    begin = SeriesBar.begin

    def pressed(self: SeriesBar, label: str, total: int) -> None:
        begin(self, label, total)
        signal.raise_signal(signal.SIGINT)

    monkeypatch.setattr(SeriesBar, "begin", pressed)
    outcome = gramarye("fast", "apply", "photos", "cubist", "-o", "out", "--json")
    assert outcome.status == 130
    assert (outcome.answer["painted"], outcome.answer["interrupted"]) == (1, True)
    assert {each.name for each in Path("out").iterdir()} == {"content.png"}


def test_a_folder_of_its_own(photos: Path, gramarye: Gramarye) -> None:
    refused(gramarye("fast", "apply", "photos", "cubist", "-o", "photos"), about="a folder of their own")
    (photos / "empty").mkdir()
    refused(gramarye("fast", "apply", "empty", "cubist", "-o", "out"), about="must have some")
    assert not (photos / "out").exists()


# ---- what is refused -------------------------------------------------------------------------------

REFUSED = {
    "no photograph": (("missing.png", "cubist"), "missing.png"),
    "no painting": (("content.png", "missing.png"), "missing.png"),
    "no such style": (("content.png", "demo:cubits"), "Did you mean 'cubist'?"),
    "a folder as a painting": (("content.png", "."), "a folder"),
    "a mix of another length": (("content.png", "cubist", "--mix", "1,2"), "one share for each of the 1 styles"),
    "a mix of words": (("content.png", "cubist", "--mix", "much"), "style.mix"),
    "too strong": (("content.png", "cubist", "--strength", "1.5"), "gramarye transfer"),
    "too small": (("content.png", "cubist", "--size", "8"), "size must lie in"),
    "an unknown colour": (("content.png", "cubist", "--color", "blue"), "unknown color"),
    "an unknown device": (("content.png", "cubist", "--device", "gpu"), "unknown device"),
    "no network": (("content.png", "cubist", "--network", "nothing.safetensors"), "nothing.safetensors"),
    "a picture as a network": (("content.png", "cubist", "--network", "style.png"), "style.png"),
    "an unlearned painting": (("content.png", "style.png", "--network", "many"), "that it learned"),
    "too many pixels": (("content.png", "cubist", "--max-megapixels", "0.001"), "--max-megapixels"),
    "16 bits of another kind": (("content.png", "cubist", "-o", "out.jpg", "--bits", "16"), "16 as PNG"),
    "over the photograph": (("content.png", "cubist", "-o", "content.png"), "one of the inputs"),
    "over the painting": (("content.png", "style.png", "-o", "style.png"), "one of the inputs"),
    "no such format": (("content.png", "cubist", "-o", "out.gif"), "suffix"),
    "no such folder": (("content.png", "cubist", "-o", "nowhere/out.png"), "must exist"),
}


@pytest.mark.parametrize(("arguments", "about"), REFUSED.values(), ids=REFUSED.keys())
def test_bad_input_is_one_clear_line(arguments: tuple[str, ...], about: str, place: Path, gramarye: Gramarye) -> None:
    before = everything_in(place)
    output = () if "-o" in arguments else ("-o", "out.png")
    refused(gramarye("fast", "apply", *arguments, *output), about=about)
    assert everything_in(place) == before


def test_networks_that_are_missing_are_told(place: Path, gramarye: Gramarye, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stored, "FOLDER", place)
    refused(gramarye("fast", "apply", "content.png", "cubist", "-o", "out.png"), about="part of the package")


@pytest.mark.parametrize("arguments", [(), ("content.png",), ("content.png", "cubist")], ids=str)
def test_wrong_usage(arguments: tuple[str, ...], place: Path, gramarye: Gramarye) -> None:
    outcome = gramarye("fast", "apply", *arguments)
    assert outcome.status == 2
    assert outcome.out == ""
