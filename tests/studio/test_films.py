"""Films: begun, stopped, put away, found again after a restart or a crash, and never too many."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from PIL import Image

from gramarye import images
from gramarye.errors import GramaryeError, MissingExtraError
from gramarye.studio import film_clips, film_record, film_sitting
from gramarye.studio import films as module
from gramarye.studio.film_clips import DEMO
from gramarye.studio.film_record import VIEWS, FilmRecord
from gramarye.studio.refusals import Full, Refusal, Unknown, UnknownPicture
from gramarye.video.frames import film as opened

from .cinema import COUNT, Cinema, cut_in_the_middle, stopped_at
from .easel import PAINTING, PATIENCE


@pytest.fixture
def cinemas(home: Path) -> Iterator[Callable[[], Cinema]]:
    """Opens the test's folder, one after another."""
    made: list[Cinema] = []

    def make() -> Cinema:
        for each in made:
            each.close()
        made.append(Cinema(home))
        return made[-1]

    yield make
    for each in made:
        each.close()


@pytest.fixture
def cinema(cinemas: Callable[[], Cinema]) -> Cinema:
    return cinemas()


def picture(cinema: Cinema, film: str, view: str, index: int) -> torch.Tensor:
    data = cinema.films.picture(film, view, index)
    assert Image.open(io.BytesIO(data)).format == "WEBP"
    path = cinema.films.home / "looked-at.webp"
    path.write_bytes(data)
    try:
        return images.load(path).pixels
    finally:
        path.unlink()


def interrupted(cinema: Cinema, cinemas: Callable[[], Cinema], clip: str, index: int) -> tuple[Cinema, FilmRecord]:
    """A film that the studio was closed over, when it had come to a frame; as the next start finds it."""
    reached = stopped_at(cinema, index)
    film = cinema.begin(clip).id
    assert reached.wait(PATIENCE)
    again = cinemas()
    return again, again.films.get(film)


# ---- painted -------------------------------------------------------------------------------------------------------


def test_from_order_to_film(cinema: Cinema, tmp_path: Path) -> None:
    clip = cinema.given(tmp_path, sound="aac")
    record = cinema.begin(clip)
    shown = cinema.end(record)
    assert (shown["state"], shown["index"], shown["count"], shown["error"]) == ("finished", COUNT, COUNT, None)
    assert (shown["width"], shown["height"]) == (96, 72), "never larger than the film"
    assert shown["title"] == "glide in the manner of Guitar, Bottle and Pear"
    moments = shown["moments"]
    assert {len(column) for column in moments.values()} == {COUNT}
    assert moments["warp_error"][0] is None
    assert all(error > 0 for error in moments["warp_error"][1:])
    assert all(error > 0 for error in moments["source_warp_error"][1:])
    assert moments["motion"][1:] == pytest.approx([2.0] * (COUNT - 1), abs=0.7), "two pixels a frame"
    assert shown["findings"]
    assert [data["index"] for kind, data in cinema.events.told if kind == "moment"] == list(range(COUNT))
    path, name = cinema.films.written(record.id)
    assert name == "glide-in-the-manner-of-guitar-bottle-and-pear.mp4"
    found = opened(path)
    assert (found.frames, found.size, found.sound) == (COUNT, (72, 96), True)
    assert not (path.parent / "painted.mp4.work").exists()


def test_every_frame_has_its_pictures(cinema: Cinema, tmp_path: Path) -> None:
    clip = cinema.given(tmp_path)
    film = cinema.begin(clip)
    cinema.end(film)
    source = [each.pixels for each in module_frames(cinema, clip)]
    for index in range(COUNT):
        filmed, painted = (picture(cinema, film.id, view, index) for view in ("filmed", "painted"))
        assert filmed.shape == painted.shape == (1, 3, 72, 96)
        assert float((filmed - source[index]).abs().mean()) < 0.03
        assert float((painted - source[index]).abs().mean()) > 0.05
    flows, hidden = (picture(cinema, film.id, view, 3) for view in ("flow", "hidden"))
    middle = flows[0, :, 20:50, 20:70].mean((1, 2))
    assert float(middle.max() - middle.min()) > 0.3, "everything goes one way, which has one strong colour"
    veiled = (hidden - source[3]).abs().mean(1)[0]
    assert float(veiled[:, -2:].mean()) > 3 * float(veiled[:, 20:70].mean()), "what comes in at the right is new"
    for view in ("flow", "hidden"):
        with pytest.raises(Unknown):
            cinema.films.picture(film.id, view, 0)  # nothing is before it


def module_frames(cinema: Cinema, clip: str) -> list[Any]:
    from gramarye.video.frames import frames

    return list(frames(opened(cinema.films.clips.path_of(clip))))


