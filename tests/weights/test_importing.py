"""Reading weights under every name, checking them, and re-expressing them for another input."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.torch import load_file

from gramarye.errors import WeightsError
from gramarye.layers import convolutions
from gramarye.weights import (
    LITE,
    OXFORD,
    TORCHVISION,
    InputConvention,
    Weights,
    convert,
    import_file,
    read,
)

from .networks import (
    WRITERS,
    by_module,
    features,
    hwio,
    picture,
    random_network,
    write_npz,
    write_pth,
    write_safetensors,
)

SHARED = Path(__file__).resolve().parents[3] / "shared" / "weights" / "vgg19_oxford_conv.safetensors"
# torchvision's way, about Oxford's mean colour: what zero padding stands for is then the same
STANDARDISED = InputConvention("RGB", 1.0, (123.68 / 255, 116.779 / 255, 103.939 / 255), (0.229, 0.224, 0.225))


def weights_of(tensors, convention, network="vgg19"):
    return Weights(network, tensors, convention, "0" * 64, Path("none"))


def relative_error(one, other):
    return max(float((one[tap] - other[tap]).norm() / one[tap].norm()) for tap in one)


@pytest.mark.parametrize("writer", WRITERS)
def test_every_layout_gives_the_same_network(writer, tmp_path):
    tensors = random_network(to="conv3_1")
    weights = read(WRITERS[writer](tmp_path / writer, tensors), convention=OXFORD)
    assert weights.network == "vgg19"
    assert weights.depth == "conv3_1"
    assert weights.convention == OXFORD
    assert weights.tensors.keys() == tensors.keys()
    for name, tensor in tensors.items():
        assert torch.equal(weights.tensors[name], tensor)
        assert weights.tensors[name].is_contiguous()


def test_the_name_of_the_file_does_not_matter(tmp_path):
    path = write_pth(tmp_path / "weights.h5", random_network(to="conv1_2"))
    assert read(path).depth == "conv1_2"


@pytest.mark.parametrize("network", ["vgg19", "vgg16"])
def test_the_network_is_found_by_its_convolutions(network, tmp_path):
    tensors = random_network(network, to="conv4_1")
    assert read(write_pth(tmp_path / "a.pth", tensors, network)).network == network
    assert read(write_safetensors(tmp_path / "b.safetensors", tensors)).network == network


def test_lite_is_found_by_its_widths_with_its_calibration(tmp_path):
    tensors = {name: tensor.half() for name, tensor in random_network("vgg19-lite").items()}
    matrices = {"calibration.relu1_1": torch.eye(16).half(), "calibration.conv4_2": torch.eye(128).half()}
    weights = read(write_safetensors(tmp_path / "lite.safetensors", tensors | matrices))
    assert (weights.network, weights.convention, weights.depth) == ("vgg19-lite", LITE, "conv5_1")
    assert all(tensor.dtype == torch.float32 for tensor in weights.tensors.values())
    assert torch.equal(weights.calibration["relu1_1"], torch.eye(16))
    assert set(weights.calibration) == {"relu1_1", "conv4_2"}


@pytest.mark.parametrize("bad", [torch.eye(17), torch.zeros(16), torch.full((16, 16), float("nan"))])
def test_bad_calibration_is_refused(bad, tmp_path):
    tensors = random_network("vgg19-lite", to="conv1_1") | {"calibration.relu1_1": bad}
    with pytest.raises(WeightsError, match=r"calibration\.relu1_1"):
        read(write_safetensors(tmp_path / "lite.safetensors", tensors))


def test_calibration_of_an_unknown_layer_is_refused(tmp_path):
    tensors = random_network("vgg19-lite", to="conv1_1") | {"calibration.relu1_9": torch.eye(16)}
    with pytest.raises(WeightsError, match="relu1_9"):
        read(write_safetensors(tmp_path / "lite.safetensors", tensors))


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64])
def test_other_precisions_become_float32(dtype, tmp_path):
    tensors = {name: tensor.to(dtype) for name, tensor in random_network(to="conv1_2").items()}
    weights = read(write_safetensors(tmp_path / "a.safetensors", tensors))
    for name, tensor in tensors.items():
        assert weights.tensors[name].dtype == torch.float32
        assert torch.equal(weights.tensors[name], tensor.float())


def changed(tensors, **changes):
    """The network with arrays replaced, or removed by None; `__` stands for a dot."""
    renamed = {name.replace("__", "."): value for name, value in changes.items()}
    return {name: value for name, value in (tensors | renamed).items() if value is not None}


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"conv1_2__weight": None}, "no gaps.*without conv1_2.weight"),
        ({"conv1_2__bias": None}, "no gaps.*without conv1_2.bias"),
        ({"conv1_1__weight": None, "conv1_1__bias": None}, "without conv1_1.weight"),
        ({"conv2_1__weight": torch.zeros(128, 64, 5, 5)}, "128×64×3×3; got 128×64×5×5"),
        ({"conv2_1__bias": torch.zeros(())}, "a scalar"),
        ({"conv2_3__weight": torch.zeros(128, 128, 3, 3)}, "conv2_3"),
        ({"conv1_1__bias": torch.full((64,), float("nan"))}, "weights are finite.*conv1_1.bias"),
        ({"conv1_1__bias": torch.full((64,), 1e300, dtype=torch.float64)}, "weights are finite"),
        ({"conv1_1__bias": torch.zeros(64, dtype=torch.int64)}, "floating-point.*int64"),
        ({"other.conv1_1__bias": torch.zeros(64)}, "once; got two arrays for conv1_1.bias"),
    ],
)  # fmt: skip
def test_what_is_not_a_vgg_is_refused_with_the_reason(changes, says, tmp_path):
    tensors = changed(random_network(to="conv2_2"), **changes)
    path = write_safetensors(tmp_path / "a.safetensors", tensors)
    with pytest.raises(WeightsError, match=says) as caught:
        read(path)
    assert "\n" not in str(caught.value)


def test_another_network_than_asked_is_refused(tmp_path):
    path = write_safetensors(tmp_path / "a.safetensors", random_network(to="conv1_2"))
    with pytest.raises(WeightsError, match="vgg19-lite is 16×3×3×3; got 64×3×3×3"):
        read(path, network="vgg19-lite")
    with pytest.raises(WeightsError, match="vgg19"):
        read(path, network="vgg18")


def test_a_residual_network_is_refused(tmp_path):
    state = {"conv1.weight": torch.zeros(64, 3, 7, 7), "layer1.0.conv1.weight": torch.zeros(64, 64, 3, 3)}
    torch.save(state, tmp_path / "resnet.pth")
    with pytest.raises(WeightsError, match=r"VGG's convolutions.*conv1\.weight"):
        read(tmp_path / "resnet.pth")


def test_a_batch_normalised_vgg_is_refused(tmp_path):
    state = by_module(random_network(to="conv1_1"))
    state |= {"features.1.weight": torch.ones(64), "features.1.bias": torch.zeros(64)}
    torch.save(state, tmp_path / "vgg19_bn.pth")
    with pytest.raises(WeightsError, match=r"features\.1"):
        read(tmp_path / "vgg19_bn.pth")


order = st.sampled_from(["RGB", "BGR"])
channels = st.tuples(*[st.floats(0.2, 0.8)] * 3)
spreads = st.tuples(*[st.floats(0.1, 4.0)] * 3)
conventions = st.builds(
    lambda order, scale, mean, std: InputConvention(order, scale, tuple(m * scale for m in mean), std),
    order, st.sampled_from([1.0, 255.0]), channels, spreads,
)  # fmt: skip


@settings(max_examples=25, deadline=None)
@given(conventions, conventions)
def test_conversion_keeps_features_inside_the_border(one, other):
    """Where no padding is seen, any two conventions agree: relu1_1 without its outermost pixels."""
    tensors = random_network(to="conv1_1")
    converted = convert(weights_of(tensors, one), other)
    assert converted.convention == other
    pixels = picture(12, 12)
    before = features(tensors, one, pixels)["relu1_1"][..., 1:-1, 1:-1]
    after = features(converted.tensors, other, pixels)["relu1_1"][..., 1:-1, 1:-1]
    assert (before - after).norm() <= 1e-4 * before.norm()


@settings(max_examples=25, deadline=None)
@given(conventions, conventions)
def test_conversion_and_back_is_the_same_network(one, other):
    weights = weights_of(random_network(to="conv1_1"), one)
    back = convert(convert(weights, other), one)
    for name, tensor in weights.tensors.items():
        assert torch.allclose(back.tensors[name], tensor, rtol=1e-3, atol=1e-3)


def test_conversion_about_the_same_mean_keeps_the_border_too():
    weights = weights_of(random_network(to="conv3_1"), OXFORD)
    converted = convert(weights, STANDARDISED)
    pixels = picture(24, 32)
    error = relative_error(features(weights.tensors, OXFORD, pixels), features(converted.tensors, STANDARDISED, pixels))
    assert error < 1e-5


@pytest.fixture(scope="module")
def oxford():
    """The real VGG-19, down to conv3_1 (the rest is the same whatever the input)."""
    if not SHARED.is_file():
        message = f"needs the development weights {SHARED}"
        pytest.fail(message) if os.environ.get("CI") else pytest.skip(message)
    return read(SHARED)


def test_the_real_network_is_recognised(oxford):
    assert (oxford.network, oxford.depth, oxford.convention) == ("vgg19", "conv5_4", OXFORD)
    assert "vgg19-oxford" in oxford.evidence
    assert len(oxford.sha256) == 64


@pytest.mark.parametrize("writer", WRITERS)
def test_the_real_network_has_the_same_features_in_both_conventions(writer, oxford, home, tmp_path):
    """One network imported as Oxford's and, re-expressed for standardised input, in every layout."""
    depth = list(oxford.tensors)[: 2 * (1 + convolutions("vgg19").index("conv3_1"))]
    standardised = convert(oxford, STANDARDISED)
    path = WRITERS[writer](tmp_path / writer, {name: standardised.tensors[name] for name in depth})
    stored = read(import_file(path, convention=STANDARDISED))
    assert stored.convention == STANDARDISED
    pixels = picture(32, 32)
    before = features({name: oxford.tensors[name] for name in depth}, OXFORD, pixels)
    assert relative_error(before, features(stored.tensors, stored.convention, pixels)) < 1e-4


