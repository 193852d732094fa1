"""Runs over HTTP."""

from __future__ import annotations

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.routing import Route

from gramarye.studio.answers import Answer, asked
from gramarye.studio.refusals import TooLarge
from gramarye.studio.studio import Studio

MOST = 8_000_000  # bytes of a request
UNCHANGING = "private, max-age=31536000, immutable"


def routes(studio: Studio) -> list[Route]:
    """The addresses of runs."""
    runs = studio.runs

    async def create(request: Request) -> Response:
        await check_size(request)
        made = await run_in_threadpool(runs.create, await asked(request))
        return Answer(runs.shown(made.id), 201)

    async def control(request: Request) -> Response:
        await check_size(request)
        found = await run_in_threadpool(runs.control, request.path_params["run"], await asked(request))
        return Answer(found.summary())

    def listed(request: Request) -> Response:
        return Answer(runs.summaries())

    def shown(request: Request) -> Response:
        return Answer(runs.shown(request.path_params["run"]))

    def remove(request: Request) -> Response:
        runs.remove(request.path_params["run"])
        return Answer({})

    def frame(request: Request) -> Response:
        data, exact = runs.frame(request.path_params["run"], request.path_params["index"])
        headers = {"Cache-Control": UNCHANGING if exact else "no-store"}
        return Response(data, media_type="image/webp", headers=headers)

    def result(request: Request) -> Response:
        run = request.path_params["run"]
        path, name = runs.result_path(run), runs.result_name(run)
        return FileResponse(path, media_type="image/png", filename=name, headers={"Cache-Control": "no-store"})

    return [
        Route("/api/runs", listed),
        Route("/api/runs", create, methods=["POST"]),
        Route("/api/runs/{run}", shown),
        Route("/api/runs/{run}", remove, methods=["DELETE"]),
        Route("/api/runs/{run}/control", control, methods=["POST"]),
        Route("/api/runs/{run}/frames/{index:int}.webp", frame),
        Route("/api/runs/{run}/result.png", result),
    ]


async def check_size(request: Request) -> None:
    """Raises TooLarge for a body that is, counting what really comes; it is kept for whoever reads it then."""
    said, body = request.headers.get("content-length", ""), bytearray()
    if said.isdecimal() and int(said) > MOST:
        raise TooLarge(f"a request may have at most {MOST // 1_000_000} MB", f"{int(said) / 1e6:.1f} MB")
    async for chunk in request.stream():
        body += chunk
        if len(body) > MOST:
            raise TooLarge(f"a request may have at most {MOST // 1_000_000} MB", f"more than {MOST / 1e6:g} MB")
    request._body = bytes(body)
