"""Snapshots and films: the pictures on the way."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from gramarye import images

from .command import TINY, Gramarye, everything_in, refused
from .test_interrupt import interrupt_at

PAINT = ("transfer", "content.png", "style.png", "-o", "out.png", *TINY)


def test_snapshots_tell_their_evaluation(place: Path, gramarye: Gramarye) -> None:
    plain = gramarye.transfer("plain.png", "--json").answer
    answer = gramarye.ok(*PAINT, "--snapshots", "3,log", "--json").answer
    assert answer["history"] == plain["history"]
    assert bool((images.load("out.png").pixels == images.load("plain.png").pixels).all())
    for evaluation in (1, 2, 3, 4):
        name = f"out-{evaluation:04d}.png"
        assert images.read_recipe(name)["evaluations"] == evaluation
        assert images.load(name).pixels.shape == (1, 3, 36, 48)
    assert bool((images.load("out-0004.png").pixels == images.load("out.png").pixels).all())
    assert not bool((images.load("out-0001.png").pixels == images.load("out.png").pixels).all())
    gramarye.ok("replay", "out-0002.png", "-o", "again.png")
    assert bool((images.load("again.png").pixels == images.load("out.png").pixels).all())


def test_snapshots_of_other_formats(place: Path, gramarye: Gramarye) -> None:
    gramarye.transfer("out.jpg", "--snapshots", "2", "--set", "scales.smallest=32", "--set", "scales.factor=1.5")
    assert images.read_recipe("out-0002.jpg")["evaluations"] == 2
    gramarye.transfer("deep.png", "--snapshots", "1", "--bits", "16")
    assert (place / "deep-0001.png").read_bytes()[24] == 16


def test_a_film(place: Path, gramarye: Gramarye) -> None:
    outcome = gramarye.ok(*PAINT, "--film", "out.webp")
    assert "wrote out.webp" in outcome.err
    with Image.open("out.webp") as film, Image.open("out.png") as picture:
        assert film.size == picture.size
        assert 3 <= film.n_frames <= 6  # the start, four evaluations, the result; WebP makes one of those alike
        film.seek(film.n_frames - 1)
        assert np.abs(np.asarray(film.convert("RGB"), float) - np.asarray(picture, float)).mean() < 6


def test_a_film_in_the_colours_of_the_result(place: Path, gramarye: Gramarye) -> None:
    gramarye.ok(*PAINT, "--film", "out.webp", "--color", "luminance")
    with Image.open("out.webp") as film:
        film.seek(2)
        frame = np.asarray(film.convert("RGB"), float)
    assert np.abs(frame[..., 0] - frame[..., 2]).mean() > 2  # no frame is grey


def test_an_interrupted_film_is_kept(place: Path, gramarye: Gramarye, monkeypatch: pytest.MonkeyPatch) -> None:
    interrupt_at(monkeypatch, 2)
    outcome = gramarye(*PAINT, "--film", "out.webp", "--snapshots", "1,4")
    assert outcome.status == 130
    with Image.open("out.webp") as film:
        assert 2 <= film.n_frames <= 4
    assert (place / "out-0001.png").exists()
    assert not (place / "out-0004.png").exists()


def test_mp4(place: Path, gramarye: Gramarye) -> None:
    av = pytest.importorskip("av")
    gramarye.ok(*PAINT, "--film", "out.mp4", "-q")
    with av.open("out.mp4") as film:
        assert sum(1 for _ in film.decode(video=0)) > 30


@pytest.mark.parametrize(
    ("more", "about"),
    [
        (("--snapshots", "5"), "1 … 4"),
        (("--snapshots", "0"), "1 … 4"),
        (("--snapshots", ""), "1 … 4"),
        (("--snapshots", "some"), "'some'"),
        (("--snapshots", "1", "-o", "link.png"), "one of the inputs"),
        (("--film", "out.gif"), "suffix for a film"),
        (("--film", "nowhere/out.webp"), "nowhere"),
        (("--film", "content.webp"), "one of the inputs"),
        (("--film", "out.webp", "-o", "out.webp"), "name of its own"),
    ],
)
def test_names_are_checked_before_the_painting(
    more: tuple[str, ...], about: str, place: Path, gramarye: Gramarye
) -> None:
    (place / "link-0001.png").symlink_to("content.png")
    (place / "content.webp").symlink_to("content.png")
    before = everything_in(place)
    refused(gramarye(*PAINT, *more), about=about)
    assert everything_in(place) == before
