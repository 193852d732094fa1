"""A local HTTP server that misbehaves as asked, for the tests of downloading."""

from __future__ import annotations

import re
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType


@dataclass
class Behaviour:
    """What the server does; tests change it between requests."""

    body: bytes = b""
    etag: str | None = '"one"'
    ranges: bool = True  # honour Range (and If-Range)
    drops: list[int] = field(default_factory=list)  # bytes after which to drop each next connection
    statuses: list[int] = field(default_factory=list)  # statuses to give to each next request instead
    status: int | None = None  # the status to give always
    shift: int = 0  # resume this many bytes from where it was asked to
    says_length: bool = True
    body_after_drop: bytes | None = None  # the file that is there from the first drop on
    etag_after_drop: str | None = None


class Server:
    """Serves `behaviour.body` under every path on a free loopback port; a context manager."""

    def __init__(self, body: bytes) -> None:
        self.behaviour = Behaviour(body)
        self.requests: list[dict[str, str]] = []  # headers of each request, and its path
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                outer._answer(self)

            def log_message(self, *_: object) -> None:
                pass

        self._http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._http.daemon_threads = False
        self._thread = threading.Thread(target=self._http.serve_forever, kwargs={"poll_interval": 0.02})
        self.url = f"http://127.0.0.1:{self._http.server_port}"

    def __enter__(self) -> Server:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._http.shutdown()
        self._http.server_close()
        self._thread.join()

    def _answer(self, handler: BaseHTTPRequestHandler) -> None:
        how = self.behaviour
        self.requests.append({**{k.lower(): v for k, v in handler.headers.items()}, "path": handler.path})
        handler.close_connection = True
        status = how.statuses.pop(0) if how.statuses else how.status
        if status is not None:
            handler.send_response(status)
            handler.send_header("Content-Length", "0")
            handler.end_headers()
            return
        self._send(handler, how)

    def _send(self, handler: BaseHTTPRequestHandler, how: Behaviour) -> None:
        start = self._start(handler, how)
        if start is not None and start >= len(how.body):
            handler.send_response(416)
            handler.send_header("Content-Range", f"bytes */{len(how.body)}")
            handler.send_header("Content-Length", "0")
            handler.end_headers()
            return
        begin = 0 if start is None else max(start + how.shift, 0)
        handler.send_response(200 if start is None else 206)
        if start is not None:
            handler.send_header("Content-Range", f"bytes {begin}-{len(how.body) - 1}/{len(how.body)}")
        if how.etag is not None:
            handler.send_header("ETag", how.etag)
        payload = how.body[begin:]
        if how.says_length:
            handler.send_header("Content-Length", str(len(payload)))
        handler.end_headers()
        if how.drops:
            payload = payload[: how.drops.pop(0)]
            if how.body_after_drop is not None:
                how.body, how.etag = how.body_after_drop, how.etag_after_drop
        handler.wfile.write(payload)

    @staticmethod
    def _start(handler: BaseHTTPRequestHandler, how: Behaviour) -> int | None:
        match = re.fullmatch(r"bytes=(\d+)-", handler.headers.get("Range", ""))
        condition = handler.headers.get("If-Range")
        if match is None or not how.ranges or (condition is not None and condition != how.etag):
            return None
        return int(match[1])
