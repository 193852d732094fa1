"""Pictures over HTTP: thumbnails, and taking in what is given, counted byte by byte."""

from __future__ import annotations

from urllib.parse import unquote

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from gramarye.studio.answers import Answer
from gramarye.studio.gallery import MAX_BYTES, bundled_paths
from gramarye.studio.receiving import received
from gramarye.studio.studio import Studio

REMEDY = "save it smaller, or as JPEG"  # for what is too large
UNCHANGING = "private, max-age=31536000, immutable"


def routes(studio: Studio) -> list[Route]:
    """The addresses of the gallery."""

    async def add(request: Request) -> Response:
        kind = request.query_params.get("kind", "")
        name = unquote(request.headers.get("x-file-name", "")) or request.query_params.get("name", "")
        async with received(request, studio.gallery.cache, "picture", MAX_BYTES, REMEDY) as file:
            picture = await run_in_threadpool(studio.gallery.add, kind, name, file)
        studio.events.publish("picture", picture)
        return Answer(picture, 201)

    def remove(request: Request) -> Response:
        studio.gallery.remove(request.path_params["picture"])
        return Answer({})

    def thumbnail(request: Request) -> Response:
        picture, side = request.path_params["picture"], request.path_params["side"]
        path = studio.gallery.checked(picture, side)
        if not studio.ready and picture in bundled_paths() and not studio.gallery.has_thumbnail(picture, side):
            # To shrink it needs torch, which takes seconds to come: until then as it is, which is not large.
            return Response(path.read_bytes(), media_type="image/jpeg", headers={"Cache-Control": "no-store"})
        data = studio.gallery.thumbnail(picture, side)
        return Response(data, media_type="image/webp", headers={"Cache-Control": UNCHANGING})

    return [
        Route("/api/pictures", add, methods=["POST"]),
        Route("/api/pictures/{picture}", remove, methods=["DELETE"]),
        Route("/api/pictures/{picture}/{side:int}.webp", thumbnail),
    ]
