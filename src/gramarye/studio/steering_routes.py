"""Runs or films over HTTP, as far as they are alike: all of them, one, begun, steered and deleted."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from gramarye.studio.answers import Answer, asked
from gramarye.studio.refusals import TooLarge
from gramarye.studio.steering import Steered

MOST = 8_000_000  # bytes of a request


def steering_routes(
    path: str, all_: Steered[Any, Any], listed: Callable[[], object], briefly: Callable[[Any], object]
) -> list[Route]:
    """Their addresses under `path`; `listed` answers for all of them, `briefly` for one that was steered."""

    async def create(request: Request) -> Response:
        await _check_size(request)
        made = await run_in_threadpool(all_.create, await asked(request))
        return Answer(all_.shown(made.id), 201)

    async def control(request: Request) -> Response:
        await _check_size(request)
        return Answer(briefly(await run_in_threadpool(all_.control, request.path_params["one"], await asked(request))))

    def every(request: Request) -> Response:
        return Answer(listed())

    def shown(request: Request) -> Response:
        return Answer(all_.shown(request.path_params["one"]))

    def remove(request: Request) -> Response:
        all_.remove(request.path_params["one"])
        return Answer({})

    return [
        Route(path, every),
        Route(path, create, methods=["POST"]),
        Route(f"{path}/{{one}}", shown),
        Route(f"{path}/{{one}}", remove, methods=["DELETE"]),
        Route(f"{path}/{{one}}/control", control, methods=["POST"]),
    ]


async def _check_size(request: Request) -> None:
    """Raises TooLarge for a body that is, counting what really comes; it is kept for whoever reads it then."""
    said, body = request.headers.get("content-length", ""), bytearray()
    if said.isdecimal() and int(said) > MOST:
        raise TooLarge(f"a request may have at most {MOST // 1_000_000} MB", f"{int(said) / 1e6:.1f} MB")
    async for chunk in request.stream():
        body += chunk
        if len(body) > MOST:
            raise TooLarge(f"a request may have at most {MOST // 1_000_000} MB", f"more than {MOST / 1e6:g} MB")
    request._body = bytes(body)
