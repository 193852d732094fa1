"""The knobs of what binds a painted frame to those before it."""

from __future__ import annotations

from dataclasses import dataclass

from gramarye.knobs import Group, knob


@dataclass(frozen=True)
class TemporalSettings(Group):
    """How a frame follows from those before it."""

    prefix = "temporal."

    weight: float = knob(
        5.0,
        "optimised: weight γ of the temporal terms, relative to the style terms at the photograph",
        low=0,
        high=1e6,
        log=True,
    )
    steps: int = knob(
        100,
        "optimised: evaluations for each frame that begins as the one before, at most as many as for the first",
        low=0,
        high=1_000_000,
        log=True,
    )
    blend: float = knob(
        0.95, "fast: share of the painted frame before, where both photographs show the same", low=0, high=0.98
    )
    tolerance: float = knob(
        0.15,
        "fast: difference of two photographs, white being 1, at which that share has fallen to a third",
        low=1e-3,
        high=1,
    )
