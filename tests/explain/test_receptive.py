"""What a unit sees: tried out pixel by pixel."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from brought import double
from gramarye.errors import SettingsError
from gramarye.explain.receptive import Box, peak, receptive_field, saliency, salient
from gramarye.vgg import PADDINGS
from networks import picture

HEIGHT, WIDTH = 41, 58
LAYERS = ("pixels", "conv1_1", "conv1_2", "pool1", "conv2_1", "relu2_2", "pool2", "conv3_1", "conv3_3")
NETWORKS = {padding: double(pooling="avg", padding=padding) for padding in PADDINGS}


def activation(network, image: torch.Tensor, layer: str) -> torch.Tensor:
    with torch.no_grad():
        return network(image, [layer])[layer][0]


@given(
    layer=st.sampled_from(LAYERS), padding=st.sampled_from(PADDINGS), place=st.tuples(st.floats(0, 1), st.floats(0, 1))
)
def test_pixels_outside_the_box_never_change_the_unit_and_those_at_its_border_do(layer, padding, place) -> None:
    network, image = NETWORKS[padding], picture(HEIGHT, WIDTH, 1).double()
    before = activation(network, image, layer)
    row, column = (round(part * (side - 1)) for part, side in zip(place, before.shape[1:], strict=True))
    box = receptive_field(network, layer, row, column, (HEIGHT, WIDTH))
    other = torch.rand(image.shape, generator=torch.Generator().manual_seed(2), dtype=torch.float64)
    changed = other.clone()
    box.of(changed)[:] = box.of(image)
    after = activation(network, changed, layer)
    assert torch.equal(after[:, row, column], before[:, row, column])
    for edge in (
        Box(box.top, box.left, box.top + 1, box.right),
        Box(box.bottom - 1, box.left, box.bottom, box.right),
        Box(box.top, box.left, box.bottom, box.left + 1),
        Box(box.top, box.right - 1, box.bottom, box.right),
    ):
        changed = image.clone()
        edge.of(changed)[:] = edge.of(other)
        assert (activation(network, changed, layer)[:, row, column] - before[:, row, column]).abs().max() > 1e-9


def test_max_pooling_sees_no_further() -> None:
    network, image = double(pooling="max"), picture(HEIGHT, WIDTH, 1).double()
    before = activation(network, image, "conv3_2")
    box = receptive_field(network, "conv3_2", 5, 7, (HEIGHT, WIDTH))
    changed = 1 - image
    box.of(changed)[:] = box.of(image)
    after = activation(network, changed, "conv3_2")
    assert torch.equal(after[:, 5, 7], before[:, 5, 7])
    assert not torch.equal(after, before)


def test_a_box_of_the_first_layer_and_of_a_unit_that_sees_everything() -> None:
    network = double()
    assert receptive_field(network, "conv_1", 10, 20, (HEIGHT, WIDTH)) == Box(9, 19, 12, 22)
    assert receptive_field(network, "relu5_1", 1, 1, (HEIGHT, WIDTH)) == Box(0, 0, HEIGHT, WIDTH)


@pytest.mark.parametrize(("layer", "row", "column"), [("relu1_1", HEIGHT, 0), ("pool1", 0, 29), ("relu2_1", -1, 0)])
def test_a_unit_that_is_not_there_is_refused(layer, row, column) -> None:
    with pytest.raises(SettingsError, match="units in this picture"):
        receptive_field(double(), layer, row, column, (HEIGHT, WIDTH))
    with pytest.raises(SettingsError, match="unknown layer"):
        receptive_field(double(), "relu9_1", 0, 0, (HEIGHT, WIDTH))


def test_the_peak_is_the_largest_activation_and_its_crop_what_it_sees() -> None:
    network, image = double(), picture(HEIGHT, WIDTH, 1)
    found = activation(network, image, "relu2_1")[None]
    at = peak(network, "relu2_1", 4, found, image)
    assert at.value == found[0, 4].max() == found[0, 4, at.row, at.column]
    assert torch.equal(at.crop, image[:, :, at.box.top : at.box.bottom, at.box.left : at.box.right])


def test_saliency_is_the_largest_slope_of_the_colours() -> None:
    network, image = double(), picture(HEIGHT, WIDTH, 1).double()
    row, column, layer, channel = 6, 9, "conv2_2", 3
    found = saliency(network, image, layer, channel, row, column)
    assert found.shape == (1, 1, HEIGHT, WIDTH)
    box = receptive_field(network, layer, row, column, (HEIGHT, WIDTH))
    outside = found.clone()
    box.of(outside)[:] = 0
    assert not outside.any()
    for y, x in ((box.top + 1, box.left + 1), (box.top + 6, box.left + 7), (box.bottom - 3, box.right - 2)):
        slopes = []
        for color in range(3):
            step = torch.zeros_like(image)
            step[0, color, y, x] = 1e-6
            up, down = (activation(network, image + sign * step, layer)[channel, row, column] for sign in (1, -1))
            slopes.append(abs(float(up - down)) / 2e-6)
        assert float(found[0, 0, y, x]) == pytest.approx(max(slopes), rel=1e-4, abs=1e-9)


def test_half_is_the_smallest_part_of_the_box_that_holds_half_of_the_map() -> None:
    network, image = double(), picture(HEIGHT, WIDTH, 1).double()
    at = peak(network, "relu3_1", 2, activation(network, image, "relu3_1")[None], image.float())
    found = salient(network, "relu3_1", 2, at, image)
    values = sorted(at.box.of(found.map).flatten().tolist(), reverse=True)
    fewest = next(count for count in range(1, len(values) + 1) if sum(values[:count]) >= sum(values) / 2 - 1e-12)
    assert found.half == pytest.approx(fewest / len(values))
    assert 0 < found.half <= 0.5
