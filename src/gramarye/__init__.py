"""Neural style transfer that you can see through.

    from gramarye import stylize, preset
    stylize("photo.jpg", "painting.jpg", preset("default").with_(size=768)).save("out.png")

Importing this package imports no torch; the names below are resolved when they are first used.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

if TYPE_CHECKING:
    from gramarye.errors import GramaryeError
    from gramarye.explain.story import explain
    from gramarye.objective import Objective, Term
    from gramarye.optimize import Step
    from gramarye.presets import preset
    from gramarye.result import Result
    from gramarye.settings import Settings
    from gramarye.transfer import measure, stylize, stylize_steps
    from gramarye.vgg import VGG

_HOMES = {
    "VGG": "vgg",
    "GramaryeError": "errors",
    "Objective": "objective",
    "Result": "result",
    "Settings": "settings",
    "Step": "optimize",
    "Term": "objective",
    "measure": "transfer",
    "preset": "presets",
    "stylize": "transfer",
    "stylize_steps": "transfer",
}

__all__ = [
    "VGG",
    "GramaryeError",
    "Objective",
    "Result",
    "Settings",
    "Step",
    "Term",
    "explain",
    "measure",
    "preset",
    "stylize",
    "stylize_steps",
]


def __getattr__(name: str) -> Any:
    if name == "explain":  # the package, which may be called
        return importlib.import_module("gramarye.explain")
    if name not in _HOMES:
        raise AttributeError(f"module 'gramarye' has no attribute {name!r}")
    return getattr(importlib.import_module(f"gramarye.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return sorted([*__all__, "__version__"])
