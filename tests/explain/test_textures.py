"""What each layer holds of the style: the sets, the distances where nothing was asked, and the claim of 001."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import pytest
import torch

from gramarye import demo, images, weights
from gramarye.errors import ImageError
from gramarye.explain import textures
from gramarye.explain.reconstruction import Rebuilt, noise
from gramarye.explain.subject import bring
from gramarye.explain.textures import Textures, distance
from gramarye.pulling import finish
from gramarye.vgg import VGG
from networks import picture, random_weights
from sections import tiny

FIVE = ("relu1_1", "relu2_1", "relu3_1", "relu4_1", "relu5_1")
NETWORK = VGG(random_weights(), pooling="avg")


@cache
def section() -> Textures:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(weights, "load", lambda *_: random_weights())
        patch.setattr(textures, "SIDES", {"quick": 32})
        patch.setattr(textures, "EVALUATIONS", {"quick": 12})
        subject = bring(picture(48, 40, 3), picture(48, 40, 1), picture(40, 60, 2), tiny())
        return finish(textures.explain(subject, "quick"))


def test_there_are_cumulative_sets_and_each_layer_alone() -> None:
    found = section()
    assert found.layers == FIVE
    assert [texture.layers for texture in found.cumulative] == [FIVE[:count] for count in range(1, 6)]
    assert [texture.layers for texture in found.alone] == [(layer,) for layer in FIVE]
    assert found.alone[0] is found.cumulative[0]
    assert len(found.others) == 8
    assert found.cumulative[2].name == "relu1_1 to relu3_1"
    assert found.alone[3].name == "relu4_1"


def test_textures_are_of_the_paintings_shape_and_none_was_asked_what_is_held_out() -> None:
    found = section()
    assert found.painting.shape == (1, 3, 21, 32)
    assert not set(found.held_out_layers) & set(FIVE)
    for texture in (*found.cumulative, *found.alone):
        assert texture.pixels.shape == found.painting.shape
        assert tuple(texture.held_out) == found.held_out_layers
        assert set(texture.errors) == set(texture.layers)
        assert torch.equal(texture.snapshots[0].pixels, found.together.snapshots[0].pixels)
    assert tuple(found.of_noise) == found.held_out_layers
    assert distance(found.together) < sum(found.of_noise.values()) / len(found.of_noise)


def test_held_out_distances_are_those_of_the_gram_matrices() -> None:
    found = section()
    pixels = found.together.pixels
    layer = found.held_out_layers[2]
    network = VGG(random_weights(), pooling="avg", padding="replicate-first")
    both = [network(each, [layer])[layer][0].double().flatten(1) for each in (pixels, found.painting)]
    one, other = (each @ each.T / each.shape[1] for each in both)
    assert found.together.held_out[layer] == pytest.approx(float((one - other).norm() / other.norm()), rel=1e-3)


def test_the_left_half_is_measured_where_it_is_large_enough() -> None:
    start = noise((32, 32), 0)
    found = finish(textures.synthesise(NETWORK, picture(32, 32, 1), start, 1, layers=FIVE[:2]))
    assert set(found.of_half) == set(found.held_out_layers)
    assert "relu4_4" in found.held_out_layers
    narrow = finish(textures.synthesise(NETWORK, picture(32, 12, 1), noise((32, 12), 0), 1, layers=FIVE[:2]))
    assert narrow.of_half == {}
    assert narrow.held_out_layers[-1] == "relu4_4"
    assert "left half" in found.findings[-1]
    assert "left half" not in narrow.findings[-1]
    assert found.cumulative[-1].layers == FIVE[:2]


def with_distances(texture: Rebuilt, value: float, **changes: float) -> Rebuilt:
    return replace(texture, held_out={**dict.fromkeys(texture.held_out, value), **changes})


def test_the_claim_is_told_as_the_numbers_have_it() -> None:
    found = section()
    cumulative = tuple(with_distances(each, 0.3) for each in found.cumulative)
    alone = (cumulative[0], *(with_distances(each, 0.4) for each in found.alone[1:]))
    best = replace(found, cumulative=(*cumulative[:-1], with_distances(cumulative[-1], 0.1)), alone=alone)
    assert best.all_is_closest
    assert "10.0% away" in best.findings[0]
    assert "closer than from any smaller set" in best.findings[0]
    assert best.findings[1].startswith("Layer by layer all together are the closest at 8 of 8")
    beaten = replace(best, alone=(*alone[:4], with_distances(alone[4], 0.05, relu1_2=0.2)))
    assert not beaten.all_is_closest
    assert "that from relu5_1 is closer with 6.9%" in beaten.findings[0]
    assert "at 1 of 8 (relu1_2); at the others relu5_1 (7)" in beaten.findings[1]
    assert "Of single layers relu5_1 does best (6.9%) and relu2_1 worst (40.0%)" in beaten.findings[2]


def test_a_painting_is_shrunk_but_never_below_the_deepest_layer_nor_enlarged() -> None:
    assert textures.shrunk(NETWORK, picture(64, 48, 1), 32).shape == (1, 3, 32, 24)
    assert textures.shrunk(NETWORK, picture(160, 32, 1), 32).shape == (1, 3, 80, 16)
    assert textures.shrunk(NETWORK, picture(24, 20, 1), 32).shape == (1, 3, 24, 20)
    with pytest.raises(ImageError, match="relu5_1 needs"):
        finish(textures.synthesise(NETWORK, picture(12, 20, 1), noise((12, 20), 0), 1))


def test_more_layers_are_nearer_to_a_painting_than_the_first_alone() -> None:
    network = VGG(weights.read(weights.embedded()), pooling="avg", padding="replicate-first")
    painting = textures.shrunk(network, images.load(demo.styles()[0]).pixels, 48)
    start = noise((painting.shape[2], painting.shape[3]), 0)
    found = finish(textures.synthesise(network, painting, start, 40, layers=("relu1_1", "relu3_1")))
    first, both = found.cumulative
    assert distance(both) < distance(first) / 2
    assert distance(first) < sum(found.of_noise.values()) / len(found.of_noise)
