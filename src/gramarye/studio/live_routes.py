"""Films over HTTP: one small frame after the other comes in as a JPEG, and goes out painted."""

from __future__ import annotations

import asyncio
import re

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from gramarye.studio.live import KINDS, Wish
from gramarye.studio.refusals import Refusal, TooLarge
from gramarye.studio.studio import Studio

MAX_BYTES = 1_000_000  # of a frame
FILM = re.compile(r"[0-9a-f-]{1,40}")


def routes(studio: Studio) -> list[Route]:
    """The one address of live films: POST /api/live/PAINTING?strength=0.8&film=NAME, or with still=1."""

    async def frame(request: Request) -> Response:
        wish = _wish(request)
        asked = studio.live.ask(await _body(request), wish)
        shown = await asyncio.wrap_future(asked)
        timing = f"wait;dur={1000 * shown.waited:.1f}, paint;dur={1000 * shown.painting:.1f}"  # milliseconds
        return Response(shown.data, media_type=KINDS[wish.still], headers={"Server-Timing": timing})

    return [Route("/api/live/{painting}", frame, methods=["POST"])]


def _wish(request: Request) -> Wish:
    """What the address asks for; raises Refusal."""
    film = request.query_params.get("film")
    if film is not None and not FILM.fullmatch(film):
        raise Refusal("a film's name is letters from a to f, figures and hyphens", repr(film[:40]))
    still = request.query_params.get("still") == "1"
    return Wish(request.path_params["painting"], _strength(request.query_params.get("strength", "1")), film, still)


def _strength(text: str) -> float:
    try:
        strength = float(text)
    except ValueError:
        strength = -1.0
    if not 0 <= strength <= 1:  # nor is NaN
        raise Refusal("a film's strength is a number from 0 to 1", repr(text[:40]))
    return strength


async def _body(request: Request) -> bytes:
    """The frame; raises TooLarge by what is announced, or by what really comes."""
    said = request.headers.get("content-length", "")
    _check(int(said) if said.isdecimal() else 0)
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        _check(len(body))
    return bytes(body)


def _check(count: int) -> None:
    if count > MAX_BYTES:
        rule = f"a frame may have at most {MAX_BYTES // 1_000_000} MB"
        raise TooLarge(rule, f"{count / 1e6:.1f} MB", "send it smaller")
