"""One scale of a painting: a picture, an objective, an optimiser, and a stream of steps.

`optimize` is a generator; whoever watches pulls, and stopping is not pulling. Each step evaluates the
objective and its gradient once (with L-BFGS without line search, as in the PyTorch tutorial's closure).
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from gramarye.errors import OptimizationError
from gramarye.objective import Objective
from gramarye.settings import OptimizerSettings
from gramarye.vgg import VGG

if TYPE_CHECKING:
    from PIL import Image

# A total this many times the best so far means that L-BFGS has left the region where its model holds.
EXPLOSION = 10.0
RESCUES = 5
WORSE = 1.02  # a last total this many times the best: the picture of the best is kept instead


@dataclass(frozen=True)
class Step:
    """One evaluation at the picture before it moved: `terms` are raw values, `weighted` those times their weights.

    `index` counts evaluations from 1 over all scales; `scale` counts sizes from 0; `seconds` are since the
    painting began. `pixels`, 1 3 H W, is the picture as it stands now: it changes when the next step is pulled.
    `rescued` tells that the values were not finite (or had exploded) and the picture was rolled back.
    """

    index: int
    scale: int
    terms: dict[str, float]
    weighted: dict[str, float]
    total: float
    seconds: float
    pixels: Tensor = field(repr=False)
    rescued: bool = False

    def image(self) -> Image.Image:
        """The picture as it stands now, 8 bit."""
        from gramarye.images import to_pil

        return to_pil(self.pixels)


class _Progress:
    """The best total so far and the picture there, to roll back to."""

    def __init__(self, pixels: Tensor) -> None:
        self.total, self.pixels, self.rescues = math.inf, pixels.detach().clone(), 0

    def accepts(self, total: float) -> bool:
        return math.isfinite(total) and total <= EXPLOSION * abs(self.total)

    def note(self, total: float, pixels: Tensor) -> None:
        if total < self.total:
            self.total = total
            self.pixels.copy_(pixels)


def make_optimizer(pixels: Tensor, settings: OptimizerSettings, learning_rate: float) -> torch.optim.Optimizer:
    """The optimiser for one picture; L-BFGS takes one evaluation a step and no line search."""
    if settings.name == "adam":
        return torch.optim.Adam([pixels], lr=learning_rate, betas=(0.9, 0.99))
    return torch.optim.LBFGS(
        [pixels],
        lr=learning_rate,
        max_iter=1,
        history_size=settings.history,
        tolerance_grad=0,
        tolerance_change=0,
    )


def optimize(
    pixels: Tensor, objective: Objective, network: VGG, settings: OptimizerSettings, evaluations: int
) -> Iterator[Step]:
    """Minimise `objective` over `pixels` (1 3 H W, sRGB, changed in place); one Step an evaluation.

    Values that are not finite, or a total that explodes, roll the picture back to the best so far and halve
    the learning rate; after five rescues OptimizationError is raised. Where the last total is not about the
    best, the picture of the best is what is left. Seconds and indices count from here.
    """
    began = time.perf_counter()
    leaf = pixels.detach().requires_grad_()
    rate = settings.learning_rate
    optimizer = make_optimizer(leaf, settings, rate)
    best = _Progress(leaf)
    found: dict[str, Tensor] = {}

    def closure() -> float:
        optimizer.zero_grad(set_to_none=False)
        found.update(objective.values(network(leaf, objective.layers)))
        total = objective.total(found)
        total.backward()  # type: ignore[no-untyped-call]
        found["total"] = total.detach()
        return float(found["total"])

    for index in range(1, evaluations + 1):
        if settings.clamp:
            with torch.no_grad():
                leaf.clamp_(0, 1)
        before = leaf.detach().clone()
        optimizer.step(closure)
        total = float(found.pop("total"))
        accepted = best.accepts(total) and bool(torch.isfinite(leaf.detach()).all())
        if accepted:
            best.note(total, before)
        else:
            rate = _rescue(best, leaf, rate)
            optimizer = make_optimizer(leaf, settings, rate)
        terms = {name: float(value.detach()) for name, value in found.items()}
        weighted = {term.name: term.weight * terms[term.name] for term in objective.terms if term.weight}
        seconds = time.perf_counter() - began
        if index == evaluations and total > WORSE * best.total:
            leaf.detach().copy_(best.pixels)
        yield Step(index, 0, terms, weighted, total, seconds, leaf.detach(), rescued=not accepted)


def _rescue(best: _Progress, leaf: Tensor, rate: float) -> float:
    """Put the best picture back and return half the learning rate; raises after too many rescues."""
    best.rescues += 1
    if best.rescues > RESCUES or not math.isfinite(best.total):
        rule = "the objective must stay finite"
        raise OptimizationError(rule, "not finite", "lower optimizer.learning_rate or the largest weight")
    with torch.no_grad():
        leaf.copy_(best.pixels)
    return rate / 2
