"""The network taken apart: every layer's size, parameters, multiplications and times, forward and backward.

With the fully connected layers that VGG was trained with and style transfer cuts off: Simonyan and Zisserman 2014.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from statistics import median

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

from gramarye import layers as layer_table
from gramarye.pulling import Work
from gramarye.vgg import VGG, convolve, pool

Picture = Float[Tensor, "1 3 h w"]
Times = dict[str, tuple[float, float]]  # seconds forward and backward, by layer

TRAINED_SIDE = 224  # pixels: what the fully connected layers were trained for
CLASSES = 1000  # of ImageNet
FULLY_CONNECTED = (("fc6", 4096), ("fc7", 4096), ("fc8", CLASSES))
FULL_MEANING = {
    "fc6": "every unit looks at all of pool5 at once: where a thing is no longer matters, and no other size fits",
    "fc7": "mixes them once more",
    "fc8": "one score for each of the thousand kinds of things in ImageNet",
    "softmax": "scores become probabilities that sum to 1",
}
POOL_MEANING = {
    "max": "the largest of each 2×2 is kept",
    "avg": "each 2×2 becomes its mean",
    "l2": "each 2×2 becomes the root of its sum of squares",
}
BLOCK_MEANING = (
    "edges and colours",
    "strokes and corners",
    "textures and curls",
    "patterns and parts of things",
    "large structures",
)


@dataclass(frozen=True)
class Row:
    """One layer at one size of picture.

    `shape` is channels, rows, columns of what comes out; `receptive_field` and `stride` are in pixels of the picture;
    `multiplications` counts multiply–accumulates forward. `forward` and `backward` are seconds on this machine,
    the median of some repeats, None where it was not measured. `part` says what becomes of it: used (some term needs
    it), unused (beyond the deepest that is asked for) or cut off (the fully connected layers). `meaning` is one line.
    """

    name: str
    kind: str  # pixels, conv, relu, pool, full or softmax
    shape: tuple[int, int, int]
    parameters: int
    multiplications: int
    receptive_field: int
    stride: int
    part: str
    meaning: str
    forward: float | None = None
    backward: float | None = None


def convolutional_rows(
    network: str, size: tuple[int, int], *, pooling: str = "max", needed: Iterable[str] | None = None
) -> tuple[Row, ...]:
    """The layers of `network` (vgg19, vgg19-lite, vgg16) for a picture of `size` (height, width), pixels first.

    Those beyond the deepest of the layers that are `needed` are marked as unused; without them all are used. A
    convolution has 9·N_in·N_out + N_out parameters and 9·N_in·N_out·rows·columns multiplications.
    """
    table = layer_table.table(network)
    names = tuple(layer_table.resolve(name, network) for name in needed or list(table)[-1:])
    last = list(table).index(layer_table.deepest(names, network))
    rows, before = [], 3
    for place, (name, layer) in enumerate(table.items()):
        shape = (layer.width, size[0] // layer.stride, size[1] // layer.stride)
        weights = 9 * before * layer.width if layer.kind == "conv" else 0
        rows.append(
            Row(
                name=name,
                kind=layer.kind,
                shape=shape,
                parameters=weights + layer.width if weights else 0,
                multiplications=weights * shape[1] * shape[2],
                receptive_field=layer.receptive_field,
                stride=layer.stride,
                part="used" if place <= last else "unused",
                meaning=_meaning(layer, before, pooling),
            )
        )
        before = layer.width
    return tuple(rows)


def published_rows(network: str = "vgg19", side: int = TRAINED_SIDE) -> tuple[Row, ...]:
    """All of VGG-16 or VGG-19 as it was published, at `side` pixels: with fc6, fc7, fc8 and softmax, which are cut off.

    The fully connected layers have N_in·N_out + N_out parameters and N_in·N_out multiplications; they see everything.
    """
    rows = list(convolutional_rows(network, (side, side)))
    before = rows[-1].shape[0] * rows[-1].shape[1] * rows[-1].shape[2]
    for name, units in FULLY_CONNECTED:
        weights = before * units
        rows.append(
            Row(name, "full", (units, 1, 1), weights + units, weights, side, side, "cut off", FULL_MEANING[name])
        )
        before = units
    softmax = Row("softmax", "softmax", (CLASSES, 1, 1), 0, 0, side, side, "cut off", FULL_MEANING["softmax"])
    return (*rows, softmax)


def _meaning(layer: layer_table.Layer, before: int, pooling: str) -> str:
    if layer.kind == "pixels":
        return "red, green and blue of every pixel, less the mean colour of ImageNet"
    if layer.kind == "relu":
        return "what is below 0 becomes 0: a channel says that it is there, never that it is not"
    if layer.kind == "pool":
        return f"{POOL_MEANING[pooling]}: half as wide and high, so that the next block sees twice as far"
    sees = f"{layer.receptive_field}×{layer.receptive_field} pixels"
    block = BLOCK_MEANING[int(layer.name[4]) - 1]
    return f"{layer.width} filters of 3×3 over {before} channels; each place sees {sees}: {block}"


def layer_function(network: VGG, name: str) -> Callable[[Tensor], Tensor]:
    """What one layer of `network` does with what comes before it; calibrations are left out."""
    layer = network.table[name]
    if layer.kind == "pixels":
        mean = network.get_buffer("mean")
        return lambda image: (image - mean).to(network.dtype, memory_format=torch.channels_last)
    if layer.kind == "relu":
        return F.relu
    if layer.kind == "pool":
        return partial(pool, pooling=network.pooling, rescale=network.rescale)
    padding = network.padding
    if padding == "replicate-first":
        padding = "replicate" if name == "conv1_1" else "zeros"
    weight, bias = network.get_buffer(f"{name}_weight"), network.get_buffer(f"{name}_bias")
    return partial(convolve, weight=weight, bias=bias, padding=padding)


def reachable(network: VGG, size: tuple[int, int]) -> tuple[str, ...]:
    """The layers, from the input, that the weights reach and that a picture of `size` is large enough for."""
    names: list[str] = []
    for name, layer in network.table.items():
        there = layer.kind != "conv" or f"{name}_weight" in network._buffers
        if not there or layer.stride > min(size):
            break
        names.append(name)
    return tuple(names)


def plain_activations(network: VGG, image: Picture, wanted: Iterable[str]) -> dict[str, Tensor]:
    """The activations of layers as the network itself computes them, without the embedded one's calibration."""
    names, found, activation = set(wanted), dict[str, Tensor](), image
    for name in reachable(network, (image.shape[2], image.shape[3])):
        if names <= found.keys():
            break
        activation = layer_function(network, name)(activation)
        if name in names:
            found[name] = activation
    return found


