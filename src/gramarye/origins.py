"""Where the inputs of a painting came from, as its recipe tells it."""

from __future__ import annotations

import os
from typing import Any

from gramarye.images import Picture

Source = Any  # a path, a PIL image, an array, a tensor or a Picture: whatever images.load accepts
Origin = dict[str, Any]


def origin(source: Source, picture: Picture) -> Origin:
    """The name of an input, the place it was given as (None if it was not a file), and the hash of its file."""
    path = os.fspath(source) if isinstance(source, (str, os.PathLike)) else None
    return {"name": picture.name, "path": path, "sha256": picture.sha256}
