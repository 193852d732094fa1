"""Gramarye's own presets: coarse to fine, balanced, so that a weight means the same on every network and size."""

from __future__ import annotations

from gramarye.presets.record import Preset
from gramarye.settings import Settings

# Tuned by looking, on a dozen pairs with both networks. Beside Gatys' layers, relu3_2 keeps faces and small things, and
# so does weighing the photograph's edges more than its plain parts, which the painting then has for itself; relu1_2
# and relu2_2 keep fine texture from turning into beads, and the chroma term takes away coloured speckle. Each size
# begins with the photograph's details that the one before was too small for: the objective is lower and faces are kept.
# After 150 evaluations instead of 120, in a quarter more time, it is 8 % lower (six pairs, with lite).
DEFAULT = Settings().with_(
    **{
        "steps": 120,
        "scales.shares": (0.5, 0.32, 0.18),
        "scales.detail": 1.0,
        "content.layers": ("relu3_2", "relu4_2"),
        "content.layer_weights": (0.3, 0.7),
        "content.detail": 15.0,
        "style.layers": ("relu1_1", "relu1_2", "relu2_1", "relu2_2", "relu3_1", "relu4_1", "relu5_1"),
        "style.weight": 30.0,
        "smoothness.weight": 4.0,
        "smoothness.chroma": 80.0,
        "smoothness.box": 10.0,
    }
)

OWN: dict[str, Preset] = {
    "default": Preset(DEFAULT, "Gramarye's own: coarse to fine, balanced at the start"),
    "draft": Preset(
        DEFAULT.with_(size=384, steps=100),
        "Gramarye's own: the default in a few seconds",
    ),
    "fast": Preset(
        DEFAULT.with_(**{"init": "fast", "steps": 20, "scales.count": 1, "scales.shares": ()}),
        "Gramarye's own: the picture of a feed-forward network, and a few evaluations of the default on it",
    ),
    "large": Preset(
        DEFAULT.with_(**{"size": 1536, "steps": 200, "scales.count": 4, "scales.shares": (0.4, 0.3, 0.2, 0.1)}),
        "Gramarye's own: the default for a print",
    ),
}
