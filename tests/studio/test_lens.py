"""Channels, Gram matrices, pairs and pulls: each number of an answer is that of the run's own pictures."""

from __future__ import annotations

import base64
from pathlib import Path

import numpy as np
import pytest
import torch

from gramarye.explain.pairs import Entry
from gramarye.explain.pulls import arrows
from gramarye.statistics import gram_matrix
from gramarye.studio.lens import said_of_pair
from gramarye.studio.questions import Lens
from gramarye.studio.refusals import Unknown
from gramarye.studio.subjects import Exhibit

from .exhibits import SHAPE, answered, hang, lens_in, picture_at, pulled

PICTURES = ("photograph", "painting", "result")


def shown_in(home: Path) -> tuple[Lens, Exhibit]:
    lens = lens_in(home)
    exhibit, _ = pulled(lens.subjects.look(hang(home)))
    return lens, exhibit


def test_channels_are_ordered_by_the_photograph_and_lie_in_their_cells(home: Path) -> None:
    lens, exhibit = shown_in(home)
    found = answered(lens, lens.channels(exhibit.record, "relu2_1"))
    here, _ = pulled(exhibit.see("relu2_1"))
    energy = here["photograph"][0].square().mean((1, 2))
    assert found["shown"] == energy.argsort(descending=True, stable=True).tolist()
    assert found["channels"] == len(found["shown"]) == 32
    assert (found["columns"], found["rows"]) == (6, 6)
    for name in PICTURES:
        told = found["pictures"][name]
        assert told["energy"] == pytest.approx(here[name][0].square().mean((1, 2))[found["shown"]].tolist(), rel=0.01)
        sheet = picture_at(lens, told["url"])[0, 0]
        width, height = told["cell"]
        assert (told["width"], told["height"]) == (6 * width, 6 * height) == tuple(sheet.shape[::-1])
        for place in (0, 7, 31):
            row, column = divmod(place, 6)
            cell = sheet[row * height : (row + 1) * height, column * width : (column + 1) * width]
            map_ = here[name][:, found["shown"][place]][None]
            own = torch.nn.functional.interpolate(map_, (height, width), mode="bilinear")[0, 0]
            alike = torch.corrcoef(torch.stack([cell.flatten(), own.flatten()]))[0, 1]
            assert alike > 0.9
            x, y = found["peaks"][name][place]
            stride, (rows, columns) = 2, exhibit.pictures[name].shape[2:]
            assert map_[0, 0, int(y * rows / stride), int(x * columns / stride)] == map_.max()


