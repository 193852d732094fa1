"""Runs over HTTP."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.routing import Route

from gramarye.studio.record import Record
from gramarye.studio.steering_routes import steering_routes
from gramarye.studio.studio import Studio

UNCHANGING = "private, max-age=31536000, immutable"


def routes(studio: Studio) -> list[Route]:
    """The addresses of runs."""
    runs = studio.runs

    def frame(request: Request) -> Response:
        data, exact = runs.frame(request.path_params["run"], request.path_params["index"])
        headers = {"Cache-Control": UNCHANGING if exact else "no-store"}
        return Response(data, media_type="image/webp", headers=headers)

    def result(request: Request) -> Response:
        run = request.path_params["run"]
        path, name = runs.result_path(run), runs.result_name(run)
        return FileResponse(path, media_type="image/png", filename=name, headers={"Cache-Control": "no-store"})

    return [
        *steering_routes("/api/runs", runs, runs.summaries, Record.summary),
        Route("/api/runs/{run}/frames/{index:int}.webp", frame),
        Route("/api/runs/{run}/result.png", result),
    ]
