"""Films of a painting coming into being."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from gramarye import film
from gramarye.errors import ImageError, MissingExtraError
from networks import picture


def filmed(path: Path, last: torch.Tensor, frames: int = 6) -> None:
    """A film that grows from half the size of its last picture."""
    made = film.Film(100)
    for number in range(frames):
        made.take(picture(30, 40, number))
    made.write(path, last)


@pytest.mark.parametrize("evaluations", [0, 1, 2, 50, 119, 120, 121, 500, 10_000])
def test_frames_are_few_denser_at_the_beginning_and_reach_both_ends(evaluations: int) -> None:
    indices = film.frame_indices(evaluations)
    assert (indices[0], indices[-1]) == (0, evaluations)
    assert len(indices) <= film.FRAMES
    gaps = np.diff(indices)
    assert (gaps > 0).all()
    if evaluations > 500:
        assert len(indices) > film.FRAMES * 0.9
        assert gaps[-1] > 2 * gaps[len(gaps) // 8]


def test_a_frame_is_due_where_evaluations_are_skipped() -> None:
    made = film.Film(4)
    assert [made.is_due(*pair) for pair in ((0, 1), (1, 3), (4, 9))] == [True, True, False]


def test_webp(tmp_path: Path) -> None:
    last = picture(60, 80, 9)
    filmed(tmp_path / "out.webp", last)
    with Image.open(tmp_path / "out.webp") as image:
        assert (image.n_frames, image.size, image.info["loop"]) == (7, (80, 60), 0)
        durations, shown = [], []
        for number in range(7):
            image.seek(number)
            shown.append(np.asarray(image.convert("RGB")) / 255)
            durations.append(image.info["duration"])
    assert durations[-1] > 10 * durations[1]
    assert np.abs(shown[-1] - last[0].permute(1, 2, 0).numpy()).mean() < 0.02
    small = torch.nn.functional.interpolate(picture(30, 40, 3), (60, 80), mode="bicubic")
    assert np.abs(shown[3] - small[0].permute(1, 2, 0).numpy()).mean() < 0.02


def test_mp4_of_odd_sides(tmp_path: Path) -> None:
    av = pytest.importorskip("av")
    last = picture(61, 81, 9)
    filmed(tmp_path / "out.mp4", last)
    with av.open(str(tmp_path / "out.mp4")) as container:
        assert container.streams.video[0].codec_context.name == "h264"
        frames = list(container.decode(video=0))
    assert (frames[0].width, frames[0].height, frames[0].format.name) == (80, 60, "yuv420p")
    assert len(frames) == film.BEFORE + 5 + film.AFTER
    shown = frames[-1].to_ndarray(format="rgb24") / 255
    assert np.abs(shown - last[0, :, :60, :80].permute(1, 2, 0).numpy()).mean() < 0.03


def test_frames_are_kept_small(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(film, "LONG_SIDE", 40)
    made = film.Film(3)
    made.take(picture(60, 80, 1))
    (kept,) = made.state()
    assert (kept.dtype, tuple(kept.shape)) == (torch.uint8, (1, 3, 30, 40))
    made.write(tmp_path / "out.webp", picture(60, 80, 1))
    with Image.open(tmp_path / "out.webp") as image:
        assert image.size == (40, 30)


def test_a_film_goes_on_from_its_state(tmp_path: Path) -> None:
    whole, first, second = film.Film(9), film.Film(9), film.Film(9)
    for number in range(4):
        whole.take(picture(30, 40, number))
        (first if number < 2 else second).take(picture(30, 40, number))
        if number == 1:
            second.restore(first.state())
    for made, name in ((whole, "a.webp"), (second, "b.webp")):
        made.write(tmp_path / name, picture(30, 40, 5))
    assert (tmp_path / "a.webp").read_bytes() == (tmp_path / "b.webp").read_bytes()


def test_a_film_of_one_picture(tmp_path: Path) -> None:
    film.Film(0).write(tmp_path / "out.webp", picture(30, 40, 1))
    with Image.open(tmp_path / "out.webp") as image:
        assert image.size == (40, 30)


@pytest.mark.parametrize("name", ["out.gif", "out", "nowhere/out.webp", "."])
def test_where_no_film_can_be_written(name: str, tmp_path: Path) -> None:
    with pytest.raises(ImageError):
        film.check(tmp_path / name)


def test_mp4_without_the_extra_names_the_command(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(sys.modules, "av", None)
    with pytest.raises(MissingExtraError, match=r"Pip install \"gramarye\[video\]\""):
        film.check(tmp_path / "out.mp4")
    film.check(tmp_path / "out.webp")
