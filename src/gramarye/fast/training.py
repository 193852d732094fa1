"""Training a painter: batches of crops, each in a style drawn at random, under the objective of the optimisation.

A generator: whoever pulls it, logs and stops. Its state goes into a checkpoint between two steps.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import InitVar, dataclass, field
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn

from gramarye.errors import OptimizationError
from gramarye.fast.losses import Losses
from gramarye.fast.muon import Muon
from gramarye.fast.photographs import CROP, Photographs

RATE = 1e-3
LAST_RATE = 0.02  # of the rate, where it ends
WARM = 50  # steps at the beginning over which the rate rises
LARGEST = 5.0  # norm of a gradient: a longer one is shortened
PATIENCE = 10  # steps in a row without a finite gradient
BATCH = 4

Pictures = Float[Tensor, "batch 3 height width"]


@dataclass(frozen=True)
class Step:
    """What one step of training has met: each kind's weighted value, the mean over the batch, before the step."""

    index: int
    values: dict[str, float]
    rate: float

    @property
    def total(self) -> float:
        """The objective, the mean over the batch."""
        return math.fsum(self.values.values())


@dataclass
class Training:
    """A painter that is being trained, as far as it has come; `paintings` are 1 3 H W, one for each style drawn.

    `told` makes of the places of a batch's styles among the paintings what the painter is told of them. Everything
    happens on the painter's device. Of the paintings only what the objective asks is kept.
    """

    painter: nn.Module
    losses: Losses
    photographs: Photographs
    paintings: InitVar[Iterable[Tensor]]
    told: Callable[[list[int]], object]
    steps_in_all: int
    batch: int = BATCH
    crop: int = CROP
    rate: float = RATE
    index: int = 0
    _lost: int = field(init=False, default=0)
    _optimizers: tuple[torch.optim.Optimizer, ...] = field(init=False)
    _grams: list[Mapping[str, Tensor]] = field(init=False)

    def __post_init__(self, paintings: Iterable[Tensor]) -> None:
        self._optimizers = _optimizers(self.painter)
        self._grams = [self.losses.grams(painting.to(self.device)) for painting in paintings]

    @property
    def device(self) -> torch.device:
        """Where the painter is."""
        return next(self.painter.parameters()).device

    def steps(self) -> Iterator[Step]:
        """Train to the end, one Step at a time; stop pulling at any time.

        A step whose gradient is not finite changes nothing; raises OptimizationError after PATIENCE of them in a row.
        """
        while self.index < self.steps_in_all:
            rate = self._rate()
            for optimizer in self._optimizers:
                for group in optimizer.param_groups:
                    group["lr"] = rate
            values = self._step()
            self.index += 1
            yield Step(self.index, values, rate)

    def _step(self) -> dict[str, float]:
        pictures = self.photographs.batch(self.batch, self.crop).to(self.device)
        styles = torch.randint(len(self._grams), (self.batch,), generator=self.photographs.generator).tolist()
        wanted = {layer: torch.cat([self._grams[style][layer] for style in styles]) for layer in self._grams[0]}
        values = self.losses.of(self.paint(pictures, self.told(styles)), pictures, wanted)
        self.painter.zero_grad()
        _evened(values).backward()  # type: ignore[no-untyped-call]
        length = float(torch.nn.utils.clip_grad_norm_(self.painter.parameters(), LARGEST))
        if math.isfinite(length):
            for optimizer in self._optimizers:
                optimizer.step()
        self._watch(length)
        return {kind: float(value.detach().mean()) for kind, value in values.items()}

    def _watch(self, length: float) -> None:
        self._lost = 0 if math.isfinite(length) else self._lost + 1
        if self._lost == PATIENCE:
            remedy = "begin anew with another seed, or with precision=float32"
            raise OptimizationError("training needs finite gradients", f"{length} at step {self.index + 1}", remedy)

    def paint(self, pictures: Pictures, told: object) -> Pictures:
        """What the painter makes of pictures so far, on its device, not clipped; in the network's precision."""
        lower = self.losses.network.dtype
        with torch.autocast(self.device.type, torch.bfloat16, enabled=lower == torch.bfloat16):
            painted: Tensor = self.painter(pictures, told)
        return painted.float()

    def _rate(self) -> float:
        """Rising at first, then along half a cosine."""
        warm = min(1.0, (self.index + 1) / WARM)
        along = (1 + math.cos(math.pi * self.index / self.steps_in_all)) / 2
        return self.rate * warm * (LAST_RATE + (1 - LAST_RATE) * along)

    def state(self) -> dict[str, Any]:
        """Everything that is needed to go on."""
        return {
            "painter": self.painter.state_dict(),
            "optimizers": [optimizer.state_dict() for optimizer in self._optimizers],
            "generator": self.photographs.generator.get_state(),
            "index": self.index,
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go on from what `state` has given."""
        self.painter.load_state_dict(state["painter"])
        for optimizer, known in zip(self._optimizers, state["optimizers"], strict=True):
            optimizer.load_state_dict(known)
            for parameter, kept in optimizer.state.items():  # as they lay: the last bits depend on it
                for name, value in kept.items():
                    if value.shape == parameter.shape:
                        kept[name] = torch.empty_like(parameter).copy_(value)
        self.photographs.generator.set_state(state["generator"])
        self.index = state["index"]


def alone(count: int, device: torch.device | None = None) -> Callable[[list[int]], Tensor]:
    """What a painter of `count` styles is told: each picture in one style alone."""
    return lambda styles: torch.eye(count, device=device)[styles]


def _optimizers(painter: nn.Module) -> tuple[torch.optim.Optimizer, ...]:
    """Muon for the convolutions, but for the last; Adam for that one, and for gains and offsets."""
    named = [(name, parameter) for name, parameter in painter.named_parameters() if parameter.requires_grad]
    inner = [parameter for name, parameter in named if parameter.ndim == 4 and not name.startswith("leave")]
    chosen = {id(parameter) for parameter in inner}
    others = [parameter for _, parameter in named if id(parameter) not in chosen]
    return Muon(inner, lr=RATE), torch.optim.Adam(others, lr=RATE)


def _evened(values: Mapping[str, Tensor]) -> Tensor:
    """Σ ln L over the batch: a picture whose objective is ten times another's does not drown it."""
    total = torch.stack(list(values.values())).sum(0)
    return total.log().mean()
