"""See what the network sees, and why each stroke is there.

    explanation = gramarye.explain("photo.jpg", "painting.jpg")
    explanation.sections["attribution"].findings

Each section computes and returns a plain dataclass (`section.Section`); `gramarye.report` draws them. Sections that
take a while are generators that yield the fraction done (`pulling.Work`). Importing this imports no torch; the names
below are resolved when they are first used.
"""

from __future__ import annotations

import importlib
import sys
from types import ModuleType
from typing import TYPE_CHECKING, Any

from gramarye.explain.contents import DEPTHS, SECTIONS

if TYPE_CHECKING:
    from gramarye.explain.section import Section
    from gramarye.explain.story import Explanation, Progress, explain_steps
    from gramarye.explain.subject import Subject
    from gramarye.pulling import Work, finish

_HOMES = {
    "Explanation": "gramarye.explain.story",
    "Progress": "gramarye.explain.story",
    "Section": "gramarye.explain.section",
    "Subject": "gramarye.explain.subject",
    "Work": "gramarye.pulling",
    "explain_steps": "gramarye.explain.story",
    "finish": "gramarye.pulling",
}

__all__ = [
    "DEPTHS",
    "SECTIONS",
    "Explanation",
    "Progress",
    "Section",
    "Subject",
    "Work",
    "explain_steps",
    "finish",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(_HOMES[name]), name)


class _Explain(ModuleType):
    """This package, which may also be called: `gramarye.explain(content, style)` is `story.explain`."""

    def __call__(self, *arguments: Any, **named: Any) -> Any:
        from gramarye.explain.story import explain

        return explain(*arguments, **named)


sys.modules[__name__].__class__ = _Explain
