"""Fetch published weights: resumable, verified, then imported into the store.

Everything is a generator: whoever watches pulls, and stopping to pull leaves a `.part` file from which the
next call goes on.
"""

from __future__ import annotations

import http.client
import re
import time
import urllib.error
import urllib.request
from collections.abc import Generator, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gramarye.errors import GramaryeError, WeightsError
from gramarye.weights import places, store
from gramarye.weights.formats import digest
from gramarye.weights.sources import Source, source

CHUNK = 1 << 18  # bytes between two looks at the progress
WORTHWHILE = 8 << 20  # an attempt that brought this many bytes does not count as a failure
CONTENT_RANGE = re.compile(r"bytes (\d+)-(\d+)/(\d+|\*)")
TRANSIENT_STATUS = frozenset({408, 425, 429, 500, 502, 503, 504})


@dataclass(frozen=True)
class Progress:
    """How far a download is; `total_bytes` is None when the server does not say."""

    done_bytes: int
    total_bytes: int | None


@dataclass(frozen=True)
class _Patience:
    """How often to try again, how long to wait before it, and when to give up on a silent server."""

    retries: int
    pause: float  # seconds
    timeout: float  # seconds


class _DroppedError(Exception):
    """The connection ended early or could not be made; another attempt may succeed."""


class _RefusedError(Exception):
    """The server answered that it will not give this file; another address may."""


class _DiskError(Exception):
    """What has been received cannot be kept."""


def fetch(
    name: str,
    folder: Path | None = None,
    *,
    retries: int = 4,
    pause: float = 0.5,
    timeout: float = 30.0,
) -> Generator[Progress, None, Path]:
    """Download the source `name`, verify it and import it; yields progress, returns the stored path.

    After each of `retries` dropped connections waits `pause` seconds, twice as long each time, and resumes.
    Raises WeightsError for an unknown name, an unreachable or missing file (saying which file to put where),
    wrong bytes (the file is removed) and a folder that cannot be written.
    """
    record = source(name)
    patience = _Patience(retries, pause, timeout)
    where = folder or places.folder()
    part = _Part(where / f"{record.filename}.part")
    try:
        where.mkdir(parents=True, exist_ok=True)
        yield from _complete(record, part, patience)
    except (OSError, _DiskError) as error:
        remedy = f"free space or permissions, or another folder in ${places.HOME_VARIABLE}"
        raise WeightsError(f"weights are kept in {where}", error, remedy) from None
    return _import(record, part, where)


def _complete(record: Source, part: _Part, patience: _Patience) -> Iterator[Progress]:
    """Receive a file whose bytes are right; one patched together and wrong is fetched once more, whole."""
    while True:
        part.is_patched = part.size > 0
        yield from _receive_from_any(record, part, patience)
        received = digest(part.path)
        if record.matches(received) and record.size in (None, part.size):
            return
        size = part.size
        part.remove()
        if not part.is_patched:
            expected = f"the SHA-256 of {record.filename} begins {record.sha256}"
            remedy = f"the download was removed; try again, or {_by_hand(record)}"
            raise WeightsError(expected, f"{received} ({size} bytes)", remedy)


def _receive_from_any(record: Source, part: _Part, patience: _Patience) -> Iterator[Progress]:
    """Receive the whole file from the first address that gives it."""
    reasons: list[str] = []
    for address in record.addresses():
        try:
            yield from _receive_with_retries(address, part, patience, record.size)
        except (_RefusedError, _DroppedError) as error:
            reasons.append(f"{address}: {error}")
        else:
            return
    rule = f"{record.filename} must be reachable"
    raise WeightsError(rule, "; ".join(reasons), f"to do without the network, {_by_hand(record)}")


def _receive_with_retries(address: str, part: _Part, patience: _Patience, size: int | None) -> Iterator[Progress]:
    """Receive the whole file from one address, going on after dropped connections."""
    failures = 0
    while True:
        before = part.size
        try:
            yield from _receive(address, part, patience.timeout, size)
        except _DroppedError:
            failures = 0 if part.size - before >= WORTHWHILE else failures + 1
            if failures > patience.retries:
                raise
            time.sleep(patience.pause * 2 ** max(failures - 1, 0))
        else:
            return


def _receive(address: str, part: _Part, timeout: float, size: int | None) -> Iterator[Progress]:
    """One connection: append what comes to the part file; a server that will not resume starts it anew."""
    if not address.startswith(("http://", "https://")):
        raise _RefusedError("only http and https addresses are fetched")
    response = _open(address, part, timeout)
    if response is None:  # the part was complete, or longer than the file now is
        return
    with response:
        offset, total = _placed(response, part)
        expected = size if total is None else total
        part.keep_etag(response.headers.get("ETag"))
        yield Progress(offset, expected)
        with part.opened(offset) as file:
            while chunk := _read(response):
                part.append(file, chunk)
                offset += len(chunk)
                yield Progress(offset, expected)
    if expected is not None and offset < expected:
        raise _DroppedError(f"the connection ended after {offset} of {expected} bytes")


