"""The page of an explanation: what it is made of, and one self-contained HTML file of it.

Everything on it is inside it: styles, script, pictures. A content security policy forbids it to fetch anything.
"""

from __future__ import annotations

import base64
import hashlib
import math
from dataclasses import dataclass, field
from functools import partial
from importlib import resources
from typing import TYPE_CHECKING, Any

import gramarye
from gramarye.report import marking
from gramarye.report.figures import Figure
from gramarye.report.words import GLOSSARY

if TYPE_CHECKING:
    from markupsafe import Markup

_RAISED = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


@dataclass(frozen=True)
class Shot:
    """One picture of a page: a data URI, what stands under it, and its size in pixels."""

    source: str = field(repr=False)
    caption: str
    width: int
    height: int
    kind: str = ""  # content or style, if it is one of them


@dataclass(frozen=True)
class Reel:
    """Pictures that follow each other, to be wound through: at each moment one or several side by side."""

    title: str
    caption: str
    moments: tuple[str, ...]
    shots: tuple[tuple[Shot, ...], ...]  # one tuple for each moment


@dataclass(frozen=True)
class Asked:
    """One row of what was asked: a term at the result, and its part of the total, 0 to 1."""

    name: str
    kind: str
    layer: str
    value: float
    weight: float
    weighted: float
    share: float


@dataclass(frozen=True)
class Bar:
    """A layer as it stands in the drawing of the network: `x`, `width`, `height` in its units."""

    name: str
    kinds: tuple[str, ...]  # content, style, both or none
    tells: str
    x: float
    width: float
    height: float


@dataclass(frozen=True)
class Chapter:
    """One section of the page."""

    name: str
    title: str
    opening: str
    findings: tuple[str, ...]
    figures: tuple[Figure, ...]
    reels: tuple[Reel, ...]
    command: str
    code: str
    seconds: float


@dataclass(frozen=True)
class Page:
    """The whole page; texts are plain, whatever is in them is shown and never obeyed."""

    title: str
    content: Shot
    styles: tuple[Shot, ...]
    result: Shot
    before: Shot  # the photograph in the result's shape
    facts: tuple[tuple[str, str], ...]
    asked: tuple[Asked, ...]
    network: str
    bars: tuple[Bar, ...]
    reels: tuple[Reel, ...]  # how the result came about
    chapters: tuple[Chapter, ...]
    missing: tuple[tuple[str, str], ...]  # titles of sections that are not there, and why
    command: str
    files: tuple[tuple[str, str], ...]  # beside the page: name, and what it is
    unfinished: str = ""  # why the story ends early, if it does


def render(page: Page) -> str:
    """The page as one HTML file."""
    return rendered(
        "page.html.j2",
        page.title,
        script=_part("page.js"),
        page=page,
        glossary={term: text for term, (_, text) in sorted(GLOSSARY.items(), key=lambda each: each[0].lower())},
        explaining=_explaining,
    )


def rendered(template: str, title: str, *, script: str = "", **given: Any) -> str:
    """A template of this package, which extends frame.html.j2, with what it is given, as one HTML file.

    Texts are plain: whatever is in them is shown and never obeyed.
    """
    from jinja2 import Environment, FunctionLoader, StrictUndefined

    environment = Environment(
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        loader=FunctionLoader(_part),
    )
    environment.filters |= {"number": number, "anchor": marking.anchor, "marked": marking.marked}
    return environment.get_template(template).render(
        title=title,
        version=gramarye.__version__,
        style=_trusted(_part("page.css")),
        script=_trusted(script),
        policy=_policy(script),
        **given,
    )


def _explaining() -> partial[Markup]:
    """A filter that explains each term where it first comes up; a new one for each chapter."""
    return partial(marking.marked, explained=set())


def _policy(script: str) -> str:
    """Nothing is fetched; of scripts only the page's own runs, known by its hash."""
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    own = f"; script-src 'sha256-{digest}'" if script else ""
    return f"default-src 'none'; img-src data:; style-src 'unsafe-inline'{own}"


def _trusted(text: str) -> Markup:
    """A part of this package, as it is."""
    from markupsafe import Markup

    return Markup(text)


def _part(name: str) -> str:
    return (resources.files("gramarye.report") / name).read_text(encoding="utf-8")


def number(value: float) -> str:
    """A number as people read it: at most four figures, powers of ten where it is very small or large."""
    if not math.isfinite(value):
        return str(value)
    if value == 0 or 1e-3 <= abs(value) < 1e5:
        return (f"{value:,.4g}" if abs(value) < 1e4 else f"{value:,.0f}").replace(",", "\u202f")
    mantissa, _, exponent = f"{value:.2e}".partition("e")
    return f"{mantissa} × 10{str(int(exponent)).translate(_RAISED)}"
