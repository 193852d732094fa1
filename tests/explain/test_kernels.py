"""MMD with a second-order polynomial kernel is the Gram loss; and what other statistics paint."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from brought import CONTENT, brought, told
from gramarye import demo, images, weights
from gramarye.explain import kernels
from gramarye.explain.kernels import asked_with, distances_of, gram_route, identity, polynomial_mmd
from gramarye.presets import preset
from gramarye.pulling import finish
from gramarye.vgg import VGG

STYLE_LAYERS = ("relu1_1", "relu2_1", "relu3_1", "relu4_1", "relu5_1")


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kernels, "EVALUATIONS", {"quick": 3, "full": 3})


def random(*shape: int, seed: int) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


@given(channels=st.integers(1, 12), count=st.integers(1, 40), other=st.integers(1, 40), seed=st.integers(0, 10_000))
def test_the_kernel_sums_are_the_squared_distance_of_gram_matrices(channels, count, other, seed) -> None:
    x, y = random(count, channels, seed=seed), 2 * random(other, channels, seed=seed + 1)
    gram, target = (each.T.numpy() @ each.numpy() / len(each) for each in (x, y))
    expected = np.square(gram - target).sum()
    scale = np.square(gram).sum() + np.square(target).sum()
    assert polynomial_mmd(x, y) == pytest.approx(expected, rel=1e-9, abs=1e-12 * scale)
    shaped = [each.T.reshape(1, channels, -1, 1) for each in (x, y)]
    assert gram_route(*shaped) == pytest.approx(expected, rel=1e-9, abs=1e-12 * scale)


def test_the_sums_run_over_all_pairs_whatever_the_blocks(monkeypatch) -> None:
    x, y = random(7, 3, seed=1), random(5, 3, seed=2)

    def mean(first: torch.Tensor, second: torch.Tensor) -> float:
        return sum(float(a @ b) ** 2 for a in first for b in second) / (len(first) * len(second))

    expected = mean(x, x) + mean(y, y) - 2 * mean(x, y)
    for block in (1, 3, 512):
        monkeypatch.setattr(kernels, "BLOCK", block)
        assert polynomial_mmd(x, y) == pytest.approx(expected, rel=1e-12)
    assert polynomial_mmd(x, x) == pytest.approx(0, abs=1e-10)


@pytest.mark.parametrize("name", ["vgg19-lite", "vgg19"])
def test_on_real_activations_both_routes_agree(name, shared: Path) -> None:
    network = VGG(weights.load(name, shared / "weights" / "vgg19_oxford_conv.safetensors" if name == "vgg19" else None))
    photographs = sorted((shared / "images" / "content").glob("*.jpg"))[:2]
    paintings = sorted((shared / "images" / "style").glob("*.jpg"))[:2]
    for photograph, painting in zip(photographs, paintings, strict=True):
        seen = []
        for path in (photograph, painting):
            pixels = images.load(path).pixels
            pixels = images.resize(pixels, images.fitted_size((pixels.shape[2], pixels.shape[3]), 128))
            with torch.no_grad():
                seen.append(network(pixels, STYLE_LAYERS))
        for layer in STYLE_LAYERS:
            here = {"photograph": seen[0][layer], "result": seen[0][layer], "painting": seen[1][layer]}
            found = identity(layer, here, 1024)
            assert found.difference <= 1e-4
            assert found.kernel == found.photograph > 0


def test_the_identity_is_of_the_sampled_positions_and_of_all_where_they_are_few() -> None:
    here = {
        name: random(1, 4, 6, 5, seed=seed).float() for seed, name in enumerate(("photograph", "painting", "result"))
    }
    whole = identity("relu1_1", here, 1000)
    assert whole.positions == 30
    assert whole.gram == pytest.approx(gram_route(here["result"], here["painting"]), rel=1e-5)
    part = identity("relu1_1", here, 10)
    assert part.positions == 10
    assert part.difference < 1e-5
    assert part.kernel != pytest.approx(whole.kernel, rel=1e-3)


def test_weights_that_are_not_balanced_are_those_of_the_default() -> None:
    own = preset("default").with_(**{"style.weight": 7.0, "content.detail": 3.0, "style.distance": "l1"})
    asked = asked_with(own, "w2")
    assert (asked.style.weight, asked.style.statistic, asked.style.distance, asked.content.detail) == (7, "w2", "l2", 0)
    raw = own.with_(**{"balance": "raw", "style.layers": "relu2_1", "style.weight": 1e6, "optimizer.name": "sgd"})
    other = asked_with(raw, "moments")
    assert other.balance == "start"
    assert other.style.layers == ("relu2_1",)
    assert other.style.weight == preset("default").style.weight
    assert other.optimizer.name == "lbfgs"


@pytest.mark.parametrize("statistic", kernels.COMPARED)
def test_distances_are_relative_to_the_photograph(statistic, monkeypatch) -> None:
    subject = brought(monkeypatch)
    pictures = {"photograph": CONTENT, "painting": subject.style}
    found = distances_of(subject.network, subject, pictures, statistic)
    assert found["photograph"] == pytest.approx(1, rel=1e-5)
    assert found["painting"] == pytest.approx(0, abs=1e-4)


def test_painting_with_a_statistic_comes_nearer_by_it(monkeypatch) -> None:
    subject = brought(monkeypatch)
    painted = finish(kernels.paint_with(subject, "moments", 12))
    assert painted.shape == CONTENT.shape
    assert distances_of(subject.network, subject, {"it": painted}, "moments")["it"] < 0.8


@pytest.mark.usefixtures("few")
def test_the_section_measures_every_painting_by_every_statistic(monkeypatch) -> None:
    found = told(kernels.explain, brought(monkeypatch))
    assert [each.statistic for each in found.paintings] == list(kernels.COMPARED)
    assert all(list(each.distances) == list(kernels.COMPARED) for each in found.paintings)
    assert [each.layer for each in found.identities] == list(preset("default").style.layers)
    assert all(each.difference < 1e-4 for each in found.identities)


@pytest.mark.usefixtures("few")
def test_an_unbalanced_preset_is_painted_too(monkeypatch) -> None:
    monkeypatch.setattr(kernels, "COMPARED", ("gram", "moments"))
    found = told(kernels.explain, brought(monkeypatch, **{"balance": "raw", "style.weight": 1e6}))
    assert [list(each.distances) for each in found.paintings] == 2 * [["gram", "moments"]]
    assert all(value < 2 for each in found.paintings for value in each.distances.values())


def test_the_embedded_network_sees_the_identity_on_the_demo_pair() -> None:
    network = VGG(weights.load("vgg19-lite", None))
    seen = {}
    for name, path in (("photograph", demo.photograph()), ("painting", demo.styles()[0])):
        pixels = images.resize(images.load(path).pixels, (96, 96))
        with torch.no_grad():
            seen[name] = network(pixels, STYLE_LAYERS)
    for layer in STYLE_LAYERS:
        here = {name: each[layer] for name, each in seen.items()}
        assert identity(layer, {**here, "result": here["photograph"]}, 512).difference <= 1e-4


@pytest.mark.usefixtures("few")
def test_pictures_that_are_alike_give_finite_numbers(monkeypatch) -> None:
    subject = brought(monkeypatch, result=CONTENT)
    alike = dataclasses.replace(subject, styles=(CONTENT,), content=CONTENT)
    monkeypatch.setattr(kernels, "COMPARED", ("gram", "moments", "covariance"))
    found = told(kernels.explain, alike)
    assert all(each.kernel == 0 == each.gram for each in found.identities)
