"""The loop to beat, written the way the PyTorch tutorial writes it: eager, float32, max pooling, no care for memory.

Jacq, "Neural Transfer Using PyTorch": Gram matrices divided by the number of entries, mean squared errors after
conv_1 … conv_5, content at conv_4, style weight 10⁶, L-BFGS from the content image, clamped before each
evaluation. The network's weights are frozen and it goes to relu5_1 where told, as VGG-19 does in Gatys' layers.
"""

from __future__ import annotations

import time
from collections.abc import Iterator

import torch
import torch.nn.functional as F
from torch import Tensor

from gramarye.layers import table
from gramarye.weights import Weights

TUTORIAL_STYLE = ("conv1_1", "conv1_2", "conv2_1", "conv2_2", "conv3_1")
TUTORIAL_CONTENT = "conv2_2"
GATYS_STYLE = ("relu1_1", "relu2_1", "relu3_1", "relu4_1", "relu5_1")
GATYS_CONTENT = "relu4_2"


class Plain:
    """A plain style transfer: a network, two targets, one loss."""

    def __init__(self, weights: Weights, photograph: Tensor, painting: Tensor, *, deep: bool) -> None:
        self.weights = weights
        self.style, self.content = (GATYS_STYLE, GATYS_CONTENT) if deep else (TUTORIAL_STYLE, TUTORIAL_CONTENT)
        convention = weights.convention
        self.order = [0, 1, 2] if convention.order == "RGB" else [2, 1, 0]
        self.scale = convention.scale
        self.mean = torch.tensor(convention.mean).view(1, 3, 1, 1)
        self.std = torch.tensor(convention.std).view(1, 3, 1, 1)
        with torch.no_grad():
            self.photograph = self.activations(photograph)[self.content]
            found = self.activations(painting)
            self.grams = {layer: self.gram(found[layer]) for layer in self.style}

    def activations(self, image: Tensor) -> dict[str, Tensor]:
        x = (image[:, self.order] * self.scale - self.mean) / self.std
        found, wanted = {}, {*self.style, self.content}
        for name, layer in table(self.weights.network).items():
            if layer.kind == "conv":
                x = F.conv2d(x, self.weights.tensors[f"{name}.weight"], self.weights.tensors[f"{name}.bias"], padding=1)
            elif layer.kind == "relu":
                x = F.relu(x)
            elif layer.kind == "pool":
                x = F.max_pool2d(x, 2)
            if name in wanted:
                found[name] = x
                if len(found) == len(wanted):
                    break
        return found

    @staticmethod
    def gram(activation: Tensor) -> Tensor:
        flat = activation.view(activation.shape[1], -1)
        return torch.mm(flat, flat.t()).div(activation.numel())

    def loss(self, image: Tensor) -> Tensor:
        found = self.activations(image)
        style = sum(F.mse_loss(self.gram(found[layer]), self.grams[layer]) for layer in self.style)
        return 1e6 * style + F.mse_loss(found[self.content], self.photograph)


def loop(plain: Plain, start: Tensor, evaluations: int) -> Iterator[tuple[float, float]]:
    """The tutorial's loop; yields (seconds so far, loss) after each evaluation."""
    image = start.clone().requires_grad_()
    optimizer = torch.optim.LBFGS([image])
    seen: list[tuple[float, float]] = []
    began = time.perf_counter()

    def closure() -> Tensor:
        with torch.no_grad():
            image.clamp_(0, 1)
        optimizer.zero_grad()
        loss = plain.loss(image)
        loss.backward()
        seen.append((time.perf_counter() - began, float(loss.detach())))
        return loss

    while len(seen) < evaluations:
        before = len(seen)
        optimizer.step(closure)
        yield from seen[before:evaluations]
