"""What the page offers: presets, knobs and layers, in plain words. Ranges are those that are of use."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from gramarye import layers, presets
from gramarye.settings import KNOBS, Settings
from gramarye.studio.faders import BLOCKS

LARGEST, LONGEST = 2048, 5000  # size in pixels and evaluations of a run
PRESETS = {
    "draft": ("Draft", "A quick look, in a few seconds to a minute."),
    "default": ("Default", "Good for the screen."),
    "large": ("Large", "Good for a print; takes many times as long."),
}
ASPECT = 0.75  # of a photograph, where its size is not known yet


@dataclass(frozen=True)
class Offer:
    """How a knob is offered; `low` and `high` None: as the settings have it."""

    title: str
    help: str
    kind: str = "other"  # content, style or other
    low: float | None = None
    high: float | None = None


KNOB_OFFERS = {
    "strength": Offer("Strength", "How far from the photograph to go: 0 is the photograph, 1 is usual, 2 is far."),
    "content.weight": Offer("Content", "How much of the photograph's forms is kept.", "content", 0.05, 20),
    "style.weight": Offer("Style", "How much of the painting's manner is taken on.", "style", 0.5, 2000),
    "style.layer_weights": Offer(
        "Style by depth",
        "How much each depth of the network counts for the style: fine texture first, large shapes last. 1 is usual.",
        "style",
        0,
        4,
    ),
    "style.scale": Offer(
        "Brush size", "How large the painting is beside the picture: a larger one has larger strokes.", "style", 0.25, 2
    ),
    "smoothness.weight": Offer("Smoothness", "How much grain is smoothed away.", "other", 0.1, 200),
    "color": Offer("Colours", "The painting's colours, or those of the photograph, kept in one of five ways."),
    "init": Offer("Start", "What the first picture is.", "content"),
    "size": Offer("Size", "The long side of the picture in pixels.", "other", 128, LARGEST),
    "steps": Offer("Steps", "How many times the picture is improved.", "other", 10, LONGEST),
    "seed": Offer("Seed", "Another number gives other noise.", "other", 0, 9999),
    "optimizer.name": Offer("Optimiser", "How the picture is improved: lbfgs is the quickest to a good picture."),
}
BLOCK_HELP = (
    "edges and colours",
    "corners, simple textures",
    "patterns, strokes",
    "parts of things, large forms",
    "whole things and their arrangement",
)


def preset_infos(speed: float | None = None) -> list[dict[str, Any]]:
    """The presets as `PresetInfo` in types.ts; `speed` is seconds for a million pixels evaluated once, if known."""
    return [
        {
            "name": name,
            "title": title,
            "help": text,
            "size": presets.preset(name).size,
            "steps": presets.preset(name).steps,
            "seconds": estimate(presets.preset(name), speed),
        }
        for name, (title, text) in PRESETS.items()
    ]


def estimate(settings: Settings, speed: float | None, aspect: float = ASPECT) -> float | None:
    """About how many seconds a painting takes; None where the speed is not known."""
    return None if speed is None else round(speed * effort(settings, aspect), 1)


def effort(settings: Settings, aspect: float = ASPECT) -> float:
    """Millions of pixels times evaluations: Σ over the scales k of (size/factorᵏ)² · aspect · its evaluations."""
    scales, kept = settings.scales, []
    for k in reversed(range(scales.count)):
        side = settings.size / scales.factor**k
        if side >= scales.smallest or k == 0:
            kept.append(side)
    shares = (scales.shares or (1.0,) * scales.count)[-len(kept) :]
    of_one = sum(share * side * side for share, side in zip(shares, kept, strict=True)) / sum(shares)
    return of_one * aspect * settings.steps / 1e6


def knob_infos() -> list[dict[str, Any]]:
    """The knobs as `Knob` in types.ts, with the values of the default preset."""
    return [_knob(name, offer) for name, offer in KNOB_OFFERS.items()]


def _knob(name: str, offer: Offer) -> dict[str, Any]:
    knob, faders = KNOBS[name], name == "style.layer_weights"
    low = knob.low if offer.low is None else offer.low
    return {
        "name": name,
        "title": offer.title,
        "help": offer.help,
        "kind": offer.kind,
        "value": [1.0] * BLOCKS if faders else presets.DEFAULT.get(name),
        "low": low,
        "high": knob.high if offer.high is None else offer.high,
        "log": (knob.log or name == "size") and bool(low),
        "choices": [choice for choice in knob.choices if choice != "file"],
        "live": knob.live,
    }


def layer_infos(network: str = "vgg19-lite") -> list[dict[str, Any]]:
    """The ReLU layers of a network as `LayerInfo` in types.ts, from the input on."""
    style, content = presets.DEFAULT.style.layers, presets.DEFAULT.content.layers
    return [
        {
            "name": layer.name,
            "block": int(layer.name[4]),
            "channels": layer.width,
            "stride": layer.stride,
            "field": layer.receptive_field,
            "help": f"Block {layer.name[4]}: {BLOCK_HELP[int(layer.name[4]) - 1]}. "
            f"Each unit sees {layer.receptive_field} × {layer.receptive_field} pixels.",
            "style": layer.name in style,
            "content": layer.name in content,
        }
        for layer in layers.table(network).values()
        if layer.kind == "relu"
    ]
