"""Text as HTML: escaped, with layers that light up together, content in blue, style in orange, terms explained."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from gramarye.report.words import GLOSSARY

if TYPE_CHECKING:
    from markupsafe import Markup

# What a text is cut at, the first that fits: layers, the two kinds, the glossary's terms (longest first).
_LAYER = r"\b(?P<layer>(?:conv|relu)\d_\d|pool\d)\b"
_KIND = r"\b(?P<kind>[Cc]ontent|[Ss]tyle)\b"
_TERMS = sorted(GLOSSARY, key=len, reverse=True)
_GROUPS = {f"t{index}": term for index, term in enumerate(_TERMS)}
_TERM = "|".join(rf"\b(?P<{group}>{GLOSSARY[term][0]})\b" for group, term in _GROUPS.items())
_PIECES = re.compile(f"{_LAYER}|{_KIND}|{_TERM}")


def marked(text: str, explained: set[str] | None = None) -> Markup:
    """`text` escaped and marked up.

    A term of the glossary becomes a button that opens its explanation, unless it is in `explained`, to which it
    is added; without `explained`, none does.
    """
    from markupsafe import Markup, escape

    found, at = Markup(), 0
    for piece in _PIECES.finditer(text):
        found += escape(text[at : piece.start()]) + _piece(piece, explained)
        at = piece.end()
    return found + escape(text[at:])


def _piece(piece: re.Match[str], explained: set[str] | None) -> Markup:
    """One layer, kind or term."""
    from markupsafe import Markup, escape

    group, word = str(piece.lastgroup), piece.group()
    if group == "layer":
        return Markup('<span class="layer" data-layer="{0}">{0}</span>').format(word)
    if group == "kind":
        return Markup('<span class="{}">{}</span>').format(word.lower(), word)
    term = _GROUPS[group]
    if explained is None or term in explained:
        return escape(word)
    explained.add(term)
    return Markup('<button type="button" class="word" popovertarget="{}">{}</button>').format(anchor(term), word)


def anchor(term: str) -> str:
    """The id of a term's explanation."""
    return "word-" + re.sub(r"\W+", "-", term.lower())


def layer_of(name: str) -> str:
    """The layer that is named in a term, empty if there is none."""
    found = re.search(_LAYER, name)
    return found["layer"] if found else ""
