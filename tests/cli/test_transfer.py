"""Painting, replaying and measuring: what is printed, what is saved, and that they agree."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from feedforward import CARD, anything, write_both
from gramarye import demo as bundle
from gramarye import images, optimize, weights
from gramarye.cli import console
from gramarye.fast import stored
from gramarye.presets import preset
from gramarye.settings import Settings

from .command import TINY, Gramarye, everything_in, refused

MEASURED = {"preset", "network", "size", "terms", "total"}
PAINTED = MEASURED | {"seconds", "evaluations", "peak_memory_mb", "output", "history"}
MORE = {"precision", "interrupted", "rescued"}  # beyond the design's list
TERM = {"name", "kind", "layer", "value", "weight", "weighted"}
EXACT = ("--set", "precision=float32")


def pixels(path: str | Path) -> np.ndarray:
    with Image.open(path) as image:
        return np.asarray(image)


def test_json_has_the_keys_of_the_contract(place: Path, gramarye: Gramarye) -> None:
    answer = gramarye.transfer("out.png", "--json").answer
    assert set(answer) == PAINTED | MORE
    assert all(set(term) == TERM for term in answer["terms"])
    assert answer["preset"] == "default"
    assert answer["network"] == "vgg19-lite"
    assert answer["output"] == "out.png"
    assert answer["interrupted"] is False
    measured = gramarye.ok("measure", "out.png", "--content", "content.png", "--style", "style.png", "--json").answer
    assert set(measured) == MEASURED
    assert all(set(term) == TERM for term in measured["terms"])


def test_json_is_consistent(place: Path, gramarye: Gramarye) -> None:
    answer = gramarye.transfer("out.png", "--json").answer
    assert answer["total"] == pytest.approx(sum(term["weighted"] for term in answer["terms"]))
    for term in answer["terms"]:
        assert term["weighted"] == pytest.approx(term["weight"] * term["value"])
        assert term["value"] >= 0
    assert answer["evaluations"] == len(answer["history"]) == 4
    assert [index for index, _ in answer["history"]] == [1, 2, 3, 4]
    assert answer["size"] == [36, 48]
    assert pixels("out.png").shape == (36, 48, 3)
    assert answer["seconds"] > 0
    assert 50 < answer["peak_memory_mb"] < 20_000


def test_terms_are_named_after_the_settings(place: Path, gramarye: Gramarye) -> None:
    knobs = ("style.layers=conv_1,relu2_1", "style.layer_weights=", "content.layers=relu3_2", "content.layer_weights=")
    chosen = [word for knob in knobs for word in ("--set", knob)]
    terms = gramarye.transfer("out.png", "--json", *chosen).answer["terms"]
    named = [(term["name"], term["kind"], term["layer"]) for term in terms]
    assert named[:4] == [
        ("content relu3_2", "content", "relu3_2"),
        ("style conv_1", "style", "conv_1"),
        ("style relu2_1", "style", "relu2_1"),
        ("tv", "tv", "pixels"),
    ]
    assert {kind for _, kind, _ in named[4:]} <= {"tv", "box"}


def test_a_weight_of_zero_leaves_the_term_out(place: Path, gramarye: Gramarye) -> None:
    answer = gramarye.transfer("out.png", "--json", "--set", "style.weight=0").answer
    assert {term["kind"] for term in answer["terms"]} == {"content", "tv", "box"}


@pytest.mark.parametrize("name", ["out.png", "out.jpg", "out.JPEG", "out.webp", "out.tif", "out.tiff"])
def test_every_format_carries_the_recipe(name: str, place: Path, gramarye: Gramarye) -> None:
    answer = gramarye.transfer(name, "--json").answer
    recipe = gramarye.ok("inspect", name, "--json").answer
    for key in ("preset", "terms", "total", "evaluations"):
        assert recipe[key] == answer[key]
    assert recipe["network"]["name"] == answer["network"]
    assert recipe["content"] == {
        "name": "content.png",
        "path": "content.png",
        "sha256": images.sha256_of("content.png"),
    }
    assert recipe["styles"][0]["sha256"] == images.sha256_of("style.png")
    assert Settings.from_dict(recipe["settings"]) == preset("default").with_(size=48, steps=4)
    assert pixels(name).shape == (36, 48, 3)


def test_inspect_for_people_tells_the_same(place: Path, gramarye: Gramarye) -> None:
    recipe = gramarye.ok("inspect", "painted.png", "--json").answer
    shown = gramarye.ok("inspect", "painted.png").out
    for part in (recipe["network"]["sha256"], recipe["content"]["sha256"], "style.png", "'size': 48", "vgg19-lite"):
        assert part in shown  # and whole on its line, however narrow the terminal
    for term in recipe["terms"]:
        assert f"{term['value']:.6g}" in shown


def test_16_bits(place: Path, gramarye: Gramarye) -> None:
    gramarye.transfer("deep.png", "--bits", "16")
    gramarye.transfer("out.png")
    assert (place / "deep.png").read_bytes()[24] == 16
    deep, shallow = images.load("deep.png").pixels, images.load("out.png").pixels
    assert float((deep - shallow).abs().max()) <= 0.5 / 255 + 1e-5
    gramarye.ok("replay", "deep.png", "-o", "again.png", "--bits", "16")
    assert bool((images.load("again.png").pixels == deep).all())


def test_several_styles_are_mixed(place: Path, gramarye: Gramarye) -> None:
    arguments = ("content.png", "style.png", "other.png", "-o", "mixed.png", *TINY, "--json")
    mixed = gramarye.ok("transfer", *arguments).answer
    alone = gramarye.transfer("alone.png", "--json").answer
    assert len(mixed["terms"]) == len(alone["terms"])
    assert mixed["total"] != alone["total"]
    recipe = gramarye.ok("inspect", "mixed.png", "--json").answer
    assert [style["name"] for style in recipe["styles"]] == ["style.png", "other.png"]
    gramarye.ok("replay", "mixed.png", "-o", "again.png")
    assert np.array_equal(pixels("mixed.png"), pixels("again.png"))
    gramarye.ok("replay", "mixed.png", "-o", "again.png", "--style", "style.png")


@pytest.mark.parametrize("name", ["out.png", "out.webp", "out.tif"])
def test_alpha_is_kept(name: str, place: Path, gramarye: Gramarye) -> None:
    alpha = np.zeros((60, 80), np.uint8)
    alpha[:, 40:] = 255
    Image.fromarray(np.dstack([pixels("content.png"), alpha])).save("content.png")
    gramarye.transfer(name)
    kept = pixels(name)
    assert kept.shape == (36, 48, 4)
    assert (kept[10, 2, 3], kept[10, 45, 3]) == (0, 255)
    gramarye.ok("measure", name, "--content", "content.png", "--style", "style.png")


def test_flags_go_before_the_preset_and_knobs_before_flags(place: Path, gramarye: Gramarye) -> None:
    def settings(*arguments: str) -> Settings:
        gramarye.ok("transfer", "content.png", "style.png", "-o", "out.png", *arguments)
        return Settings.from_dict(images.read_recipe("out.png")["settings"])

    flags = ("--size", "40", "--steps", "2", "--seed", "7", "--device", "cpu")
    found = settings("--preset", "pytorch-tutorial", *flags)
    assert found == preset("pytorch-tutorial").with_(size=40, steps=2, seed=7, device="cpu")
    found = settings(*flags, "--set", "size=33", "--set", "steps=3", "--set", "steps=1", "--network", "vgg19-lite")
    assert (found.size, found.steps, found.seed, found.network.name) == (33, 1, 7, "vgg19-lite")
    found = settings(
        *flags, "--set", " style.weight = 5 ", "--set", "style.layers=relu1_1,relu3_1", "--set", "style.layer_weights="
    )
    assert (found.style.weight, found.style.layers) == (5.0, ("relu1_1", "relu3_1"))


def test_the_seed_decides_the_noise(place: Path, gramarye: Gramarye) -> None:
    noise = ("--set", "init=noise")
    gramarye.transfer("one.png", *noise, "--seed", "1")
    gramarye.transfer("same.png", *noise, "--seed", "1", "--quiet")
    gramarye.transfer("two.png", *noise, "--seed", "2")
    assert (place / "one.png").read_bytes() == (place / "same.png").read_bytes()
    assert not np.array_equal(pixels("one.png"), pixels("two.png"))


@pytest.mark.parametrize("init", ["content", "matched", "noise", "black"])
def test_replay_gives_the_same_pixels(init: str, place: Path, gramarye: Gramarye) -> None:
    painted = gramarye.transfer("out.png", "--set", f"init={init}", "--seed", "3", "--json").answer
    again = gramarye.ok("replay", "out.png", "-o", "again.png", "--json").answer
    assert np.array_equal(pixels("out.png"), pixels("again.png"))
    assert set(again) == PAINTED | MORE
    for key in ("history", "terms", "total", "preset"):
        assert again[key] == painted[key]
    gramarye.ok("replay", "again.png", "-o", "third.png", "-q")
    assert np.array_equal(pixels("out.png"), pixels("third.png"))


def test_replay_from_another_folder(place: Path, gramarye: Gramarye, monkeypatch: pytest.MonkeyPatch) -> None:
    """The inputs are found beside the picture when they are no longer where they were."""
    before = pixels("painted.png")
    elsewhere = place / "elsewhere"
    elsewhere.mkdir()
    monkeypatch.chdir(elsewhere)
    gramarye.ok("replay", "../painted.png", "-o", "again.png")
    assert np.array_equal(pixels("again.png"), before)


def test_replay_when_the_weights_have_moved(place: Path, tmp_path: Path, gramarye: Gramarye) -> None:
    """The network's weights of this machine then serve, with a warning if they are others."""
    file = tmp_path / "lite.safetensors"
    file.write_bytes(weights.embedded().read_bytes())
    gramarye.transfer("out.png", "--weights", str(file))
    file.unlink()
    outcome = gramarye.ok("replay", "out.png", "-o", "again.png")
    assert "warning" not in outcome.err
    assert np.array_equal(pixels("out.png"), pixels("again.png"))


