"""Films over HTTP: what may be painted, what is painted of it, and every frame."""

from __future__ import annotations

from functools import partial
from urllib.parse import unquote

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.routing import Route

from gramarye.studio import film_clips
from gramarye.studio.answers import Answer
from gramarye.studio.film_clips import MAX_BYTES
from gramarye.studio.film_record import FilmRecord
from gramarye.studio.films import SIZES, Films
from gramarye.studio.receiving import received
from gramarye.studio.run_routes import UNCHANGING
from gramarye.studio.steering_routes import steering_routes
from gramarye.studio.studio import Studio

REMEDY = "cut it shorter, or make it smaller"  # for what is too large
KEPT = {"Cache-Control": UNCHANGING}


def routes(studio: Studio) -> list[Route]:
    """The addresses of films."""
    films = studio.films

    def picture(request: Request) -> Response:
        where = request.path_params
        data = films.picture(where["film"], where["view"], where["index"])
        return Response(data, media_type="image/webp", headers=KEPT)

    def written(request: Request) -> Response:
        path, name = films.written(request.path_params["film"])
        return FileResponse(path, media_type="video/mp4", filename=name, headers=KEPT)

    return [
        *_clip_routes(studio),
        *steering_routes("/api/films", films, partial(_listed, films), FilmRecord.plain),
        Route("/api/films/{film}/painted.mp4", written),
        Route("/api/films/{film}/{view}/{index:int}.webp", picture),
    ]


def _listed(films: Films) -> dict[str, object]:
    """As `Films` in types.ts."""
    return {
        "missing": film_clips.missing(),
        "limits": {
            "bytes": MAX_BYTES,
            "frames": film_clips.MOST_FRAMES,
            "seconds": film_clips.LONGEST,
            "suffixes": list(film_clips.SUFFIXES),
            "sizes": list(SIZES),
        },
        "clips": [clip.plain() for clip in films.clips.all()],
        "films": [record.plain() for record in films.records()],
    }


def _clip_routes(studio: Studio) -> list[Route]:
    """The addresses of what may be painted."""
    films = studio.films

    async def add(request: Request) -> Response:
        film_clips.check_there()
        name = unquote(request.headers.get("x-file-name", ""))
        async with received(request, films.clips.folder, "film", MAX_BYTES, REMEDY) as file:
            clip = await run_in_threadpool(films.clips.add, name, file)
        studio.events.publish("film", {"id": clip.id})
        return Answer(clip.plain(), 201)

    def remove(request: Request) -> Response:
        films.remove_clip(request.path_params["clip"])
        return Answer({})

    def poster(request: Request) -> Response:
        data = films.clips.poster(request.path_params["clip"])
        return Response(data, media_type="image/webp", headers=KEPT)

    return [
        Route("/api/clips", add, methods=["POST"]),
        Route("/api/clips/{clip}", remove, methods=["DELETE"]),
        Route("/api/clips/{clip}/poster.webp", poster),
    ]
