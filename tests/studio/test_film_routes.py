"""Films over HTTP: what comes back, how it may be kept, and what is refused."""

from __future__ import annotations

import io
import time
from pathlib import Path
from typing import Any

import av
import pytest
from PIL import Image

from gramarye.studio import film_clips
from gramarye.studio.film_clips import DEMO, MAX_BYTES
from gramarye.studio.film_record import VIEWS
from gramarye.studio.kept import OVER

from .cinema import COUNT, PATIENCE, film
from .serving import Server
from .test_safety import FORGED, chunked, refused

PAINTING = "demo-cubist"
KEPT = "private, max-age=31536000, immutable"


def given(server: Server, folder: Path, **options: Any) -> str:
    headers = {"X-File-Name": "Evening%20walk.mp4"}
    reply = server.post("/api/clips", film(folder / "film", **options).read_bytes(), headers=headers)
    assert reply.status == 201, reply.json
    clip: str = reply.json["id"]
    return clip


def begun(server: Server, clip: str) -> str:
    reply = server.post("/api/films", {"clip": clip, "painting": PAINTING, "size": 256})
    assert reply.status == 201, reply.json
    made: str = reply.json["id"]
    return made


def ended(server: Server, made: str) -> dict[str, Any]:
    end = time.monotonic() + PATIENCE
    while True:
        shown: dict[str, Any] = server.get(f"/api/films/{made}").json
        if shown["state"] in OVER:
            return shown
        assert time.monotonic() < end, shown
        time.sleep(0.05)


def test_from_upload_to_film(server: Server, tmp_path: Path) -> None:
    clip = given(server, tmp_path, sound="aac")
    listed = server.get("/api/films").json
    assert listed["missing"] is None
    assert [each["id"] for each in listed["clips"]] == [DEMO, clip]
    assert listed["clips"][1]["title"] == "Evening walk"
    poster = server.get(f"/api/clips/{clip}/poster.webp")
    assert (poster.headers["content-type"], poster.headers["cache-control"]) == ("image/webp", KEPT)
    made = begun(server, clip)
    shown = ended(server, made)
    assert shown["state"] == "finished", shown["error"]
    assert [each["id"] for each in server.get("/api/films").json["films"]] == [made]
    for view in VIEWS:
        picture = server.get(f"/api/films/{made}/{view}/1.webp")
        assert (picture.headers["content-type"], picture.headers["cache-control"]) == ("image/webp", KEPT)
        assert Image.open(io.BytesIO(picture.body)).size == (96, 72)
    whole = server.get(f"/api/films/{made}/painted.mp4")
    assert whole.headers["content-type"] == "video/mp4"
    assert whole.headers["content-disposition"] == (
        'attachment; filename="evening-walk-in-the-manner-of-guitar-bottle-and-pear.mp4"'
    )
    with av.open(io.BytesIO(whole.body)) as container:
        assert len(list(container.decode(video=0))) == COUNT
        assert container.streams.audio
    part = server.get(f"/api/films/{made}/painted.mp4", headers={"Range": "bytes=10-19"})
    assert (part.status, part.body) == (206, whole.body[10:20]), "players seek"
    assert server.delete(f"/api/films/{made}").status == 200
    assert server.delete(f"/api/clips/{clip}").status == 200
    assert server.get(f"/api/films/{made}").status == 404
    listed = server.get("/api/films").json
    assert (listed["films"], len(listed["clips"])) == ([], 1)


def test_what_was_given_is_never_served(server: Server, tmp_path: Path) -> None:
    clip = given(server, tmp_path)
    for way in (f"/api/clips/{clip}/film", f"/api/clips/{clip}/clip.json", f"/api/clips/{clip}", f"/clips/{clip}/film"):
        assert server.get(way).status in (404, 405)


def test_steering(server: Server) -> None:
    made = begun(server, DEMO)
    control = f"/api/films/{made}/control"
    assert server.post(control, {"action": "pause"}).status == 200
    assert server.post(control, {"action": "resume"}).status == 200
    assert server.post(control, {"action": "stop"}).json["id"] == made
    assert ended(server, made)["state"] == "stopped"
    refused(server.post(control, {"action": "resume"}), 400)
    refused(server.post(control, {"action": "fly"}), 400)


