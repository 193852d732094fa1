"""Figures and pages; draws what others have computed."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gramarye.explain.story import Explanation


def write(explanation: Explanation, directory: str | Path) -> Path:
    """Write the report of an explanation into a folder and return the path of its page; see `explanation.write`."""
    from gramarye.report import explanation as composing

    return composing.write(explanation, directory)