def test_replay_with_other_weights_warns(place: Path, tmp_path: Path, gramarye: Gramarye) -> None:
    file = weights.write(weights.read(weights.embedded()), tmp_path / "other.safetensors", remark="repacked")
    outcome = gramarye.ok("replay", "painted.png", "-o", "again.png", "--weights", file)
    assert "other weights" in outcome.err


def test_replay_begun_by_another_network_warns(
    place: Path, tmp_path: Path, gramarye: Gramarye, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stored, "FOLDER", write_both(tmp_path))
    gramarye.transfer("out.png", "--set", "init=fast")
    assert "warning" not in gramarye.ok("replay", "out.png", "-o", "again.png").err
    assert np.array_equal(pixels("out.png"), pixels("again.png"))
    stored.save(stored.bundled("any"), anything(seed=5), CARD)
    outcome = gramarye.ok("replay", "out.png", "-o", "again.png")
    assert "warning   another fast-any than the picture began with\n" in outcome.err
    assert not np.array_equal(pixels("out.png"), pixels("again.png"))


def test_replay_of_a_large_content(place: Path, gramarye: Gramarye) -> None:
    refused(gramarye("replay", "painted.png", "-o", "again.png", "--max-megapixels", "0.004"), about="megapixels")
    gramarye.ok("replay", "painted.png", "-o", "again.png", "--max-megapixels", "0.005")


