"""Rebuilding, textures, shuffles and distances: what the sentences and curves say is what was measured."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch

from gramarye.statistics import gram_matrix
from gramarye.studio import lens_lab
from gramarye.studio.questions import Lens
from gramarye.studio.record import Record

from .exhibits import answered, hang, lens_in, picture_at, pulled


@pytest.fixture
def lens(home: Path, monkeypatch: pytest.MonkeyPatch) -> Lens:
    monkeypatch.setattr(lens_lab, "STEPS", (2, 8, 24))
    monkeypatch.setattr(lens_lab, "SIDE", 64)
    return lens_in(home)


@pytest.fixture
def record(home: Path) -> Record:
    return hang(home)


def test_the_photograph_comes_back_from_a_shallow_layer(lens: Lens, record: Record) -> None:
    found = answered(lens, lens.rebuilt(record, "relu1_1"))
    assert found["layer"] == "relu1_1"
    assert found["layers"] == ["relu1_1"]
    steps = [frame["step"] for frame in found["frames"]]
    assert steps[0] == 0
    assert steps == sorted(set(steps))
    assert 24 <= steps[-1] < 50
    assert found["course"][0][0] == 0
    assert found["course"][-1][0] == steps[-1]
    assert found["course"][-1][1] < 0.3 * found["course"][0][1]
    exhibit, _ = pulled(lens.subjects.look(record))
    photograph = lens_lab.fitted(exhibit.network, exhibit.photograph, 64)
    errors = [float((picture_at(lens, frame["url"]) - photograph).square().mean().sqrt()) for frame in found["frames"]]
    assert errors[-1] < 0.5 * errors[0]
    assert found["distance"] == pytest.approx(errors[-1], abs=0.02)  # but for the compression
    assert f"error of {255 * found['distance']:.0f} of 255 levels" in found["says"]


def test_a_texture_says_how_far_it_is_where_nothing_was_asked(lens: Lens, record: Record) -> None:
    alone = answered(lens, lens.texture(record, "relu2_1", False))
    together = answered(lens, lens.texture(record, "relu2_1", True))
    assert alone["layers"] == ["relu2_1"]
    assert together["layers"] == ["relu1_1", "relu2_1"]
    assert alone["distance"] is None
    assert alone["says"].startswith("The painting's Gram matrix in relu2_1 came back within ")
    assert together["says"].startswith("The painting's Gram matrices in relu1_1 and relu2_1 came back within ")
    assert "where nothing was asked it is between " in alone["says"]
    assert alone["frames"][-1]["url"] != together["frames"][-1]["url"]
    assert alone["course"][-1][1] < 0.5 * alone["course"][0][1]
    exhibit, _ = pulled(lens.subjects.look(record))
    made = picture_at(lens, alone["frames"][-1]["url"])
    painting = lens_lab.fitted(exhibit.network, exhibit.pictures["painting"], 64)
    assert made.shape == painting.shape
    with torch.no_grad():
        gram, target = (gram_matrix(exhibit.network(each, ["relu2_1"])["relu2_1"])[0] for each in (made, painting))
    apart = lens_lab.relative(gram, target) ** 0.5
    assert apart == pytest.approx(alone["course"][-1][1], abs=0.1)


def test_a_layer_that_is_no_style_layer_comes_after_those_before_it(lens: Lens, record: Record) -> None:
    network = pulled(lens.subjects.look(record))[0].network
    assert lens_lab.up_to(network, "relu3_2") == ("relu1_1", "relu2_1", "relu3_1", "relu3_2")
    assert lens_lab.up_to(network, "relu1_1") == ("relu1_1",)


def test_shuffling_changes_no_gram_matrix_and_all_of_the_content(lens: Lens, record: Record) -> None:
    found = answered(lens, lens.shuffle(record, "relu3_1", 7))
    assert found["gram_change"] < 1e-5
    assert found["before"]["content"] == 0
    assert found["after"]["content"] > 0.5
    assert found["after"]["style"] == pytest.approx(found["before"]["style"], rel=1e-3)
    assert found["matrices"]["after"] == pytest.approx(found["matrices"]["before"], rel=0.011, abs=1e-6)
    assert found["matrices"]["bins"] ** 2 == len(found["matrices"]["before"])
    before, after = (picture_at(lens, found["maps"][name]) for name in ("before", "after"))
    assert before.shape == after.shape
    assert float(before.mean()) == pytest.approx(float(after.mean()), abs=0.03)  # the same values elsewhere
    assert float((before - after).abs().mean()) > 0.05
    assert f"{found['after']['content']:.2f} times what no activations at all" in found["says"]
    assert found["seed"] == 7
    other = answered(lens, lens.shuffle(record, "relu3_1", 8))
    assert other["after"]["content"] != found["after"]["content"]
    assert other["maps"] != found["maps"]


def test_tiles_are_the_photograph_cut_up(lens: Lens, record: Record) -> None:
    found = answered(lens, lens.shuffle(record, "relu1_1", 0))
    exhibit, _ = pulled(lens.subjects.look(record))
    assert [tile["size"] for tile in found["tiles"]] == [32, 16, 8]  # of a picture of 96 × 82
    gram = {}
    for name, pixels in (("photograph", exhibit.photograph), ("painting", exhibit.pictures["painting"])):
        with torch.no_grad():
            gram[name] = gram_matrix(exhibit.network(pixels, ["relu1_1"])["relu1_1"])[0]
    assert found["before"]["style"] == pytest.approx(lens_lab.relative(gram["photograph"], gram["painting"]), rel=1e-3)
    for tile in found["tiles"]:
        shown = picture_at(lens, tile["url"])
        assert shown.shape == exhibit.photograph.shape
        assert float(shown.mean()) == pytest.approx(float(exhibit.photograph.mean()), abs=0.02)
        assert float((shown - exhibit.photograph).abs().mean()) > 0.05
        assert tile["content"] > 0.5


def test_the_distance_of_two_paintings(lens: Lens) -> None:
    found, done = pulled(lens.distance("demo-swirl", "demo-woodcut"))
    assert len(done) >= 4
    back, _ = pulled(lens.distance("demo-woodcut", "demo-swirl"))
    rows, turned = json.loads(found)["layers"], json.loads(back)
    assert rows == turned["layers"]
    assert [row["layer"] for row in rows] == ["relu1_1", "relu2_1", "relu3_1", "relu4_1", "relu5_1"]
    assert all(0 < row["relative"] < 1 for row in rows)
    least = min(rows, key=lambda row: row["relative"])
    assert f"most alike in {least['layer']} ({least['relative']:.0%} apart)" in turned["says"]
    same, _ = pulled(lens.distance("demo-swirl", "demo-swirl"))
    assert "the same Gram matrices in every layer" in same
    assert lens.known_distance("demo-swirl", "demo-woodcut") == found
    assert lens.known_distance("demo-swirl", "demo-mosaic") is None
