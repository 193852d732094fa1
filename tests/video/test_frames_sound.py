"""The sound of films: copied or encoded, in step with the pictures."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

import films
from films import heard, onset, shown
from gramarye.video.frames import Writer, film, frames

VIDEOS = [".mp4", ".mov", ".mkv", ".webm"]


@pytest.mark.parametrize(
    ("source", "codec", "suffix", "expected"),
    [
        ("in.mp4", "aac", ".mp4", "aac"),
        ("in.mp4", "aac", ".mkv", "aac"),
        ("in.mkv", "libopus", ".webm", "opus"),
        ("in.mkv", "libopus", ".mp4", "opus"),
        ("in.mkv", "flac", ".mkv", "flac"),
        ("in.mp4", "ac3", ".mov", "ac3"),
        ("in.ts", "aac", ".mp4", "aac"),
    ],
)
def test_sound_is_copied(source: str, codec: str, suffix: str, expected: str, tmp_path: Path) -> None:
    path = films.video(tmp_path / source, 24, sound=codec)
    it = film(path)
    assert it.sound
    with Writer(tmp_path / f"out{suffix}", it) as writer:
        for frame in frames(it):
            writer.write(frame)
    packets, times, name = heard(tmp_path / f"out{suffix}")
    before, told, _ = heard(path)
    assert name == expected
    assert writer.notes == ()
    if source != "in.ts":  # whose packets have a header each, which MP4 keeps once
        assert packets == before
    assert np.diff([float(time) for time in times]) == pytest.approx(np.diff([float(time) for time in told]), abs=0.002)
    assert onset(tmp_path / f"out{suffix}") - _begin(tmp_path / f"out{suffix}") == pytest.approx(
        onset(path) - _begin(path), abs=0.003
    )


def _begin(path: Path) -> float:
    return float(shown(path)[0][1])


@pytest.mark.parametrize(
    ("source", "codec", "suffix", "expected"),
    [("in.mp4", "aac", ".webm", "opus"), ("in.mov", "pcm_s16le", ".mp4", "aac"), ("in.mkv", "flac", ".webm", "opus")],
)
def test_sound_is_encoded_where_it_does_not_fit(
    source: str, codec: str, suffix: str, expected: str, tmp_path: Path
) -> None:
    path = films.video(tmp_path / source, 24, sound=codec)
    it = film(path)
    with Writer(tmp_path / f"out{suffix}", it) as writer:
        for frame in frames(it):
            writer.write(frame)
    _, times, name = heard(tmp_path / f"out{suffix}")
    assert name == expected
    assert len(writer.notes) == 1
    assert "encoded anew" in writer.notes[0]
    assert times[-1] == pytest.approx(1, abs=0.06)
    assert onset(tmp_path / f"out{suffix}") == pytest.approx(onset(path), abs=0.01)


def test_sound_of_a_part_is_that_of_the_part(tmp_path: Path) -> None:
    it = film(films.video(tmp_path / "in.mp4", 72, sound="aac"))
    with Writer(tmp_path / "out.mp4", it) as writer:
        for frame in frames(it, 24, 47):
            writer.write(frame)
    _, times, _ = heard(tmp_path / "out.mp4")
    assert -0.03 < times[0] <= 0
    assert times[-1] == pytest.approx(1, abs=0.05)
    assert film(tmp_path / "out.mp4").seconds == 1


def test_sound_stays_with_its_pictures_when_they_begin_late(tmp_path: Path) -> None:
    path = films.video(tmp_path / "in.mkv", 24, sound="aac", late=Fraction(1, 2))
    it = film(path)
    with Writer(tmp_path / "out.mp4", it) as writer:
        for frame in frames(it):
            writer.write(frame)
    _, times, _ = heard(tmp_path / "out.mp4")
    _, told, _ = heard(path)
    assert float(times[-1]) == pytest.approx(float(told[-1]) - 0.5, abs=0.03)


def test_sound_may_be_left_out(tmp_path: Path) -> None:
    it = film(films.video(tmp_path / "in.mp4", 6, sound="aac"))
    with Writer(tmp_path / "out.mp4", it, sound=False) as writer:
        for frame in frames(it):
            writer.write(frame)
    assert not film(tmp_path / "out.mp4").sound


@pytest.mark.parametrize("suffix", VIDEOS)
def test_a_film_with_sound_is_the_same_every_time(suffix: str, tmp_path: Path) -> None:
    it = film(films.video(tmp_path / "in.mp4", 24, sound="aac"))
    for name in ("one", "two"):
        with Writer(tmp_path / f"{name}{suffix}", it) as writer:
            for frame in frames(it):
                writer.write(frame)
    assert (tmp_path / f"one{suffix}").read_bytes() == (tmp_path / f"two{suffix}").read_bytes()
