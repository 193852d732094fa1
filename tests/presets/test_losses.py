"""Every preset that reproduces an original has its loss, written out independently, in value and in gradient."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest
import torch
from torch import Tensor

from gramarye import weights
from gramarye.objective import objective_for
from gramarye.presets import PRESETS, preset
from gramarye.settings import Settings
from gramarye.vgg import VGG
from networks import picture

from .originals import ORIGINALS, See

PHOTOGRAPH, PAINTING, OTHER = (picture(48, 64, seed).double() for seed in (1, 2, 3))
FREE = {"default", "draft", "fast", "large", "nnst", "strotss"}  # Gramarye's own, and what is but in their spirit


def seeing(network: VGG) -> See:
    """Activations with as many channels as published: the embedded network's shorter vectors end in zeros."""

    def see(image: Tensor, names: tuple[str, ...]) -> dict[str, Tensor]:
        found = network(image, names)
        return {
            name: torch.cat([each, each.new_zeros(1, network.width(name) - each.shape[1], *each.shape[2:])], dim=1)
            for name, each in found.items()
        }

    return see


@cache
def exact(file: Path | None) -> weights.Weights:
    loaded = weights.load("vgg19" if file else "vgg19-lite", file)
    both = (loaded.tensors, loaded.calibration)
    tensors, calibration = ({name: each.double() for name, each in group.items()} for group in both)
    return replace(loaded, tensors=tensors, calibration=calibration)


def make(settings: Settings, file: Path | None) -> VGG:
    said = settings.network
    return VGG(
        exact(file), pooling=said.pooling, padding=said.padding, rescale=said.rescale, units=said.units,
        dtype=torch.float64,
    )  # fmt: skip


def agree(name: str, file: Path | None) -> None:
    settings = preset(name)
    network = make(settings, file)
    objective = objective_for(network, PHOTOGRAPH, [PAINTING], settings)
    image = OTHER.clone().requires_grad_()
    ours = objective.total(objective.values(network(image, objective.layers)))
    theirs = ORIGINALS[name](image, PHOTOGRAPH, PAINTING, seeing(network))
    if name == "crowson":  # the plain root loses digits, and its slope, where eigenvalues meet
        assert ours.item() == pytest.approx(theirs.item(), rel=1e-4)
        return
    assert ours.item() == pytest.approx(theirs.item(), rel=1e-5)
    (slope,), (written,) = (torch.autograd.grad(each, image) for each in (ours, theirs))
    assert float((slope - written).norm() / written.norm()) < 1e-4


@pytest.mark.parametrize("name", ORIGINALS)
def test_loss_is_the_originals_on_the_embedded_network(name: str) -> None:
    agree(name, None)


@pytest.mark.parametrize("name", ["gatys-author", "joshi-hu-revised"])
def test_loss_is_the_originals_on_vgg19(name: str, shared: Path) -> None:
    agree(name, shared / "weights" / "vgg19_oxford_conv.safetensors")


def test_every_reproduction_is_checked() -> None:
    assert PRESETS.keys() - FREE == ORIGINALS.keys()