def measured_times(network: VGG, image: Picture, repeats: int = 3) -> Work[Times]:
    """Seconds forward and backward of each layer alone, on `image`: the median of so many repeats.

    Backward is the gradient with respect to the layer's input, as painting needs it: none of the weights'.
    """
    times: Times = {}
    names = reachable(network, (image.shape[2], image.shape[3]))
    activation = image.detach()
    for place, name in enumerate(names):
        function = layer_function(network, name)
        pairs = [_timed(function, activation) for _ in range(repeats)]
        times[name] = (median(pair[0] for pair in pairs), median(pair[1] for pair in pairs))
        with torch.no_grad():
            activation = function(activation)
        yield (place + 1) / len(names)
    return times


def _timed(function: Callable[[Tensor], Tensor], activation: Tensor) -> tuple[float, float]:
    with torch.enable_grad():
        given = activation.detach().clone().requires_grad_()
        began = _now(given)
        result = function(given)
        forward = _now(given) - began
        pull = torch.ones_like(result)
        began = _now(given)
        torch.autograd.grad(result, given, pull)
        return forward, _now(given) - began


def _now(tensor: Tensor) -> float:
    """The clock, once the accelerator has done what it was told."""
    if tensor.device.type == "cuda":
        torch.cuda.synchronize(tensor.device)
    elif tensor.device.type == "mps":
        torch.mps.synchronize()
    return time.perf_counter()


def with_times(rows: Iterable[Row], times: Mapping[str, tuple[float, float]]) -> tuple[Row, ...]:
    """The rows with their times, where they were measured."""
    return tuple(
        replace(row, forward=times[row.name][0], backward=times[row.name][1]) if row.name in times else row
        for row in rows
    )
