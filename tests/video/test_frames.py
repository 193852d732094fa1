"""Reading films: which frame has which index, and when it is shown, however one comes to it."""

from __future__ import annotations

import tracemalloc
from contextlib import closing
from fractions import Fraction
from itertools import islice
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

import films
from films import number_in, numbered, tensor
from gramarye.errors import ImageError
from gramarye.video import decoding, folders
from gramarye.video.film import Timetable
from gramarye.video.frames import film, frames

# B-frames kept as references, in open groups of pictures: what is hardest to seek in.
OPEN = {"x264-params": "keyint=12:min-keyint=6:bframes=3:b-adapt=0:open-gop=1:b-pyramid=2:scenecut=0", "crf": "20"}
CLOSED = {"x264-params": "keyint=10:bframes=2:scenecut=0"}
KINDS = {
    "h264.mp4": {"options": CLOSED},
    "open.mp4": {"options": OPEN},
    "open.mkv": {"options": OPEN},
    "open.ts": {"options": OPEN, "format": "mpegts"},
    "hevc.mp4": {
        "codec": "libx265",
        "options": {"x265-params": "keyint=12:bframes=3:open-gop=1:log-level=none:pools=1"},
    },
    "mpeg2.mpg": {"codec": "mpeg2video", "options": {"bf": "2", "g": "9", "b": "2000000"}},
    "mpeg4.avi": {"codec": "mpeg4", "options": {"bf": "2", "g": "9", "b": "2000000"}},
    "motion.avi": {"codec": "mjpeg", "pixels": "yuvj420p"},
    "vp9.webm": {"codec": "libvpx-vp9", "options": {"g": "10", "deadline": "realtime", "cpu-used": "8"}},
    "whole.mkv": {"codec": "ffv1", "pixels": "bgr0"},
}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("films")
    return {name: films.video(folder / name, 40, **options) for name, options in KINDS.items()}


@pytest.mark.parametrize("name", KINDS)
def test_every_frame_has_its_index_and_its_time(name: str, made: dict[str, Path]) -> None:
    it = film(made[name])
    assert (it.size, it.rate, it.kind, it.rotation, it.sound) == ((48, 64), 24, "video", 0, False)
    assert it.constant
    assert it.frames in {40, None}
    all_of_it = list(frames(it))
    assert [number_in(each.pixels) for each in all_of_it] == list(range(40))
    assert [each.index for each in all_of_it] == list(range(40))
    assert [each.time for each in all_of_it] == [Fraction(index, 24) for index in range(40)]
    assert not any(each.held for each in all_of_it)
    assert all(each.pixels.shape == (1, 3, 48, 64) for each in all_of_it)
    assert it.seconds == pytest.approx(40 / 24, abs=0.09)


@pytest.mark.parametrize("name", KINDS)
def test_a_frame_is_the_same_however_one_comes_to_it(name: str, made: dict[str, Path]) -> None:
    it = film(made[name])
    all_of_it = [each.pixels for each in frames(it)]
    for first in (1, 5, 11, 12, 13, 23, 24, 30, 39):
        part = list(islice(frames(it, first), 4))
        assert [each.index for each in part] == list(range(first, min(first + 4, 40)))
        for each in part:
            assert torch.equal(each.pixels, all_of_it[each.index]), each.index


@settings(max_examples=15)
@given(st.integers(0, 45), st.none() | st.integers(0, 45))
def test_first_and_last_are_among_them(made: dict[str, Path], first: int, last: int | None) -> None:
    it = film(made["open.mp4"])
    part = list(frames(it, first, last))
    expected = range(first, 40 if last is None else min(last + 1, 40))
    assert [each.index for each in part] == list(expected)
    assert [number_in(each.pixels) for each in part] == list(expected)


