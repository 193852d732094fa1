"""Network weights: where they come from, fetching and importing them, and which file is used.

`load()` gives the weights of the best network on this machine. Nothing is imported until it is used, and
looking at `SOURCES` needs no torch.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from gramarye.weights.download import Progress, fetch
    from gramarye.weights.importing import Weights, convert, read
    from gramarye.weights.places import embedded, find, folder
    from gramarye.weights.sources import (
        CONVENTIONS,
        LITE,
        OXFORD,
        OXFORD_RGB,
        SOURCES,
        TORCHVISION,
        InputConvention,
        Source,
        convention_named,
        source,
    )
    from gramarye.weights.store import (
        Choice,
        choose,
        content_digest,
        import_file,
        load,
        verify,
        write,
    )
    from gramarye.weights.units import UNITS, unit_factors

_HOMES = {
    "download": ("Progress", "fetch"),
    "importing": ("Weights", "convert", "read"),
    "places": ("embedded", "find", "folder"),
    "sources": (
        "CONVENTIONS",
        "LITE",
        "OXFORD",
        "OXFORD_RGB",
        "SOURCES",
        "TORCHVISION",
        "InputConvention",
        "Source",
        "convention_named",
        "source",
    ),
    "store": (
        "Choice",
        "choose",
        "content_digest",
        "import_file",
        "load",
        "verify",
        "write",
    ),
    "units": ("UNITS", "unit_factors"),
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}

__all__ = [
    "CONVENTIONS",
    "LITE",
    "OXFORD",
    "OXFORD_RGB",
    "SOURCES",
    "TORCHVISION",
    "UNITS",
    "Choice",
    "InputConvention",
    "Progress",
    "Source",
    "Weights",
    "choose",
    "content_digest",
    "convention_named",
    "convert",
    "embedded",
    "fetch",
    "find",
    "folder",
    "import_file",
    "load",
    "read",
    "source",
    "unit_factors",
    "verify",
    "write",
]


def __getattr__(name: str) -> Any:
    """Import a public name from the module that defines it."""
    if name not in _HOME_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_HOME_OF[name]}"), name)


def __dir__() -> list[str]:
    return sorted(__all__)
