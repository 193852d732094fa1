"""Serving the studio on this machine alone: a port on loopback, and an end that leaves nothing behind."""

from __future__ import annotations

import asyncio
import errno
import socket
import threading
import webbrowser
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import uvicorn

from gramarye.errors import GramaryeError
from gramarye.pulling import Work
from gramarye.studio import loading, safety, warming
from gramarye.studio.app import make_app
from gramarye.studio.studio import Studio, make_studio
from gramarye.study import owner

HOST = "127.0.0.1"
OWNER = "server"  # the file in a studio's folder that says which process serves it
PATIENCE = 5  # seconds for answers under way when the server stops


class Server(uvicorn.Server):
    """Uvicorn, which says when it listens, and ends the streams of open pages before it waits for them."""

    def __init__(self, config: uvicorn.Config, studio: Studio, listening: Callable[[], None]) -> None:
        super().__init__(config)
        self.studio, self.listening = studio, listening

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Listen, and say so."""
        await super().startup(sockets)
        self.listening()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Stop within one step of the painting under way."""
        self.studio.events.close()
        await asyncio.to_thread(self.studio.worker.close)
        await super().shutdown(sockets)


def serve(
    home: Path,
    port: int,
    *,
    token: str,
    studies: Path | None = None,
    demo: bool = True,
    listening: Callable[[Studio], None],
) -> None:
    """Serve until a signal comes; `listening` hears when pages can be asked for.

    With `demo` what the first opening shows is made as long as there is nothing else to do.
    Raises GramaryeError when the port or the folder is in use by another server.
    """
    check_studies(studies)
    with owned(home), open_port(port) as listener:
        app = make_app(home, token=token, port=listener.getsockname()[1], studies=studies)
        studio: Studio = app.state.studio
        config = uvicorn.Config(
            app,
            log_level="error",
            access_log=False,  # addresses may hold the token
            server_header=False,
            proxy_headers=False,  # there is no proxy whose word could be taken
            ws="none",
            timeout_graceful_shutdown=PATIENCE,
        )
        if demo:
            warming.begin(studio)
        Server(config, studio, lambda: listening(studio)).run([listener])


def prepare(home: Path) -> Work[None]:
    """Make what the first opening shows, without serving; it goes on where it was stopped."""
    with owned(home):
        studio = make_studio(home, token=safety.new_token(), port=0)
        studio.worker.start()
        try:
            loading.load(studio)
            yield from warming.prepare(studio)
        finally:
            studio.worker.close()


@contextmanager
def open_port(port: int) -> Iterator[socket.socket]:
    """A socket that listens on loopback alone; 0 takes a free port."""
    try:
        listener = socket.create_server((HOST, port))
    except (OSError, OverflowError) as error:
        taken = isinstance(error, OSError) and error.errno == errno.EADDRINUSE
        why = "another program has it" if taken else str(error)
        raise GramaryeError("the port must be free", f"{port}: {why}", "choose another one with --port") from error
    with listener:
        yield listener


@contextmanager
def owned(home: Path) -> Iterator[None]:
    """The studio's folder, for this process alone; one that a server left that is no more is free."""
    file = home / OWNER
    try:
        home.mkdir(parents=True, exist_ok=True)
        before = file.read_text(errors="replace") if file.is_file() else ""
        if before.count(owner.BETWEEN) == 2 and before != owner.me() and owner.alive(before):
            received = f"{home}, served by {owner.in_words(before)}"
            raise GramaryeError("a studio has one server", received, "stop that one, or name another --home")
        file.write_text(owner.me())
    except OSError as error:
        received = f"{home}: {error.strerror or error}"
        raise GramaryeError("the studio needs a folder to write to", received, "name one with --home") from error
    try:
        yield
    finally:
        file.unlink(missing_ok=True)


def check_studies(folder: Path | None) -> None:
    """Raises GramaryeError unless the folder of studies is there."""
    if folder is not None and not folder.is_dir():
        raise GramaryeError(
            "--studies is a folder of studies' stores", f"no folder {folder}", "name the folder above them"
        )


def address(port: int, token: str) -> str:
    """Where the studio's page is, with what lets one in."""
    return f"http://{HOST}:{port}/?token={token}"


def browse(studio: Studio) -> threading.Thread:
    """Open the page in the user's browser, with a ticket: what programs are started with, all users may read."""
    where = address(studio.port, studio.ticket())
    thread = threading.Thread(target=webbrowser.open, args=(where,), daemon=True)  # some browsers keep one waiting
    thread.start()
    return thread
