"""Strength: one slider from the photograph (0) over what the weights say (1) to much further (2).

Below 1 everything but content is weighed less and the start lies nearer the photograph (what binds a frame of a film
to those before it stays); above 1 content is weighed less, and smoothness a little less, which would hold back the
painting's texture. At 0 nothing is painted: the photograph stays.
"""

from __future__ import annotations

from dataclasses import replace

from gramarye.objective import Objective

POWER = 4.0  # chosen so that equal steps of the slider look alike
FURTHER = 15.0  # times less content at 2


def factor(kind: str, strength: float) -> float:
    """The factor on terms of this kind (content, style, tv, box, temporal) at a strength s of 0 … 2; 1 at s = 1.

    content     1 up to s = 1, 15^(1−s) above
    temporal    1
    tv          s⁴ up to s = 1, 15^((1−s)/2) above
    others      s⁴ up to s = 1, 1 above
    """
    if strength <= 1:
        return 1.0 if kind in ("content", "temporal") else strength**POWER
    less = {"content": 1.0, "tv": 0.5}.get(kind, 0.0)
    return float(FURTHER ** (less * (1 - strength)))


def strengthened(objective: Objective, strength: float) -> Objective:
    """The same objective with each term's weight multiplied by its factor; at 1 it is the objective itself."""
    terms = (term.weighted_by(factor(term.kind, strength)) for term in objective.terms)
    return objective if strength == 1 else replace(objective, terms=tuple(terms))
