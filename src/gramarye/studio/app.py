"""The studio as one application: every module's routes behind one guard, and a worker that lives as long as it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from gramarye.errors import GramaryeError
from gramarye.studio import (
    film_routes,
    gallery_routes,
    lens_routes,
    live_routes,
    loading,
    run_routes,
    state,
    static_files,
    study_routes,
)
from gramarye.studio.answers import Answer
from gramarye.studio.refusals import status_of
from gramarye.studio.safety import HEADERS, UNKEPT, Guard
from gramarye.studio.studio import Studio, make_studio


def make_app(home: Path, *, token: str, port: int, studies: Path | None = None) -> Starlette:
    """The application; its worker runs and torch is loaded from when it is started until it is stopped."""
    studio = make_studio(home, token=token, port=port, studies=studies)
    app = Starlette(
        routes=_routes(studio),
        middleware=[Middleware(Guard, token=token, port=port)],
        exception_handlers={GramaryeError: _refused, HTTPException: _not_met, Exception: _broken},
        lifespan=_alive,
    )
    app.state.studio = studio
    return app


def _routes(studio: Studio) -> list[Route]:
    routes = [Route("/api/events", _events(studio))]
    for module in (state, gallery_routes, run_routes, lens_routes, live_routes, film_routes, study_routes):
        routes += module.routes(studio)
    return [*routes, *static_files.routes(studio)]


@asynccontextmanager
async def _alive(app: Starlette) -> AsyncIterator[None]:
    studio: Studio = app.state.studio
    studio.worker.start()
    loading.begin(studio)
    try:
        yield
    finally:
        studio.events.close()
        studio.live.close()
        studio.worker.close()


def _events(studio: Studio) -> Callable[[Request], Awaitable[Response]]:
    async def events(request: Request) -> Response:
        studio.events.check_room()
        stream = studio.events.subscribe()
        return StreamingResponse(stream, media_type="text/event-stream")

    return events


def _refused(request: Request, error: Exception) -> Response:
    """What a user can mend."""
    assert isinstance(error, GramaryeError)
    return Answer({"error": str(error)}, status_of(error))


def _not_met(request: Request, error: Exception) -> Response:
    """What no route answers."""
    assert isinstance(error, HTTPException)
    return Answer({"error": error.detail}, error.status_code, headers=error.headers)


def _broken(request: Request, error: Exception) -> Response:
    """A fault of ours; this is outside the guard, so the headers are put on here."""
    said = "something went wrong inside the studio; its terminal says what. Try again"
    return Answer({"error": said}, 500, headers={**HEADERS, "Cache-Control": UNKEPT})
