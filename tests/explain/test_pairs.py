"""Pairs of channels: the strongest, the ones that are lacking, and where they fire together."""

from __future__ import annotations

import pytest
import torch

from brought import STYLE, double
from gramarye.explain.features import PICTURES
from gramarye.explain.pairs import Entry, most_wanted, pair, places, strongest_pairs
from gramarye.statistics import gram_matrix


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
    for picture in PICTURES:
        assert torch.equal(found.first[picture], activations[picture][:, 2:3])
        assert torch.equal(found.product[picture], found.first[picture] * found.second[picture])
        assert float(found.product[picture].mean()) == pytest.approx(entry.values[picture], abs=1e-6)
    assert found.places[0].product == pytest.approx(float(found.product["painting"].max()))
