"""Small random networks and pictures for tests: VGG's own shapes, without anybody's weights."""

from __future__ import annotations

from pathlib import Path

import torch

from gramarye import layers, weights


def random_weights(network: str = "vgg19-lite", seed: int = 0) -> weights.Weights:
    """A VGG with He-initialised kernels; nothing learned."""
    generator = torch.Generator().manual_seed(seed)
    tensors, before = {}, 3
    for name in layers.convolutions(network):
        width = layers.table(network)[name].width
        kernel = torch.randn(width, before, 3, 3, generator=generator) * (2 / (9 * before)) ** 0.5
        tensors[f"{name}.weight"] = kernel
        tensors[f"{name}.bias"] = 0.1 * torch.randn(width, generator=generator)
        before = width
    return weights.Weights(
        network=network, tensors=tensors, convention=weights.LITE, sha256="0" * 64, path=Path("random")
    )


def picture(height: int, width: int, seed: int) -> torch.Tensor:
    """A smooth random picture, 1 3 H W in [0, 1]."""
    generator = torch.Generator().manual_seed(seed)
    coarse = torch.rand(1, 3, 5, 6, generator=generator)
    return torch.nn.functional.interpolate(coarse, (height, width), mode="bilinear", align_corners=False)