def test_measure_agrees_with_transfer(place: Path, gramarye: Gramarye) -> None:
    """Up to the rounding of the picture, to 16 bits and to 8."""
    gramarye.transfer("eight.png", *EXACT)
    deep = gramarye.transfer("deep.png", *EXACT, "--bits", "16", "--json").answer
    for name, tolerance in (("deep.png", 2e-3), ("eight.png", 0.1)):
        found = gramarye.ok("measure", name, "--content", "content.png", "--style", "style.png", "--json").answer
        assert found["size"] == deep["size"]
        assert [term["name"] for term in found["terms"]] == [term["name"] for term in deep["terms"]]
        for mine, its in zip(found["terms"], deep["terms"], strict=True):
            assert mine["weight"] == pytest.approx(its["weight"], rel=1e-4)
            assert mine["value"] == pytest.approx(its["value"], rel=tolerance, abs=1e-6)
        assert found["total"] == pytest.approx(deep["total"], rel=tolerance)


def test_measure_for_people_and_at_another_size(place: Path, gramarye: Gramarye) -> None:
    arguments = ("measure", "painted.png", "--content", "content.png", "--style", "style.png")
    answer = gramarye.ok(*arguments, "--json", "--preset", "pytorch-tutorial").answer
    shown = gramarye.ok(*arguments, "--preset", "pytorch-tutorial").out
    for term in answer["terms"]:
        assert term["name"] in shown
        assert f"{term['value']:.6g}" in shown
    assert gramarye.ok(*arguments, "--json", "--size", "64").answer["size"] == [48, 64]