def _open(address: str, part: _Part, timeout: float) -> Any:
    """The server's answer to a request for the rest of the file; None when there is no rest."""
    headers = {"User-Agent": "gramarye", "Accept-Encoding": "identity"}
    if part.size:
        headers["Range"] = f"bytes={part.size}-"
        if part.etag:
            headers["If-Range"] = part.etag
    try:
        return urllib.request.urlopen(urllib.request.Request(address, headers=headers), timeout=timeout)
    except urllib.error.HTTPError as error:
        error.close()
        if error.code == 416 and part.size:
            return _beyond(error.headers.get("Content-Range"), part)
        kind = _DroppedError if error.code in TRANSIENT_STATUS else _RefusedError
        raise kind(f"the server answers {error.code} {error.reason}") from None
    except urllib.error.URLError as error:
        raise _DroppedError(f"no connection ({error.reason})") from None
    except (OSError, http.client.HTTPException) as error:
        raise _DroppedError(f"no answer ({error or type(error).__name__})") from None
    except ValueError as error:
        raise _RefusedError(f"not an address ({error})") from None


def _beyond(content_range: str | None, part: _Part) -> None:
    """After "416 range not satisfiable": the part is complete, or it is of another file and goes."""
    if content_range != f"bytes */{part.size}":
        part.remove()
        raise _DroppedError("the file on the server is another one than before")


def _placed(response: Any, part: _Part) -> tuple[int, int | None]:
    """Where the answer's first byte belongs, and how long the whole file is."""
    if response.status != 206:
        length = response.headers.get("Content-Length", "")
        return 0, int(length) if length.isdecimal() else None
    match = CONTENT_RANGE.fullmatch(response.headers.get("Content-Range", "").strip())
    if match is None or int(match[1]) != part.size:
        part.remove()
        raise _DroppedError("the server resumed at another place than asked")
    part.is_patched = True
    return part.size, None if match[3] == "*" else int(match[3])


def _read(response: Any) -> bytes:
    """The next bytes of an answer; none at its end."""
    try:
        data: bytes = response.read1(CHUNK)
    except (OSError, http.client.HTTPException) as error:
        raise _DroppedError(f"the connection was lost ({error or type(error).__name__})") from None
    return data


def _import(record: Source, part: _Part, where: Path) -> Path:
    """Keep the verified file's convolutions; the file itself, mostly classifier, goes."""
    try:
        stored = store.import_file(part.path, record.network, record.convention, where=where, source=record.name)
    except GramaryeError:
        part.remove()
        raise
    part.remove()
    return stored


def _by_hand(record: Source) -> str:
    """What to do where there is no network."""
    return f"fetch {record.urls[0]} on another machine, copy it here and run gramarye weights import {record.filename}"


class _Part:
    """A file being received, and beside it the entity tag of what it is a part of."""

    def __init__(self, path: Path) -> None:
        self.is_patched = False  # made of the answers to more than one request
        self.path, self.tag_path = path, path.with_name(f"{path.name}.etag")

    @property
    def size(self) -> int:
        """Bytes received so far."""
        return self.path.stat().st_size if self.path.is_file() else 0

    @property
    def etag(self) -> str | None:
        """The tag to send with If-Range; weak tags do not count."""
        with suppress(OSError, UnicodeDecodeError):
            tag = self.tag_path.read_text(encoding="ascii").strip()
            return tag if re.fullmatch(r'"[!-~]*"', tag) else None
        return None

    def keep_etag(self, tag: str | None) -> None:
        """Remember the tag of the file being received, or that it has none."""
        try:
            if tag is None:
                self.tag_path.unlink(missing_ok=True)
            else:
                self.tag_path.write_text(tag, encoding="ascii", errors="replace")
        except OSError as error:
            raise _DiskError(error) from None

    def opened(self, offset: int) -> Any:
        """The file, opened for writing from `offset` on; what lies beyond goes."""
        try:
            file = self.path.open("r+b" if offset else "wb", buffering=0)
            file.truncate(offset)
            file.seek(offset)
        except OSError as error:
            raise _DiskError(error) from None
        return file

    def append(self, file: Any, chunk: bytes) -> None:
        """Write one chunk at the end."""
        try:
            file.write(chunk)
        except OSError as error:
            raise _DiskError(error) from None

    def remove(self) -> None:
        """Forget what has been received."""
        self.path.unlink(missing_ok=True)
        self.tag_path.unlink(missing_ok=True)