# ---- what is refused -----------------------------------------------------------------------------------------------


def test_what_says_of_itself_that_it_is_too_large(server: Server) -> None:
    reply = server.post("/api/clips", b"", headers={"Content-Length": str(MAX_BYTES + 1)})
    refused(reply, 413)
    assert reply.json["error"].startswith("a film may have at most 24 MB; got 24.0 MB")


def test_what_does_not_say_its_length_is_counted(server: Server) -> None:
    refused(chunked(server, "/api/clips", (bytes(1_000_000) for _ in range(30))), 413)
    assert not list(server.studio.films.clips.folder.iterdir())


@pytest.mark.parametrize("body", [b"", b"<html>", b"GIF89a", b"\x1aE\xdf\xa3", b"\0" * 1000, b"RIFF1234AVI "])
def test_what_is_no_film(server: Server, body: bytes) -> None:
    refused(server.post("/api/clips", body), 400)
    assert not list(server.studio.films.clips.folder.iterdir())


def test_requests_of_other_pages(server: Server, tmp_path: Path) -> None:
    data = film(tmp_path / "film").read_bytes()
    asked = {"clip": DEMO, "painting": PAINTING, "size": 256}
    for headers in ({"Origin": "http://evil.example"}, {"Origin": "null"}):
        refused(server.post("/api/clips", data, headers=headers), 403)
        refused(server.post("/api/films", asked, headers=headers), 403)
        refused(server.delete(f"/api/clips/{DEMO}", headers=headers), 403)
    ours = {"Origin": server.address}
    for path in ("/api/films", f"/api/clips/{DEMO}/poster.webp"):
        refused(server.get(path, ours=False), 401)
    refused(server.post("/api/clips", data, headers=ours, ours=False), 401)
    assert server.get("/api/films").json["films"] == []


@pytest.mark.parametrize("identifier", FORGED)
def test_forged_identifiers(server: Server, identifier: str) -> None:
    for path in ("", "/painted.mp4", "/painted/0.webp", "/flow/0.webp"):
        assert server.get(f"/api/films/{identifier}{path}").status == 404
    assert server.post(f"/api/films/{identifier}/control", {"action": "stop"}).status in (404, 405)
    assert server.delete(f"/api/films/{identifier}").status in (404, 405)
    assert server.get(f"/api/clips/{identifier}/poster.webp").status == 404
    assert server.delete(f"/api/clips/{identifier}").status in (404, 405)


@pytest.mark.parametrize(
    "way",
    [
        "../film.json",
        "..%2ffilm.json",
        "%2e%2e/film.json",
        "painted/..%2f..%2ffilm.json",
        "painted/-1.webp",
        "painted/1e1.webp",
        "painted/99999999999999999999.webp",
        "film.json/0.webp",
        "%2e%2e/0.webp",
        "painted.mp4.work/0.webp",
        "moments.jsonl",
        "painted/0.webp%00",
    ],
)
def test_no_path_leads_out_of_a_film(server: Server, way: str) -> None:
    folder = server.studio.films.home / "0123456789abcdef"
    folder.mkdir()
    (folder / "film.json").write_bytes(b"nobody may read this")
    reply = server.get(f"/api/films/0123456789abcdef/{way}")
    assert reply.status == 404
    assert b"nobody may read this" not in reply.body


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"null", b'{"clip": {"path": "/etc/passwd"}, "size": 256}'])
def test_orders_that_are_none(server: Server, body: bytes) -> None:
    assert server.post("/api/films", body).status in (400, 404)


def test_without_the_extra_the_list_says_what_to_install(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(film_clips, "find_spec", lambda name: None)
    listed = server.get("/api/films").json
    assert 'pip install "gramarye[video]"' in listed["missing"]
    assert listed["films"] == []
    for reply in (server.post("/api/clips", b"x"), server.post("/api/films", {})):
        refused(reply, 400)
        assert 'pip install "gramarye[video]"' in reply.json["error"]
