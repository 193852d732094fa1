"""Whatever is wrong: one clear line, exit status 1, nothing written, nothing changed."""

from __future__ import annotations

import errno
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from bad_pictures import BAD_PICTURES
from gramarye import images, transfer, weights
from gramarye.settings import KNOBS
from networks import picture

from .command import TINY, Gramarye, everything_in, refused

ABOUT_PICTURES = [name for name, _ in BAD_PICTURES]
AS_ROOT = os.geteuid() == 0


@pytest.fixture
def bad(place: Path, request: pytest.FixtureRequest) -> Path:
    """The bad picture that the test is about, made in the working folder."""
    name, make = request.param
    if name == "no-permission" and AS_ROOT:
        pytest.skip("root may read everything")
    if name == "name-with-zero-byte":
        pytest.skip("no program can be given such an argument")
    made: Path = make(place)
    return made.relative_to(place) if made.is_relative_to(place) else made


@pytest.mark.parametrize("bad", BAD_PICTURES, ids=ABOUT_PICTURES, indirect=True)
def test_bad_content(bad: Path, place: Path, gramarye: Gramarye) -> None:
    before = everything_in(place)
    refused(gramarye("transfer", bad, "style.png", "-o", "out.png", *TINY))
    assert everything_in(place) == before


@pytest.mark.parametrize("bad", BAD_PICTURES[-20:], ids=ABOUT_PICTURES[-20:], indirect=True)
def test_bad_content_where_the_output_exists(bad: Path, place: Path, gramarye: Gramarye) -> None:
    """It is then compared with the inputs, whatever those are."""
    before = everything_in(place)
    refused(gramarye("transfer", bad, "style.png", "-o", "painted.png", *TINY))
    assert everything_in(place) == before


@pytest.mark.parametrize("bad", BAD_PICTURES[::3], ids=ABOUT_PICTURES[::3], indirect=True)
def test_bad_style(bad: Path, place: Path, gramarye: Gramarye) -> None:
    before = everything_in(place)
    refused(gramarye("transfer", "content.png", "style.png", bad, "-o", "out.png", *TINY, "--json"))
    assert everything_in(place) == before


@pytest.mark.parametrize("bad", BAD_PICTURES[1::6], ids=ABOUT_PICTURES[1::6], indirect=True)
def test_bad_picture_for_the_other_commands(bad: Path, place: Path, gramarye: Gramarye) -> None:
    before = everything_in(place)
    refused(gramarye("measure", bad, "--content", "content.png", "--style", "style.png"))
    refused(gramarye("measure", "painted.png", "--content", bad, "--style", "style.png", "--json"))
    refused(gramarye("inspect", bad))
    refused(gramarye("replay", bad, "-o", "out.png"))
    refused(gramarye("replay", "painted.png", "-o", "out.png", "--content", bad))
    assert everything_in(place) == before


def _setting(*assignments: str) -> tuple[str, ...]:
    return tuple(word for assignment in assignments for word in ("--set", assignment))