def test_a_cut_is_told(cinema: Cinema, tmp_path: Path) -> None:
    clip = cinema.given(tmp_path, draw=cut_in_the_middle)
    shown = cinema.end(cinema.begin(clip))
    assert shown["moments"]["cut"] == [index == COUNT // 2 for index in range(COUNT)]
    assert shown["moments"]["warp_error"][COUNT // 2] is None
    assert f"Another shot begins at frame {COUNT // 2}." in shown["findings"]


def test_the_demonstration_is_painted(cinema: Cinema, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(film_clips.film_demo, "COUNT", 3)
    shown = cinema.end(cinema.films.create({"clip": DEMO, "painting": PAINTING, "size": 256}))
    assert (shown["state"], shown["index"]) == ("finished", 3), shown["error"]
    assert (shown["width"], shown["height"]) == (256, 192)


def test_a_painting_of_ones_own(cinema: Cinema, tmp_path: Path) -> None:
    images.save(torch.rand(1, 3, 48, 64, generator=torch.Generator().manual_seed(0)), tmp_path / "own.png")
    painting = cinema.easel.gallery.add("painting", "own", tmp_path / "own.png")
    shown = cinema.end(cinema.begin(cinema.given(tmp_path, 2), painting["id"]))
    assert (shown["state"], shown["title"]) == ("finished", "glide in the manner of own"), shown["error"]


# ---- stopped, paused, put away -------------------------------------------------------------------------------------


def test_stopping_keeps_what_is_there(cinema: Cinema, tmp_path: Path) -> None:
    cinema.at_frame(2, lambda film: cinema.films.control(film, {"action": "stop"}))
    record = cinema.begin(cinema.given(tmp_path))
    shown = cinema.end(record)
    assert (shown["state"], shown["index"], shown["count"]) == ("stopped", 3, COUNT)
    assert opened(cinema.films.written(record.id)[0]).frames == 3
    with pytest.raises(Refusal, match="stays as it is"):
        cinema.films.control(record.id, {"action": "resume"})


def test_pausing_and_going_on(cinema: Cinema, tmp_path: Path) -> None:
    cinema.at_frame(1, lambda film: cinema.films.control(film, {"action": "pause"}))
    record = cinema.begin(cinema.given(tmp_path))
    cinema.until(lambda: record.state == "paused")
    assert record.index == 2
    with pytest.raises(Refusal, match="Stop it first"):
        cinema.films.remove(record.id)
    cinema.films.control(record.id, {"action": "resume"})
    assert cinema.end(record)["state"] == "finished"


def test_films_wait_for_one_another_and_one_that_waits_is_stopped_at_once(cinema: Cinema, tmp_path: Path) -> None:
    clip = cinema.given(tmp_path)
    second: list[FilmRecord] = []

    def stop_the_second(film: str) -> None:
        assert second[0].state == "waiting"
        cinema.films.control(second[0].id, {"action": "stop"})

    cinema.at_frame(2, lambda film: (second.append(cinema.begin(clip)), stop_the_second(film)))
    assert cinema.end(cinema.begin(clip))["state"] == "finished"
    shown = cinema.end(second[0])
    assert (shown["state"], shown["index"], shown["film"]) == ("stopped", 0, False)
    with pytest.raises(Unknown, match="only a film that is painted can be played"):
        cinema.films.written(second[0].id)


def test_a_film_gives_way_to_a_picture_and_is_the_same_in_the_end(cinema: Cinema, tmp_path: Path) -> None:
    clip = cinema.given(tmp_path)
    undisturbed = cinema.begin(clip)
    cinema.end(undisturbed)
    runs: list[str] = []
    cinema.at_frame(2, lambda film: runs.append(cinema.easel.begin()))
    record = cinema.begin(clip)
    cinema.end(record)
    kinds = [kind for kind, data in cinema.events.told if kind == "step" or data.get("film") == record.id]
    assert kinds[:4] == ["moment"] * 3 + ["step"], "the picture is painted first"
    assert cinema.easel.runs.get(runs[0]).state == "finished"
    assert films_alike(cinema, undisturbed, record)


def films_alike(cinema: Cinema, one: FilmRecord, other: FilmRecord) -> bool:
    same = [cinema.films.written(each.id)[0].read_bytes() for each in (one, other)]
    rows = [film_record.rows(cinema.films.home / each.id) for each in (one, other)]
    return same[0] == same[1] and rows[0] == rows[1]


# ---- after a restart -----------------------------------------------------------------------------------------------


def test_what_is_finished_is_there_after_a_restart(
    cinema: Cinema, cinemas: Callable[[], Cinema], tmp_path: Path
) -> None:
    record = cinema.begin(cinema.given(tmp_path))
    shown = cinema.end(record)
    again = cinemas().films
    assert again.shown(record.id) == shown
    assert again.written(record.id)[0].is_file()


@pytest.mark.parametrize("torn", [False, True], ids=["closed", "killed before its last frame was shown"])
def test_an_unfinished_film_is_taken_up_again(
    cinema: Cinema, cinemas: Callable[[], Cinema], tmp_path: Path, torn: bool
) -> None:
    clip = cinema.given(tmp_path)
    undisturbed = cinema.begin(clip)
    cinema.end(undisturbed)
    again, record = interrupted(cinema, cinemas, clip, 3)
    assert (record.state, record.index) == ("interrupted", 4)
    folder = again.films.home / record.id
    if torn:
        text = (folder / "moments.jsonl").read_text()
        (folder / "moments.jsonl").write_text(text[: -len(text.splitlines()[-1]) // 2])
        for view in VIEWS:
            (folder / view / "3.webp").unlink()
    with pytest.raises(Refusal, match="nothing is being painted of it"):
        again.films.remove_clip(clip)
    again.films.control(record.id, {"action": "resume"})
    assert again.end(record)["state"] == "finished", record.error
    told = [data["index"] for kind, data in again.events.told if kind == "moment"]
    assert told == list(range(3 if torn else 4, COUNT)), "nothing is painted twice"
    assert films_alike(again, undisturbed, record)
    for view in VIEWS:
        assert again.films.picture(record.id, view, 3) == again.films.picture(undisturbed.id, view, 3)


def test_what_was_shown_and_is_not_kept_is_painted_again(
    cinema: Cinema, cinemas: Callable[[], Cinema], tmp_path: Path
) -> None:
    again, record = interrupted(cinema, cinemas, cinema.given(tmp_path), 3)
    (again.films.home / record.id / "painted.mp4.work" / "00000002.png").unlink()
    again.films.control(record.id, {"action": "resume"})
    shown = again.end(record)
    assert (shown["state"], shown["index"]) == ("finished", COUNT)
    assert {len(column) for column in shown["moments"].values()} == {COUNT}


def test_an_interrupted_film_is_stopped_into_a_film_of_what_is_there(
    cinema: Cinema, cinemas: Callable[[], Cinema], tmp_path: Path
) -> None:
    again, record = interrupted(cinema, cinemas, cinema.given(tmp_path), 3)
    with pytest.raises(Refusal, match="only a film that is painted can be paused"):
        again.films.control(record.id, {"action": "pause"})
    again.films.control(record.id, {"action": "stop"})
    assert again.end(record)["state"] == "stopped"
    assert opened(again.films.written(record.id)[0]).frames == 4


def test_frames_of_another_network_are_not_gone_on_from(
    cinema: Cinema, cinemas: Callable[[], Cinema], tmp_path: Path
) -> None:
    again, record = interrupted(cinema, cinemas, cinema.given(tmp_path), 2)
    manifest = again.films.home / record.id / "painted.mp4.work" / "manifest.json"
    manifest.write_text(json.dumps(json.loads(manifest.read_text()) | {"network": "another"}))
    again.films.control(record.id, {"action": "resume"})
    shown = again.end(record)
    assert shown["state"] == "failed"
    assert shown["error"].endswith("Delete this film, and paint it anew")
    assert "--restart" not in shown["error"]


@pytest.mark.parametrize("text", ["", "[]", '{"id": "../../etc"}', '{"id": "0123456789abcdef"}'])
def test_files_that_others_wrote_are_passed_over(cinema: Cinema, cinemas: Callable[[], Cinema], text: str) -> None:
    (cinema.films.home / "0123456789abcdef").mkdir()
    (cinema.films.home / "0123456789abcdef" / "film.json").write_text(text)
    assert cinemas().films.records() == []


# ---- what goes wrong -----------------------------------------------------------------------------------------------


def test_a_fault_fails_the_film_and_keeps_its_frames(
    cinema: Cinema, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    encode = film_sitting._encoded
    left = iter([True] * 6)

    def full(pixels: torch.Tensor) -> bytes:
        if not next(left, False):
            raise OSError(28, "No space left on device")
        return encode(pixels)

    monkeypatch.setattr(film_sitting, "_encoded", full)
    shown = cinema.end(cinema.begin(cinema.given(tmp_path)))
    assert (shown["state"], shown["index"]) == ("failed", 2)
    assert "No space left on device" in shown["error"]
    assert cinema.films.picture(shown["id"], "painted", 1)
    cinema.films.remove(shown["id"])


def test_a_film_whose_clip_is_damaged_fails(cinema: Cinema, tmp_path: Path) -> None:
    clip = cinema.given(tmp_path)
    cinema.films.clips.path_of(clip).write_bytes(b"nothing")
    shown = cinema.end(cinema.begin(clip))
    assert (shown["state"], shown["index"]) == ("failed", 0)
    assert "a film must be MP4" in shown["error"]


@pytest.mark.parametrize(
    ("asked", "error", "said"),
    [
        ({}, Refusal, "one of 256, 384, 640"),
        ({"size": 100}, Refusal, "one of 256, 384, 640"),
        ({"size": True}, Refusal, "one of"),
        ({"size": [256]}, Refusal, "one of"),
        ({"size": 256, "clip": "0123456789abcdef"}, Unknown, "a film with that identifier"),
        ({"size": 256, "clip": ["demo"]}, Unknown, "a film with that identifier"),
        ({"size": 256, "clip": DEMO}, UnknownPicture, "a picture with that identifier"),
        ({"size": 256, "clip": DEMO, "painting": "../../etc/passwd"}, UnknownPicture, "a picture with that"),
        ({"size": 256, "clip": DEMO, "painting": PAINTING, "path": "/etc/passwd"}, Refusal, "unknown part"),
    ],
)
def test_what_cannot_be_painted(cinema: Cinema, asked: dict[str, Any], error: type[GramaryeError], said: str) -> None:
    with pytest.raises(error, match=said):
        cinema.films.create(asked)
    assert cinema.films.records() == []


@pytest.mark.parametrize("film", ["0123456789abcdef", "..", "", None, 7, ["a"]])
def test_only_identifiers_from_here(cinema: Cinema, film: object) -> None:
    films = cinema.films
    for ask in (films.get, films.shown, films.written, films.remove):
        with pytest.raises(Unknown):
            ask(film)
    with pytest.raises(Unknown):
        films.control(film, {"action": "stop"})
    with pytest.raises(Unknown):
        films.picture(film, "painted", 0)


@pytest.mark.parametrize(("view", "index"), [("..", 0), ("painted", 99), ("painted", -1), ("film.json", 0), ("", 0)])
def test_only_pictures_of_the_film(cinema: Cinema, tmp_path: Path, view: str, index: int) -> None:
    film = cinema.begin(cinema.given(tmp_path, 2))
    cinema.end(film)
    with pytest.raises(Unknown, match="that picture"):
        cinema.films.picture(film.id, view, index)


def test_unknown_actions(cinema: Cinema) -> None:
    for action in (None, "step", "remove", ["stop"]):
        with pytest.raises(Refusal, match="one of pause, resume, stop"):
            cinema.films.control("0123456789abcdef", {"action": action})


def test_there_is_room_for_so_many(cinema: Cinema, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    clip = cinema.given(tmp_path, 2)
    first = cinema.begin(clip)
    cinema.end(first)
    taken = module.bytes_in(cinema.films.home)
    for limit, value in (("MOST", 1), ("BYTES", taken + 2 * 96 * 72)):
        with monkeypatch.context() as patch:
            patch.setattr(module, limit, value)
            with pytest.raises(Full, match="Delete some films"):
                cinema.begin(clip)
    with monkeypatch.context() as patch:
        patch.setattr(module.shutil, "disk_usage", lambda path: type("Usage", (), {"free": 1000}))
        with pytest.raises(Full, match="the disk must have room"):
            cinema.begin(clip)
    cinema.films.remove(first.id)
    assert not list(cinema.films.home.iterdir())
    cinema.films.remove_clip(clip)
    assert [each.id for each in cinema.films.clips.all()] == [DEMO]


def test_a_film_takes_no_more_room_than_is_reckoned_with(cinema: Cinema, monkeypatch: pytest.MonkeyPatch) -> None:
    """At its largest, when all is painted and not yet written."""
    sizes: list[int] = []
    monkeypatch.setattr(film_clips.film_demo, "COUNT", 4)
    cinema.at_frame(3, lambda film: sizes.append(module.bytes_in(cinema.films.home)))
    record = cinema.films.create({"clip": DEMO, "painting": PAINTING, "size": 384})
    cinema.end(record)
    past = record.width * record.height * 6  # of the last frame, in 16 bits
    assert sizes[0] - past < 4 * record.width * record.height * module.BYTES_A_PIXEL


def test_without_the_extra_nothing_is_begun(cinema: Cinema, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(film_clips, "find_spec", lambda name: None)
    with pytest.raises(MissingExtraError, match=r"gramarye\[video\]"):
        cinema.films.create({"clip": DEMO, "painting": PAINTING, "size": 256})
