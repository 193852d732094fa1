"""The tables against what is published of VGG."""

from __future__ import annotations

import pytest

from gramarye import layers
from gramarye.errors import SettingsError


def test_vgg19_has_sixteen_convolutions_and_known_receptive_fields() -> None:
    table = layers.table("vgg19")
    assert len(layers.convolutions("vgg19")) == 16
    assert len(layers.convolutions("vgg16")) == 13
    fields = {"conv1_1": 3, "conv1_2": 5, "pool1": 6, "conv2_1": 10, "conv3_1": 24, "conv4_1": 68, "conv5_1": 156}
    assert {name: table[name].receptive_field for name in fields} == fields
    assert [table[f"pool{block}"].stride for block in range(1, 6)] == [2, 4, 8, 16, 32]


def test_lite_publishes_vgg19s_channels_and_computes_a_quarter() -> None:
    for name, layer in layers.table("vgg19-lite").items():
        full = layers.table("vgg19")[name]
        assert (layer.channels, layer.stride, layer.receptive_field) == (
            full.channels,
            full.stride,
            full.receptive_field,
        ) or name == "pool5"
        if layer.kind != "pixels":
            assert layer.width * 4 == layer.channels


def test_aliases_count_convolutions_from_the_input() -> None:
    assert layers.resolve("conv_4") == "conv2_2"
    assert layers.resolve("conv_5") == "conv3_1"
    assert layers.resolve("relu_16") == "relu5_4"
    assert layers.resolve("relu_13", "vgg16") == "relu5_3"
    assert layers.resolve("relu4_2") == "relu4_2"


def test_unknown_names_get_the_nearest() -> None:
    with pytest.raises(SettingsError, match="relu4_"):
        layers.resolve("relu4_9")
    with pytest.raises(SettingsError, match="vgg19"):
        layers.table("vgg18")


def test_deepest() -> None:
    assert layers.deepest(("relu1_1", "conv5_1", "pool3"), "vgg19") == "conv5_1"
