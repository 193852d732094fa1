"""The VGG networks as tables: layer names, widths, strides, receptive fields, aliases.

Layers are `pixels`, `convB_I`, `reluB_I` (block B, convolution I) and `poolB`. The aliases `conv_N`
and `relu_N` count convolutions from the input, as the PyTorch tutorial does: `conv_4` is conv2_2.
Source: Simonyan and Zisserman 2014, configurations D (vgg16) and E (vgg19).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from gramarye.errors import SettingsError, unknown_name

CONVOLUTIONS_PER_BLOCK = {
    "vgg19": (2, 2, 4, 4, 4),
    "vgg19-lite": (2, 2, 4, 4, 1),  # trained to conv5_1, the deepest layer that style transfer uses
    "vgg16": (2, 2, 3, 3, 3),
}
BLOCK_WIDTHS = (64, 128, 256, 512, 512)
LITE_DIVISOR = 4
STYLE_LAYERS = ("relu1_1", "relu2_1", "relu3_1", "relu4_1", "relu5_1")  # Gatys et al. 2015, fig. 1
CONTENT_LAYERS = ("relu4_2",)


@dataclass(frozen=True)
class Layer:
    """One layer: `channels` as VGG publishes them, `width` as this network computes them.

    `stride` and `receptive_field` are in input pixels.
    """

    name: str
    kind: str  # pixels, conv, relu or pool
    channels: int
    width: int
    stride: int
    receptive_field: int


@cache
def table(network: str) -> dict[str, Layer]:
    """All layers of `network` in order from the input, by name.

    The receptive field grows by 2·stride at a 3×3 convolution and by 1·stride at a 2×2 pool.
    Raises SettingsError for an unknown network.
    """
    if network not in CONVOLUTIONS_PER_BLOCK:
        raise SettingsError(*unknown_name("network", network, CONVOLUTIONS_PER_BLOCK))
    divisor = LITE_DIVISOR if network.endswith("-lite") else 1
    stride, field = 1, 1
    layers = [Layer("pixels", "pixels", 3, 3, stride, field)]
    for block, count in enumerate(CONVOLUTIONS_PER_BLOCK[network], start=1):
        channels = BLOCK_WIDTHS[block - 1]
        for index in range(1, count + 1):
            field += 2 * stride
            for kind in ("conv", "relu"):
                name = f"{kind}{block}_{index}"
                layers.append(Layer(name, kind, channels, channels // divisor, stride, field))
        field += stride
        stride *= 2
        layers.append(Layer(f"pool{block}", "pool", channels, channels // divisor, stride, field))
    return {layer.name: layer for layer in layers}


def convolutions(network: str) -> tuple[str, ...]:
    """The names of all convolutions of `network`, from the input: conv1_1, conv1_2, …"""
    return tuple(name for name, layer in table(network).items() if layer.kind == "conv")


@cache
def aliases(network: str) -> dict[str, str]:
    """Alias to layer: conv_N and relu_N for the N-th convolution from the input."""
    pairs = {}
    for number, name in enumerate(convolutions(network), start=1):
        pairs[f"conv_{number}"] = name
        pairs[f"relu_{number}"] = name.replace("conv", "relu")
    return pairs


def resolve(name: str, network: str = "vgg19") -> str:
    """The canonical name of a layer, given its name or an alias.

    Raises SettingsError with the nearest known name when `network` has no such layer.
    """
    layers = table(network)
    canonical = aliases(network).get(name, name)
    if canonical not in layers and network.endswith("-lite") and canonical in table(network.removesuffix("-lite")):
        full, last = network.removesuffix("-lite"), convolutions(network)[-1]
        remedy = f"it ends at {last}: use --network {full}, or a shallower layer"
        raise SettingsError(f"unknown layer of {network}", repr(name), remedy)
    if canonical not in layers:
        known = (*layers, *aliases(network))
        raise SettingsError(*unknown_name(f"layer of {network}", name, known))
    return canonical


def deepest(names: tuple[str, ...], network: str) -> str:
    """The one of `names` that lies furthest from the input."""
    order = list(table(network))
    return max(names, key=order.index)
