"""Live films over HTTP: each class of holes tried, and that the studio goes on beside it."""

from __future__ import annotations

import io
import re
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import pytest
from PIL import Image

from gramarye import inline
from gramarye.studio import live_routes
from gramarye.studio.live import WAITING, Live, Shown, Wish
from networks import picture

from .serving import Reply, Server
from .test_safety import FORGED, chunked, refused

LIVE = "/api/live/demo-cubist"
PATIENCE = 60.0  # seconds


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One server for all tests here."""
    place = tmp_path_factory.mktemp("served")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GRAMARYE_HOME", str(place / "weights-home"))
        patch.setattr("gramarye.machine.keep_memory", lambda: True)
        running = Server(place / "home")
        yield running
        running.close()


def jpeg(height: int = 48, width: int = 64) -> bytes:
    return inline.encoded(picture(height, width, 0))


def size_of(reply: Reply) -> tuple[int, int]:
    with Image.open(io.BytesIO(reply.body)) as image:
        assert image.format == "JPEG"
        return image.size


def test_a_frame_comes_back_painted_and_says_how_long_it_took(server: Server) -> None:
    reply = server.post(f"{LIVE}?strength=0.8&film=0a-1", jpeg())
    assert (reply.status, reply.headers["content-type"], reply.headers["cache-control"]) == (
        200,
        "image/jpeg",
        "no-store",
    )
    assert size_of(reply) == (64, 48)
    assert re.fullmatch(r"wait;dur=\d+\.\d, paint;dur=\d+\.\d", reply.headers["server-timing"])


def test_a_still_is_a_png(server: Server) -> None:
    reply = server.post(f"{LIVE}?still=1", jpeg())
    assert (reply.status, reply.headers["content-type"]) == (200, "image/png")
    assert reply.body.startswith(b"\x89PNG")


# ---- who may ask, and for what -------------------------------------------------------------------


def test_who_has_no_token_or_comes_from_elsewhere_is_not_painted_for(server: Server) -> None:
    refused(server.post(LIVE, jpeg(), ours=False, headers={"Origin": server.address}), 401)
    refused(server.post(LIVE, jpeg(), headers={"Origin": "http://evil.example"}), 403)
    refused(server.post(LIVE, jpeg(), headers={"Origin": "null"}), 403)
    refused(server.post(LIVE, jpeg(), headers={"Host": "evil.example"}), 403)
    assert server.get(LIVE).status in (404, 405)


@pytest.mark.parametrize("identifier", [*FORGED, "demo-photograph", "demo-cubist.jpg"])
def test_forged_identifiers(server: Server, identifier: str) -> None:
    reply = server.post(f"/api/live/{identifier}", jpeg())
    refused(reply, reply.status)
    assert reply.status in (404, 405)


STRENGTHS = ["1.01", "-0.1", "nan", "inf", "much", ""]
FILMS = ["", "../x", 41 * "a", "%00", "A"]


@pytest.mark.parametrize(
    "query",
    [*(f"strength={each}" for each in STRENGTHS), *(f"film={each}" for each in FILMS)],
    ids=lambda each: each[:20],
)
def test_forged_wishes(server: Server, query: str) -> None:
    refused(server.post(f"{LIVE}?{query}", jpeg()), 400)


# ---- what is no frame ----------------------------------------------------------------------------


@pytest.mark.parametrize("frame", [b"", b"Dear Grace", jpeg()[:400], b"\x89PNG\r\n\x1a\n", b"<svg onload='alert(1)'/>"])
def test_what_is_no_whole_picture(server: Server, frame: bytes) -> None:
    refused(server.post(LIVE, frame), 400)


def test_too_many_pixels(server: Server) -> None:
    refused(server.post(LIVE, jpeg(513, 64)), 413)
    bomb = bytearray(jpeg())
    at = bomb.index(b"\xff\xc0") + 5
    bomb[at : at + 4] = b"\xff\xdc" * 2
    refused(server.post(LIVE, bytes(bomb)), 413)


def test_bytes_are_counted_whatever_was_announced(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    refused(server.post(LIVE, jpeg(), headers={"Content-Length": "1000001"}), 413)
    monkeypatch.setattr(live_routes, "MAX_BYTES", 50_000)
    refused(chunked(server, LIVE, (bytes(10_000) for _ in range(6))), 413)


# ---- beside everything else ----------------------------------------------------------------------


def test_too_many_windows_are_told_to_wait(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    release = threading.Event()
    original = Live._shown

    def held(live: Live, *given: object) -> Shown:
        assert release.wait(PATIENCE)
        return original(live, *given)  # type: ignore[arg-type]

    monkeypatch.setattr(Live, "_shown", held)
    with ThreadPoolExecutor(WAITING) as pages:
        replies: list[Future[Reply]] = [pages.submit(server.post, LIVE, jpeg()) for _ in range(WAITING)]
        try:
            until(lambda: server.studio.live._asked == WAITING)
            refused(server.post(LIVE, jpeg()), 503)
            assert server.get("/api/state").status == 200  # the studio itself does not wait
        finally:
            release.set()
        assert [each.result(PATIENCE).status for each in replies] == WAITING * [200]
    assert server.post(LIVE, jpeg()).status == 200


def until(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.01)


def test_a_painting_goes_on_beside_a_film(server: Server) -> None:
    settings = {"size": 64, "steps": 12, "scales.smallest": 32, "precision": "float32"}
    order = {"content": "demo-photograph", "styles": ["demo-swirl"], "preset": "draft", "settings": settings}
    run = server.post("/api/runs", order).json["id"]
    painted = 0
    until(lambda: server.get(f"/api/runs/{run}").json["index"] > 0)
    while server.get(f"/api/runs/{run}").json["state"] == "running":
        assert server.post(LIVE, jpeg()).status == 200
        painted += 1
    assert server.get(f"/api/runs/{run}").json["state"] == "finished"
    assert painted > 0


def test_what_is_kept_does_not_grow(server: Server) -> None:
    for film in range(12):
        assert server.post(f"{LIVE}?film={film}", jpeg(32, 32)).status == 200
    live = server.studio.live
    assert len(live._films) == 4
    assert len(live._painters) <= 4
    assert len([each for each in threading.enumerate() if each.name.startswith("live")]) == 1
    assert not list(Path(server.studio.home).rglob("*.jpg"))
    assert live.ask(jpeg(), Wish("demo-cubist")).result(PATIENCE).data
