"""The network against a plain forward pass written out here."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F

from gramarye import layers
from gramarye.errors import ImageError, SettingsError
from gramarye.vgg import PADDINGS, POOLINGS, VGG, pool
from gramarye.weights import OXFORD, TORCHVISION, Weights, read
from networks import picture, random_weights


def written_out(weights: Weights, image: torch.Tensor, deepest: str, pooling: str = "max") -> dict[str, torch.Tensor]:
    """Normalise, convolve, rectify and pool, one line each."""
    convention = weights.convention
    x = image if convention.order == "RGB" else image.flip(1)
    mean, std = (torch.tensor(each).view(1, 3, 1, 1) for each in (convention.mean, convention.std))
    x = (x * convention.scale - mean) / std
    found = {"pixels": image}
    for name in layers.table(weights.network):
        if name.startswith("conv"):
            x = F.conv2d(x, weights.tensors[f"{name}.weight"], weights.tensors[f"{name}.bias"], padding=1)
        elif name.startswith("relu"):
            x = x.clamp_min(0)
        elif name.startswith("pool"):
            pools = {"max": F.max_pool2d(x, 2), "avg": F.avg_pool2d(x, 2), "l2": F.lp_pool2d(x, 2.0, 2)}
            x = pools[pooling]
        if name != "pixels":
            found[name] = x
        if name == deepest:
            return found
    return found


@pytest.mark.parametrize("pooling", POOLINGS)
@pytest.mark.parametrize("convention", [OXFORD, TORCHVISION], ids=["oxford", "torchvision"])
def test_activations_equal_a_plain_forward_pass(pooling: str, convention: object) -> None:
    from dataclasses import replace

    made = replace(random_weights(), convention=convention)
    image = picture(48, 40, 1)
    wanted = ["pixels", "conv1_1", "relu1_1", "relu2_2", "pool3", "conv4_2", "relu4_2"]
    found = VGG(made, pooling=pooling)(image, wanted)
    plain = written_out(made, image, "relu4_2", pooling)
    for name in wanted:
        scale = float(plain[name].abs().max())
        torch.testing.assert_close(found[name] / scale, plain[name] / scale, rtol=1e-4, atol=1e-5)


def test_real_vgg19(shared: object) -> None:
    made = read(shared / "weights" / "vgg19_oxford_conv.safetensors")
    image = picture(64, 64, 2)
    found = VGG(made)(image, ["conv_5", "relu5_1"])
    plain = written_out(made, image, "relu5_1")
    for alias, name in (("conv_5", "conv3_1"), ("relu5_1", "relu5_1")):
        scale = float(plain[name].abs().max())
        torch.testing.assert_close(found[alias] / scale, plain[name] / scale, rtol=1e-3, atol=1e-5)


def test_stops_at_the_deepest_layer_asked_for() -> None:
    made = random_weights()
    for name in list(made.tensors):
        if name.startswith(("conv3", "conv4", "conv5")):
            made.tensors[name] = torch.full_like(made.tensors[name], float("nan"))
    found = VGG(made)(picture(16, 16, 0), ["relu2_2"])
    assert torch.isfinite(found["relu2_2"]).all()


@pytest.mark.parametrize("pooling", POOLINGS)
@pytest.mark.parametrize(("rows", "columns"), [(4, 6), (5, 6), (4, 7), (3, 3)])
def test_the_gradient_of_pooling(pooling: str, rows: int, columns: int) -> None:
    """As finite differences in float64, also where an odd row or column is left out."""
    generator = torch.Generator().manual_seed(rows * columns)
    found = torch.rand(2, 3, rows, columns, dtype=torch.float64, generator=generator).requires_grad_()
    assert torch.autograd.gradcheck(lambda x: pool(x, pooling), found)


def test_rescaled_pooling_multiplies_by_crowsons_factor() -> None:
    image = picture(32, 32, 3)
    for pooling, factor in (("avg", 2.0), ("l2", 0.78), ("max", 1.0)):
        plain = VGG(random_weights(), pooling=pooling)(image, ["pool1"])["pool1"]
        scaled = VGG(random_weights(), pooling=pooling, rescale=True)(image, ["pool1"])["pool1"]
        torch.testing.assert_close(scaled, plain * factor)


@pytest.mark.parametrize("padding", PADDINGS)
def test_padding_touches_only_the_border(padding: str) -> None:
    image = picture(32, 32, 4)
    zeros = VGG(random_weights())(image, ["relu1_2"])["relu1_2"]
    found = VGG(random_weights(), padding=padding)(image, ["relu1_2"])["relu1_2"]
    assert found.shape == zeros.shape
    torch.testing.assert_close(found[:, :, 2:-2, 2:-2], zeros[:, :, 2:-2, 2:-2])
    assert padding == "zeros" or not torch.allclose(found, zeros)


def test_calibration_multiplies_the_tap_and_only_the_tap() -> None:
    from dataclasses import replace

    plain = random_weights()
    matrix = torch.randn(16, 16)
    calibrated = replace(plain, calibration={"relu1_1": matrix})
    image = picture(24, 24, 5)
    before, after = VGG(plain)(image, ["relu1_1", "relu1_2"]), VGG(calibrated)(image, ["relu1_1", "relu1_2"])
    torch.testing.assert_close(after["relu1_1"], torch.einsum("ij,bjkl->bikl", matrix, before["relu1_1"]))
    torch.testing.assert_close(after["relu1_2"], before["relu1_2"])
    assert VGG(plain).width("relu1_1") == 64
    assert list(after) == ["relu1_1", "relu1_2"]
    assert len(after) == 2
    assert after["relu1_1"] is after["relu1_1"]  # calibrated once
    for name, wanted in (("relu1_1", matrix), ("relu1_2", None)):
        activation, calibration = after.apart(name)
        assert torch.equal(activation, before[name])
        assert calibration is wanted or torch.equal(calibration, wanted)


def test_gradient_reaches_the_picture_and_not_the_network() -> None:
    image = picture(32, 32, 6).requires_grad_()
    network = VGG(random_weights())
    network(image, ["relu4_1"])["relu4_1"].square().sum().backward()
    assert torch.isfinite(image.grad).all()
    assert float(image.grad.abs().max()) > 0
    assert not any(buffer.requires_grad for buffer in network.buffers())


def test_refusals() -> None:
    network = VGG(random_weights())
    with pytest.raises(ImageError, match="relu5_1 needs a picture of at least 16 px"):
        network(picture(8, 40, 0), ["relu5_1"])
    with pytest.raises(SettingsError, match="unknown layer of vgg19-lite"):
        network(picture(32, 32, 0), ["relu5_2"])
    with pytest.raises(SettingsError, match="avg"):
        VGG(random_weights(), pooling="average")
    with pytest.raises(SettingsError, match="reflect"):
        VGG(random_weights(), padding="reflekt")
