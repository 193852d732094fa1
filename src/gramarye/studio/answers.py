"""JSON in and out: numbers that JSON has not are null, and what comes in must be an object of a sensible size."""

from __future__ import annotations

import json
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse

from gramarye.plain import finite
from gramarye.studio.refusals import Refusal


def text_of(plain: Any) -> str:
    """One line of JSON in ASCII, in which NaN and infinities are null."""
    try:
        return json.dumps(plain, allow_nan=False, separators=(",", ":"))
    except ValueError:
        return json.dumps(finite(plain), allow_nan=False, separators=(",", ":"))


class Answer(JSONResponse):
    """A JSON response."""

    def render(self, content: Any) -> bytes:
        """The bytes of the body."""
        return text_of(content).encode("ascii")


async def asked(request: Request) -> dict[str, Any]:
    """The JSON object in the body of a request; raises Refusal when there is none."""
    try:
        found = json.loads(await request.body())
    except (ValueError, RecursionError) as error:
        raise Refusal("a request must be JSON", str(error)[:80]) from error
    if not isinstance(found, dict):
        raise Refusal("a request must be a JSON object", type(found).__name__)
    return found
