"""Named settings, each with its source, its units and what it does otherwise than its source.

`own` are Gramarye's, `papers` those of papers, `programs` those of programs that many people use.
"""

from __future__ import annotations

from gramarye.errors import SettingsError, unknown_name
from gramarye.presets.own import DEFAULT, OWN
from gramarye.presets.papers import PAPERS
from gramarye.presets.programs import PROGRAMS
from gramarye.presets.record import Preset
from gramarye.settings import Settings

__all__ = ["DEFAULT", "PRESETS", "Preset", "find", "preset"]

PRESETS: dict[str, Preset] = {**OWN, **PAPERS, **PROGRAMS}


def preset(name: str) -> Settings:
    """The settings of a preset by name; raises SettingsError with the nearest known name."""
    return find(name).settings


def find(name: str) -> Preset:
    """The preset with its source and departures; raises SettingsError with the nearest known name."""
    if name not in PRESETS:
        raise SettingsError(*unknown_name("preset", name, PRESETS))
    return PRESETS[name]
