"""The run-time checker of annotations: whole numbers may stand for floats, as PEP 484 has it.

Of each test the first CALLS are checked, which is all that most tests make: to check what a long one does over and
over takes as long as doing it.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from beartype import BeartypeConf, beartype
from jaxtyping import config

CALLS = 1000
_checked = beartype(conf=BeartypeConf(is_pep484_tower=True))


@dataclass
class _Budget:
    left: int = CALLS


_budget = _Budget()


def typechecker(function: Callable[..., Any]) -> Callable[..., Any]:
    """Check a function's calls, until there have been enough of all functions' calls."""
    checked = _checked(function)

    @functools.wraps(function)
    def counted(*arguments: Any, **named: Any) -> Any:
        _budget.left -= 1
        if _budget.left == 0:
            config.update("jaxtyping_disable", True)
        return checked(*arguments, **named)

    return counted


def begin() -> None:
    """Check from now on: a test begins."""
    _budget.left = CALLS
    config.update("jaxtyping_disable", False)
