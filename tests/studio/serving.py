"""A real server on a real port, and a plain client that sends exactly what it is told."""

from __future__ import annotations

import http.client
import json
import socket
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import uvicorn

from gramarye.studio.app import make_app
from gramarye.studio.studio import Studio

TOKEN = "the-token-of-the-tests"


@dataclass(frozen=True)
class Reply:
    """What came back."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        """The body, read as JSON."""
        return json.loads(self.body)


class Server:
    """The studio of one folder, served from a thread until `close`."""

    def __init__(self, home: Path, *, studies: Path | None = None) -> None:
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.port: int = self.socket.getsockname()[1]
        self.app = make_app(home, token=TOKEN, port=self.port, studies=studies)
        self.studio: Studio = self.app.state.studio
        self.studio.opened.set()  # torch need not wait for a page
        config = uvicorn.Config(self.app, log_level="warning", access_log=False, timeout_graceful_shutdown=2)
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._server.run, args=([self.socket],))
        self._thread.start()

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def request(
        self, method: str, path: str, body: object = None, headers: dict[str, str] | None = None, *, ours: bool = True
    ) -> Reply:
        """One request as it is written; as from our own page unless `ours` is false. A body is JSON unless bytes."""
        sent = {"X-Gramarye-Token": TOKEN, "Origin": self.address} if ours else {}
        data = body if body is None or isinstance(body, (bytes, str)) else json.dumps(body).encode()
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            connection.request(method, path, data, sent | (headers or {}))
            answer = connection.getresponse()
            return Reply(answer.status, {k.lower(): v for k, v in answer.getheaders()}, answer.read())
        finally:
            connection.close()

    def get(self, path: str, **options: Any) -> Reply:
        return self.request("GET", path, **options)

    def post(self, path: str, body: object = None, **options: Any) -> Reply:
        return self.request("POST", path, {} if body is None else body, **options)

    def delete(self, path: str, **options: Any) -> Reply:
        return self.request("DELETE", path, **options)

    def wait_until_ready(self) -> None:
        """Until torch is in."""
        assert self.studio.loaded.wait(60)

    def close(self) -> None:
        """Stop as Ctrl-C does; a second time does nothing."""
        self.studio.events.close()
        self._server.should_exit = True
        self._thread.join(30)
        assert not self._thread.is_alive(), "the server did not stop"
        self.socket.close()
