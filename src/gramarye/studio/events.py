"""One stream of server-sent events for each tab: what happens on the worker's thread, told to every page.

A reader that is slow loses the oldest of what can be had again (steps, frames, progress), never a change of state; one
that does not read at all is let go, and comes back to a fresh state. Format: HTML Living Standard, 9.2.
"""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from collections.abc import AsyncIterator, Callable, Mapping
from typing import Any

from gramarye.studio.answers import text_of
from gramarye.studio.refusals import Full

HELD = 512  # events for one reader
MOST = 64  # readers
HEARTBEAT = 15.0  # seconds
AGAIN = 1000  # milliseconds until a browser opens a stream again that broke
LOSABLE = ("step", "frame", "job", "moment")


class Events:
    """Publishes from any thread, and streams to every reader; `hello` makes the first event of each stream."""

    def __init__(self, hello: Callable[[], Mapping[str, Any]] = dict, heartbeat: float = HEARTBEAT) -> None:
        self.hello, self.heartbeat = hello, heartbeat
        self._readers: set[_Reader] = set()
        self._lock = threading.Lock()
        self._closed = False

    def publish(self, kind: str, data: Mapping[str, Any]) -> None:
        """Tell every reader; returns at once."""
        text = message(kind, data)
        with self._lock:
            readers = list(self._readers)
        for reader in readers:
            reader.put(kind, text)

    async def subscribe(self) -> AsyncIterator[str]:
        """The text of a stream, from a comment that opens it to the end of the studio."""
        reader = self._join()
        try:
            yield f": open\nretry: {AGAIN}\n\n"
            yield message("hello", self.hello())
            while not reader.over:
                yield await reader.next(self.heartbeat)
        finally:
            with self._lock:
                self._readers.discard(reader)

    def _join(self) -> _Reader:
        reader = _Reader(asyncio.get_running_loop())
        with self._lock:
            reader.ended = self._closed
            self._readers.add(reader)
        return reader

    def check_room(self) -> None:
        """Raises Full when one more stream would be too many."""
        if self.readers >= MOST:
            raise Full(f"a studio has at most {MOST} open pages", "one more", "close some")

    @property
    def readers(self) -> int:
        """How many streams are open."""
        return len(self._readers)

    def close(self) -> None:
        """End all streams, so that the server can stop."""
        with self._lock:
            self._closed = True
            readers = list(self._readers)
        for reader in readers:
            reader.end()


def message(kind: str, data: Mapping[str, Any]) -> str:
    """One event as it goes over the wire; JSON has no line breaks, so one line of data is enough."""
    return f"event: {kind}\ndata: {text_of(data)}\n\n"


class _Reader:
    """What one stream has still to send."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.ended = False
        self._loop, self._lock, self._awake = loop, threading.Lock(), asyncio.Event()
        self._waiting: deque[tuple[str, str]] = deque()

    @property
    def over(self) -> bool:
        """Whether nothing more will be sent."""
        return self.ended and not self._waiting

    def put(self, kind: str, text: str) -> None:
        """Keep an event, from any thread; the oldest losable one makes room."""
        with self._lock:
            if self.ended:
                return
            self._waiting.append((kind, text))
            if len(self._waiting) > HELD:
                self._make_room()
        self._wake()

    def _make_room(self) -> None:
        losable = next((index for index, (kind, _) in enumerate(self._waiting) if kind in LOSABLE), None)
        if losable is None:
            self.ended = True
        else:
            del self._waiting[losable]

    async def next(self, heartbeat: float) -> str:
        """What has come, all of it; a comment when nothing comes for so many seconds."""
        try:
            await asyncio.wait_for(self._awake.wait(), heartbeat)
        except TimeoutError:
            return ": still here\n\n"
        with self._lock:
            self._awake.clear()
            texts = [text for _, text in self._waiting]
            self._waiting.clear()
        return "".join(texts)

    def end(self) -> None:
        """Send what is kept, and no more."""
        self.ended = True
        self._wake()

    def _wake(self) -> None:
        try:
            self._loop.call_soon_threadsafe(self._awake.set)
        except RuntimeError:  # the loop is gone, and with it the reader
            self.ended = True
