"""Runs over HTTP: what comes back, how it may be kept, and what is refused."""

from __future__ import annotations

import http.client
import io
import json
import time
from typing import Any

import pytest
from PIL import Image

from gramarye.studio import steering_routes

from .easel import PATIENCE, request
from .serving import TOKEN, Server


def ended(server: Server, run: str) -> dict[str, Any]:
    """The run when it is over, as the page asks for it."""
    end = time.monotonic() + PATIENCE
    while True:
        shown: dict[str, Any] = server.get(f"/api/runs/{run}").json
        if shown["state"] in ("finished", "stopped", "failed"):
            return shown
        assert time.monotonic() < end, shown
        time.sleep(0.05)


def begun(server: Server, **settings: Any) -> str:
    reply = server.post("/api/runs", request(settings=settings))
    assert reply.status == 201, reply.json
    run: str = reply.json["id"]
    return run


def test_from_order_to_picture(server: Server) -> None:
    reply = server.post("/api/runs", request(settings={"steps": 4}))
    assert reply.status == 201
    run = reply.json["id"]
    assert set(reply.json) >= {"settings", "terms", "steps_made", "frames", "changes", "command", "mask", "parent"}
    shown = ended(server, run)
    assert shown["state"] == "finished", shown["error"]
    assert [each["id"] for each in server.get("/api/runs").json] == [run]
    assert [each["id"] for each in server.get("/api/state").json["runs"]] == [run]
    for frame in shown["frames"]:
        picture = server.get(f"/api/runs/{run}/frames/{frame['index']}.webp")
        assert picture.headers["content-type"] == "image/webp"
        assert "immutable" in picture.headers["cache-control"]
        opened = Image.open(io.BytesIO(picture.body))
        assert opened.size == (frame["width"], frame["height"])
    result = server.get(f"/api/runs/{run}/result.png")
    assert result.headers["content-type"] == "image/png"
    assert result.headers["content-disposition"] == (
        'attachment; filename="grace-hopper-in-the-manner-of-guitar-bottle-and-pear.png"'
    )
    recipe = json.loads(Image.open(io.BytesIO(result.body)).info["gramarye"])
    assert recipe["preset"] == "draft"
    places = [recipe["content"]["path"], *(style["path"] for style in recipe["styles"])]
    assert places == [None, None], "no path of this machine leaves it"
    assert server.delete(f"/api/runs/{run}").status == 200
    assert server.get(f"/api/runs/{run}").status == 404
    assert server.get("/api/runs").json == []


def test_steering(server: Server) -> None:
    run = begun(server, steps=5000)
    control = f"/api/runs/{run}/control"
    end = time.monotonic() + PATIENCE
    while not server.get(f"/api/runs/{run}").json["index"]:
        assert time.monotonic() < end
        time.sleep(0.05)
    assert server.post(control, {"action": "change", "settings": {"strength": 0.7}}).status == 200
    assert server.post(control, {"action": "pause"}).status == 200
    assert server.post(control, {"action": "step"}).status == 200
    assert server.post(control, {"action": "stop"}).json["id"] == run
    shown = ended(server, run)
    assert shown["state"] == "stopped"
    reply = server.post(control, {"action": "resume"})
    assert reply.status == 400
    assert reply.json["error"].endswith("Branch from it")
    assert server.get(f"/api/runs/{run}/result.png").status == 200


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("/api/runs", {"content": "demo-photograph"}, 400),
        ("/api/runs", request("../../etc/passwd"), 404),
        ("/api/runs", request(settings={"size": 10**9}), 400),
        ("/api/runs", request(settings={"style.wieght": 1}), 400),
        ("/api/runs", request(settings={"style.weight": "<script>"}), 400),
        ("/api/runs", request(start={"run": "0" * 16, "index": 3}), 404),
        ("/api/runs", b"no JSON", 400),
        ("/api/runs", b"[1]", 400),
        ("/api/runs", b"\xff\xfe", 400),
        ("/api/runs", b"[" * 100_000, 400),
        ("/api/runs/0000000000000000/control", {"action": "stop"}, 404),
        ("/api/runs/..%2f..%2fetc/control", {"action": "stop"}, 405),
    ],
)
def test_what_is_refused_over_http(path: str, body: object, status: int, server: Server) -> None:
    reply = server.post(path, body)
    assert reply.status == status, reply.body
    assert set(reply.json) == {"error"}
    assert "\n" not in reply.json["error"]
    assert server.get("/api/runs").json == []


@pytest.mark.parametrize(
    "path",
    [
        "0000000000000000",
        "0000000000000000/frames/0.webp",
        "0000000000000000/result.png",
        "..%2Fpictures",
        "%2e%2e",
        "run.json",
    ],
)
def test_what_is_not_there(path: str, server: Server) -> None:
    assert server.get(f"/api/runs/{path}").status == 404


def test_forged_frames(server: Server) -> None:
    run = begun(server, steps=2)
    ended(server, run)
    for index in ("99", "-1", "1e1", "..%2f..%2frun.json", "index"):
        assert server.get(f"/api/runs/{run}/frames/{index}.webp").status == 404
    assert server.get(f"/api/runs/{run}/run.json").status == 404
    assert server.get(f"/api/runs/{run}/checkpoint").status == 404


def test_a_request_that_is_too_large(server: Server) -> None:
    body = json.dumps(request(mask="x" * (steering_routes.MOST + 10))).encode()
    reply = server.post("/api/runs", body)
    assert reply.status == 413
    assert "at most 8 MB" in reply.json["error"]


def test_a_request_that_does_not_say_how_large_it_is(server: Server) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
    connection.putrequest("POST", "/api/runs")
    for name, value in (("X-Gramarye-Token", TOKEN), ("Origin", server.address), ("Transfer-Encoding", "chunked")):
        connection.putheader(name, value)
    connection.endheaders()
    chunk = b"100000\r\n" + b"x" * 0x100000 + b"\r\n"
    try:
        for _ in range(12):
            connection.send(chunk)
        connection.send(b"0\r\n\r\n")
    except OSError:
        pass  # refused before its end
    answer = connection.getresponse()
    assert answer.status == 413
    connection.close()
    assert server.get("/api/runs").json == []


def test_all_of_it_needs_the_token(server: Server) -> None:
    run = begun(server, steps=2)
    ended(server, run)
    for method, path in (
        ("GET", f"/api/runs/{run}"),
        ("GET", f"/api/runs/{run}/result.png"),
        ("GET", f"/api/runs/{run}/frames/0.webp"),
        ("DELETE", f"/api/runs/{run}"),
        ("POST", f"/api/runs/{run}/control"),
        ("POST", "/api/runs"),
    ):
        assert server.request(method, path, ours=False).status in (401, 403)
    assert server.get(f"/api/runs/{run}").status == 200
