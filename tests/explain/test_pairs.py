"""Pairs of channels: the strongest, the ones that are lacking, and where they fire together."""

from __future__ import annotations

from functools import cache

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from brought import STYLE, double
from gramarye.errors import SettingsError
from gramarye.explain.features import PICTURES
from gramarye.explain.pairs import Entry, most_wanted, pair, places, strongest_pairs, without
from gramarye.objective import Objective, content_terms, style_terms
from gramarye.settings import ContentSettings, StyleSettings
from gramarye.statistics import gram_matrix
from networks import picture


def random_activations(channels: int = 8) -> dict[str, torch.Tensor]:
    generator = torch.Generator().manual_seed(0)
    return {picture: torch.randn(1, channels, 7, 9, generator=generator) for picture in PICTURES}


def test_the_strongest_pairs_by_trying_all() -> None:
    grams = {picture: gram_matrix(each)[0] for picture, each in random_activations().items()}
    found = strongest_pairs(grams, 5)
    everything = [(float(grams["painting"][i, j]), (i, j)) for i in range(8) for j in range(i + 1, 8)]
    assert [each.channels for each in found] == [channels for _, channels in sorted(everything, reverse=True)[:5]]
    i, j = found[0].channels
    assert found[0].values["result"] == pytest.approx(float(grams["result"][i, j]))
    assert len(strongest_pairs(grams, 1000)) == 8 * 7 / 2


def test_a_painting_that_is_louder_in_all_channels_alike_lacks_nothing() -> None:
    photograph = torch.tensor([[4.0, 2, 1], [2, 4, 1], [1, 1, 4]])
    painting = 10 * photograph
    painting[0, 2] = painting[2, 0] = 15.0
    grams = {"photograph": photograph, "painting": painting}
    entries = strongest_pairs(grams, 3)
    assert entries[0].channels == (0, 1)
    assert most_wanted(entries, grams).channels == (0, 2)


def test_places_are_the_highest_and_apart() -> None:
    product = torch.zeros(1, 1, 32, 32)
    for height, (row, column) in zip(
        (4.0, 3.9, 3.0, 2.0, 1.0), ((8, 8), (9, 10), (20, 4), (30, 30), (2, 29)), strict=True
    ):
        product[0, 0, row, column] = height
    image = torch.rand(1, 3, 64, 64, generator=torch.Generator().manual_seed(1))
    found = places(double(), "relu2_1", product, image)
    assert [(each.row, each.column) for each in found] == [(8, 8), (20, 4), (30, 30), (2, 29)]
    assert [each.product for each in found] == [4.0, 3.0, 2.0, 1.0]
    assert torch.equal(found[1].crop, found[1].box.of(image))
    assert len(places(double(), "relu2_1", product[:, :, :2, :3], image)) < 4


def test_a_pair_is_two_maps_and_their_product_whose_mean_is_the_entry() -> None:
    network, activations = double(), random_activations()
    grams = {picture: gram_matrix(each)[0] for picture, each in activations.items()}
    entry = Entry((2, 5), {picture: float(gram[2, 5]) for picture, gram in grams.items()})
    found = pair(network, "pool3", entry, activations, STYLE)
    for which in PICTURES:
        assert torch.equal(found.first[which], activations[which][:, 2:3])
        assert torch.equal(found.product[which], found.first[which] * found.second[which])
        assert float(found.product[which].mean()) == pytest.approx(entry.values[which], abs=1e-6)
    assert found.places[0].product == pytest.approx(float(found.product["painting"].max()))


TWO = StyleSettings(layers=("relu1_1", "relu2_1"), weight=3.0, mix=(0.25, 0.75))
PHOTOGRAPH = picture(32, 40, 7).double()
PAINTINGS = [picture(40, 48, 5).double(), picture(48, 40, 6).double()]
CHANNELS = st.integers(0, 15)


@cache
def asked(style: StyleSettings = TWO) -> Objective:
    """What the two paintings ask for, and the photograph."""
    content = content_terms(double(), PHOTOGRAPH, ContentSettings(layers=("relu2_2",)))
    return Objective((*content, *style_terms(double(), PAINTINGS, style)))


