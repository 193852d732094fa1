"""Named terms, weights and balance."""

from __future__ import annotations

import pytest
import torch

from gramarye.objective import Objective, Term, objective_for
from gramarye.presets import preset
from gramarye.settings import Settings
from gramarye.vgg import VGG
from networks import picture, random_weights

PHOTOGRAPH, PAINTING, OTHER = picture(48, 64, 1), picture(56, 40, 2), picture(48, 64, 3)


@pytest.fixture(scope="module")
def network() -> VGG:
    return VGG(random_weights(), pooling="avg")


def test_total_is_the_weighted_sum(network: VGG) -> None:
    objective = objective_for(network, PHOTOGRAPH, [PAINTING], preset("default"))
    values = objective.values(network(OTHER, objective.layers))
    rows = objective.describe({name: float(value) for name, value in values.items()})
    assert float(objective.total(values)) == pytest.approx(sum(row["weighted"] for row in rows), rel=1e-5)
    assert [row["kind"] for row in rows] == 2 * ["content"] + 7 * ["style"] + ["tv", "tv", "box"]


def test_gatys_objective_written_out(network: VGG) -> None:
    """α·½Σ(F−P)² + β·Σ w/(4N²M²)·Σ(G−A)², pictures of the same size, N as VGG-19 has it."""
    settings = preset("gatys-2015")
    painting = picture(48, 64, 9)
    objective = objective_for(network, PHOTOGRAPH, [painting], settings)
    found = objective.values(network(OTHER, objective.layers))
    layers = (*settings.content.layers, *settings.style.layers)
    f, p, s = (network(each, layers) for each in (OTHER, PHOTOGRAPH, painting))
    written = 0.5 * (f["conv4_2"] - p["conv4_2"]).square().sum()
    for layer in settings.style.layers:
        n, m = network.width(layer), f[layer].shape[2] * f[layer].shape[3]
        g, a = (torch.einsum("bikl,bjkl->ij", each[layer], each[layer]) for each in (f, s))
        written = written + 1000 * 0.2 * (g - a).square().sum() / (4 * n**2 * m**2)
    torch.testing.assert_close(objective.total(found), written, rtol=1e-5, atol=0)


def test_tutorial_objective_written_out(network: VGG) -> None:
    """mse of conv_4 + 10⁶·Σ mse of G/(c·h·w), with the tutorial's own layers counted from the input."""
    settings = preset("pytorch-tutorial")
    objective = objective_for(network, PHOTOGRAPH, [PAINTING], settings)
    found = objective.values(network(OTHER, objective.layers))
    f, p, s = (
        network(each, ["conv1_1", "conv1_2", "conv2_1", "conv2_2", "conv3_1"]) for each in (OTHER, PHOTOGRAPH, PAINTING)
    )
    n = network.width("conv2_2")
    written = (f["conv2_2"] - p["conv2_2"]).square().sum() / (n * f["conv2_2"][0, 0].numel())
    for layer in f:
        n = network.width(layer)
        g, a = (torch.einsum("bikl,bjkl->ij", each, each) / (n * each[0, 0].numel()) for each in (f[layer], s[layer]))
        written = written + 1e6 * (g - a).square().sum() / n**2
    torch.testing.assert_close(objective.total(found), written, rtol=1e-5, atol=0)


def test_balanced_terms_are_one_at_the_photograph(network: VGG) -> None:
    settings = Settings().with_(**{"content.weight": 3.0, "style.weight": 7.0})
    objective = objective_for(network, PHOTOGRAPH, [PAINTING], settings)
    values = objective.values(network(PHOTOGRAPH, objective.layers))
    for row in objective.describe({name: float(value) for name, value in values.items()}):
        wanted = 7 / 5 if row["kind"] == "style" else 0
        assert row["weighted"] == pytest.approx(wanted, rel=1e-4, abs=1e-9)


def test_balance_makes_weights_mean_the_same_for_louder_activations(network: VGG) -> None:
    """Features ten times larger change nothing: content grows with s², Gram terms with s⁴."""
    from dataclasses import replace

    made = random_weights()
    loud = replace(made, calibration={})
    for name in ("conv1_1.weight", "conv1_1.bias"):
        loud.tensors[name] = made.tensors[name] * 10
    for name in loud.tensors:
        if name.endswith(".bias") and name != "conv1_1.bias":
            loud.tensors[name] = made.tensors[name] * 10
    totals = []
    for weights in (random_weights(), loud):
        each = VGG(weights, pooling="avg")
        objective = objective_for(each, PHOTOGRAPH, [PAINTING], Settings())
        totals.append(objective.total(objective.values(each(OTHER, objective.layers))))
    torch.testing.assert_close(totals[0], totals[1], rtol=1e-3, atol=0)


def test_a_picture_in_its_own_manner_stays_as_it_is(network: VGG) -> None:
    """Photograph and painting the same: every term is zero, and no weight is beyond reason."""
    objective = objective_for(network, PHOTOGRAPH, [PHOTOGRAPH], preset("default"))
    values = objective.values(network(PHOTOGRAPH, objective.layers))
    rows = objective.describe({name: float(value) for name, value in values.items()})
    assert all(row["weighted"] < 1e-6 for row in rows if row["kind"] in ("content", "style"))


def test_several_paintings_are_mixed_evenly(network: VGG) -> None:
    settings = Settings().with_(balance="raw")
    mixed = objective_for(network, PHOTOGRAPH, [PAINTING, OTHER], settings)
    alone = [objective_for(network, PHOTOGRAPH, [each], settings) for each in (PAINTING, OTHER)]
    at = network(PHOTOGRAPH, mixed.layers)
    for name in ("style relu1_1", "style relu4_1"):
        singles = [each.values(at)[name] for each in alone]
        assert float(mixed.values(at)[name]) <= float(max(singles))


def test_terms_without_weight_are_not_computed() -> None:
    def never(found: torch.Tensor) -> torch.Tensor:
        raise AssertionError

    objective = Objective((Term("a", "content", "relu1_1", 0.0, never), Term("b", "tv", "pixels", 1.0, torch.sum)))
    assert objective.layers == ("pixels",)
    assert set(objective.values({"pixels": torch.ones(2)})) == {"b"}


@pytest.mark.parametrize("name", ["default", "gatys-2015"])
def test_gradient_as_finite_differences(name: str) -> None:
    """The whole objective in float64 along random directions."""
    from dataclasses import replace

    made = random_weights()
    double = replace(made, tensors={key: tensor.double() for key, tensor in made.tensors.items()})
    network = VGG(double, pooling="avg", dtype=torch.float64)
    settings = preset(name).with_(**{"network.pooling": "avg"})
    photograph, painting, other = (each.double() for each in (PHOTOGRAPH, PAINTING, OTHER))
    objective = objective_for(network, photograph, [painting], settings)

    def total(image: torch.Tensor) -> torch.Tensor:
        return objective.total(objective.values(network(image, objective.layers)))

    image = other.clone().requires_grad_()
    (gradient,) = torch.autograd.grad(total(image), image)
    for seed in range(3):
        direction = torch.randn(image.shape, generator=torch.Generator().manual_seed(seed)).double()
        step = 1e-7  # small enough that no ReLU changes side
        with torch.no_grad():
            slope = (total(image + step * direction) - total(image - step * direction)) / (2 * step)
        assert float(slope) == pytest.approx(float((gradient * direction).sum()), rel=1e-6)
