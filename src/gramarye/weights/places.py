"""Where networks lie on this machine: the user's folder, and inside the package. Looking needs no torch."""

from __future__ import annotations

import os
from pathlib import Path

import platformdirs

HOME_VARIABLE = "GRAMARYE_HOME"
EMBEDDED_NETWORK = "vgg19-lite"
FULL_NETWORK = "vgg19"


def home() -> Path:
    """Where Gramarye keeps its things: $GRAMARYE_HOME, or the user's cache; not made by looking."""
    named = os.environ.get(HOME_VARIABLE, "").strip()
    return Path(named).expanduser() if named else platformdirs.user_cache_path("gramarye", appauthor=False)


def folder() -> Path:
    """Where weights are kept."""
    return home() / "weights"


def find(network: str, where: Path | None = None) -> Path | None:
    """The stored weights of `network`, as import and fetch wrote them, or None."""
    path = (where or folder()) / f"{network}.safetensors"
    return path if path.is_file() else None


def embedded() -> Path:
    """The network inside the package, vgg19-lite."""
    return Path(__file__).resolve().parent.parent / "networks" / f"{EMBEDDED_NETWORK}.safetensors"
