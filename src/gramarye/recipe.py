"""How a recipe travels inside a picture: JSON in an iTXt chunk of a PNG, in XMP elsewhere.

The recipe is what `gramarye replay` needs to paint the picture again. It is written as ASCII JSON
(other characters as \\u escapes), so that no program's idea of encodings can spoil it. This module
makes and reads the text; images.py puts it into files.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any
from xml.sax.saxutils import escape, unescape

from gramarye.errors import ImageError

KEYWORD = "gramarye"  # of the iTXt chunk, and the prefix in XMP
NAMESPACE = "urn:gramarye:recipe:1"
# A JPEG marker segment counts 65535 bytes including its length and XMP's own header of 29 bytes.
JPEG_XMP_LIMIT = 65535 - 2 - len("http://ns.adobe.com/xap/1.0/\0")
_QUOTES = {'"': "&quot;", "'": "&apos;", "\n": "&#10;"}
_PATTERN = re.compile(
    r"gramarye:recipe\s*=\s*(?:\"(?P<double>[^\"]*)\"|'(?P<single>[^']*)')"
    r"|<gramarye:recipe[^>]*>(?P<element>[^<]*)</gramarye:recipe>"
)


def to_text(recipe: Mapping[str, Any]) -> str:
    """`recipe` as one line of ASCII JSON, keys in their given order.

    Raises ImageError when it holds what JSON cannot (an object, NaN, an infinity).
    """
    try:
        return json.dumps(dict(recipe), allow_nan=False, separators=(",", ":"))
    except (TypeError, ValueError, RecursionError) as error:
        remedy = "give it plain dicts, lists, strings, finite numbers, booleans and None"
        raise ImageError("a recipe must be expressible as JSON", error, remedy) from error


def from_text(text: str, name: str) -> dict[str, Any]:
    """The recipe in `text`; raises ImageError, naming the picture `name`, when it is damaged."""
    try:
        recipe = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise _damaged(name, error) from error
    if not isinstance(recipe, dict):
        raise _damaged(name, f"a {type(recipe).__name__}")
    return recipe


def _damaged(name: str, what: object) -> ImageError:
    remedy = "use the picture as Gramarye wrote it"
    return ImageError("the recipe inside a picture must be a JSON object", f"{what} in {name}", remedy)


def to_xmp(text: str) -> bytes:
    """An XMP packet that holds `text` as the property gramarye:recipe."""
    value = escape(text, _QUOTES)
    packet = (
        '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>'
        '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
        f'<rdf:Description rdf:about="" xmlns:gramarye="{NAMESPACE}" gramarye:recipe="{value}"/>'
        '</rdf:RDF></x:xmpmeta><?xpacket end="w"?>'
    )
    return packet.encode()


def from_xmp(packet: bytes) -> str | None:
    """The text that `to_xmp` put into a packet, also after other programs have rewritten it.

    A pattern rather than an XML parser: nothing in a stranger's file is expanded or fetched.
    """
    match = _PATTERN.search(packet.decode("utf-8", errors="replace"))
    if match is None:
        return None
    value = next(group for group in match.groups() if group is not None)
    entities = {entity: character for character, entity in _QUOTES.items()}
    return unescape(value, {**entities, "&#xA;": "\n", "&#34;": '"', "&#39;": "'"})
