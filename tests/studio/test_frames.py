"""Frames: evenly spaced in the logarithm of the step, never more than 64 nor 8 MB, and found again."""

from __future__ import annotations

import itertools
import math
from pathlib import Path

import pytest
import torch

from gramarye import images
from gramarye.studio import frames
from gramarye.studio.frames import BYTES, MOST, SIDE, Frames, kept_in
from networks import picture


class Clock:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def run(store: Frames, clock: Clock, steps: int, seconds: float, pixels: torch.Tensor) -> None:
    """So many steps of so many seconds, with the frames that are due, and one for the start and the end."""
    store.add(0, pixels)
    for index in range(1, steps + 1):
        clock.now += seconds
        if store.due(index) or store.spare(index, (steps - index) * seconds):
            store.add(index, pixels)
    store.add(steps, pixels)


def indices(folder: Path) -> list[int]:
    return [frame["index"] for frame in kept_in(folder).plain()]


@pytest.mark.parametrize("steps", [2, 200, 5000])
@pytest.mark.parametrize("seconds", [0.01, 0.3, 5.0])
def test_enough_and_never_too_many(steps: int, seconds: float, tmp_path: Path) -> None:
    clock = Clock()
    store = Frames(tmp_path / "frames", steps, clock)
    run(store, clock, steps, seconds, picture(32, 32, 1))
    kept = indices(store.folder)
    assert kept[0] == 0
    assert kept[-1] == steps
    assert kept == sorted(set(kept))
    assert len(kept) <= MOST
    assert not kept_in(store.folder).thinned, "so few that none has to go"
    files = {path.name for path in store.folder.iterdir()}
    assert files == {"index.json", *(f"{index}.webp" for index in kept)}
    if seconds >= frames.APART:  # there is time for all that are due
        later = [index for index in kept if index >= 8]
        gaps = [math.log2(after / before) for before, after in itertools.pairwise(later)]
        assert all(gap <= 2 / store.per_octave for gap in gaps)
        assert set(range(9)) & set(range(steps + 1)) <= set(kept)


def test_at_most_four_a_second(tmp_path: Path) -> None:
    clock = Clock()
    store = Frames(tmp_path / "frames", 1000, clock)
    run(store, clock, 1000, 0.001, picture(32, 32, 1))
    assert len(indices(store.folder)) <= 1 + 4 + 1, "one second, the start and the end"


def test_a_slow_painting_is_shown_between(tmp_path: Path) -> None:
    clock = Clock()
    store = Frames(tmp_path / "frames", 200, clock)
    run(store, clock, 200, 1.0, picture(32, 32, 1))
    late = [index for index in indices(store.folder) if index >= 100]
    assert max(after - before for before, after in itertools.pairwise(late)) < 200 * (1 - 2 ** (-1 / 6))


def test_never_more_than_the_bytes_and_thinned_evenly(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(frames, "BYTES", BYTES // 64)
    clock = Clock()
    store = Frames(tmp_path / "frames", 300, clock)
    noise = torch.rand(1, 3, 96, 96, generator=torch.Generator().manual_seed(0))
    run(store, clock, 300, 1.0, noise)
    kept = kept_in(store.folder)
    assert sum(path.stat().st_size for path in store.folder.glob("*.webp")) <= BYTES // 64
    assert kept.thinned
    indices_kept = [frame[0] for frame in kept.frames]
    assert (indices_kept[0], indices_kept[-1]) == (0, 300)
    gaps = [math.log((b + 1) / (a + 1)) for a, b in itertools.pairwise(indices_kept)]
    assert max(gaps[:-1]) < 4 * sorted(gaps)[len(gaps) // 2]
    gone = kept.thinned[0]
    near = kept.nearest(gone)
    assert near in indices_kept
    assert kept.nearest(indices_kept[3]) == indices_kept[3]
    assert kept.nearest(10**6) is None, "never a frame"


def test_many_pauses_do_not_add_up(tmp_path: Path) -> None:
    store = Frames(tmp_path / "frames", 300, Clock())
    for index in range(100):
        store.add(index, picture(32, 32, 1))
    assert len(indices(store.folder)) == MOST
    assert indices(store.folder)[-1] == 99
    assert len(list(store.folder.glob("*.webp"))) == MOST


def test_a_frame_is_the_picture_and_stays(tmp_path: Path) -> None:
    store = Frames(tmp_path / "frames", 10, Clock())
    pixels = picture(60, 80, 4)
    assert store.add(3, pixels) == {"index": 3, "width": 80, "height": 60}
    before = (store.folder / "3.webp").read_bytes()
    assert float((images.load(store.folder / "3.webp").pixels - pixels).abs().mean()) < 0.02
    assert store.add(3, 1 - pixels) is None
    assert store.add(2, 1 - pixels) is None
    assert (store.folder / "3.webp").read_bytes() == before
    again = Frames(tmp_path / "frames", 10, Clock())
    assert again.kept.newest == 3
    assert not again.due(3)


def test_large_pictures_are_shrunk(tmp_path: Path) -> None:
    frame = Frames(tmp_path / "frames", 10, Clock()).add(1, picture(600, 1200, 4))
    assert frame == {"index": 1, "width": SIDE, "height": SIDE // 2}


def test_a_picture_that_is_too_small_to_be_read_is_enlarged(tmp_path: Path) -> None:
    store = Frames(tmp_path / "frames", 10, Clock())
    assert store.add(1, picture(12, 96, 4)) == {"index": 1, "width": 256, "height": 32}
    images.load(store.folder / "1.webp")


def test_no_frames_yet(tmp_path: Path) -> None:
    assert kept_in(tmp_path).newest == -1
    assert kept_in(tmp_path).nearest(0) is None
    (tmp_path / "index.json").write_text("damaged")
    assert not kept_in(tmp_path).frames
