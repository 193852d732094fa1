"""The stream of events: opened at once, one for each page, never held up by a page that does not read."""

from __future__ import annotations

import asyncio
import http.client
import json
import threading
from collections.abc import AsyncIterator, Coroutine
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from typing import Any

import pytest

from gramarye.studio import events as module
from gramarye.studio.events import Events
from gramarye.studio.refusals import Full

from .serving import TOKEN, Server


def run(story: Coroutine[Any, Any, None]) -> None:
    """On a thread of its own: on this one a browser of other tests may have its loop."""
    with ThreadPoolExecutor(1) as pool:
        pool.submit(lambda: asyncio.run(asyncio.wait_for(story, 20))).result()


async def opened(events: Events) -> AsyncIterator[str]:
    """A stream whose first comment and greeting have been read."""
    stream = events.subscribe()
    assert (await anext(stream)).startswith(":")
    assert (await anext(stream)).startswith("event: hello\n")
    return stream


def kinds(text: str) -> list[str]:
    return [line.removeprefix("event: ") for line in text.splitlines() if line.startswith("event: ")]


def test_first_a_comment_then_the_greeting_then_what_happens() -> None:
    async def story() -> None:
        events = Events(lambda: {"version": "1", "ready": False})
        stream = events.subscribe()
        assert (await anext(stream)).startswith(": ")
        assert await anext(stream) == 'event: hello\ndata: {"version":"1","ready":false}\n\n'
        events.publish("run", {"id": "a\nb", "total": float("nan")})
        assert await anext(stream) == 'event: run\ndata: {"id":"a\\nb","total":null}\n\n'

    run(story())


def test_what_is_published_on_other_threads_comes_in_order() -> None:
    async def story() -> None:
        events = Events()
        stream = await opened(events)

        def publish() -> None:
            for index in range(200):
                events.publish("step", {"index": index})

        thread = threading.Thread(target=publish)
        thread.start()
        text = ""
        while text.count("event:") < 200:
            text += await anext(stream)
        thread.join()
        found = [json.loads(line.removeprefix("data: ")) for line in text.splitlines() if line.startswith("data")]
        assert [each["index"] for each in found] == list(range(200))

    run(story())


def test_every_reader_hears_everything() -> None:
    async def story() -> None:
        events = Events()
        streams = [await opened(events) for _ in range(8)]
        assert events.readers == 8
        events.publish("ready", {"ready": True})
        assert {await anext(stream) for stream in streams} == {'event: ready\ndata: {"ready":true}\n\n'}
        await streams[0].aclose()
        assert events.readers == 7

    run(story())


def test_a_slow_reader_loses_the_oldest_steps_and_no_change_of_state() -> None:
    async def story() -> None:
        events = Events()
        stream = await opened(events)
        events.publish("run", {"id": "first"})
        for index in range(module.HELD + 100):
            events.publish("step", {"index": index})
        events.publish("run", {"id": "last"})
        text = await anext(stream)
        assert len(kinds(text)) == module.HELD
        assert kinds(text)[0] == kinds(text)[-1] == "run"
        assert '"index":101}' not in text
        assert f'"index":{module.HELD + 99}}}' in text

    run(story())


def test_a_reader_that_does_not_read_is_let_go() -> None:
    async def story() -> None:
        events = Events()
        stream = await opened(events)
        for index in range(10 * module.HELD):
            events.publish("run", {"index": index})
        assert len(kinds(await anext(stream))) <= module.HELD + 1
        with pytest.raises(StopAsyncIteration):
            await anext(stream)
        assert events.readers == 0

    run(story())


def test_nothing_happens_and_the_stream_still_lives() -> None:
    async def story() -> None:
        events = Events(heartbeat=0.02)
        stream = await opened(events)
        for _ in range(2):
            assert (await anext(stream)).startswith(":")
        events.publish("ready", {"ready": True})
        assert kinds(await anext(stream)) == ["ready"]

    run(story())


def test_the_end_ends_all_streams_and_those_that_come_later() -> None:
    async def story() -> None:
        events = Events()
        stream = await opened(events)
        events.publish("run", {"id": "x"})
        events.close()
        assert kinds(await anext(stream)) == ["run"]
        with pytest.raises(StopAsyncIteration):
            await anext(stream)
        late = await opened(events)
        with pytest.raises(StopAsyncIteration):
            await anext(late)

    run(story())


def test_there_is_a_largest_number_of_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    async def story() -> None:
        monkeypatch.setattr(module, "MOST", 2)
        events = Events()
        events.check_room()
        streams = [await opened(events) for _ in range(2)]
        with pytest.raises(Full, match="Close some"):
            events.check_room()
        await streams[0].aclose()
        events.check_room()

    run(story())


class Tab:
    """A page's stream over HTTP; use it with `closing`."""

    def __init__(self, server: Server) -> None:
        self.connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=20)
        self.connection.request("GET", "/api/events", headers={"X-Gramarye-Token": TOKEN})
        self.answer = self.connection.getresponse()

    def close(self) -> None:
        self.answer.close()
        self.connection.close()

    def read(self) -> tuple[str, Any]:
        """The next event, comments passed over."""
        kind = ""
        while True:
            line = self.answer.readline().decode().rstrip("\n")
            if line.startswith("event: "):
                kind = line.removeprefix("event: ")
            elif line.startswith("data: "):
                return kind, json.loads(line.removeprefix("data: "))
            assert not self.answer.isclosed()

    def read_until(self, kind: str) -> Any:
        while True:
            found, data = self.read()
            if found == kind:
                return data


def test_eight_tabs_at_once(server: Server) -> None:
    tabs = [Tab(server) for _ in range(8)]
    for tab in tabs:
        assert tab.answer.headers["Content-Type"].startswith("text/event-stream")
        assert tab.answer.headers["Cache-Control"] == "no-store"
        assert tab.answer.readline().startswith(b":")  # flushed at once: without it a browser's `open` never fires
        assert set(tab.read_until("hello")) == {"version", "ready"}
    server.studio.events.publish("run", {"id": "of a painting"})
    assert [tab.read_until("run") for tab in tabs] == 8 * [{"id": "of a painting"}]
    for tab in tabs:
        tab.close()


def test_ready_is_told_when_torch_is_in(server: Server) -> None:
    with closing(Tab(server)) as tab:
        hello = tab.read_until("hello")
        assert hello["ready"] or tab.read_until("ready") == {"ready": True}
    assert server.get("/api/state").json["ready"] is True


def test_a_server_that_stops_ends_its_streams(serve: Any) -> None:
    server = serve()
    with closing(Tab(server)) as tab:
        tab.read_until("hello")
        server.close()
        assert b"event: run" not in tab.answer.read()  # to its end
