"""Training a painter: batches of crops, each in a style drawn at random, under the objective of the optimisation.

A generator: whoever pulls it, logs and stops. Its state goes into a checkpoint between two steps.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from gramarye.fast.losses import Losses
from gramarye.fast.painter import Painter
from gramarye.fast.photographs import CROP, Photographs

RATE = 1e-3
LAST_RATE = 0.02  # of the rate, where it ends
WARM = 50  # steps at the beginning over which the rate rises
LARGEST = 5.0  # norm of a gradient: a longer one is shortened
BATCH = 4


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
    """A painter that is being trained, as far as it has come; `paintings` are 1 3 H W, one for each of its styles."""

    painter: Painter
    losses: Losses
    photographs: Photographs
    paintings: Sequence[Tensor]
    steps_in_all: int
    batch: int = BATCH
    crop: int = CROP
    index: int = 0
    _optimizer: torch.optim.Adam = field(init=False)
    _grams: list[Mapping[str, Tensor]] = field(init=False)

    def __post_init__(self) -> None:
        self._optimizer = torch.optim.Adam(self.painter.parameters(), lr=RATE)
        self._grams = [self.losses.grams(painting) for painting in self.paintings]

    def steps(self) -> Iterator[Step]:
        """Train to the end, one Step at a time; stop pulling at any time."""
        while self.index < self.steps_in_all:
            rate = self._rate()
            for group in self._optimizer.param_groups:
                group["lr"] = rate
            values = self._step()
            self.index += 1
            yield Step(self.index, values, rate)

    def _step(self) -> dict[str, float]:
        pictures = self.photographs.batch(self.batch, self.crop)
        styles = torch.randint(len(self._grams), (self.batch,), generator=self.photographs.generator)
        wanted = {
            layer: torch.cat([self._grams[style][layer] for style in styles.tolist()]) for layer in self._grams[0]
        }
        mix = torch.nn.functional.one_hot(styles, len(self._grams)).to(pictures)
        with torch.autocast(pictures.device.type, torch.bfloat16, enabled=self.losses.network.dtype == torch.bfloat16):
            painted = self.painter(pictures, mix)
        values = self.losses.of(painted.float(), pictures, wanted)
        self._optimizer.zero_grad()
        _evened(values).backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(self.painter.parameters(), LARGEST)
        self._optimizer.step()
        return {kind: float(value.detach().mean()) for kind, value in values.items()}

    def _rate(self) -> float:
        """Rising at first, then along half a cosine."""
        warm = min(1.0, (self.index + 1) / WARM)
        along = (1 + math.cos(math.pi * self.index / self.steps_in_all)) / 2
        return RATE * warm * (LAST_RATE + (1 - LAST_RATE) * along)

    def state(self) -> dict[str, Any]:
        """Everything that is needed to go on."""
        return {
            "painter": self.painter.state_dict(),
            "optimizer": self._optimizer.state_dict(),
            "generator": self.photographs.generator.get_state(),
            "index": self.index,
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go on from what `state` has given."""
        self.painter.load_state_dict(state["painter"])
        self._optimizer.load_state_dict(state["optimizer"])
        self.photographs.generator.set_state(state["generator"])
        self.index = state["index"]


def _evened(values: Mapping[str, Tensor]) -> Tensor:
    """Σ ln L over the batch: a picture whose objective is ten times another's does not drown it."""
    total = torch.stack(list(values.values())).sum(0)
    return total.log().mean()
