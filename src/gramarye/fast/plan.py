"""How a painter is trained: what is asked for, checked."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from gramarye import images, presets
from gramarye.errors import SettingsError, unknown_name
from gramarye.fast.losses import PLAIN
from gramarye.fast.photographs import CROP, LONG
from gramarye.fast.training import BATCH, RATE
from gramarye.settings import KNOBS, Settings

KINDS = ("many", "any")
STEPS = 7000
SIZE = 512  # px, the long side of paintings
MOST_STEPS = 10_000_000
MOST_RATE = 1.0
RANGES = {"steps": (1, MOST_STEPS), "batch": (1, 256), "crop": (32, LONG), "size": (images.SMALLEST_SIDE, 4096)}
KNOWN = (  # knobs that decide what is learned; those of PLAIN have but one value
    *("content.weight", "content.layers", "content.layer_weights", "content.detail"),
    *("style.weight", "style.layers", "style.layer_weights"),
    *(name for name in KNOBS if name.startswith(("smoothness.", "network."))),
    *("seed", "precision"),
)


@dataclass(frozen=True)
class Plan:
    """How a painter is trained: of `many` styles or of `any`, under the objective of `settings`; sizes are in px.

    `size` is the long side of the paintings. With `hours` as many steps are made as fit into them, else `steps`.
    `start` is the network to start from: "many", "any" or a file; without it convolutions are drawn at random. `rate`
    is that of the largest steps. `sizes` are a Painter's own, if it starts from nothing. Raises SettingsError.
    """

    kind: str = "many"
    settings: Settings = field(default_factory=lambda: presets.DEFAULT.with_(**{"network.name": "vgg19-lite"}))
    preset: str = "default"
    steps: int = STEPS
    batch: int = BATCH
    crop: int = CROP
    size: int = SIZE
    hours: float | None = None
    start: str | Path | None = None
    rate: float = RATE
    sizes: Mapping[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise SettingsError(*unknown_name("kind of painter", self.kind, KINDS))
        for name, (least, most) in RANGES.items():
            if not least <= getattr(self, name) <= most:
                raise SettingsError(f"{name} must lie in {least} … {most}", getattr(self, name))
        if self.hours is not None and not (self.hours > 0 and math.isfinite(self.hours)):
            raise SettingsError("hours must be positive", f"{self.hours:g}")
        if not 0 < self.rate <= MOST_RATE:
            raise SettingsError(f"rate must lie above 0, at most {MOST_RATE:g}", f"{self.rate:g}")

    def objective(self) -> dict[str, Any]:
        """The knobs of the objective, as JSON has them."""
        values = {name: self.settings.get(name) for name in KNOWN}
        return {name: list(value) if isinstance(value, tuple) else value for name, value in values.items()}


def check_knobs(names: Iterable[str]) -> None:
    """Raises SettingsError for a knob that has no part in training; one that does not exist is not looked at."""
    for name in names:
        if name in KNOBS and name not in (*KNOWN, *PLAIN):
            rule = "only knobs of the objective have a part in training"
            raise SettingsError(rule, name, f"known: {', '.join(KNOWN)}")
