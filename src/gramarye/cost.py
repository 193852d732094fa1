"""What a painting will cost in time and memory, told before it starts."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from gramarye import layers
from gramarye.optimize import optimize
from gramarye.painting import Painting
from gramarye.schedule import Scale
from gramarye.settings import Settings

# Fitted to the peaks that `make bench` measures at 256, 512 and 1024 px with both networks (within 10 %): bytes
# that a process holds before it paints, and what is kept for each activation value, as a multiple of its own bytes
# (its gradient, and what convolutions and losses need beside them).
RESIDENT = 330e6
COPIES = 4.6


@dataclass(frozen=True)
class Cost:
    """Predicted seconds of painting and bytes of memory at the peak."""

    seconds: float
    memory: float


def multiplications(network: str, deepest: str) -> float:
    """Multiply–accumulate operations of one forward pass to `deepest`, per input pixel."""
    total, before = 0.0, 3
    for name, layer in layers.table(network).items():
        if layer.kind == "conv":
            total += 9 * before * layer.width / layer.stride**2
            before = layer.width
        if name == deepest:
            break
    return total


def activation_values(network: str, deepest: str) -> float:
    """Activation values that one forward pass to `deepest` keeps for the backward pass, per input pixel."""
    total = 0.0
    for name, layer in layers.table(network).items():
        if layer.kind in ("relu", "pool"):
            total += layer.width / layer.stride**2
        if name == deepest:
            break
    return total


def memory(settings: Settings, network: str, size: tuple[int, int], bytes_per_value: int) -> float:
    """Predicted bytes at the peak for a picture of `size` (height, width)."""
    names = [layers.resolve(name, network) for name in (*settings.content.layers, *settings.style.layers)]
    values = activation_values(network, layers.deepest(tuple(names), network))
    picture = 3 * 4 * (2 * settings.optimizer.history + 10)  # float32, with the optimiser's memory of it
    pixels = size[0] * size[1]
    return RESIDENT + pixels * (values * bytes_per_value * COPIES + picture)


def predict(painting: Painting) -> Cost:
    """The cost of `painting`, from a few evaluations of its smallest size; nothing of it is changed.

    An evaluation's time is proportional to the pixels; the smallest size is timed after one to warm up.
    """
    settings, first = painting.settings, painting.scales[0]
    network, final = painting.network, painting.scales[-1]
    needed = memory(settings, network.network, final.size, torch.finfo(network.dtype).bits // 8)
    if not sum(scale.evaluations for scale in painting.scales):
        return Cost(0.0, needed)
    trial = painting.pixels.clone()
    seconds = 0.0
    for step in optimize(trial, painting.objective(first.size), network, settings.optimizer, 3):
        seconds = step.seconds - seconds if step.index == 3 else step.seconds
    per_pixel = seconds / (first.size[0] * first.size[1])
    return Cost(per_pixel * sum(_pixels(scale) * scale.evaluations for scale in painting.scales), needed)


def _pixels(scale: Scale) -> int:
    return scale.size[0] * scale.size[1]
