"""Studies over HTTP: the shapes that types.ts promises, pictures, choices, and news of another process."""

from __future__ import annotations

import http.client
import json
import shutil
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

import painters
from gramarye import inline
from gramarye.study import database
from gramarye.study.record import Outcome, Trial
from gramarye.study.store import Store
from networks import picture

from .serving import TOKEN, Server

SUMMARY = {"id", "name", "question", "state", "trials", "total"}
STUDY = SUMMARY | {"groups", "scores", "trials_table", "findings", "warnings", "choice", "preferences"}


def outcome(trial: Trial) -> Outcome:
    """What `painters` make of a trial, with a picture that is one."""
    ledger = b'{"terms":[],"step":[1,2],"scale":[0,0],"total":[2.0,1.0],"value":{},"weighted":{}}'
    made = inline.encoded(picture(60, 80, trial.number), "PNG")
    return replace(painters.outcome(trial), picture=made, ledger=ledger)


def do(store: Store, study: str, count: int) -> None:
    for _ in range(count):
        claim = store.claim(study)
        assert claim
        assert store.finish(claim, outcome(claim.trial))


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store of four trials, three of them done; to be copied."""
    store = Store.open(tmp_path_factory.mktemp("made") / "four.study")
    store.add("four", painters.trials(4), {"ssim": "higher"})
    do(store, "four", 3)
    store.database.engine.dispose()
    return Path(store.name).parent


@pytest.fixture
def folder(made: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(made, tmp_path / "studies"))


@pytest.fixture
def server(serve: Callable[..., Server], folder: Path) -> Server:
    return serve(studies=folder)


@pytest.fixture
def study(server: Server) -> str:
    """The address of the one study."""
    (found,) = server.get("/api/studies").json
    return f"/api/studies/{found['id']}"


def test_the_list_and_one_of_it_have_the_shapes_of_the_page(server: Server, study: str) -> None:
    (listed,) = server.get("/api/studies").json
    whole = server.get(study).json
    assert set(listed) == SUMMARY
    assert set(whole) == STUDY
    assert {name: whole[name] for name in SUMMARY} == listed
    assert [each["number"] for each in whole["trials_table"]] == [0, 1, 2, 3]
    assert server.get(f"{study}?offset=3").json["trials_table"] == whole["trials_table"][3:]


def test_without_studies_the_list_is_empty(serve: Callable[..., Server], tmp_path: Path) -> None:
    (tmp_path / "none").mkdir()
    assert serve(studies=tmp_path / "none").get("/api/studies").json == []


def test_curves_of_the_trials_asked_for(server: Server, study: str) -> None:
    found = server.get(f"{study}/curves?trials=0,2,3").json
    assert found == {"curves": [{"trial": each, "index": [1, 2], "total": [2.0, 1.0]} for each in (0, 2)]}
    assert server.get(f"{study}/curves").json == {"curves": []}


def test_pictures_are_small_and_asked_for_again_by_their_content(server: Server, study: str) -> None:
    small, large = server.get(f"{study}/trials/0.webp"), server.get(f"{study}/trials/0.webp?side=512")
    assert small.status == large.status == 200
    assert small.headers["content-type"] == "image/webp"
    assert small.body[8:12] == b"WEBP"
    assert small.headers["etag"] != large.headers["etag"]
    again = server.get(f"{study}/trials/0.webp", headers={"If-None-Match": small.headers["etag"]})
    assert (again.status, again.body) == (304, b"")


@pytest.mark.parametrize(
    ("path", "status", "about"),
    [
        ("/api/studies/..%2f..%2fetc", 404, "such page"),
        ("/api/studies/0123456789abcdef", 404, "0123456789abcdef"),
        ("/api/studies/0123456789abcdef/curves?trials=1", 404, "0123456789abcdef"),
        ("{study}/trials/3.webp", 404, "finished trial"),
        ("{study}/trials/9.webp", 404, "one of its plan"),
        ("{study}/trials/0.webp?side=4000", 400, "160 or 512"),
        ("{study}?offset=-1", 400, "whole numbers"),
        ("{study}/curves?trials=1,x", 400, "whole numbers"),
        ("{study}/curves?trials=" + ",".join(["0"] * 61), 400, "at most 60"),
    ],
)
def test_what_is_not_there_is_refused_in_one_line(
    server: Server, study: str, path: str, status: int, about: str
) -> None:
    answer = server.get(path.format(study=study))
    assert answer.status == status, answer
    assert about in answer.json["error"]
    assert "\n" not in answer.json["error"]


def test_an_answer_is_kept_and_the_next_pictures_asked_about(server: Server, study: str) -> None:
    choice = server.get(study).json["choice"]
    after = server.post(f"{study}/prefer", {**choice, "better": "left"})
    assert after.status == 200
    assert set(after.json) == {"choice", "preferences"}
    assert {after.json["choice"]["left"], after.json["choice"]["right"]} != {choice["left"], choice["right"]}
    whole = server.get(study).json
    assert {name: whole[name] for name in after.json} == after.json
    assert server.post(f"{study}/prefer", {**choice, "better": "neither"}).status == 400
    assert server.post(f"{study}/prefer", b"[1]").status == 400


def test_studies_need_the_token(server: Server, study: str) -> None:
    for path in ("/api/studies", study, f"{study}/curves", f"{study}/trials/0.webp"):
        assert server.get(path, ours=False).status == 401
    assert server.post(f"{study}/prefer", {}, ours=False).status in {401, 403}


def test_without_optuna_one_line_says_what_to_install(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database, "find_spec", lambda name: None)
    answer = server.get("/api/studies")
    assert answer.status == 400
    assert "pip install 'gramarye[study]'" in answer.json["error"].lower()


def news(server: Server) -> Iterator[str]:
    """The lines of the event stream."""
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=20)
    try:
        connection.request("GET", "/api/events", headers={"X-Gramarye-Token": TOKEN})
        answer = connection.getresponse()
        while line := answer.readline():
            yield line.decode().strip()
    finally:
        connection.close()


def test_pages_hear_when_another_process_goes_on(server: Server, study: str, folder: Path) -> None:
    lines = news(server)
    next(line for line in lines if line == "event: hello")
    thread = threading.Thread(target=do, args=(Store.open(folder / "four.study"), "four", 1))
    thread.start()
    next(line for line in lines if line == "event: study")
    assert json.loads(next(lines).removeprefix("data: ")) == {"id": study.rpartition("/")[2]}
    thread.join()
    lines.close()
    assert server.get(study).json["state"] == "done"


def test_all_pages_hear_of_an_answer(server: Server, study: str) -> None:
    lines = news(server)
    next(line for line in lines if line == "event: hello")
    assert server.post(f"{study}/prefer", {"left": 0, "right": 1, "better": "same"}).status == 200
    assert next(line for line in lines if line == "event: study")
    lines.close()
