"""The bundled photograph and the bundled paintings.

The paintings were painted by this project's own `training/paint_styles.py` (see STYLES.md); the photograph is
the portrait of Grace Hopper that matplotlib ships (US Navy, public domain).
"""

from __future__ import annotations

from pathlib import Path


def photograph() -> Path:
    """Grace Hopper's portrait, 512×606, from matplotlib's sample data."""
    from matplotlib import get_data_path

    return Path(get_data_path()) / "sample_data" / "grace_hopper.jpg"


def styles() -> tuple[Path, ...]:
    """The bundled paintings in alphabetical order."""
    return tuple(sorted(Path(__file__).parent.glob("*.jpg")))
