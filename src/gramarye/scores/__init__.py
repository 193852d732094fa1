"""Scores that need no other pretrained network: how much of the photograph is kept, how much of the painting taken.

A loss says how far an optimisation came with what it minimised; it cannot be compared across statistics, distances,
layers or weights, and a low one need not look well. A score is the same function of three pictures for every
painting. Those that look through a network are named with it, "cfsd@vgg19-lite", since another network gives other
numbers; they look through the published one: max pooling, zero padding, single precision.

The records of the scores are there at once; what measures needs torch and is imported when it is first used.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from gramarye.scores.records import SCORES, ScoreRecord, comparable, held_out, record

if TYPE_CHECKING:
    from gramarye.scores.measures import (
        color_distance,
        detail_lost,
        log_chroma_histogram,
        relative_difference,
        self_similarity_divergence,
        structural_similarity,
    )
    from gramarye.scores.scorer import Scorer, networks, score

_MEASURING = {
    **dict.fromkeys(("Scorer", "networks", "score"), "scorer"),
    **dict.fromkeys(("color_distance", "detail_lost", "log_chroma_histogram"), "measures"),
    **dict.fromkeys(("relative_difference", "self_similarity_divergence", "structural_similarity"), "measures"),
}

__all__ = [
    "SCORES",
    "ScoreRecord",
    "Scorer",
    "color_distance",
    "comparable",
    "detail_lost",
    "held_out",
    "log_chroma_histogram",
    "networks",
    "record",
    "relative_difference",
    "score",
    "self_similarity_divergence",
    "structural_similarity",
]


def __getattr__(name: str) -> Any:
    if name not in _MEASURING:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"gramarye.scores.{_MEASURING[name]}"), name)