def test_a_layer_with_more_channels_shows_the_strongest(home: Path) -> None:
    lens, exhibit = shown_in(home)
    found = answered(lens, lens.channels(exhibit.record, "relu4_1"))
    assert found["channels"] == 128
    assert len(found["shown"]) == len(set(found["shown"])) == 64
    assert found["pictures"]["photograph"]["energy"] == sorted(found["pictures"]["photograph"]["energy"], reverse=True)
    assert all(0 <= each <= 1 for peaks in found["peaks"].values() for peak in peaks for each in peak)
    assert found["pictures"]["painting"]["cell"][0] == 2 * (96 // 8)  # squares for the few positions


def test_gram_matrices_in_their_order(home: Path) -> None:
    lens, exhibit = shown_in(home)
    found = answered(lens, lens.gram(exhibit.record, "relu1_1"))
    here, _ = pulled(exhibit.see("relu1_1"))
    grams = {name: gram_matrix(each)[0] for name, each in here.items()}
    order = found["order"]
    assert sorted(order) == list(range(16))
    assert found["bins"] == found["channels"] == 16
    for name in PICTURES:
        expected = grams[name][order][:, order].flatten()
        assert found["matrices"][name] == pytest.approx(expected.tolist(), rel=0.01)
    start = (grams["painting"] - grams["photograph"])[order][:, order].flatten()
    assert found["differences"]["start"] == pytest.approx(start.tolist(), rel=0.02, abs=1e-6)
    for name in ("photograph", "result"):
        apart = (grams[name] - grams["painting"]).square().sum() / grams["painting"].square().sum()
        assert found["distances"][name] == pytest.approx(float(apart), rel=0.001)
    assert set(found["distances"]) == {"photograph", "result"}


def test_pairs_and_components_of_the_painting(home: Path) -> None:
    lens, exhibit = shown_in(home)
    found = answered(lens, lens.gram(exhibit.record, "relu2_1"))
    gram = gram_matrix(pulled(exhibit.see("relu2_1"))[0]["painting"])[0]
    values = [each["values"]["painting"] for each in found["pairs"]]
    assert len(values) == 50
    assert values == sorted(values, reverse=True)
    assert values[0] == pytest.approx(float(gram.triu(1).max()), rel=0.001)
    assert found["wanted"] in [each["channels"] for each in found["pairs"]]
    eigenvalues = torch.linalg.eigvalsh(gram.double()).flip(0)
    shares = [each["share"] for each in found["components"]]
    assert shares == pytest.approx((eigenvalues / eigenvalues.sum())[: len(shares)].tolist(), rel=0.001)
    for each in found["components"]:
        assert picture_at(lens, each["painting"]).shape[2:] == (38, 48)
        assert picture_at(lens, each["url"]).shape[2:] == (48, 41)


def test_a_pair_is_two_maps_and_their_product(home: Path) -> None:
    lens, exhibit = shown_in(home)
    found = answered(lens, lens.pair(exhibit.record, "relu1_1", (2, 5)))
    here, _ = pulled(exhibit.see("relu1_1"))
    for name in PICTURES:
        entry = float((here[name][0, 2] * here[name][0, 5]).mean())
        assert found["values"][name] == pytest.approx(entry, rel=0.001)
        product = (here[name][:, 2:3] * here[name][:, 5:6]).clamp_min(0)
        shown = picture_at(lens, found["maps"][name]["product"])[0, 0]
        own = torch.nn.functional.interpolate(product, tuple(shown.shape), mode="bilinear")[0, 0]
        assert torch.corrcoef(torch.stack([shown.flatten(), own.flatten()]))[0, 1] > 0.8
    assert len(found["places"]) == 4
    best = found["places"][0]
    product = here["painting"][0, 2] * here["painting"][0, 5]
    row, column = divmod(int(product.argmax()), product.shape[1])
    rows, columns = product.shape
    assert best["x"] <= column / columns <= best["x"] + best["width"]
    assert best["y"] <= row / rows <= best["y"] + best["height"]
    assert picture_at(lens, best["url"]).shape[2:] == (round(best["height"] * rows), round(best["width"] * columns))
    assert found["says"].startswith("Channels 2 and 5 of relu1_1 ")
    alone = answered(lens, lens.pair(exhibit.record, "relu1_1", (5, 5)))
    assert alone["says"].startswith("Channel 5 of relu1_1 fires ")
    with pytest.raises(Unknown, match="from 0 to 15; got 3 and 16"):
        answered(lens, lens.pair(exhibit.record, "relu1_1", (3, 16)))


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ((2.0, 5.0, 3.0), "fire together 2.50 times as much in the painting as in the photograph, and 1.50 times in"),
        (
            (1e-9, 5.0, 3.0),
            "the mean of their product is 1.00·10⁻⁹ in the photograph, 5 in the painting, 3 in the result",
        ),
        ((-2.0, 5.0, 3.0), "the mean of their product is −2 in the photograph"),
        ((0.0, 0.0, 0.0), "the mean of their product is 0 in the photograph"),
    ],
)
def test_what_is_said_of_a_pair_follows_from_its_numbers(values: tuple[float, float, float], said: str) -> None:
    assert said in said_of_pair("relu3_1", Entry((3, 7), dict(zip(PICTURES, values, strict=True))))


def test_pulls_are_the_arrows_of_that_frame(home: Path) -> None:
    lens, exhibit = shown_in(home)
    found = answered(lens, lens.pulls(exhibit.record, 4))
    assert (found["index"], found["grid"], found["layers"][0]) == (4, 32, "content")
    frame = lens.subjects.frame(exhibit, 4)
    own = arrows(exhibit.network, exhibit.objective_at(SHAPE, 4), frame, 32, 4)
    for name in ("magnitudes", "directions"):
        values = np.frombuffer(base64.b64decode(found[name]), np.uint8).reshape(32, 32, len(found["layers"]))
        assert np.array_equal(values, getattr(own, name).numpy())
    assert found["full"] == pytest.approx(own.full, rel=0.001)
    assert answered(lens, lens.pulls(exhibit.record, 0)) != found
    with pytest.raises(Unknown, match="that frame; got 3"):
        lens.pulls(exhibit.record, 3)


def test_the_answers_follow_the_run(home: Path) -> None:
    lens, exhibit = shown_in(home)
    question = lens.channels(exhibit.record, "relu1_1")
    assert lens.ready(question) is None
    before = answered(lens, question)
    assert lens.ready(question) is not None
    finished = hang(home, frames=(8,), result=True)
    assert lens.ready(lens.channels(finished, "relu1_1")) is None
    after = answered(lens, lens.channels(finished, "relu1_1"))
    assert before["pictures"]["photograph"]["energy"] == after["pictures"]["photograph"]["energy"]
    assert before["pictures"]["result"] != after["pictures"]["result"]
