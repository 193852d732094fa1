"""Strength: factors, and what they do to a picture."""

from __future__ import annotations

import pytest
import torch

import gramarye
from gramarye import strength, weights
from gramarye.presets import preset
from gramarye.seeing import make_network
from gramarye.statistics import gram_matrix
from networks import picture, random_weights
from pictures import painting

SMALL = preset("default").with_(size=48, steps=24, **{"scales.count": 1, "scales.shares": ""})


@pytest.fixture(autouse=True)
def _random_network(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(weights, "load", lambda *_: random_weights())


def test_factors_are_those_of_the_docstring() -> None:
    kinds = ("content", "style", "tv", "box", "temporal")
    assert [strength.factor(kind, 1) for kind in kinds] == [1, 1, 1, 1, 1]
    assert [strength.factor(kind, 0) for kind in kinds] == [1, 0, 0, 0, 1]
    assert [strength.factor(kind, 0.5) for kind in kinds] == [1, 1 / 16, 1 / 16, 1 / 16, 1]
    assert [strength.factor(kind, 2) for kind in kinds] == pytest.approx([1 / 15, 1, 15**-0.5, 1, 1])


def test_at_0_it_is_the_photograph_itself() -> None:
    photograph = painting(36, 48)
    for knobs in ({}, {"color": "luminance"}, {"init": "noise"}, {"scales.count": 3}):
        result = gramarye.stylize(photograph, picture(40, 40, 2), SMALL.with_(strength=0, **knobs))
        assert not result.history
        assert torch.allclose(result.pixels, photograph, atol=1e-5)


def test_at_1_the_weights_are_as_they_are() -> None:
    one, other = (
        gramarye.stylize(picture(48, 64, 1), painting(40, 40), SMALL.with_(steps=3, **knobs))
        for knobs in ({}, {"strength": 1})
    )
    assert torch.equal(one.pixels, other.pixels)


def test_style_is_nearer_the_stronger_it_is_in_layers_that_were_not_asked() -> None:
    photograph, style = picture(36, 48, 1), painting(48, 48)
    layers = ("relu3_3", "relu4_3")
    network = make_network(random_weights(), SMALL, torch.device("cpu"))
    target = {name: gram_matrix(found) for name, found in network(style, layers).items()}
    distances = []
    for value in (0, 0.5, 2):
        pixels = gramarye.stylize(photograph, style, SMALL.with_(strength=value)).pixels
        found = network(pixels, layers)
        distances.append([float((gram_matrix(found[name]) - target[name]).square().sum()) for name in layers])
    for stronger, weaker in zip(distances[1:], distances[:-1], strict=True):
        assert all(near < far for near, far in zip(stronger, weaker, strict=True))