@pytest.fixture(scope="module")
def mixed() -> torch.Tensor:
    """The Gram matrix that is asked for in relu1_1."""
    with torch.no_grad():
        grams = [gram_matrix(double()(painting, ["relu1_1"])["relu1_1"]) for painting in PAINTINGS]
    return sum(share * gram for share, gram in zip(TWO.mix, grams, strict=True))


@given(CHANNELS, CHANNELS, st.integers(0, 1000))
def test_what_is_left_out_is_exactly_the_share_of_the_pair(mixed: torch.Tensor, i: int, j: int, seed: int) -> None:
    network, full = double(), asked()
    less = without(full, network, PAINTINGS, TWO, [("relu1_1", i, j)])
    with torch.no_grad():
        found = network(picture(32, 40, seed).double(), full.layers)
    difference = (gram_matrix(found["relu1_1"]) - mixed)[0, i, j]
    pair_alone = (1 if i == j else 2) * float(difference / 2) ** 2 / 64**2
    before, after = full.values(found), less.values(found)
    assert float(before["style relu1_1"] - after["style relu1_1"]) == pytest.approx(pair_alone, rel=1e-6, abs=1e-18)
    for name in ("content relu2_2", "style relu2_1"):
        assert torch.equal(before[name], after[name])
    assert [term.weight for term in less.terms] == [term.weight for term in full.terms]


def test_without_pairs_the_painting_is_still_a_minimum() -> None:
    style = StyleSettings(layers=("conv_1", "relu2_1"), distance="huber", normalization="chw")
    left_out = [("conv1_1", 0, 1), ("conv_1", 2, 2), ("relu2_1", 3, 30)]
    objective = Objective(style_terms(double(), PAINTINGS[:1], style))
    less = without(objective, double(), PAINTINGS[:1], style, left_out)
    image = PAINTINGS[0].clone().requires_grad_()
    values = less.values(double()(image, less.layers))
    assert not any(value.detach().item() for value in values.values())
    (gradient,) = torch.autograd.grad(less.total(values), image)
    assert not gradient.any()


@pytest.mark.parametrize("distance", ["l2", "huber"])
def test_the_gradient_without_pairs(distance: str) -> None:
    style = StyleSettings(layers=("relu2_1",), distance=distance)
    objective = without(asked(style), double(), PAINTINGS, style, [("relu2_1", 0, 1), ("relu2_1", 4, 4)])
    generator = torch.Generator().manual_seed(0)
    activation = torch.randn(1, 32, 3, 4, generator=generator, dtype=torch.float64).requires_grad_()
    (term,) = (term for term in objective.terms if term.kind == "style")
    assert torch.autograd.gradcheck(lambda found: 1e3 * term.measure(found), activation)


@pytest.mark.parametrize(
    ("style", "left_out", "rule"),
    [
        (StyleSettings(layers=("relu1_1",), statistic="moments"), ("relu1_1", 0, 1), "Gram matrices only"),
        (StyleSettings(layers=("relu1_1",)), ("relu2_1", 0, 1), "Choose one of relu1_1"),
        (StyleSettings(layers=("relu1_1",)), ("relu1_1", 0, 16), "from 0 to 15"),
        (StyleSettings(layers=("relu1_1",)), ("relu1_1", -1, 3), "from 0 to 15"),
        (StyleSettings(layers=("relu1_1",)), ("rule1_1", 0, 1), "unknown layer"),
    ],
)
def test_what_cannot_be_left_out(style: StyleSettings, left_out: tuple[str, int, int], rule: str) -> None:
    objective = Objective(style_terms(double(), PAINTINGS, style))
    with pytest.raises(SettingsError, match=rule):
        without(objective, double(), PAINTINGS, style, [left_out])


def test_nothing_left_out_and_a_term_that_is_gone() -> None:
    objective = asked()
    assert without(objective, double(), PAINTINGS, TWO, []) is objective
    fewer = Objective(objective.terms[:2])  # relu2_1 was given no weight
    assert len(without(fewer, double(), PAINTINGS, TWO, [("relu2_1", 0, 1)]).terms) == 2