def test_a_frame_is_found_from_the_keyframe_before_it(made: dict[str, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    it = film(made["h264.mp4"])
    decoded: list[int] = []
    kept = Timetable.index

    def counted(self: Timetable, stamp: int | None) -> int | None:
        index = kept(self, stamp)
        decoded.append(-1 if index is None else index)
        return index

    monkeypatch.setattr(Timetable, "index", counted)
    assert [each.index for each in frames(it, 35, 36)] == [35, 36]
    assert min(decoded) == 30


def test_where_seeking_leads_astray_it_is_decoded_from_the_beginning(
    made: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    it = film(made["open.mp4"])
    expected = [each.pixels for each in frames(it, 20, 24)]
    monkeypatch.setattr(decoding, "_from", lambda *_: None)
    assert all(torch.equal(a, b.pixels) for a, b in zip(expected, frames(it, 20, 24), strict=True))


def test_frames_are_resized(made: dict[str, Path]) -> None:
    it = film(made["h264.mp4"])
    (one,) = frames(it, 3, 3, size=32)
    assert one.pixels.shape == (1, 3, 24, 32)
    assert number_in(one.pixels) == 3


def test_frames_stream(tmp_path: Path) -> None:
    it = film(films.video(tmp_path / "long.mp4", 60, size=(240, 320), options={"preset": "ultrafast"}))
    one = 3 * 240 * 320 * 4
    tracemalloc.start()
    for _ in frames(it):
        pass
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 12 * one


def test_a_film_that_is_let_go_of_is_closed(made: dict[str, Path]) -> None:
    with closing(frames(film(made["open.mp4"]))) as pulled:
        next(pulled)
    assert list(pulled) == []


@pytest.mark.parametrize("pair", [(-1, None), (0, -1)])
def test_indices_are_counted_from_0(pair: tuple[int, int | None], made: dict[str, Path]) -> None:
    with pytest.raises(ImageError, match="counted from 0"):
        frames(film(made["h264.mp4"]), *pair)


@pytest.mark.parametrize("suffix", ["mp4", "mkv"])
def test_one_frame_alone(suffix: str, tmp_path: Path) -> None:
    it = film(films.video(tmp_path / f"one.{suffix}", 1))
    assert it.frames == 1
    assert it.seconds > 0
    assert [number_in(each.pixels) for each in frames(it)] == [0]


def test_a_film_whose_rate_varies_keeps_its_times(tmp_path: Path) -> None:
    times = [0, 40, 80, 200, 240, 500, 533, 566, 600, 900]
    path = films.video(tmp_path / "phone.mp4", 10, times=times, base=Fraction(1, 1000), options=OPEN)
    it = film(path)
    assert not it.constant
    assert it.rate == 10
    assert any("varies" in note for note in it.notes)
    assert [each.time for each in frames(it)] == [Fraction(time, 1000) for time in times]
    assert [each.time for each in frames(it, 4, 6)] == [Fraction(time, 1000) for time in times[4:7]]


@pytest.mark.parametrize("rate", [Fraction(24000, 1001), Fraction(30000, 1001), Fraction(25), Fraction(60)])
@pytest.mark.parametrize("suffix", ["mp4", "mkv"])
def test_a_constant_rate_is_told_exactly(rate: Fraction, suffix: str, tmp_path: Path) -> None:
    it = film(films.video(tmp_path / f"rate.{suffix}", 12, rate=rate))
    assert (it.rate, it.constant, it.notes) == (rate, True, ())
    assert [each.time for each in frames(it)] == [index / rate for index in range(12)]


def test_a_film_that_begins_late_begins_at_0(tmp_path: Path) -> None:
    it = film(films.video(tmp_path / "late.mkv", 6, late=Fraction(1, 2)))
    assert [each.time for each in frames(it)] == [Fraction(index, 24) for index in range(6)]


@pytest.mark.parametrize("degrees", [90, 180, 270])
def test_films_of_phones_come_upright(degrees: int, tmp_path: Path) -> None:
    """As a player turns them: `degrees` counter-clockwise (FFmpeg's av_display_rotation_set counts so)."""

    def marked(index: int, height: int, width: int) -> np.ndarray:
        picture = np.full((height, width, 3), 60, np.uint8)
        picture[: height // 2, : width // 2] = (230, 40, 40)
        return picture

    it = film(films.video(tmp_path / "turned.mov", 3, degrees=degrees, draw=marked))
    (one, *_) = frames(it)
    upright = np.rot90(marked(0, 48, 64), degrees // 90)
    assert it.rotation == 360 - degrees
    assert it.size == upright.shape[:2] == tuple(one.pixels.shape[2:])
    assert float((one.pixels - tensor(upright)).abs().mean()) < 0.03


def test_pixels_that_are_not_square_are_made_so(tmp_path: Path) -> None:
    path = films.video(tmp_path / "dvd.mkv", 2, tags={"sample_aspect_ratio": Fraction(4, 3)})
    it = film(path)
    assert it.size == (48, 85)
    assert next(frames(it)).pixels.shape == (1, 3, 48, 85)


def test_a_damaged_frame_stands_as_the_one_before_it(tmp_path: Path) -> None:
    path = films.video(
        tmp_path / "damaged.mkv", 12, codec="ffv1", pixels="bgr0", options={"slicecrc": "1", "level": "3", "g": "1"}
    )
    whole = [each.pixels for each in frames(film(path))]
    data = bytearray(path.read_bytes())
    at = len(data) // 2
    data[at : at + 40] = bytes(40)
    path.write_bytes(bytes(data))
    it = film(path)
    after = list(frames(it))
    assert [each.index for each in after] == list(range(12))
    wrong = [each.index for each in after if not torch.equal(each.pixels, whole[each.index])]
    assert len(wrong) <= 2


def test_interlaced_films_are_left_so(tmp_path: Path) -> None:
    options = {"x264-params": "interlaced=1:tff=1"}
    it = film(films.video(tmp_path / "interlaced.mp4", 6, size=(64, 64), options=options))
    assert it.notes == ("it is interlaced, and left so",)
    assert [number_in(each.pixels) for each in frames(it)] == list(range(6))


# ---- animations and folders ------------------------------------------------------------------------


@pytest.mark.parametrize("suffix", [".gif", ".webp", ".png"])
def test_animations(suffix: str, tmp_path: Path) -> None:
    it = film(films.animation(tmp_path / f"moving{suffix}"))
    assert (it.kind, it.frames, it.rate, it.constant, it.seconds) == ("gif", 6, Fraction(25, 2), True, 0.48)
    everything = list(frames(it))
    assert [number_in(each.pixels) for each in everything] == list(range(6))
    assert [each.time for each in everything] == [Fraction(index * 2, 25) for index in range(6)]
    part = list(frames(it, 2, 3))
    assert [each.index for each in part] == [2, 3]
    assert torch.equal(part[0].pixels, everything[2].pixels)


def test_a_gif_whose_rate_varies(tmp_path: Path) -> None:
    it = film(films.animation(tmp_path / "slow.gif", 4, duration=[100, 500, 40, 1000]))
    assert not it.constant
    assert [float(each.time) for each in frames(it)] == [0, 0.1, 0.6, 0.64]
    assert it.seconds == 1.64


def test_a_gif_without_times_is_shown_as_browsers_do(tmp_path: Path) -> None:
    assert film(films.animation(tmp_path / "fast.gif", 4, duration=0)).rate == 10


def test_transparent_parts_are_white(tmp_path: Path) -> None:
    def half(index: int) -> np.ndarray:
        alpha = np.full((48, 64, 1), 255, np.uint8)
        alpha[:24] = 0
        return np.concatenate([numbered(index), alpha], axis=2)

    it = film(films.animation(tmp_path / "clear.webp", 3, draw=half))
    assert it.notes == ("transparent parts are laid over white",)
    assert all(float(each.pixels[:, :, :20].min()) == 1 for each in frames(it))


def test_folders_are_read_in_natural_order(tmp_path: Path) -> None:
    names = ["1.png", "frame 2.png", "Frame 9.jpg", "frame 010.png", "frame 11 b.png", "frame 11.PNG"]
    assert sorted(sorted(names, reverse=True), key=folders.natural) == names
    path = films.folder(tmp_path / "shot", ["f1.png", "f2.png", "f9.jpg", "f10.png", "f101.png"])
    (path / "notes.txt").write_text("not a picture")
    (path / ".hidden.png").write_bytes(b"")
    it = film(path, rate=Fraction(25))
    assert (it.kind, it.frames, it.rate, it.seconds, it.size) == ("folder", 5, 25, 0.2, (48, 64))
    assert [number_in(each.pixels) for each in frames(it)] == [0, 1, 2, 3, 4]
    assert [each.time for each in frames(it, 3)] == [Fraction(3, 25), Fraction(4, 25)]
    assert film(path).rate == 24


@given(st.lists(st.integers(0, 10**6), min_size=2, unique=True), st.sampled_from(["f{}.png", "{} of 9.png", "a{}b{}"]))
def test_natural_order_counts(numbers: list[int], form: str) -> None:
    names = [form.format(number, number) for number in numbers]
    assert sorted(names, key=folders.natural) == [form.format(number, number) for number in sorted(numbers)]


def test_pictures_of_a_folder_keep_16_bits(tmp_path: Path) -> None:
    folder = tmp_path / "deep"
    folder.mkdir()
    Image.fromarray(np.full((40, 40), 0x1234, np.uint16)).save(folder / "0.png")
    assert float(next(frames(film(folder))).pixels[0, 0, 0, 0]) == pytest.approx(0x1234 / 65535, abs=1e-6)


def test_a_film_from_elsewhere(shared: Path) -> None:
    it = film(shared / "images" / "video" / "cutBunny.mp4")
    assert (it.size, it.frames, it.rate, it.constant, it.seconds) == ((360, 640), 240, 24, True, 10.0)
    from_here, from_start = list(frames(it, 100, 101)), list(islice(frames(it), 100, 102))
    assert all(torch.equal(a.pixels, b.pixels) for a, b in zip(from_here, from_start, strict=True))