def test_the_whole_real_network_agrees_to_its_last_layer(oxford, home, tmp_path):
    path = write_pth(tmp_path / "whole.pth", convert(oxford, STANDARDISED).tensors)
    stored = read(import_file(path, convention=STANDARDISED))
    pixels = picture(32, 32)
    before = features(oxford.tensors, OXFORD, pixels)
    after = features(stored.tensors, stored.convention, pixels)
    assert list(after)[-1] == "relu5_4"
    assert relative_error(before, after) < 1e-4


def test_the_real_network_is_stored_in_float16_without_loss(oxford, home):
    stored = import_file(SHARED)
    assert stored == home / "vgg19.safetensors"
    assert stored.stat().st_size < 41e6
    raw, original = load_file(stored), load_file(SHARED)
    assert all(torch.equal(raw[name], original[name]) for name in original)


def test_reversed_channels_of_the_real_network_are_noticed(oxford, tmp_path):
    tensors = {name: oxford.tensors[name] for name in ("conv1_1.weight", "conv1_1.bias")}
    tensors["conv1_1.weight"] = tensors["conv1_1.weight"].flip(1).contiguous()
    weights = read(write_npz(tmp_path / "rgb.npz", tensors))
    assert weights.convention.order == "RGB"
    assert weights.convention.scale == 255
    assert "reversed" in weights.evidence


def test_re_expressed_kernels_are_told_by_their_size(oxford, tmp_path):
    large = convert(oxford, TORCHVISION).tensors
    path = write_pth(tmp_path / "a.pth", {name: large[name] for name in ("conv1_1.weight", "conv1_1.bias")})
    weights = read(path)
    assert weights.convention == TORCHVISION
    assert "standardised" in weights.evidence


def test_kernels_in_hwio_are_turned(tmp_path):
    tensors = random_network(to="conv2_1")
    turned = {name: torch.from_numpy(hwio(name, tensor).copy()) for name, tensor in tensors.items()}
    weights = read(write_safetensors(tmp_path / "a.safetensors", turned))
    assert all(torch.equal(weights.tensors[name], tensor) for name, tensor in tensors.items())
