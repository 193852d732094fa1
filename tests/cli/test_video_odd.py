"""gramarye video with whatever people have: what is no film is one clear line, what is odd is painted as it is."""

from __future__ import annotations

import os
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
import torch

import films
from bad_films import BAD
from filming import IDENTITY
from gramarye import images
from gramarye.cli import filming
from gramarye.cli.filming import Brush
from gramarye.video import frames

from .command import Gramarye, everything_in, refused

VARYING = (0, 3, 4, 9, 10, 20)


@pytest.fixture(autouse=True)
def untouched(monkeypatch: pytest.MonkeyPatch) -> None:
    """A painter that leaves frames as they are."""
    brush = Brush(lambda frame, before: frame.pixels, IDENTITY, "untouched")
    monkeypatch.setattr(filming, "brush", lambda asked, size: brush)


@pytest.mark.parametrize("name", BAD)
def test_what_is_no_film_is_refused(name: str, place: Path, gramarye: Gramarye) -> None:
    if name == "no permission" and os.geteuid() == 0:
        pytest.skip("root may read everything")
    path = BAD[name][0](place)
    if "\0" in str(path):
        pytest.skip("no program can be given such an argument")
    before = everything_in(place)
    refused(gramarye("video", path, "style.png", "-o", "out.mp4"))
    assert everything_in(place) == before


def _turned(path: Path) -> Path:
    return films.video(path, 3, size=(48, 64), degrees=90)


def _cut_off(path: Path) -> Path:
    def grainy(index: int, height: int, width: int) -> np.ndarray:
        return np.random.default_rng(index).integers(0, 256, (height, width, 3), np.uint8)

    films.video(path, 20, draw=grainy, container_options={"movflags": "+faststart"})
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    return path


def _deep(path: Path) -> Path:
    path.mkdir()
    for index in range(3):
        images.save(torch.full((1, 3, 48, 64), (1000 * index + 7) / 65535), path / f"{index}.png", bits=16)
    return path


# What each is made by, and the size in which it is painted.
ODD: dict[str, tuple[str, Callable[[Path], Path], tuple[int, int]]] = {
    "one frame": ("in.mp4", lambda path: films.video(path, 1), (48, 64)),
    "one picture of a GIF": ("in.gif", lambda path: films.animation(path, 1), (48, 64)),
    "odd sides": ("in.mkv", lambda path: films.video(path, 3, codec="ffv1", pixels="bgr0", size=(49, 65)), (49, 65)),
    "ten bits": ("in.mkv", lambda path: films.video(path, 3, codec="ffv1", pixels="yuv420p10le"), (48, 64)),
    "16 bits": ("in", _deep, (48, 64)),
    "portrait by rotation": ("in.mp4", _turned, (64, 48)),
    "a varying rate": (
        "in.mp4",
        lambda path: films.video(path, len(VARYING), times=VARYING, base=Fraction(1, 24)),
        (48, 64),
    ),
    "cut off": ("in.mp4", _cut_off, (48, 64)),
    "sound": ("in.mp4", lambda path: films.video(path, 3, sound="aac"), (48, 64)),
}


@pytest.mark.parametrize("name", ODD)
@pytest.mark.parametrize("output", ["out.mkv", "out"])
def test_what_is_odd_is_painted(output: str, name: str, place: Path, gramarye: Gramarye) -> None:
    file, make, size = ODD[name]
    given = frames.film(make(place / file))
    answer = gramarye.ok("video", file, "style.png", "-o", output, "--json").answer
    assert (answer["frames"], answer["size"]) == (given.frames, list(size))
    written = frames.film(output)
    even = size if output == "out" else tuple(side - side % 2 for side in size)
    assert (written.frames, written.size, written.rotation) == (given.frames, even, 0)
    if output == "out":  # the same pixels, in 8 bits
        for one, other in zip(frames.frames(given), frames.frames(written), strict=True):
            assert torch.equal(images.load(images.to_uint8(one.pixels)).pixels, other.pixels)
    else:
        times = [float(given.time(index)) for index in range(given.frames or 0)]
        assert [float(written.time(index)) for index in range(len(times))] == pytest.approx(times, abs=2e-3)


def test_what_is_odd_is_told(place: Path, gramarye: Gramarye) -> None:
    _cut_off(place / "in.mp4")
    films.video(place / "varying.mp4", len(VARYING), times=VARYING, base=Fraction(1, 24))
    outcome = gramarye.ok("video", "in.mp4", "style.png", "-o", "out.mp4")
    assert "note      the file is cut off after " in outcome.err
    outcome = gramarye.ok("video", "varying.mp4", "style.png", "-o", "out.mp4")
    assert "note      its frame rate varies: every frame keeps its time\n" in outcome.err
