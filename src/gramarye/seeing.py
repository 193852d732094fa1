"""The network as the settings want it, and what an objective says of a picture through it."""

from __future__ import annotations

from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from gramarye import layers, machine, recolor, weights
from gramarye.objective import Objective
from gramarye.settings import Settings
from gramarye.vgg import VGG


def make_network(loaded: weights.Weights, settings: Settings, device: torch.device) -> VGG:
    """The network as the settings want it: pooling, padding, precision, device."""
    network = VGG(
        loaded,
        pooling=settings.network.pooling,
        padding=settings.network.padding,
        rescale=settings.network.rescale,
        units=settings.network.units,
        dtype=machine.fastest_dtype(device, settings.precision),
    )
    if settings.color == "luminance":
        network.register_forward_pre_hook(recolor.see_grey)
    return network.to(device)


def seen(pixels: Float[Tensor, "1 3 h w"], settings: Settings) -> Float[Tensor, "1 3 h w"]:
    """A finished picture, 1 3 H W, as the objective sees it: in grey where only luminance is painted."""
    return recolor.grey(pixels) if settings.color == "luminance" else pixels


def measure_pixels(network: VGG, objective: Objective, pixels: Tensor) -> list[dict[str, Any]]:
    """The rows of `objective` at `pixels`, 1 3 H W."""
    with torch.no_grad():
        values = objective.values(network(pixels, objective.layers))
    return objective.describe({name: float(value) for name, value in values.items()})


def least_side(network: VGG, settings: Settings) -> int:
    """The shortest side, in pixels, of a picture at which the deepest layer of the settings has one position."""
    names = network.resolve((*settings.content.layers, *settings.style.layers))
    return network.table[layers.deepest(names, network.network)].stride
