"""The ledger of a trial as a file: one JSON object that holds the curves by column.

    {"terms": [{"name", "kind", "layer"}…], "step": [1, 2…], "scale": [0, 0…], "total": […],
     "value": {term: […]}, "weighted": {term: […]}}

Numbers are in the order of the steps; a term that a scale does not have is null there. No times: the same painting
gives the same bytes.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from gramarye.result import Result


def columns(result: Result) -> dict[str, Any]:
    """The ledger of a painting by column."""
    names = [term["name"] for term in result.terms]
    return {
        "terms": [{key: term[key] for key in ("name", "kind", "layer")} for term in result.terms],
        "step": [step.index for step in result.history],
        "scale": [step.scale for step in result.history],
        "total": [_short(step.total) for step in result.history],
        "value": {name: [_short(step.terms.get(name)) for step in result.history] for name in names},
        "weighted": {name: [_short(step.weighted.get(name)) for step in result.history] for name in names},
    }


def _short(value: float | None) -> float | None:
    """A number to the nine digits that single precision has at most."""
    return None if value is None else float(f"{value:.9g}")


def to_bytes(result: Result) -> bytes:
    """The file of a painting's ledger."""
    return json.dumps(columns(result), separators=(",", ":")).encode()
