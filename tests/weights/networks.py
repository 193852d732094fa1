"""Random VGGs, every way of naming their arrays, and a plain forward pass to compare features with."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np
import torch
from safetensors.torch import save_file
from torch import Tensor
from torch.nn import functional

from gramarye.layers import convolutions, table
from gramarye.weights import InputConvention

Tensors = dict[str, Tensor]


def random_network(network: str = "vgg19", to: str | None = None, seed: int = 0) -> Tensors:
    """A network of the right shapes with activations of about the size of its input."""
    generator = torch.Generator().manual_seed(seed)
    tensors: Tensors = {}
    inputs = 3
    for name in convolutions(network):
        width = table(network)[name].width
        spread = (2 / (9 * inputs)) ** 0.5
        tensors[f"{name}.weight"] = torch.randn(width, inputs, 3, 3, generator=generator) * spread
        tensors[f"{name}.bias"] = torch.randn(width, generator=generator) * 0.1
        inputs = width
        if name == to:
            break
    return tensors


def features(tensors: Tensors, convention: InputConvention, pixels: Tensor, network: str = "vgg19") -> Tensors:
    """Every ReLU of a plain VGG with zero padding and max pooling; pixels are 1 3 H W, RGB in [0, 1]."""
    mean, std = (torch.tensor(each).view(1, 3, 1, 1) for each in (convention.mean, convention.std))
    x = pixels if convention.order == "RGB" else pixels.flip(1)
    x = (x * convention.scale - mean) / std
    taps: Tensors = {}
    for name, layer in table(network).items():
        if layer.kind == "conv":
            if f"{name}.weight" not in tensors:
                break
            x = functional.conv2d(x, tensors[f"{name}.weight"], tensors[f"{name}.bias"], padding=1)
        elif layer.kind == "relu":
            x = taps[name] = functional.relu(x)
        elif layer.kind == "pool":
            x = functional.max_pool2d(x, 2)
    return taps


def picture(height: int = 40, width: int = 48, seed: int = 1) -> Tensor:
    """A smooth random picture with the whole range of values."""
    generator = torch.Generator().manual_seed(seed)
    coarse = torch.rand(1, 3, 6, 7, generator=generator)
    smooth = functional.interpolate(coarse, size=(height, width), mode="bicubic", align_corners=False)
    return (smooth + 0.05 * torch.randn(1, 3, height, width, generator=generator)).clamp(0, 1)


def split(name: str) -> tuple[str, str, str]:
    """conv3_1.weight -> 3, 1, weight."""
    convolution, part = name.split(".")
    block, index = convolution.removeprefix("conv").split("_")
    return block, index, part


def by_module(tensors: Tensors, network: str = "vgg19") -> Tensors:
    """torchvision's names, with a classifier that is to be ignored."""
    order = list(table(network))[1:]
    named = {f"features.{order.index(k.split('.')[0])}.{k.split('.')[1]}": v for k, v in tensors.items()}
    return named | {"classifier.0.weight": torch.zeros(4, 5), "classifier.0.bias": torch.zeros(4)}


def hwio(name: str, tensor: Tensor) -> np.ndarray:
    array = tensor.numpy()
    return array.transpose(2, 3, 1, 0) if name.endswith("weight") else array


def write_pth(path: Path, tensors: Tensors, network: str = "vgg19") -> Path:
    torch.save(by_module(tensors, network), path)
    return path


def write_old_pth(path: Path, tensors: Tensors) -> Path:
    """The layout before torch 1.6, which torchvision's VGG files have."""
    torch.save(by_module(tensors), path, _use_new_zipfile_serialization=False)
    return path


def write_checkpoint(path: Path, tensors: Tensors) -> Path:
    named = {f"module.{name}": tensor for name, tensor in by_module(tensors).items()}
    torch.save({"epoch": 3, "state_dict": named}, path)
    return path


def write_safetensors(path: Path, tensors: Tensors, metadata: dict[str, str] | None = None) -> Path:
    save_file(tensors, path, metadata=metadata)
    return path


def write_npz(path: Path, tensors: Tensors) -> Path:
    with path.open("wb") as file:
        np.savez(file, **{name: tensor.numpy() for name, tensor in tensors.items()})
    return path


def write_frossard_npz(path: Path, tensors: Tensors) -> Path:
    """The layout of vgg16_weights.npz: conv1_1_W in HWIO, conv1_1_b, and the classifier."""
    arrays = {name.replace(".weight", "_W").replace(".bias", "_b"): hwio(name, t) for name, t in tensors.items()}
    with path.open("wb") as file:
        np.savez(file, fc6_W=np.zeros((3, 4)), **arrays)
    return path


def _write_keras(path: Path, tensors: Tensors, key: Callable[[str, str, str], str]) -> Path:
    with h5py.File(path, "w") as file:
        file.attrs["layer_names"] = ["input_1", "block1_conv1"]
        file.create_group("block1_pool")
        for name, tensor in tensors.items():
            file[key(*split(name))] = hwio(name, tensor)
    return path


def write_keras_1(path: Path, tensors: Tensors) -> Path:
    """vgg19_weights_tf_dim_ordering_tf_kernels_notop.h5"""
    letters = {"weight": "W", "bias": "b"}

    def key(block: str, index: str, part: str) -> str:
        layer = f"block{block}_conv{index}"
        return f"{layer}/{layer}_{letters[part]}_1:0"

    return _write_keras(path, tensors, key)


def write_keras_2(path: Path, tensors: Tensors) -> Path:
    """A whole model as Keras 2 saves it."""
    parts = {"weight": "kernel", "bias": "bias"}

    def key(block: str, index: str, part: str) -> str:
        layer = f"block{block}_conv{index}"
        return f"model_weights/{layer}/{layer}/{parts[part]}:0"

    _write_keras(path, tensors, key)
    with h5py.File(path, "a") as file:
        file["optimizer_weights/Adam/m/block1_conv1/kernel:0"] = np.zeros((3, 3, 3, 64))
    return path


def write_keras_3(path: Path, tensors: Tensors) -> Path:
    """A .weights.h5 file of Keras 3."""
    order = list(dict.fromkeys(name.split(".")[0] for name in tensors))

    def key(block: str, index: str, part: str) -> str:
        number = order.index(f"conv{block}_{index}")
        suffix = f"_{number}" if number else ""
        return f"layers/conv2d{suffix}/vars/{int(part == 'bias')}"

    return _write_keras(path, tensors, key)


WRITERS: dict[str, Callable[[Path, Tensors], Path]] = {
    "torchvision.pth": write_pth,
    "old.pth": write_old_pth,
    "checkpoint.pt": write_checkpoint,
    "ours.safetensors": write_safetensors,
    "named.npz": write_npz,
    "frossard.npz": write_frossard_npz,
    "keras1.h5": write_keras_1,
    "keras2.h5": write_keras_2,
    "keras3.weights.h5": write_keras_3,
}
