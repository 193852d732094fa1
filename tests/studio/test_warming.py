"""What is there at the first opening: made once, in the background, and taken up again where it was."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from gramarye.studio import lens_lab, warming
from gramarye.studio.gallery import bundled_paths
from gramarye.studio.kept import read
from gramarye.studio.record import Record
from gramarye.studio.studio import Studio, make_studio

from .exhibits import pulled

TWO = ("demo-photograph", "demo-cubist", "demo-swirl")


def make_little(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two paintings, three steps, small pictures."""
    known = bundled_paths()
    monkeypatch.setattr(warming, "bundled_paths", lambda: {name: known[name] for name in TWO})
    monkeypatch.setattr(warming, "SETTINGS", {"size": 64, "steps": 3})
    monkeypatch.setattr(lens_lab, "STEPS", (1, 3))
    monkeypatch.setattr(lens_lab, "SIDE", 48)


@pytest.fixture(autouse=True)
def _little(monkeypatch: pytest.MonkeyPatch) -> None:
    make_little(monkeypatch)


@pytest.fixture(scope="module")
def warm(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A studio's folder in which everything is made."""
    home = tmp_path_factory.mktemp("warm")
    with pytest.MonkeyPatch.context() as patch:
        make_little(patch)
        studio = make_studio(home, token="t", port=1)
        studio.worker.start()
        on_worker(studio)
        studio.worker.close()
    return home


@pytest.fixture
def made(warm: Path, home: Path) -> Path:
    """A copy of that folder, as the test's studio."""
    shutil.copytree(warm, home)
    return home


@pytest.fixture
def opened(home: Path) -> Iterator[Callable[[], Studio]]:
    """Opens the test's studio with its worker at work, as often as asked; the one before is closed."""
    studios: list[Studio] = []

    def close() -> None:
        for each in studios:
            each.worker.close()
        studios.clear()

    def open_again() -> Studio:
        close()
        studios.append(make_studio(home, token="t", port=1))
        studios[0].worker.start()
        return studios[0]

    yield open_again
    close()


def on_worker(studio: Studio) -> None:
    studio.worker.idle(lambda: warming.prepare(studio)).result(60)


@pytest.mark.usefixtures("made")
def test_the_runs_and_what_the_lens_shows_of_the_first(opened: Callable[[], Studio]) -> None:
    studio = opened()
    runs = {each["styles"][0]: each for each in studio.runs.summaries()}
    assert set(runs) == set(TWO[1:])
    assert all(each["demo"] and each["state"] == "finished" for each in runs.values())
    asked: dict[str, list[str]] = {}
    for painting, everything in (("demo-swirl", True), ("demo-cubist", False)):
        record = studio.runs.get(runs[painting]["id"])
        found = list(warming.questions(studio, record, everything=everything))
        assert all(studio.lens.ready(question) is not None for question in found)
        asked[painting] = [question.path for question in found]
    for layer in (f"relu{block}_1" for block in range(1, 6)):
        for path in ("channels.json", "gram.json", "shuffle.json?seed=0", "rebuilt.json", "texture.json"):
            assert f"{layer}/{path}" in asked["demo-swirl"]
            assert (f"{layer}/{path}" in asked["demo-cubist"]) == (path[0] in "cgs")
    assert sum(path.startswith("pulls/") for path in asked["demo-cubist"]) >= 2


@pytest.mark.usefixtures("made")
def test_nothing_is_made_twice(opened: Callable[[], Studio], monkeypatch: pytest.MonkeyPatch) -> None:
    studio = opened()
    monkeypatch.setattr(studio.runs, "create", lambda *_, **__: pytest.fail("made again"))
    monkeypatch.setattr(studio.lens, "answer", lambda *_: pytest.fail("computed again"))
    on_worker(studio)
    assert len(studio.runs.summaries()) == 2


@pytest.mark.usefixtures("made")
def test_what_was_deleted_stays_away(opened: Callable[[], Studio]) -> None:
    studio = opened()
    gone = next(each["id"] for each in studio.runs.summaries() if each["styles"] == ["demo-cubist"])
    studio.runs.remove(gone)
    on_worker(studio)
    assert [each["styles"] for each in studio.runs.summaries()] == [["demo-swirl"]]


def test_after_a_crash_it_goes_on_where_it_was(opened: Callable[[], Studio], made: Path) -> None:
    first = json.loads((made / warming.MADE).read_text())["demo-swirl"]
    folder = made / "runs" / first
    record = read(Record, folder)
    record.state = "running"  # as a crash has left it
    record.save(folder)
    (folder / "result.png").unlink()
    kept = sorted(each.name for each in (folder / "lens" / "1").iterdir() if "rebuilt" in each.name)
    again = opened()
    assert again.runs.get(first).state == "interrupted"
    on_worker(again)
    assert again.runs.get(first).state == "finished"
    assert len(again.runs.summaries()) == 2
    assert kept == sorted(each.name for each in (folder / "lens" / "1").iterdir() if "rebuilt" in each.name)


def test_one_that_somebody_has_paused_is_left_alone(opened: Callable[[], Studio]) -> None:
    studio = opened()
    create = studio.runs.create

    def paused(*given: object, **named: object) -> object:
        record = create(*given, **named)
        studio.runs.control(record.id, {"action": "pause"})
        return record

    studio.runs.create = paused  # type: ignore[method-assign]
    on_worker(studio)
    assert {each["state"] for each in studio.runs.summaries()} == {"paused"}
    assert not list(studio.home.glob("runs/*/lens"))


def test_it_can_be_waited_for_from_elsewhere(opened: Callable[[], Studio]) -> None:
    studio = opened()
    _, done = pulled(warming.prepare(studio))
    assert len(done) > 50
    assert all(each["state"] == "finished" for each in studio.runs.summaries())
    assert json.loads((studio.home / warming.MADE).read_text()).keys() == set(TWO[1:])


def test_it_begins_when_torch_is_in(opened: Callable[[], Studio], monkeypatch: pytest.MonkeyPatch) -> None:
    studio, asked = opened(), []
    monkeypatch.setattr(studio.worker, "idle", asked.append)
    thread = warming.begin(studio)
    thread.join(0.2)
    assert thread.is_alive()
    assert not asked
    studio.loaded.set()
    thread.join(10)
    assert len(asked) == 1
