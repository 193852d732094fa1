"""The lens over HTTP: /api/runs/ID/lens/… and /api/distance.

Handlers wait for the worker without holding the event loop; who goes away does not cancel what was asked.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable
from functools import partial
from typing import TypeVar

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from gramarye.pulling import Work
from gramarye.studio.questions import Question, layer_named
from gramarye.studio.record import Record
from gramarye.studio.refusals import Refusal, Unknown
from gramarye.studio.studio import Studio

T = TypeVar("T")
Handler = Callable[[Request], Awaitable[Response]]
UNCHANGING = "private, max-age=31536000, immutable"
ASK_AGAIN = "no-cache"
SEEDS = 1000
LARGEST_INDEX = 999_999
NUMBER = re.compile(r"[0-9]{1,6}")


def routes(studio: Studio) -> list[Route]:
    """The addresses of the lens."""
    served, lens, below = _Served(studio), studio.lens, "/api/runs/{run}/lens"
    return [
        Route("/api/distance", served.distance),
        Route(
            f"{below}/pulls/{{index}}.json",
            served.told(lambda request: lens.pulls(served.run(request), _index(request))),
        ),
        Route(f"{below}/{{layer}}/channels.json", served.of_layer(lens.channels)),
        Route(f"{below}/{{layer}}/gram.json", served.of_layer(lens.gram)),
        Route(f"{below}/{{layer}}/pair/{{pair}}.json", served.of_layer(lens.pair, _pair)),
        Route(f"{below}/{{layer}}/shuffle.json", served.of_layer(lens.shuffle, _seed)),
        Route(f"{below}/{{layer}}/rebuilt.json", served.of_layer(lens.rebuilt)),
        Route(f"{below}/{{layer}}/texture.json", served.of_layer(lens.texture, _together)),
        Route(f"{below}/{{layer}}/{{picture}}.webp", served.picture),
    ]


class _Served:
    """The handlers of one studio."""

    def __init__(self, studio: Studio) -> None:
        self.studio, self.lens = studio, studio.lens

    def run(self, request: Request) -> Record:
        """The run that the address names; raises Unknown."""
        return self.studio.runs.get(request.path_params["run"])

    def of_layer(self, ask: Callable[..., Question], *more: Callable[[Request], object]) -> Handler:
        """A handler that answers a question about one layer, put with what `more` read in the request."""

        def asked(request: Request) -> Question:
            layer = layer_named(request.path_params["layer"])
            return ask(self.run(request), layer, *(each(request) for each in more))

        return self.told(asked)

    def told(self, asked: Callable[[Request], Question]) -> Handler:
        """A handler that answers the question that `asked` reads in the request."""

        async def handler(request: Request) -> Response:
            return _json(await self._answer(asked(request)))

        return handler

    async def picture(self, request: Request) -> Response:
        """A picture of an answer, or without one the sheet of channels as it is now."""
        run, layer = self.run(request), layer_named(request.path_params["layer"])
        name, of = request.path_params["picture"], request.query_params.get("of")
        if of is not None:
            return _webp(self.lens.shelf.picture(run.id, f"{layer}.{of}", name), UNCHANGING)
        question = self.lens.channels(run, layer)
        await self._answer(question)
        return _webp(self.lens.newest_picture(question, name), ASK_AGAIN)

    async def distance(self, request: Request) -> Response:
        """How far apart two pictures of the gallery are."""
        one, other = (request.query_params.get(name, "") for name in ("one", "other"))
        for identifier in (one, other):
            self.studio.gallery.path_of(identifier)
        text = self.lens.known_distance(one, other)
        if text is None:
            key = f"/api/distance?one={one}&other={other}"
            text = await self._worked(key, partial(self.lens.distance, one, other), "Comparing two pictures")
        return _json(text.encode())

    async def _answer(self, question: Question) -> bytes:
        ready = self.lens.ready(question)
        if ready is not None:
            return ready
        return await self._worked(question.key, partial(self.lens.answer, question), question.said)

    async def _worked(self, key: str, make: Callable[[], Work[T]], said: str) -> T:
        """What the worker makes of it; whoever stops waiting does not stop the work."""
        return await asyncio.shield(asyncio.wrap_future(self.studio.worker.ask(key, make, said)))


def _json(data: bytes) -> Response:
    return Response(data, media_type="application/json", headers={"Cache-Control": ASK_AGAIN})


def _webp(data: bytes | None, caching: str) -> Response:
    if data is None:
        raise Unknown("the picture must be one that an answer spoke of", "another", "ask for that answer again")
    return Response(data, media_type="image/webp", headers={"Cache-Control": caching})


def _number(text: str, what: str, below: int) -> int:
    """A number from 0 to before `below`; raises Refusal."""
    if not NUMBER.fullmatch(text) or int(text) >= below:
        raise Refusal(f"{what} must be a number from 0 to {below - 1}", repr(text[:40]))
    return int(text)


def _index(request: Request) -> int:
    return _number(request.path_params["index"], "the index of a frame", LARGEST_INDEX)


def _seed(request: Request) -> int:
    return _number(request.query_params.get("seed", "0"), "a seed", SEEDS)


def _together(request: Request) -> bool:
    return request.query_params.get("together", "0") == "1"


def _pair(request: Request) -> tuple[int, int]:
    parts = request.path_params["pair"].split("-")
    if len(parts) != 2:
        raise Refusal("a pair of channels is written as 3-17", repr(request.path_params["pair"][:40]))
    return _number(parts[0], "a channel", 10_000), _number(parts[1], "a channel", 10_000)
