"""Plain data, as JSON has it."""

from __future__ import annotations

import math
from typing import Any


def finite(plain: Any) -> Any:
    """The same data with None for every number that is not finite; keys become text, tuples lists."""
    if isinstance(plain, dict):
        return {str(key): finite(value) for key, value in plain.items()}
    if isinstance(plain, (list, tuple)):
        return [finite(value) for value in plain]
    return None if isinstance(plain, float) and not math.isfinite(plain) else plain
