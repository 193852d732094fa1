"""The size of activations: measured, recorded, and brought into other units."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
import torch
from safetensors import safe_open

from gramarye import layers
from gramarye.errors import SettingsError, WeightsError
from gramarye.vgg import VGG
from gramarye.weights import OXFORD, SOURCES, TORCHVISION, Weights, convert, import_file, load, read, scales, units

from .networks import random_network, write_npz


def weights_of(tensors: dict[str, torch.Tensor], network: str = "vgg19") -> Weights:
    from pathlib import Path

    return Weights(network, tensors, OXFORD, "0" * 64, Path("none"))


def features(weights: Weights, wanted: str) -> dict[str, float]:
    """The size of the ReLU layers in some units, by the network itself on the photograph that is measured on."""
    network = VGG(weights, units=wanted)
    names = [name for name in network.table if name.startswith("relu")][: len(weights.tensors) // 2]
    found = network(scales._photograph(), names)
    return {name: float((each.square().sum(1).mean() / network.width(name)).sqrt()) for name, each in found.items()}


def test_measured_is_the_root_mean_square() -> None:
    weights = weights_of(random_network(to="conv2_1"))
    assert scales.measured(weights) == pytest.approx(features(weights, "own"), rel=1e-4)


@pytest.mark.parametrize("wanted", ["oxford", "torchvision", "normalised"])
def test_activations_come_out_in_the_units_asked_for(wanted: str) -> None:
    weights = weights_of(random_network(to="conv3_1"))
    reference = units.reference(wanted)
    assert features(weights, wanted) == pytest.approx(
        {name: reference[name] for name in features(weights, "own")}, rel=1e-3
    )


def test_the_embedded_network_is_in_oxfords_units() -> None:
    weights = load("vgg19-lite")
    assert set(units.unit_factors(weights, "oxford").values()) == {1.0}
    ratio = units.unit_factors(weights, "torchvision")
    assert ratio["conv4_2"] == pytest.approx(1 / units.TORCHVISION_RATIO)
    own, oxford = scales.measured(weights), units.reference("oxford")
    assert all(0.85 < own[name] / oxford[name] < 1.15 for name in own), "its sizes are Oxford's about as well"


def test_published_networks_are_in_their_own_units() -> None:
    for name in ("vgg19-oxford", "vgg19-torchvision", "vgg16-torchvision"):
        record = SOURCES[name]
        tensors = random_network(record.network, to="conv1_2")
        tensors["conv1_1.weight"][0, :, 0, 0] = torch.tensor(record.first_kernel)
        weights = replace(weights_of(tensors, record.network), convention=record.convention)
        family = name.partition("-")[2]
        assert units.native(weights) == family
        assert set(units.unit_factors(weights, family).values()) == {1.0}


def test_importing_records_the_sizes(home, tmp_path) -> None:
    tensors = random_network(to="conv2_2")
    stored = import_file(write_npz(tmp_path / "a.npz", tensors), convention=OXFORD)
    with safe_open(stored, framework="pt") as file:
        said = json.loads(file.metadata()[scales.KEY])
    again = read(stored)
    assert again.scales == said
    assert said == pytest.approx(scales.measured(again), rel=1e-5)


def test_torchvisions_recorded_sizes_are_its_units(home, tmp_path) -> None:
    assert units.reference("torchvision")["relu4_2"] == pytest.approx(
        scales.OXFORD["relu4_2"][0] / units.TORCHVISION_RATIO
    )
    path = write_npz(tmp_path / "a.npz", random_network(to="conv1_2"))
    stored = import_file(path, convention=TORCHVISION, source="vgg19-torchvision")
    assert units.reference("torchvision") == read(stored).scales


@pytest.mark.parametrize("text", ["[]", "{", '{"relu1_1": "x"}', '{"relu1_1": -1}', '{"relu1_1": NaN}'])
def test_damaged_records_are_refused(text: str, tmp_path) -> None:
    from safetensors.torch import save_file

    save_file(random_network(to="conv1_1"), tmp_path / "a.safetensors", metadata={scales.KEY: text})
    with pytest.raises(WeightsError, match="activation scales"):
        read(tmp_path / "a.safetensors")


def test_a_silent_layer_has_no_units() -> None:
    tensors = random_network(to="conv1_2")
    tensors["conv1_2.weight"].zero_()
    tensors["conv1_2.bias"].fill_(-1)
    with pytest.raises(WeightsError, match=r"relu1_2.*Set network\.units=own"):
        units.unit_factors(weights_of(tensors), "oxford")


def test_unknown_units_get_the_nearest() -> None:
    with pytest.raises(SettingsError, match="Did you mean 'oxford'"):
        VGG(load("vgg19-lite"), units="oxfrod")


def test_the_table_is_what_vgg19_measures(shared) -> None:
    weights = read(shared / "weights" / "vgg19_oxford_conv.safetensors")
    found, mean = scales.measured(weights), scales.means(weights)
    for name, (size, average) in scales.OXFORD.items():
        assert found[name] == pytest.approx(size, rel=1e-3)
        assert mean[name] == pytest.approx(average, rel=1e-3)
    assert tuple(scales.OXFORD) == tuple(name for name in layers.table("vgg19") if name.startswith("relu"))
    assert units.native(weights) == "oxford"


def test_re_expressed_weights_are_still_oxfords(shared) -> None:
    """Kernels for standardised pictures, the same activations: the units are told by measuring."""
    weights = convert(read(shared / "weights" / "vgg19_oxford_conv.safetensors"), TORCHVISION)
    kept = {name: each for name, each in weights.tensors.items() if name < "conv3"}
    factors = units.unit_factors(replace(weights, tensors=kept), "oxford")
    assert factors == pytest.approx(dict.fromkeys(factors, 1.0), rel=0.01)
