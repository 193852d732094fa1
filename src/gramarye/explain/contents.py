"""The table of contents of an explanation: which sections there are, how deep and how large."""

from __future__ import annotations

# In the order of the story. Each is a module of this package with `explain(subject, depth) -> Work[Section]`.
SECTIONS = (
    "ledger",
    "content",
    "textures",
    "features",
    "gram",
    "shuffling",
    "attribution",
    "ablation",
    "landscape",
    "visualization",
    "mathematics",
    "kernels",
)
DEPTHS = ("quick", "full")
SIZES = {"quick": 256, "full": 512}  # of the painting that is explained, unless the settings say otherwise
