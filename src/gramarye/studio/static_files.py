"""The pages as they were built: their types set by us, hashed files kept by the browser for ever."""

from __future__ import annotations

import os
from pathlib import Path

from starlette.requests import Request
from starlette.responses import FileResponse, HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from gramarye.studio import safety
from gramarye.studio.answers import Answer, asked
from gramarye.studio.refusals import Unknown
from gramarye.studio.safety import Unauthorized
from gramarye.studio.studio import Studio

FOLDER_VARIABLE = "GRAMARYE_STUDIO_STATIC"
HASHED = "assets"  # the folder of files that have their content's hash in their name
# The system's own table is not asked: on some machines it calls scripts plain text, which browsers do not run.
TYPES = {
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".json": "application/json",
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".webp": "image/webp",
    ".jpg": "image/jpeg",
    ".ico": "image/x-icon",
    ".txt": "text/plain; charset=utf-8",
    ".webmanifest": "application/manifest+json",
}
NOT_BUILT = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Gramarye</title>
<h1>The studio's pages are not built</h1>
<p>This is a checkout without them. Build them with <code>make studio</code> (it needs npm), then load this
page again. An installed Gramarye has them.</p>
"""


def folder() -> Path:
    """Where the built pages are."""
    named = os.environ.get(FOLDER_VARIABLE, "").strip()
    return Path(named) if named else Path(__file__).parent / "static"


def routes(studio: Studio) -> list[Route]:
    """The page, its files, and the way in with a token."""
    root = folder().resolve()

    def page(request: Request) -> Response:
        if "token" in request.query_params:  # out of the address bar, right or wrong
            answer = RedirectResponse("/", 303)
            if studio.lets_in(request.query_params["token"]):
                answer.headers["Set-Cookie"] = safety.cookie(studio.port, studio.token)
            return answer
        if not (root / "index.html").is_file():
            return HTMLResponse(NOT_BUILT, 503)
        return _file(root, "index.html")

    async def token(request: Request) -> Response:
        given = (await asked(request)).get("token")
        if not isinstance(given, str) or not studio.lets_in(given.strip()):
            raise Unauthorized("the token must be that of this start", "another", "copy it from where it was printed")
        return Answer({}, headers={"Set-Cookie": safety.cookie(studio.port, studio.token)})

    def file(request: Request) -> Response:
        return _file(root, request.path_params["path"])

    return [
        Route("/", page),
        Route(safety.TOKEN_PATH, token, methods=["POST"]),
        Route("/{path:path}", file),
    ]


def _file(root: Path, asked_for: str) -> Response:
    """A file of the build; raises Unknown for anything else, wherever it may lie."""
    if "\0" in asked_for or "\\" in asked_for:
        raise Unknown("there is no such page", repr(asked_for)[:80])
    path = (root / asked_for).resolve()
    if not path.is_relative_to(root) or path.suffix not in TYPES or not path.is_file():
        raise Unknown("there is no such page", repr(asked_for)[:80])
    hashed = path.relative_to(root).parts[0] == HASHED
    kept = "public, max-age=31536000, immutable" if hashed else "no-cache"
    return FileResponse(path, media_type=TYPES[path.suffix], headers={"Cache-Control": kept})
