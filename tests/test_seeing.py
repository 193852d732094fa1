"""The network as the settings want it."""

from __future__ import annotations

import torch

from gramarye import recolor, seeing
from gramarye.presets import preset
from networks import picture, random_weights

CPU = torch.device("cpu")
SETTINGS = preset("default").with_(precision="float32")


def test_pooling_padding_and_precision_are_those_of_the_settings() -> None:
    knobs = {"network.pooling": "max", "network.padding": "zeros"}
    network = seeing.make_network(random_weights(), SETTINGS.with_(**knobs), CPU)
    assert (network.pooling, network.padding, network.dtype) == ("max", "zeros", torch.float32)


def test_where_luminance_is_painted_the_network_sees_no_colours() -> None:
    settings = SETTINGS.with_(color="luminance")
    network = seeing.make_network(random_weights(), settings, CPU)
    image = recolor.grey(picture(32, 32, 1))
    colored = image + torch.tensor([0.1, -0.1, 0.0]).view(1, 3, 1, 1)
    one, other = (network(each, ["relu2_1"])["relu2_1"] for each in (image, colored))
    assert torch.allclose(one, other, atol=1e-5)
    assert torch.equal(seeing.seen(image, SETTINGS), image)
    assert torch.allclose(seeing.seen(colored, settings)[:, 0], recolor.luminance(colored)[:, 0])


def test_the_least_side_is_the_deepest_layers_stride() -> None:
    network = seeing.make_network(random_weights(), SETTINGS, CPU)
    assert seeing.least_side(network, SETTINGS) == 16
