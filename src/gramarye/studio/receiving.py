"""Taking in files that are given, counted byte by byte: nothing larger than is allowed is ever on the disk."""

from __future__ import annotations

import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from starlette.requests import Request

from gramarye.studio.gallery import GIVEN
from gramarye.studio.refusals import Full, Refusal, TooLarge


@asynccontextmanager
async def received(request: Request, folder: Path, what: str, most: int, remedy: str) -> AsyncIterator[Path]:
    """The body of a request as a file below `folder`, gone when the block ends; `what` it is, for people.

    Raises TooLarge for more than `most` bytes, at once where they are announced, Refusal for none, and Full where the
    disk has no room, in the block too.
    """
    said, count = request.headers.get("content-length", ""), 0
    _check(int(said) if said.isdecimal() else 0, what, most, remedy)
    try:
        with tempfile.TemporaryDirectory(dir=folder, prefix=GIVEN) as place:
            with (Path(place) / what).open("xb") as file:
                async for chunk in request.stream():
                    count += len(chunk)
                    _check(count, what, most, remedy)
                    file.write(chunk)
            if not count:
                raise Refusal(f"a {what} must have some bytes", "none", "choose a file")
            yield Path(place) / what
    except OSError as error:
        raise Full(f"the disk must have room for a {what}", error.strerror, "free some space") from error


def _check(count: int, what: str, most: int, remedy: str) -> None:
    if count > most:
        raise TooLarge(f"a {what} may have at most {most // 1_000_000} MB", f"{count / 1e6:.1f} MB", remedy)
