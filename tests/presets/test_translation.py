"""A preset's weights on another network's own activations."""

from __future__ import annotations

import pytest
import torch

from gramarye.objective import objective_for
from gramarye.presets import preset
from gramarye.presets.translation import translated
from gramarye.settings import STATISTICS
from gramarye.vgg import VGG
from networks import picture, random_weights

FACTORS = {"conv1_1": 3.0, "conv1_2": 0.2, "conv2_1": 5.0, "conv2_2": 1.5, "conv3_1": 0.4, "conv4_2": 2.0}


def test_powers_of_the_terms() -> None:
    rows = {row.name: row for row in translated(preset("pytorch-tutorial"), "vgg19", FACTORS)}
    assert rows["content conv_4"].own == pytest.approx(1.5**2)
    assert rows["style conv_2"].own == pytest.approx(1e6 * 0.2**4)
    by_l1 = {row.name: row for row in translated(preset("joshi-hu-revised"), "vgg19", FACTORS)}
    assert by_l1["content relu_5"].own == pytest.approx(0.4)
    assert by_l1["style relu_3"].own == pytest.approx(1e4 * 5.0**2)


def test_pools_are_as_large_as_the_convolution_before() -> None:
    settings = preset("pytorch-tutorial").with_(**{"content.layers": ("pool1",)})
    assert translated(settings, "vgg19", FACTORS)[0].factor == 0.2


def test_huber_has_no_single_power() -> None:
    settings = preset("pytorch-tutorial").with_(**{"style.distance": "huber"})
    rows = translated(settings, "vgg19", FACTORS)
    assert rows[0].own is not None
    assert rows[1].own is None


@pytest.mark.parametrize("statistic", [name for name in STATISTICS if name != "w2"])  # w2's ridge has its own size
@pytest.mark.parametrize("distance", ["l2", "l1"])
def test_translated_weights_do_the_same(statistic: str, distance: str) -> None:
    """Louder activations under a weight, and the network's own under the translated weight: one value."""
    settings = preset("pystiche").with_(
        **{
            "style.statistic": statistic,
            "style.distance": distance,
            "content.distance": distance,
            "style.layers": ("relu2_1",),
            "content.layers": ("conv1_2",),
        }
    )
    own, loud = VGG(random_weights()), VGG(random_weights())
    from gramarye.vgg import scale_activations

    tensors = scale_activations(random_weights().tensors, FACTORS)
    for name, tensor in tensors.items():
        if name != "conv1_1.weight":
            loud.get_buffer(name.replace(".", "_")).copy_(tensor)
    loud.get_buffer("conv1_1_weight").mul_(FACTORS["conv1_1"])
    photograph, painting, other = picture(32, 48, 1), picture(32, 48, 2), picture(32, 48, 3)
    values = []
    for network in (own, loud):
        objective = objective_for(network, photograph, [painting], settings)
        found = objective.values(network(other, objective.layers))
        values.append({term.name: float(found[term.name]) for term in objective.terms})
    for row in translated(settings, "vgg19-lite", FACTORS):
        assert values[0][row.name] * row.own == pytest.approx(values[1][row.name] * row.weight, rel=2e-3)


def test_scaled_activations_are_exactly_as_much_larger() -> None:
    from gramarye.vgg import scale_activations

    made = random_weights()
    from dataclasses import replace

    scaled = replace(made, tensors=scale_activations(made.tensors, FACTORS))
    for pooling in ("max", "avg", "l2"):
        names = ["conv1_1", "relu1_2", "pool1", "relu2_1", "conv3_1", "conv4_2", "relu4_3"]
        image = picture(32, 32, 4)
        before = VGG(made, pooling=pooling, padding="reflect")(image, names)
        after = VGG(scaled, pooling=pooling, padding="reflect")(image, names)
        for name in names:
            factor = FACTORS.get(name.replace("relu", "conv").replace("pool1", "conv1_2"), 1.0)
            torch.testing.assert_close(after[name], factor * before[name], rtol=1e-4, atol=1e-4 * factor)