BEYOND = ("content.layers=conv5_4", "content.layer_weights=")  # the embedded network ends at conv5_1
# What is added to a good `transfer content.png style.png -o out.png`, and a part of the answer.
WRONG_OPTIONS: dict[str, tuple[tuple[str, ...], str]] = {
    "output folder missing": (("-o", "nowhere/out.png"), "nowhere"),
    "output is a folder": (("-o", "folder.png"), "folder.png"),
    "output below a file": (("-o", "content.png/out.png"), "content.png"),
    "output without suffix": (("-o", "out"), ".png"),
    "output with only a suffix": (("-o", ".png"), ".jpeg"),
    "output is empty": (("-o", ""), ".png"),
    "output is a device": (("-o", "/dev/null"), "/dev/null"),
    "output is standard output": (("-o", "-"), ".png"),
    "output with unknown suffix": (("-o", "out.bmp"), "out.bmp"),
    "output with a second suffix": (("-o", "out.png.bak"), "'.bak'"),
    "output name too long": (("-o", "o" * 300 + ".png"), "shorter name"),
    "output is a link to itself": (("-o", "loop.png"), "loop.png"),
    "output is the content": (("-o", "content.png"), "one of the inputs"),
    "output is the content by another path": (("-o", "folder.png/../content.png"), "one of the inputs"),
    "output is a link to the content": (("-o", "link.png"), "one of the inputs"),
    "output is a hard link to the content": (("-o", "hard.png"), "one of the inputs"),
    "output is the style": (("-o", "./style.png"), "one of the inputs"),
    "16 bits as JPEG": (("-o", "out.jpg", "--bits", "16"), "16 as PNG"),
    "16 bits as WebP": (("-o", "out.webp", "--bits", "16"), "16 as PNG"),
    "7 bits": (("--bits", "7"), "8 bits"),
    "no bits": (("--bits", "0"), "8 bits"),
    "unknown preset": (("--preset", "defalt"), "did you mean 'default'"),
    "preset like nothing": (("--preset", "zzz"), "gatys-2015"),
    "empty preset": (("--preset", ""), "gatys-2015"),
    "unknown knob": (_setting("style.wieght=1"), "'style.weight'"),
    "knob without value": (_setting("style.weight"), "KNOB=VALUE"),
    "knob with empty value": (_setting("style.weight="), "style.weight"),
    "value without knob": (_setting("=3"), "in all"),
    "a group as knob": (_setting("style=3"), "unknown knob"),
    "knob out of range": (_setting("style.weight=-1"), "0 …"),
    "knob not a number": (_setting("style.weight=much"), "'much'"),
    "knob not finite": (_setting("style.weight=nan"), "finite"),
    "knob infinite": (_setting("content.weight=inf"), "finite"),
    "half a step": (_setting("steps=1.5"), "whole number"),
    "knob neither true nor false": (_setting("optimizer.clamp=maybe"), "true or false"),
    "unknown choice": (_setting("init=photo"), "matched"),
    "unknown precision": (_setting("precision=float16"), "bfloat16"),
    "unknown layer": (_setting("style.layers=relu9_9"), "relu9_9"),
    "layer beyond the embedded network": (_setting(*BEYOND), "vgg19-lite"),
    "weights that fit no layers": (_setting("content.layer_weights=1,2,3,4,5"), "layers; got 5"),
    "shares that fit no scales": (_setting("scales.count=3", "scales.shares=1"), "3 scales"),
    "size below the least": (("--size", "31"), "32"),
    "size above the most": (("--size", "20001"), "20000"),
    "size of nothing": (("--size", "0"), "32"),
    "negative steps": (("--steps", "-1"), "steps"),
    "negative seed": (("--seed", "-1"), "seed"),
    "seed beyond 64 bits": (("--seed", "99999999999999999999"), "seed"),
    "unknown network": (("--network", "vgg18"), "'vgg19'"),
    "full network without weights": (("--network", "vgg19"), "gramarye weights fetch vgg19-torchvision"),
    "other network without weights": (_setting("network.name=vgg16"), "gramarye weights fetch vgg16-torchvision"),
    "unknown device": (("--device", "gpu"), "unknown device"),
    "empty device": (("--device", ""), "auto, cpu"),
    "absent device": (("--device", "mps"), "--device auto or cpu"),
    "weights missing": (("--weights", "nowhere.pth"), "nowhere.pth"),
    "weights are a folder": (("--weights", "folder.png"), "folder"),
    "weights are text": (("--weights", "text.pth"), "text.pth"),
    "weights are a picture": (("--weights", "style.png"), "none of these"),
    "weights are empty": (("--weights", "empty.pth"), "empty"),
    "weights cut off": (("--weights", "cut.safetensors"), "cut.safetensors"),
    "weights cut off in their header": (("--weights", "stump.safetensors"), "stump.safetensors"),
    "weights of another network": (("--weights", "lite.safetensors", "--network", "vgg19"), "vgg19"),
    "weights with an unknown network": (("--weights", "lite.safetensors", "--network", "vgg"), "vgg19"),
    "megapixels exceeded": (("--max-megapixels", "0.001"), "0.0048 megapixels"),
    "no megapixels": (("--max-megapixels", "nan"), "megapixels"),
    "style is missing": (("nowhere.png",), "nowhere.png"),
    "style is an address": (("https://example.org/a.jpg",), "example.org"),
    "style is empty": (("",), "regular file"),
}


