"""Writing films: whole or not at all, the same bytes every time, with sound, times and sizes kept."""

from __future__ import annotations

import errno
import os
import sys
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

import films
from films import names_in, number_in, shown
from gramarye.errors import ImageError, MissingExtraError
from gramarye.video import encoding, writing
from gramarye.video.film import Timetable
from gramarye.video.frames import Film, Frame, Writer, check_destination, film, frames

VIDEOS = [".mp4", ".mov", ".mkv", ".webm"]
FILES = [*VIDEOS, ".gif", ".webp"]
ALL = [*FILES, ""]


def written(path: Path, count: int = 12, rate: Fraction | int = 24) -> Path:
    with Writer(path, films.plan(rate, count)) as writer:
        for index in range(count):
            writer.write(films.frame(index, rate))
    return path


@pytest.mark.parametrize("suffix", ALL)
def test_what_is_written_is_read_again(suffix: str, tmp_path: Path) -> None:
    it = film(written(tmp_path / f"out{suffix}"))
    assert (it.frames, it.size, it.rate, it.constant) == (12, (48, 64), 24, True)
    assert it.seconds == pytest.approx(0.5, abs=0.011)
    everything = list(frames(it))
    assert [number_in(each.pixels) for each in everything] == list(range(12))
    assert [each.time for each in everything] == [Fraction(index, 24) for index in range(12)]
    assert names_in(tmp_path) == [f"out{suffix}"]


