"""Records of studies that nobody painted: what the statistics and the report are tested with."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gramarye.settings import KNOBS, Settings
from gramarye.study.record import Pair, Record, Trial


def trial(
    number: int,
    levels: Mapping[str, Any],
    *,
    pair: str = "dancer",
    replicate: int = 0,
    group: str = "weights",
    base: Settings | None = None,
) -> Trial:
    """A trial of a pair whose pictures do not exist."""
    knobs = {name: value for name, value in levels.items() if name in KNOBS}
    settings = (base or Settings()).with_(seed=replicate, **knobs)
    pictures = Pair(pair, f"{pair}.png", f"{pair}-style.png")
    return Trial(number, group, pictures, dict(levels), settings, "default", replicate, f"{number:064x}")


def record(number: int, levels: Mapping[str, Any], scores: Mapping[str, float], **known: Any) -> Record:
    """A finished record; `known` are those of `trial` and of Record."""
    made = {name: known.pop(name) for name in ("pair", "replicate", "group", "base") if name in known}
    state = known.pop("state", "done")
    return Record(trial(number, levels, **made), state, dict(scores), **known)
