"""The bundled photograph and the bundled paintings.

The paintings were painted by this project's own `training/paint_styles.py` (see STYLES.md); the photograph is
the portrait of Grace Hopper that matplotlib ships (US Navy, public domain).
"""

from __future__ import annotations

from pathlib import Path

from gramarye.errors import ImageError, unknown_name

PREFIX = "demo:"  # of a bundled picture's name where a file might stand


def photograph() -> Path:
    """Grace Hopper's portrait, 512×606, from matplotlib's sample data."""
    from matplotlib import get_data_path

    return Path(get_data_path()) / "sample_data" / "grace_hopper.jpg"


def styles() -> tuple[Path, ...]:
    """The bundled paintings in alphabetical order."""
    return tuple(sorted(Path(__file__).parent.glob("*.jpg")))


def path_of(name: str) -> Path:
    """The bundled picture of a name: photograph, cubist …; raises ImageError with the nearest known name."""
    paintings = {path.stem: path for path in styles()}
    if name == "photograph":
        return photograph()
    if name not in paintings:
        raise ImageError(*unknown_name("bundled picture", name, ("photograph", *paintings)))
    return paintings[name]
