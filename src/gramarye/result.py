"""What a painting comes to: the picture, the value of every term, how it came about, and its recipe."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from torch import Tensor

from gramarye import images
from gramarye.optimize import Step
from gramarye.settings import Settings

if TYPE_CHECKING:
    from PIL import Image


@dataclass(frozen=True)
class Result:
    """A finished (or interrupted) painting: `pixels` 1 3 H W, sRGB in [0, 1], and how it came about.

    `terms` are measured at the final picture, in the precision of the network that painted it; `history`
    holds every step without its pixels; `peak_memory` is in bytes.
    """

    pixels: Tensor = field(repr=False)
    alpha: Tensor | None = field(repr=False)
    settings: Settings
    terms: list[dict[str, Any]]
    history: tuple[Step, ...] = field(repr=False)
    seconds: float
    peak_memory: int
    recipe: dict[str, Any] = field(repr=False)
    asked: Mapping[str, tuple[str, str]] = field(default_factory=dict, repr=False)  # kind and layer of earlier terms

    @property
    def image(self) -> Image.Image:
        """The painting as a PIL image, 8 bit, with the photograph's alpha if it had one."""
        return images.to_pil(self.pixels, self._fitting_alpha())

    @property
    def total(self) -> float:
        """The objective at the final picture."""
        return float(sum(term["weighted"] for term in self.terms))

    @property
    def ledger(self) -> list[dict[str, Any]]:
        """One row for each step and term.

        Its columns: step, scale, term, kind, layer, value, weight, weighted, share, gradient, total. `share` is the
        term's part of the total; they sum to 1 at each step. `gradient` is None unless the painting was watched.
        """
        known = {name: {"kind": kind, "layer": layer} for name, (kind, layer) in self.asked.items()}
        known |= {term["name"]: term for term in self.terms}
        return [
            {
                "step": step.index,
                "scale": step.scale,
                "term": name,
                "kind": known[name]["kind"],
                "layer": known[name]["layer"],
                "value": value,
                "weight": step.weights[name],
                "weighted": step.weighted[name],
                "share": step.shares[name],
                "gradient": step.gradients.get(name),
                "total": step.total,
            }
            for step in self.history
            for name, value in step.terms.items()
        ]

    def save(self, path: str | Path, *, bits: int = 8) -> None:
        """Write the painting with its recipe inside; the format follows the suffix. Raises ImageError."""
        images.save(self.pixels, path, recipe=self.recipe, alpha=self._fitting_alpha(), bits=bits)

    def _fitting_alpha(self) -> Tensor | None:
        if self.alpha is None:
            return None
        return images.resize(self.alpha, (self.pixels.shape[2], self.pixels.shape[3]))


@dataclass(frozen=True)
class Measurement:
    """The objective at a picture: one row a term (name, kind, layer, value, weight, weighted) and their total.

    `size` is height and width in pixels.
    """

    network: str
    size: tuple[int, int]
    terms: list[dict[str, Any]]

    @property
    def total(self) -> float:
        """The sum of the weighted values."""
        return float(sum(term["weighted"] for term in self.terms))
