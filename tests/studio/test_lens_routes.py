"""The lens over HTTP: answers and their pictures, what may be kept, and what is refused."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from gramarye.studio import lens, lens_lab

from .exhibits import RUN, hang, show
from .serving import Server

BELOW = f"/api/runs/{RUN}/lens"


@pytest.fixture
def studio(home: Path, serve: Callable[..., Server]) -> Server:
    """A server with one run that was stopped on its way."""
    hang(home, state="stopped")
    return serve()


def every_address(plain: object) -> set[str]:
    """The addresses of pictures anywhere in an answer."""
    if isinstance(plain, dict):
        return set().union(*map(every_address, plain.values()))
    if isinstance(plain, list):
        return set().union(*map(every_address, plain))
    return {plain} if isinstance(plain, str) and ".webp" in plain else set()


def test_every_answer_and_all_of_its_pictures(studio: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lens_lab, "STEPS", (1, 3))
    monkeypatch.setattr(lens_lab, "SIDE", 48)
    pictures = {
        "relu1_1/channels.json": 3,
        "relu1_1/gram.json": 12,
        "relu1_1/pair/0-3.json": 13,
        "relu1_1/shuffle.json?seed=3": 5,
        "relu2_1/shuffle.json": 5,
        "relu1_1/rebuilt.json": 2,
        "relu1_1/texture.json": 2,
        "relu2_1/texture.json?together=1": 2,
        "pulls/4.json": 0,
    }
    for path, count in pictures.items():
        answer = studio.get(f"{BELOW}/{path}")
        assert answer.status == 200, answer.body
        assert answer.headers["content-type"] == "application/json"
        assert answer.headers["cache-control"] == "no-cache"
        assert studio.get(f"{BELOW}/{path}").body == answer.body
        found = every_address(answer.json)
        assert count <= len(found) <= count + 2
        for address in found:
            shown = studio.get(address)
            assert shown.status == 200, address
            assert shown.body[8:12] == b"WEBP"
            assert shown.headers["content-type"] == "image/webp"
            assert shown.headers["cache-control"] == "private, max-age=31536000, immutable"


def test_a_sheet_as_it_is_now(studio: Server, home: Path) -> None:
    before = studio.get(f"{BELOW}/relu1_1/result.webp")
    assert before.headers["cache-control"] == "no-cache"
    address = studio.get(f"{BELOW}/relu1_1/channels.json").json["pictures"]["result"]["url"]
    assert studio.get(address).body == before.body
    show(home, studio.studio.runs.get(RUN), [8])
    after = studio.get(f"{BELOW}/relu1_1/result.webp")
    assert after.body != before.body
    assert studio.get(address).body == before.body  # what was said to be unchanging is
    assert studio.get(f"{BELOW}/relu1_1/channels.json").json["pictures"]["result"]["url"] != address


@pytest.mark.parametrize(
    ("path", "status", "said"),
    [
        (f"{BELOW}/relu9_9/channels.json", 404, "unknown layer"),
        (f"{BELOW}/conv1_1/gram.json", 404, "unknown layer"),
        (f"{BELOW}/relu5_4/channels.json", 404, "Choose one of"),
        (f"{BELOW}/..%2f..%2frun/channels.json", 404, ""),
        (f"{BELOW}/relu1_1/pair/0-16.json", 404, "from 0 to 15"),
        (f"{BELOW}/relu1_1/pair/0.json", 400, "3-17"),
        (f"{BELOW}/relu1_1/pair/0--1.json", 400, ""),
        (f"{BELOW}/relu1_1/pair/{'9' * 5000}-1.json", 400, "a number"),
        (f"{BELOW}/relu1_1/shuffle.json?seed=-1", 400, "a seed must be"),
        (f"{BELOW}/relu1_1/shuffle.json?seed=1000", 400, "a seed must be"),
        (f"{BELOW}/pulls/3.json", 404, "that frame"),
        (f"{BELOW}/pulls/{'9' * 5000}.json", 400, "a number"),
        (f"{BELOW}/relu1_1/photograph.webp?of=channels.frame-999", 404, "Ask for that answer again"),
        (f"{BELOW}/relu1_1/answer.webp?of=../../..", 404, ""),
        (f"{BELOW}/relu1_1/..%2frun.webp?of=channels.frame-4", 404, ""),
        (f"{BELOW}/relu1_1/other.webp", 404, ""),
        ("/api/runs/ffffffffffffffff/lens/relu1_1/channels.json", 404, "identifier"),
        ("/api/runs/..%2f..%2fetc/lens/relu1_1/channels.json", 404, ""),
        ("/api/distance?one=demo-swirl&other=gone", 404, "identifier"),
        ("/api/distance", 404, "identifier"),
    ],
)
def test_what_is_refused(studio: Server, path: str, status: int, said: str) -> None:
    answer = studio.get(path)
    assert answer.status == status, answer.body
    assert said in answer.json["error"]
    assert len(answer.json["error"].splitlines()) == 1
    assert len(answer.json["error"]) < 500


def test_a_run_without_a_picture_is_looked_at_later(home: Path, serve: Callable[..., Server]) -> None:
    hang(home, frames=(), state="interrupted")
    answer = serve().get(f"{BELOW}/relu1_1/channels.json")
    assert (answer.status, "when it has a picture" in answer.json["error"]) == (409, True)


def test_no_token_no_answer(studio: Server) -> None:
    assert studio.get(f"{BELOW}/relu1_1/channels.json", ours=False).status == 401
    assert studio.get("/api/distance?one=demo-swirl&other=demo-cubist", ours=False).status == 401


def test_the_same_question_is_answered_once_and_the_rest_goes_on(
    studio: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    made, gate = [], threading.Event()
    channels = lens.channels

    def slow(*given: object, **named: object) -> object:
        made.append(named)
        while not gate.is_set():
            yield 0.0
        return (yield from channels(*given, **named))

    monkeypatch.setattr(lens, "channels", slow)
    found: list[bytes] = []
    asking = [
        threading.Thread(target=lambda: found.append(studio.get(f"{BELOW}/relu1_1/channels.json").body))
        for _ in range(4)
    ]
    for each in asking:
        each.start()
    while not made:
        time.sleep(0.01)
    assert studio.get("/api/runs").status == 200  # the event loop is free
    assert studio.get(f"{BELOW}/relu1_1/gram.json").status == 200  # and so is the worker
    gate.set()
    for each in asking:
        each.join(30)
    assert len(made) == 1
    assert len(set(found)) == 1
    assert len(found) == 4


def test_who_goes_away_does_not_stop_the_work(studio: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    import http.client

    begun, gate = threading.Event(), threading.Event()
    channels = lens.channels

    def slow(*given: object, **named: object) -> object:
        begun.set()
        while not gate.is_set():
            yield 0.0
        return (yield from channels(*given, **named))

    monkeypatch.setattr(lens, "channels", slow)
    connection = http.client.HTTPConnection("127.0.0.1", studio.port)
    headers = {"X-Gramarye-Token": "the-token-of-the-tests", "Origin": studio.address}
    connection.request("GET", f"{BELOW}/relu1_1/channels.json", headers=headers)
    assert begun.wait(60)
    connection.close()
    time.sleep(0.1)
    gate.set()
    record, asked = studio.studio.runs.get(RUN), time.monotonic()
    while studio.studio.lens.ready(studio.studio.lens.channels(record, "relu1_1")) is None:
        assert time.monotonic() - asked < 30
        time.sleep(0.02)


def test_the_key_of_a_job_is_the_address_that_was_asked(studio: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[Mapping[str, object]] = []

    def publish(kind: str, data: Mapping[str, object]) -> None:
        if kind == "job":
            told.append(data)

    monkeypatch.setattr(studio.studio.worker.events, "publish", publish)
    path = f"{BELOW}/relu1_1/shuffle.json?seed=2"
    studio.get(path)
    asked = time.monotonic()
    while told[-1]["state"] != "done":
        assert time.monotonic() - asked < 30
        time.sleep(0.01)
    assert {each["key"] for each in told} == {path}
    assert {each["said"] for each in told} == {"Shuffling relu1_1"}
    before = len(told)
    studio.get(path)
    assert len(told) == before  # from the shelf


def test_the_distance_of_two_pictures(studio: Server) -> None:
    path = "/api/distance?one=demo-swirl&other=demo-cubist"
    found = studio.get(path)
    assert found.status == 200
    assert [row["layer"] for row in found.json["layers"]] == [f"relu{block}_1" for block in range(1, 6)]
    assert studio.get(path).body == found.body
