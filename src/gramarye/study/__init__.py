"""Controlled experiments: plan, run, store, score, compare, tune.

import gramarye.study
records = gramarye.study.run("plan.toml", store="DIR")
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from gramarye.study.running import run

__all__ = ["run"]


def __getattr__(name: str) -> Any:
    if name != "run":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from gramarye.study.running import run

    return run