def test_measuring_the_photograph_finds_it_unchanged(place: Path, gramarye: Gramarye) -> None:
    arguments = ("measure", "content.png", "--content", "content.png", "--style", "content.png", "--json")
    terms = gramarye.ok(*arguments, "--set", "balance=raw").answer["terms"]
    values = {term["name"]: term["value"] for term in terms if term["kind"] != "tv"}
    assert len(values) >= 3
    assert all(value == pytest.approx(0, abs=1e-6) for value in values.values())


def test_quiet_says_nothing(place: Path, gramarye: Gramarye) -> None:
    outcome = gramarye.transfer("out.png", "--quiet")
    assert (outcome.out, outcome.err) == ("", "")
    outcome = gramarye.transfer("out.png", "-q", "--json")
    assert outcome.err == ""
    assert outcome.answer["evaluations"] == 4
    outcome = gramarye.ok("replay", "out.png", "-o", "again.png", "-q")
    assert (outcome.out, outcome.err) == ("", "")


def test_what_is_said_where_there_is_no_terminal(place: Path, gramarye: Gramarye) -> None:
    outcome = gramarye.transfer("out.png", "--set", "steps=20", "--json")
    lines = outcome.err.splitlines()
    assert lines[0].startswith("network   vgg19-lite, embedded; for the full one: gramarye weights fetch")
    assert lines[1].startswith("device    ")
    assert any(line.startswith("picture   48×36, 20 evaluations, about ") for line in lines)
    progress = [line for line in lines if line.startswith("painting")]
    assert [line.split()[1] for line in progress] == [f"{done}/20" for done in range(2, 21, 2)]
    assert all("loss" in line for line in progress)
    assert lines[-1].startswith("wrote out.png · 20 evaluations in ")
    assert outcome.answer  # and nothing else on standard output


