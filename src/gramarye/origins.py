"""Where the inputs of a painting came from, and where it was painted, as its recipe tells it."""

from __future__ import annotations

import os
import platform
from typing import Any

import torch

from gramarye import machine
from gramarye.images import Picture

Source = Any  # a path, a PIL image, an array, a tensor or a Picture: whatever images.load accepts
Origin = dict[str, Any]


def origin(source: Source, picture: Picture) -> Origin:
    """The name of an input, the place it was given as (None if it was not a file), and the hash of its file."""
    path = os.fspath(source) if isinstance(source, (str, os.PathLike)) else None
    return {"name": picture.name, "path": path, "sha256": picture.sha256}


def surroundings(device: torch.device, dtype: torch.dtype) -> dict[str, Any]:
    """The machine and the versions of what painted, in the precision `dtype`."""
    return {
        "machine": {
            "device": str(device),
            "precision": str(dtype).removeprefix("torch."),
            "threads": torch.get_num_threads(),
            "processor": machine.processor_name(),
        },
        "versions": {"python": platform.python_version(), "torch": torch.__version__},
    }
