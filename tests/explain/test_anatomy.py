"""The network taken apart: its numbers are the published ones, and its layers are those that paint."""

from __future__ import annotations

import pytest
import torch

from gramarye import cost, layers
from gramarye.explain import anatomy
from gramarye.pulling import finish
from gramarye.vgg import VGG
from networks import picture, random_weights


def test_vgg19_has_the_parameters_that_simonyan_and_zisserman_give() -> None:
    """144 million (table 2): 143 667 240 to the last one, of which the convolutions have 20 024 384; VGG-16 has 138."""
    rows = anatomy.published_rows()
    assert sum(row.parameters for row in rows) == 143_667_240
    assert sum(row.parameters for row in rows if row.part != "cut off") == 20_024_384
    assert sum(row.parameters for row in anatomy.published_rows("vgg16")) == 138_357_544
    assert sum(row.multiplications for row in rows) / 1e9 == pytest.approx(19.63, abs=0.01)
    by_name = {row.name: row for row in rows}
    assert by_name["pool5"].shape == (512, 7, 7)
    assert by_name["fc6"].parameters == 7 * 7 * 512 * 4096 + 4096
    assert [by_name[name].shape for name in ("fc7", "fc8", "softmax")] == [(4096, 1, 1), (1000, 1, 1), (1000, 1, 1)]
    assert sum(row.kind == "conv" for row in rows) == 16
    assert sum(row.kind == "pool" for row in rows) == 5
    assert all(row.forward is None for row in rows)


@pytest.mark.parametrize("network", ["vgg19-lite", "vgg16"])
def test_rows_are_those_of_the_weights(network: str) -> None:
    rows = anatomy.convolutional_rows(network, (48, 72))
    tensors = random_weights(network).tensors
    for row in rows:
        if row.kind == "conv":
            own = [tensors[f"{row.name}.{part}"].numel() for part in ("weight", "bias")]
            assert row.parameters == sum(own)
            assert row.multiplications == own[0] * row.shape[1] * row.shape[2]
        else:
            assert row.parameters == row.multiplications == 0
    with torch.no_grad():
        seen = VGG(random_weights(network))(picture(48, 72, 1), [row.name for row in rows])
    assert [row.shape for row in rows] == [tuple(seen[row.name].shape[1:]) for row in rows]


def test_what_is_deeper_than_needed_is_unused() -> None:
    rows = anatomy.convolutional_rows("vgg19", (64, 64), needed=("relu3_1", "conv_4", "pixels"))
    parts = {row.name: row.part for row in rows}
    assert parts["relu3_1"] == "used"
    assert parts["conv3_2"] == "unused"
    used = sum(row.multiplications for row in rows if row.part == "used")
    assert used == pytest.approx(cost.multiplications("vgg19", "relu3_1") * 64 * 64)


def test_every_layer_is_told_in_one_line() -> None:
    rows = anatomy.published_rows()
    assert all(row.meaning and "\n" not in row.meaning for row in rows)
    meanings = {row.name: row.meaning for row in rows}
    assert (
        meanings["conv3_1"] == "256 filters of 3×3 over 128 channels; each place sees 24×24 pixels: textures and curls"
    )
    pools = {
        row.meaning
        for way in ("max", "avg", "l2")
        for row in anatomy.convolutional_rows("vgg19", (32, 32), pooling=way)
        if row.kind == "pool"
    }
    assert len(pools) == 3


@pytest.mark.parametrize("padding", ["zeros", "replicate", "reflect", "replicate-first"])
@pytest.mark.parametrize(("pooling", "rescale"), [("max", False), ("avg", True), ("l2", True)])
def test_layer_by_layer_is_the_network(padding: str, pooling: str, rescale: bool) -> None:
    network = VGG(random_weights(), padding=padding, pooling=pooling, rescale=rescale)
    image, names = picture(40, 36, 1), list(layers.table("vgg19-lite"))[1:-1]
    with torch.no_grad():
        whole, apart = network(image, names), anatomy.plain_activations(network, image, names)
    assert list(apart) == names
    for name in names:
        torch.testing.assert_close(apart[name], whole[name], atol=1e-5, rtol=1e-5)


def test_calibrations_are_left_out() -> None:
    weights = random_weights()
    weights.calibration["relu1_1"] = 2 * torch.eye(16)
    with torch.no_grad():
        whole = VGG(weights)(picture(32, 32, 1), ["relu1_1"])["relu1_1"]
        plain = anatomy.plain_activations(VGG(weights), picture(32, 32, 1), ["relu1_1"])["relu1_1"]
    torch.testing.assert_close(whole, 2 * plain)


def test_every_layer_is_timed_as_far_as_the_picture_reaches() -> None:
    network = VGG(random_weights())
    work, done = anatomy.measured_times(network, picture(32, 40, 1), 1), []
    while True:
        try:
            done.append(next(work))
        except StopIteration as end:
            times = end.value
            break
    assert done == sorted(done)
    assert done[-1] == 1
    assert list(times) == list(layers.table("vgg19-lite"))
    assert all(forward > 0 and backward > 0 for forward, backward in times.values())
    small = finish(anatomy.measured_times(network, picture(32, 40, 1)[..., :20, :], 1))
    assert list(small)[-1] == "relu5_1", "pool5 has no position there"
    assert anatomy.reachable(VGG(random_weights()), (8, 9))[-1] == "relu4_4"
    rows = anatomy.with_times(anatomy.convolutional_rows("vgg19-lite", (20, 40)), small)
    assert rows[-1].forward is rows[-1].backward is None
    assert (rows[3].forward, rows[3].backward) == small["conv1_2"]
