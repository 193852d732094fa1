"""What a preset is, and the settings that reproductions of an original have in common."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from gramarye.settings import Settings


@dataclass(frozen=True)
class Preset:
    """Settings with where they come from, and precisely what they do otherwise than there.

    Every knob refers to the units that `network.units` names: whose activations' size the weights are for.
    """

    settings: Settings
    source: str
    departures: tuple[str, ...] = ()

    @property
    def units(self) -> str:
        """Whose activations' size the weights were tuned for: own, oxford, torchvision or normalised."""
        return self.settings.network.units


GATYS_LAYERS = ("relu1_1", "relu2_1", "relu3_1", "relu4_1", "relu5_1")
GATYS_WIDTHS = (64, 128, 256, 512, 512)

UNITS_ESTIMATED = (
    "on another network than torchvision's the size of its activations is an estimate, a hundredth of Oxford's, "
    "until vgg19-torchvision has been imported"
)

# What originals do unless they say otherwise: one size, weights as they are, the photograph as the start, zero
# padding, max pooling, single precision, and a hundred steps in the memory of L-BFGS, which is torch's default.
ORIGINAL = Settings().with_(
    **{
        "balance": "raw",
        "init": "content",
        "precision": "float32",
        "network.pooling": "max",
        "network.padding": "zeros",
        "content.layers": ("relu4_2",),
        "content.reduction": "mean",
        "style.layers": GATYS_LAYERS,
        "style.layer_weights": (1.0, 1.0, 1.0, 1.0, 1.0),
        "optimizer.history": 100,
        "scales.count": 1,
        "scales.shares": (),
    }
)


def original(**knobs: Any) -> Settings:
    """What originals have in common, with some knobs changed: `original(steps=500)`."""
    return ORIGINAL.with_(**knobs)