@pytest.fixture
def littered(place: Path) -> Path:
    """The working folder with things in it that are no use."""
    (place / "folder.png").mkdir()
    (place / "link.png").symlink_to("content.png")
    (place / "loop.png").symlink_to("loop.png")
    (place / "hard.png").hardlink_to("content.png")
    (place / "text.pth").write_text("These are not weights.\n")
    (place / "empty.pth").write_bytes(b"")
    embedded = weights.embedded().read_bytes()
    (place / "lite.safetensors").write_bytes(embedded)
    (place / "cut.safetensors").write_bytes(embedded[: len(embedded) // 2])
    (place / "stump.safetensors").write_bytes(embedded[:100])
    return place


@pytest.mark.parametrize(("arguments", "about"), WRONG_OPTIONS.values(), ids=WRONG_OPTIONS.keys())
def test_wrong_options(arguments: tuple[str, ...], about: str, littered: Path, gramarye: Gramarye) -> None:
    before = everything_in(littered)
    outcome = gramarye("transfer", "content.png", "style.png", "-o", "out.png", *TINY, *arguments)
    refused(outcome)
    assert about.lower() in outcome.err.lower()
    assert everything_in(littered) == before


def test_the_tables_are_long() -> None:
    assert len(BAD_PICTURES) >= 40
    assert len(WRONG_OPTIONS) >= 40


@pytest.mark.parametrize(
    "arguments",
    [
        ("transfer",),
        ("transfer", "content.png"),
        ("transfer", "content.png", "-o", "out.png"),
        ("transfer", "content.png", "style.png"),
        ("transfer", "content.png", "style.png", "-o", "out.png", "--size", "large"),
        ("transfer", "content.png", "style.png", "-o", "out.png", "--sise", "64"),
        ("transfer", "content.png", "style.png", "-o"),
        ("measure", "painted.png", "--content", "content.png"),
        ("replay", "painted.png"),
        ("inspect",),
        ("inspect", "painted.png", "painted.png"),
        ("weights", "fetch"),
        ("weights", "steal"),
        ("demo", "content.png"),
        ("paint",),
    ],
    ids=" ".join,
)
def test_wrong_usage_is_status_2(arguments: tuple[str, ...], place: Path, gramarye: Gramarye) -> None:
    before = everything_in(place)
    outcome = gramarye(*arguments)
    assert outcome.status == 2
    assert outcome.out == ""
    assert "Error" in outcome.err
    assert "Traceback" not in outcome.err
    assert everything_in(place) == before


# ---- what is still to be mended outside the command line -------------------------------------------

NONSENSE: dict[str, tuple[tuple[str, ...], str]] = {
    "no style layers": (_setting("style.layers="), "style.weight=0"),
    "no content layers": (_setting("content.layers="), "content.weight=0"),
    "no share for any scale": (_setting("scales.count=2", "scales.shares=0,0"), "scales.shares"),
    "a negative share": (_setting("scales.count=2", "scales.shares=-1,1"), "scales.shares"),
    "a negative layer weight": (
        _setting("style.layers=relu1_1,relu2_1", "style.layer_weights=-1,1"),
        "style.layer_weights",
    ),
    "nothing asked of the picture": (
        _setting(*(f"{knob}=0" for knob in KNOBS if knob.endswith((".weight", ".chroma", ".box")))),
        "something must be asked",
    ),
    "a device with a strange number": (("--device", "cpu:x"), "--device auto or cpu"),
    "a device beyond those that are here": (("--device", "cpu:5"), "--device auto or cpu"),
    "a layer that only the full network has": (_setting(*BEYOND), "--network vgg19"),
    "a limit whose option should be named": (("--max-megapixels", "0.001"), "--max-megapixels"),
}


@pytest.mark.parametrize(("arguments", "about"), NONSENSE.values(), ids=NONSENSE.keys())
def test_nonsense(arguments: tuple[str, ...], about: str, place: Path, gramarye: Gramarye) -> None:
    before = everything_in(place)
    outcome = gramarye("transfer", "content.png", "style.png", "-o", "out.png", *TINY, *arguments)
    refused(outcome, about=about)
    assert everything_in(place) == before


def test_other_layers_alone_are_enough(place: Path, gramarye: Gramarye) -> None:
    """The weights of a preset are for its own layers."""
    knobs = ("content.layers=relu2_1,relu3_1,relu4_1", "style.layers=relu1_1,relu2_1")
    gramarye.transfer("out.png", *_setting(*knobs), "--preset", "default")
    gramarye.transfer("out.png", *_setting(*knobs), "--preset", "gatys-2015")


@pytest.mark.parametrize(
    ("content", "style", "arguments"),
    [
        ("long.png", "style.png", ("--size", "320", "--steps", "3")),
        ("content.png", "long.png", ("--size", "64", "--steps", "1")),
        ("content.png", "style.png", (*TINY, "--set", "style.scale=0.1")),
    ],
    ids=["content", "style", "scale"],
)
def test_long_pictures_paint(
    content: str, style: str, arguments: tuple[str, ...], place: Path, gramarye: Gramarye
) -> None:
    """Only the smaller scales, or the painting made smaller, would be too small for the network."""
    images.save(picture(40, 640, 5), "long.png")
    gramarye.ok("transfer", content, style, "-o", "out.png", *arguments)


# ---- places that cannot be written ----------------------------------------------------------------


@pytest.mark.skipif(AS_ROOT, reason="root may write everywhere")
def test_read_only_folder(place: Path, gramarye: Gramarye) -> None:
    place.chmod(0o500)
    try:
        refused(gramarye("transfer", "content.png", "style.png", "-o", "out.png", *TINY), about="permission")
    finally:
        place.chmod(0o700)
    assert not (place / "out.png").exists()


def failing(number: int) -> Callable[..., Any]:
    def fail(*_: object, **__: object) -> None:
        raise OSError(number, os.strerror(number))

    return fail


@pytest.mark.parametrize(
    ("number", "remedy"),
    [
        (errno.EROFS, "Choose a folder in which you may write"),
        (errno.EACCES, "Choose a folder in which you may write"),
        (errno.ENOSPC, "Free some space"),
        (errno.EDQUOT, "Choose another name or folder"),
    ],
    ids=["read-only", "not allowed", "disk full", "quota"],
)
@pytest.mark.parametrize(
    "arguments", [("transfer", "content.png", "style.png"), ("replay", "painted.png")], ids=["transfer", "replay"]
)
def test_no_file_can_be_made(
    number: int,
    remedy: str,
    arguments: tuple[str, ...],
    place: Path,
    gramarye: Gramarye,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Nothing is painted before that is known."""
    opened = Path.open

    def guarded(path: Path, mode: str = "r", *rest: Any, **options: Any) -> Any:
        return failing(number)() if mode == "xb" else opened(path, mode, *rest, **options)

    monkeypatch.setattr(Path, "open", guarded)
    monkeypatch.setattr(transfer, "prepare", lambda *_, **__: pytest.fail("painted in vain"))
    before = everything_in(place)
    refused(gramarye(*arguments, "-o", "out.png"), about=remedy)
    assert everything_in(place) == before


@pytest.mark.parametrize("step", ["fsync", "replace"])
@pytest.mark.parametrize("output", ["out.png", "other.png"], ids=["new", "over"])
def test_disk_full_while_saving(
    step: str, output: str, place: Path, gramarye: Gramarye, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The file that was there stays as it was."""
    monkeypatch.setattr(os, step, failing(errno.ENOSPC))
    before = everything_in(place)
    outcome = gramarye("transfer", "content.png", "style.png", "-o", output, *TINY, "--quiet", "--json")
    refused(outcome, about="no space left")
    assert everything_in(place) == before


def test_folder_goes_while_painting(place: Path, gramarye: Gramarye, monkeypatch: pytest.MonkeyPatch) -> None:
    (place / "folder").mkdir()
    monkeypatch.setattr("gramarye.cli.painting.announce", lambda *_, **__: (place / "folder").rmdir())
    refused(gramarye("transfer", "content.png", "style.png", "-o", "folder/out.png", *TINY, "-q"), about="folder")


@pytest.mark.parametrize("error", [MemoryError(), RuntimeError("DefaultCPUAllocator: can't allocate memory")])
def test_out_of_memory(error: Exception, place: Path, gramarye: Gramarye, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr(transfer, "prepare", fail)
    refused(gramarye("transfer", "content.png", "style.png", "-o", "out.png"), about="smaller --size")


# ---- recipes --------------------------------------------------------------------------------------


def with_recipe(place: Path, change: Callable[[dict[str, Any]], object]) -> Path:
    """A picture whose recipe was changed by hand."""
    recipe = images.read_recipe(place / "painted.png")
    change(recipe)
    path = place / "changed.png"
    images.save(images.load(place / "painted.png").pixels, path, recipe=recipe)
    return path


def _put(*keys: str | int, value: object) -> Callable[[dict[str, Any]], object]:
    def change(recipe: Any) -> None:
        for key in keys[:-1]:
            recipe = recipe[key]
        recipe[keys[-1]] = value

    return change


DAMAGED: dict[str, Callable[[dict[str, Any]], object]] = {
    "no settings": lambda recipe: recipe.pop("settings"),
    "no content": lambda recipe: recipe.pop("content"),
    "no network": lambda recipe: recipe.pop("network"),
    "no terms": lambda recipe: recipe.pop("terms"),
    "nothing": lambda recipe: recipe.clear(),
    "settings are a number": _put("settings", value=3),
    "content is text": _put("content", value="content.png"),
    "a path is a number": _put("content", "path", value=3),
    "styles are text": _put("styles", value="style.png"),
    "a style without name": lambda recipe: recipe["styles"][0].pop("name"),
    "network is a number": _put("network", value=19),
    "weights file is a number": _put("network", "file", value=7),
    "preset is nothing": _put("preset", value=None),
    "a term is empty": _put("terms", value=[{}]),
    "a value is text": _put("terms", 0, "value", value="much"),
}


@pytest.mark.parametrize("change", DAMAGED.values(), ids=DAMAGED.keys())
def test_damaged_recipe(change: Callable[[dict[str, Any]], object], place: Path, gramarye: Gramarye) -> None:
    path = with_recipe(place, change)
    before = everything_in(place)
    refused(gramarye("inspect", path), about="recipe")
    refused(gramarye("inspect", path, "--json"), about="recipe")
    refused(gramarye("replay", path, "-o", "out.png"), about="recipe")
    assert everything_in(place) == before


@pytest.mark.parametrize("text", ["{", "[]", '"text"', "", "\0", "{" * 2000], ids=repr)
def test_recipe_that_is_no_recipe(text: str, place: Path, gramarye: Gramarye) -> None:
    data = (place / "painted.png").read_bytes()
    start = data.index(b"gramarye\0\0\0\0\0") + 13
    length = int.from_bytes(data[start - 21 : start - 17])
    body = data[start - 13 : start] + text.encode()
    from gramarye.png import chunk

    end = start - 13 + length + 4
    (place / "changed.png").write_bytes(data[: start - 21] + chunk(b"iTXt", body) + data[end:])
    refused(gramarye("inspect", "changed.png"))
    refused(gramarye("replay", "changed.png", "-o", "out.png"))
    assert not (place / "out.png").exists()


STRANGE_SETTINGS: dict[str, tuple[Callable[[dict[str, Any]], object], str]] = {
    "an unknown knob": (_put("settings", "brushes", value=3), "brushes"),
    "an unknown knob in a group": (_put("settings", "style", "brushes", value=3), "style.brushes"),
    "a group is nothing": (_put("settings", "style", value=None), "style"),
    "a value out of range": (_put("settings", "size", value=10**9), "size"),
    "a value of another type": (_put("settings", "size", value=[1]), "size"),
    "an unknown layer": (_put("settings", "style", "layers", value=["relu7_1"]), "relu7_1"),
    "an unknown network": (_put("network", "name", value="vgg99"), "vgg99"),
}


@pytest.mark.parametrize(("change", "about"), STRANGE_SETTINGS.values(), ids=STRANGE_SETTINGS.keys())
@pytest.mark.parametrize("version", ["99.0", None], ids=["of the future", "of today"])
def test_settings_of_another_version(
    change: Callable[[dict[str, Any]], object], about: str, version: str | None, place: Path, gramarye: Gramarye
) -> None:
    """They can be inspected, but not replayed; the version that can is named."""

    def both(recipe: dict[str, Any]) -> None:
        change(recipe)
        recipe["gramarye"] = version or recipe["gramarye"]

    path = with_recipe(place, both)
    assert about in gramarye.ok("inspect", path).out
    gramarye.ok("inspect", path, "--json")
    outcome = gramarye("replay", path, "-o", "out.png")
    refused(outcome, about=about)
    assert ("Replay it with gramarye 99.0" in outcome.err) is (version is not None)
    assert not (place / "out.png").exists()


@pytest.mark.parametrize("command", [("inspect",), ("replay", "-o", "out.png")], ids=["inspect", "replay"])
def test_picture_without_recipe(command: tuple[str, ...], place: Path, gramarye: Gramarye) -> None:
    refused(gramarye(*command, "content.png"), about="recipe")
    assert not (place / "out.png").exists()


def test_replay_with_moved_inputs(place: Path, gramarye: Gramarye) -> None:
    (place / "content.png").rename("moved.png")
    outcome = gramarye("replay", "painted.png", "-o", "out.png")
    refused(outcome, about="needs content.png as it was; got none at content.png. Name it with --content")
    gramarye.ok("replay", "painted.png", "-o", "out.png", "--content", "moved.png")


def test_replay_with_changed_inputs(place: Path, gramarye: Gramarye) -> None:
    (place / "other.png").rename("style.png")
    refused(gramarye("replay", "painted.png", "-o", "out.png"), about="another file at style.png")
    refused(gramarye("replay", "painted.png", "-o", "out.png", "--style", "content.png"), about="--style")
    refused(gramarye("replay", "painted.png", "-o", "out.png", "--content", "nowhere.png"), about="style.png")
    assert not (place / "out.png").exists()


def test_replay_with_too_many_styles(place: Path, gramarye: Gramarye) -> None:
    arguments = ("replay", "painted.png", "-o", "out.png", "--style", "style.png", "--style", "style.png")
    refused(gramarye(*arguments), about="2 for 1")


@pytest.mark.parametrize("output", ["painted.png", "content.png", "style.png"])
def test_replay_over_an_input(output: str, place: Path, gramarye: Gramarye) -> None:
    before = everything_in(place)
    refused(gramarye("replay", "painted.png", "-o", output), about="one of the inputs")
    assert everything_in(place) == before


@pytest.mark.parametrize(
    ("arguments", "about"),
    [
        (("--size", "16"), "size"),
        (("--size", "0"), "size"),
        (("--size", "100000"), "20000"),
        (("--preset", "defalt"), "default"),
        (("--network", "vgg19"), "weights fetch"),
        (("--weights", "nowhere.pth"), "nowhere.pth"),
        (("--set", "style.wieght=3"), "style.weight"),
        (_setting(*BEYOND), "conv5_4"),
        (("--max-megapixels", "0.001"), "megapixels"),
    ],
)
def test_wrong_options_of_measure(arguments: tuple[str, ...], about: str, place: Path, gramarye: Gramarye) -> None:
    before = everything_in(place)
    outcome = gramarye("measure", "painted.png", "--content", "content.png", "--style", "style.png", *arguments)
    refused(outcome, about=about)
    assert everything_in(place) == before


def test_damaged_weights_in_the_store(place: Path, tmp_path: Path, gramarye: Gramarye) -> None:
    """`auto` would take them: the answer says which file it is."""
    store = tmp_path / "home" / "weights"
    store.mkdir(parents=True)
    (store / "vgg19.safetensors").write_bytes(weights.embedded().read_bytes()[:1000])
    refused(gramarye("transfer", "content.png", "style.png", "-o", "out.png", *TINY), about="vgg19.safetensors")
    doctor = gramarye.ok("doctor", "--json")
    assert "vgg19.safetensors" in doctor.answer["network"]
    assert json.loads(doctor.out)["network"].startswith("none: ")
