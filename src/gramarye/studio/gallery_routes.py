"""Pictures over HTTP: thumbnails, and taking in what is given, counted byte by byte."""

from __future__ import annotations

import tempfile
from pathlib import Path
from urllib.parse import unquote

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from gramarye.studio.answers import Answer
from gramarye.studio.gallery import GIVEN, MAX_BYTES, bundled_paths
from gramarye.studio.refusals import Full, Refusal, TooLarge
from gramarye.studio.studio import Studio

UNCHANGING = "private, max-age=31536000, immutable"


def routes(studio: Studio) -> list[Route]:
    """The addresses of the gallery."""

    async def add(request: Request) -> Response:
        kind = request.query_params.get("kind", "")
        name = unquote(request.headers.get("x-file-name", "")) or request.query_params.get("name", "")
        check_length(request.headers.get("content-length"))
        try:
            with tempfile.TemporaryDirectory(dir=studio.gallery.cache, prefix=GIVEN) as folder:
                file = Path(folder) / "picture"
                await _receive(request, file)
                picture = await run_in_threadpool(studio.gallery.add, kind, name, file)
        except OSError as error:
            raise Full("the disk must have room for a picture", error.strerror, "free some space") from error
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


def check_length(said: str | None) -> None:
    """Refuse at once what says of itself that it is too large."""
    if said is not None and said.isdecimal() and int(said) > MAX_BYTES:
        raise _too_large(int(said))


async def _receive(request: Request, path: Path) -> None:
    """Write the body to `path`, counting what really comes."""
    count = 0
    with path.open("xb") as file:
        async for chunk in request.stream():
            count += len(chunk)
            if count > MAX_BYTES:
                raise _too_large(count)
            file.write(chunk)
    if not count:
        raise Refusal("a picture must have some bytes", "none", "choose a file")


def _too_large(count: int) -> TooLarge:
    received = f"{count / 1e6:.1f} MB"
    return TooLarge(f"a picture may have at most {MAX_BYTES // 1_000_000} MB", received, "save it smaller, or as JPEG")
