"""The run-time checker of annotations: whole numbers may stand for floats, as PEP 484 has it.

A test's first CALLS are checked, which is all of most tests: what a long one does over and over costs twice its time.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from beartype import BeartypeConf, beartype
from jaxtyping import config

CALLS = 1000
made = 0


def typechecker(function: Callable[..., Any]) -> Callable[..., Any]:
    """Check a function's calls until there have been enough of all functions' calls."""
    checked = beartype(conf=BeartypeConf(is_pep484_tower=True))(function)

    @functools.wraps(function)
    def counted(*arguments: Any, **named: Any) -> Any:
        global made
        made += 1
        if made == CALLS:
            config.update("jaxtyping_disable", True)
        return checked(*arguments, **named)

    return counted


def begin() -> None:
    """Check again: the next test begins."""
    global made
    made = 0
    config.update("jaxtyping_disable", False)