def test_progress_bar_on_a_terminal(place: Path, gramarye: Gramarye, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gramarye.cli.console.on_terminal", lambda: True)
    outcome = gramarye.transfer("out.png")
    assert "painting  " not in outcome.err
    assert "wrote out.png" in outcome.err


def test_the_named_weights_are_announced(place: Path, tmp_path: Path, gramarye: Gramarye) -> None:
    file = tmp_path / "lite.safetensors"
    file.write_bytes(weights.embedded().read_bytes())
    assert f"vgg19-lite from {file}, as asked" in gramarye.transfer("out.png", "--weights", str(file)).err
    assert "vgg19-lite, embedded, as asked" in gramarye.transfer("out.png", "--network", "vgg19-lite").err


def test_remarks_on_the_pictures(place: Path, gramarye: Gramarye) -> None:
    Image.fromarray(pixels("style.png")).convert("CMYK").save("style.jpg")
    outcome = gramarye.ok("transfer", "content.png", "style.jpg", "-o", "out.png", "--size", "96", "--steps", "1")
    assert "note      style.jpg: converted from CMYK" in outcome.err
    assert "content.png is smaller than that and is enlarged" in outcome.err
    outcome = gramarye.ok("measure", "out.png", "--content", "content.png", "--style", "style.jpg")
    assert "note      style.jpg: converted from CMYK" in outcome.err
    outcome = gramarye.ok("measure", "out.png", "--content", "content.png", "--style", "style.jpg", "-q")
    assert outcome.err == ""


def test_warning_when_memory_is_short(place: Path, gramarye: Gramarye, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gramarye.machine.available_memory", lambda: 10_000_000)
    assert "warning   only 10 MB of memory are free: use a smaller --size" in gramarye.transfer("out.png").err


def test_content_smaller_than_the_size(place: Path, gramarye: Gramarye) -> None:
    answer = gramarye.ok(
        "transfer", "content.png", "style.png", "-o", "out.png", "--size", "128", "--steps", "1", "--json"
    ).answer
    assert answer["size"] == [96, 128]


@pytest.mark.parametrize("steps", [0, 1, 2])
def test_few_steps(steps: int, place: Path, gramarye: Gramarye) -> None:
    arguments = ("transfer", "content.png", "style.png", "-o", "out.png", "--size", "80", "--steps", steps)
    outcome = gramarye.ok(*arguments, "--set", "init=content", "--json")
    assert outcome.answer["evaluations"] == len(outcome.answer["history"]) == steps
    if steps == 0:
        assert np.array_equal(pixels("out.png"), pixels("content.png"))
        assert outcome.answer["seconds"] == pytest.approx(0, abs=0.1)
    gramarye.ok("replay", "out.png", "-o", "again.png")
    assert np.array_equal(pixels("out.png"), pixels("again.png"))


def test_one_picture_as_both(place: Path, gramarye: Gramarye) -> None:
    gramarye.ok("transfer", "content.png", "content.png", "-o", "out.png", *TINY, "--json")


def test_names_from_other_worlds(place: Path, gramarye: Gramarye) -> None:
    """Spaces, letters of all kinds, a leading dash, and bytes that are no text."""
    names = ["my photo.png", "Gemälde 絵画 🎨.png", "-dash.png", os.fsdecode(b"ph\xff.png"), "new\nline.png"]
    for name in names:
        (place / name).write_bytes((place / "content.png").read_bytes())
        output = f"painted {name}"
        outcome = gramarye.ok(
            "transfer", "-o", output, "--size", "32", "--steps", "1", "--json", "--", name, "style.png"
        )
        assert outcome.answer["output"] == output
        recipe = gramarye.ok("inspect", output, "--json").answer
        assert recipe["content"]["path"] == name
        gramarye.ok("inspect", output)
    gramarye.ok("replay", output, "-o", "again.png", "-q")


def test_an_output_that_exists_is_replaced(place: Path, gramarye: Gramarye) -> None:
    (place / "out.png").write_bytes(b"old")
    before = set(everything_in(place))
    gramarye.transfer("out.png")
    assert images.read_recipe("out.png")
    assert set(everything_in(place)) == before


def test_a_link_as_output_is_followed(place: Path, gramarye: Gramarye) -> None:
    (place / "out.png").symlink_to("real.png")
    gramarye.transfer("out.png")
    assert (place / "out.png").is_symlink()
    assert images.read_recipe("real.png")


def test_bundled_pictures_paint(place: Path, gramarye: Gramarye) -> None:
    gramarye.ok("transfer", bundle.photograph(), bundle.styles()[0], "-o", "out.jpg", *TINY, "-q")


def test_objective_that_does_not_stay_finite(place: Path, gramarye: Gramarye, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(optimize.Descent, "_accepts", lambda *_: False)  # as if no total were ever finite
    arguments = ("transfer", "content.png", "style.png", "-o", "out.png", *TINY)
    refused(gramarye(*arguments), about="learning_rate")
    refused(gramarye(*arguments, "--quiet", "--json"), about="learning_rate")
    assert not (place / "out.png").exists()


def test_json_has_no_nan(capsys: pytest.CaptureFixture[str]) -> None:
    console.answer({"total": float("nan"), "history": [[1, float("inf")], (2, 0.5)], "name": "é"})
    assert capsys.readouterr().out == '{"total": null, "history": [[1, null], [2, 0.5]], "name": "\\u00e9"}\n'


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0.04, "0.0 s"), (9.96, "10.0 s"), (12.4, "12 s"), (59.7, "60 s"), (125, "2 min 5 s"), (4800, "1 h 20 min")],
)
def test_seconds_in_words(seconds: float, words: str) -> None:
    assert console.seconds_in_words(seconds) == words


@pytest.mark.parametrize(("size", "words"), [(850e6, "850 MB"), (2.44e9, "2.4 GB")])
def test_memory_in_words(size: float, words: str) -> None:
    assert console.memory_in_words(size) == words