@pytest.mark.parametrize("suffix", ALL)
def test_the_same_frames_give_the_same_bytes(suffix: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = written(tmp_path / f"one{suffix}", 30)
    monkeypatch.setattr(os, "cpu_count", lambda: 64)
    second = written(tmp_path / f"two{suffix}", 30)
    if suffix:
        assert first.read_bytes() == second.read_bytes()
    else:
        assert [(each.name, each.read_bytes()) for each in sorted(first.iterdir())] == [
            (each.name, each.read_bytes()) for each in sorted(second.iterdir())
        ]


@pytest.mark.parametrize(("suffix", "codec"), [(".mp4", "h264"), (".mov", "h264"), (".mkv", "h264"), (".webm", "vp9")])
def test_codecs_that_browsers_play(suffix: str, codec: str, tmp_path: Path) -> None:
    with av.open(str(written(tmp_path / f"out{suffix}"))) as container:
        context = container.streams.video[0].codec_context
        assert context.codec.canonical_name == codec
        assert context.pix_fmt == "yuv420p"
        if codec == "h264":
            assert context.profile == "High"


@pytest.mark.parametrize("suffix", [".mp4", ".mov"])
def test_the_index_comes_before_the_pictures(suffix: str, tmp_path: Path) -> None:
    data = written(tmp_path / f"out{suffix}").read_bytes()
    assert 0 < data.index(b"moov") < data.index(b"mdat")


def test_players_see_the_same_frames_at_the_same_times(tmp_path: Path) -> None:
    path = written(tmp_path / "out.mp4", 12, Fraction(30000, 1001))
    assert [number for number, _ in shown(path)] == list(range(12))
    it = film(path)
    assert it.rate == Fraction(30000, 1001)


def test_quality_is_a_knob(tmp_path: Path) -> None:
    noise = torch.rand(1, 3, 48, 64, generator=torch.Generator().manual_seed(0))
    sizes = []
    for quality in (10, 30):
        with Writer(tmp_path / "out.mp4", films.plan(count=1), quality=quality) as writer:
            writer.write(Frame(0, Fraction(0), noise))
        sizes.append((tmp_path / "out.mp4").stat().st_size)
    assert sizes[0] > 1.5 * sizes[1]
    with pytest.raises(ImageError, match="from 0 to 40"):
        Writer(tmp_path / "out.mp4", films.plan(count=1), quality=41)


@settings(max_examples=12)
@given(st.integers(32, 70), st.integers(32, 70), st.sampled_from(FILES))
def test_odd_sides(tmp_path_factory: pytest.TempPathFactory, height: int, width: int, suffix: str) -> None:
    path = tmp_path_factory.getbasetemp() / f"odd{suffix}"
    with Writer(path, films.plan(count=2), size=(height, width)) as writer:
        for index in range(2):
            writer.write(films.frame(index, height=height, width=width))
    expected = (height // 2 * 2, width // 2 * 2) if suffix in VIDEOS else (height, width)
    assert film(path).size == expected


def _written_and(error: Any, path: Path, indices: tuple[int, ...]) -> None:
    """Some frames, and then `error` before the film is finished."""
    with Writer(path, films.plan(count=9)) as writer:
        for index in indices:
            writer.write(films.frame(index))
        if error is not None:
            raise error


# ---- times -----------------------------------------------------------------------------------------


def varying(times: list[int], end: int) -> Film:
    table = Timetable(np.array(times, np.int64), Fraction(1, 1000), end, np.array(times[:1], np.int64))
    return films.plan(10, len(times), constant=False, timetable=table)


@pytest.mark.parametrize("suffix", [".mp4", ".mkv", ".webm", ".webp", ".gif"])
def test_times_that_vary_are_kept(suffix: str, tmp_path: Path) -> None:
    times = [0, 40, 80, 200, 240, 500, 540, 900]
    with Writer(tmp_path / f"out{suffix}", varying(times, 1500)) as writer:
        for index, time in enumerate(times):
            writer.write(Frame(index, Fraction(time, 1000), films.frame(index).pixels))
    again = film(tmp_path / f"out{suffix}")
    assert [round(each.time * 1000) for each in frames(again)] == times
    assert [number_in(each.pixels) for each in frames(again)] == list(range(8))
    if suffix in {".mp4", ".mkv", ".webp"}:
        assert again.seconds == pytest.approx(1.5, abs=0.01)


def test_a_part_begins_at_0(tmp_path: Path) -> None:
    with Writer(tmp_path / "out.mp4", films.plan(count=100)) as writer:
        for index in range(40, 50):
            writer.write(films.frame(index))
    assert shown(tmp_path / "out.mp4") == [(40 + index, Fraction(index, 24)) for index in range(10)]


def test_a_gif_leaves_out_what_browsers_would_slow_down(tmp_path: Path) -> None:
    with Writer(tmp_path / "out.gif", films.plan(100, 30)) as writer:
        for index in range(30):
            writer.write(films.frame(index, 100))
    it = film(tmp_path / "out.gif")
    assert (it.frames, it.rate, it.seconds) == (15, 50, pytest.approx(0.3, abs=0.02))
    assert [number_in(each.pixels) for each in frames(it)] == list(range(0, 30, 2))


@pytest.mark.parametrize("times", [(0, 0), (2, 1), (0, 1, 1)])
def test_frames_out_of_order_are_refused(times: tuple[int, ...], tmp_path: Path) -> None:
    with pytest.raises(ImageError, match="in their order"):
        _written_and(None, tmp_path / "out.mp4", times)
    assert names_in(tmp_path) == []


def test_a_turned_film_is_written_upright_and_needs_no_turning(tmp_path: Path) -> None:
    it = film(films.video(tmp_path / "in.mov", 4, degrees=270))
    assert it.size == (64, 48)
    with Writer(tmp_path / "out.mp4", it) as writer:
        for frame in frames(it):
            writer.write(frame)
    again = film(tmp_path / "out.mp4")
    assert (again.size, again.rotation) == ((64, 48), 0)
    assert float((next(frames(again)).pixels - next(frames(it)).pixels).abs().mean()) < 0.02


# ---- whole or not at all -----------------------------------------------------------------------------


@pytest.mark.parametrize("suffix", ALL)
@pytest.mark.parametrize("error", [KeyboardInterrupt, RuntimeError, ImageError("a", "b", "c")])
def test_an_interrupt_leaves_nothing(suffix: str, error: Any, tmp_path: Path) -> None:
    with pytest.raises(error if isinstance(error, type) else type(error)):
        _written_and(error, tmp_path / f"out{suffix}", (0, 1))
    assert names_in(tmp_path) == []


@pytest.mark.parametrize("suffix", ALL)
def test_an_interrupt_leaves_the_old_film(suffix: str, tmp_path: Path) -> None:
    path = written(tmp_path / f"out{suffix}", 3)
    with pytest.raises(KeyboardInterrupt):
        _written_and(KeyboardInterrupt(), path, (7,))
    assert [number_in(each.pixels) for each in frames(film(path))] == [0, 1, 2]
    written(path, 5)
    assert film(path).frames == 5
    assert names_in(tmp_path) == [f"out{suffix}"]


@pytest.mark.parametrize("suffix", [".mp4", ".gif", ""])
def test_an_interrupt_while_it_is_finished_leaves_nothing(
    suffix: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(writing, "put_in_place", interrupt)
    monkeypatch.setattr(writing, "_replace_folder", interrupt)
    with pytest.raises(KeyboardInterrupt):
        written(tmp_path / f"out{suffix}")
    assert names_in(tmp_path) == []


@pytest.mark.parametrize("suffix", [".mp4", ".gif", ".webm"])
@pytest.mark.parametrize("when", ["_put", "close"])
def test_a_full_disk_is_one_clear_line(suffix: str, when: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise av.error.OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(encoding.Encoder, when, full)
    with pytest.raises(ImageError, match=r"film cannot be written.*no space left on device.*Free some space"):
        written(tmp_path / f"out{suffix}")
    assert names_in(tmp_path) == []


def test_a_film_needs_a_frame(tmp_path: Path) -> None:
    with pytest.raises(ImageError, match="at least one frame"), Writer(tmp_path / "out.mp4", films.plan()):
        pass
    assert names_in(tmp_path) == []


def test_frames_must_have_the_writers_size(tmp_path: Path) -> None:
    with pytest.raises(ImageError, match="64 × 40 pixels for 64 × 48"), \
            Writer(tmp_path / "out.mp4", films.plan()) as writer:  # fmt: skip
        writer.write(films.frame(0, height=40))


def test_nan_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ImageError, match="finite"), Writer(tmp_path / "out.mp4", films.plan()) as writer:
        writer.write(Frame(0, Fraction(0), torch.full((1, 3, 48, 64), float("nan"))))
    assert names_in(tmp_path) == []


def test_a_writer_that_is_not_open_says_so(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="with"):
        Writer(tmp_path / "out.mp4", films.plan()).write(films.frame(0))


def test_a_folder_of_frames_is_named_by_their_indices(tmp_path: Path) -> None:
    with Writer(tmp_path / "frames", films.plan(count=200)) as writer:
        for index in (98, 99, 100):
            writer.write(films.frame(index))
    assert names_in(tmp_path / "frames") == ["000098.png", "000099.png", "000100.png"]
    again = [each.pixels for each in frames(film(tmp_path / "frames"))]
    assert torch.allclose(again[1], films.frame(99).pixels)


def test_a_folder_with_other_things_is_not_replaced(tmp_path: Path) -> None:
    (tmp_path / "frames").mkdir()
    (tmp_path / "frames" / "thesis.txt").write_text("years of work")
    with pytest.raises(ImageError, match=r"frames alone.*thesis\.txt"):
        written(tmp_path / "frames")
    assert (tmp_path / "frames" / "thesis.txt").read_text() == "years of work"


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("out.jgp", "unknown suffix"),
        ("out.mpg", r"Did you mean '\.mp4'"),
        ("nowhere/out.mp4", "folder to write to must exist"),
        ("nowhere/frames", "folder to write to must exist"),
        ("folder.mp4", "a folder"),
        ("file", "cannot replace a file"),
        ("n" * 300 + ".mp4", "name too long"),
    ],
)
def test_where_no_film_can_be_written(name: str, message: str, tmp_path: Path) -> None:
    (tmp_path / "folder.mp4").mkdir()
    (tmp_path / "file").write_text("x")
    before = names_in(tmp_path)
    with pytest.raises(ImageError, match=message) as caught:
        check_destination(tmp_path / name)
    assert "\n" not in str(caught.value)
    with pytest.raises(ImageError):
        written(tmp_path / name)
    assert names_in(tmp_path) == before


def test_a_destination_is_tried_and_left_as_it_was(tmp_path: Path) -> None:
    assert check_destination(tmp_path / "out.mp4") == tmp_path / "out.mp4"
    assert check_destination(tmp_path / "frames") == tmp_path / "frames"
    assert names_in(tmp_path) == []


def test_without_the_extra_the_command_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    films.video(tmp_path / "in.mp4", 2)
    monkeypatch.setitem(sys.modules, "av", None)
    with pytest.raises(MissingExtraError, match=r"Pip install \"gramarye\[video\]\""):
        check_destination(tmp_path / "out.mp4")
    with pytest.raises(MissingExtraError, match=r"Pip install"):
        film(tmp_path / "in.mp4")
    written(tmp_path / "frames", 2)
    assert film(tmp_path / "frames").frames == 2


def test_palettes_of_gifs_are_good(tmp_path: Path) -> None:
    """A slope of colours: nearer than with the 216 colours of the web, and steady where nothing moves."""
    rows, columns = torch.meshgrid(torch.linspace(0, 1, 64), torch.linspace(0, 1, 64), indexing="ij")
    still = torch.stack([rows, columns, 1 - rows])[None]
    with Writer(tmp_path / "out.gif", films.plan(count=4, size=(64, 64))) as writer:
        for index in range(4):
            moving = still.clone()
            moving[..., 48:, 10 * index : 10 * index + 8] = 1
            writer.write(Frame(index, Fraction(index, 24), moving))
    shown_again = [each.pixels for each in frames(film(tmp_path / "out.gif"))]
    web = ((still * 5).round() / 5 - still).abs().mean()
    blur = torch.nn.AvgPool2d(4)
    assert float((shown_again[0] - still)[..., :48, :].abs().mean()) < 0.8 * float(web)
    assert float((blur(shown_again[0]) - blur(still))[..., :12, :].abs().mean()) < 0.01
    assert torch.equal(shown_again[0][..., :40, :], shown_again[3][..., :40, :])
    with Image.open(tmp_path / "out.gif") as image:
        assert image.info["loop"] == 0
