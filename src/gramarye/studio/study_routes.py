"""Studies over HTTP: the list, one with its trials, curves, pictures, and answers to "which is better?"."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from gramarye.studio.answers import Answer, asked
from gramarye.studio.events import Events
from gramarye.studio.refusals import Refusal
from gramarye.studio.studies import CURVES, Studies
from gramarye.studio.studio import Studio

SIDES = (160, 512)  # of thumbnails, pixels
EVERY = 2.0  # seconds between looks at the stores
ALWAYS = {"Cache-Control": "private, no-cache"}  # may be kept, and is asked for again by its content's hash

Endpoint = Callable[[Request], Awaitable[Response]]


def routes(studio: Studio) -> list[Route]:
    """The addresses of studies."""
    studies = Studies(studio.studies_folder)
    follower = Follower(studies, studio.events)
    return [
        Route("/api/studies", _listed(studies, follower)),
        Route("/api/studies/{study}", _one(studies, follower)),
        Route("/api/studies/{study}/curves", _curves(studies)),
        Route("/api/studies/{study}/trials/{number:int}.webp", _picture(studies)),
        Route("/api/studies/{study}/prefer", _prefer(studies, studio.events), methods=["POST"]),
    ]


class Follower:
    """Tells the pages when a study goes on in another process, as long as one of them listens."""

    def __init__(self, studies: Studies, events: Events, every: float = EVERY) -> None:
        self.studies, self.events, self.every = studies, events, every
        self._task: asyncio.Task[None] | None = None

    async def begin(self) -> None:
        """Look from now on, as long as the loop runs; what changes after this is told."""
        if self._task is None or self._task.done():
            await run_in_threadpool(self.studies.changed)
            self._task = asyncio.create_task(self._follow())

    async def _follow(self) -> None:
        while True:
            await asyncio.sleep(self.every)
            if self.events.readers:
                for identifier in await run_in_threadpool(self.studies.changed):
                    self.events.publish("study", {"id": identifier})


def _listed(studies: Studies, follower: Follower) -> Endpoint:
    async def listed(request: Request) -> Response:
        await follower.begin()
        return Answer(await run_in_threadpool(studies.summaries))

    return listed


def _one(studies: Studies, follower: Follower) -> Endpoint:
    async def one(request: Request) -> Response:
        await follower.begin()
        offset = _whole("offset", request.query_params.get("offset", "0"))
        return Answer(await run_in_threadpool(studies.study, request.path_params["study"], offset))

    return one


def _curves(studies: Studies) -> Endpoint:
    async def curves(request: Request) -> Response:
        wanted = [_whole("trials", text) for text in request.query_params.get("trials", "").split(",") if text]
        if len(wanted) > CURVES:
            raise Refusal(f"at most {CURVES} curves are drawn at a time", len(wanted), "choose fewer trials")
        return Answer(await run_in_threadpool(studies.curves, request.path_params["study"], wanted))

    return curves


def _picture(studies: Studies) -> Endpoint:
    async def picture(request: Request) -> Response:
        side = _whole("side", request.query_params.get("side", str(SIDES[0])))
        if side not in SIDES:
            raise Refusal("a thumbnail has a side of " + " or ".join(map(str, SIDES)), side)
        where = request.path_params
        path = await run_in_threadpool(studies.picture, where["study"], where["number"])
        headers = {**ALWAYS, "ETag": f'"{path.stem}-{side}"'}
        if request.headers.get("if-none-match") == headers["ETag"]:
            return Response(status_code=304, headers=headers)
        data = await run_in_threadpool(studies.thumbnail, path, side)
        return Response(data, media_type="image/webp", headers=headers)

    return picture


def _prefer(studies: Studies, events: Events) -> Endpoint:
    async def prefer(request: Request) -> Response:
        identifier, answer = request.path_params["study"], await asked(request)
        found = await run_in_threadpool(studies.prefer, identifier, answer)
        events.publish("study", {"id": identifier})
        return Answer(found)

    return prefer


def _whole(name: str, text: str) -> int:
    if not (text.isascii() and text.isdecimal() and len(text) < 10):
        raise Refusal(f"{name} takes whole numbers", repr(text)[:40])
    return int(text)
