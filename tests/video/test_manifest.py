"""What is kept of a film: whole frames or none, of this film alone, open to one process at a time."""

from __future__ import annotations

import json
from contextlib import closing
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from filming import kept_in
from gramarye import images
from gramarye.errors import ImageError, OptimizationError
from gramarye.video.manifest import FORMAT, LOCK, MANIFEST, Kept, folder_for, rounded, threads_in
from gramarye.video.measure import Moment
from networks import picture

IDENTITY = {"film": {"sha256": "a"}, "settings": {"style": {"weight": 30.0}}, "range": [1]}


def moment(index: int) -> Moment:
    return Moment(index, 0.1 * index, 1e-5 / 3, seen=0.9, cut=index == 2)


def filled(folder: Path, count: int = 4, *, first: int = 0) -> Kept:
    """A folder with so many frames, open."""
    kept = Kept(folder, IDENTITY, first=first, reach=2)
    for index in range(count):
        kept.add(moment(first + index), Fraction(index, 25), picture(36, 40, index))
    return kept


def test_frames_are_there_again(tmp_path: Path) -> None:
    kept = filled(tmp_path / "work", first=7)
    kept.close()
    again = Kept(tmp_path / "work", IDENTITY, first=7, reach=2)
    assert len(again) == 4
    assert again.moments == kept.moments == [moment(index) for index in range(7, 11)]
    assert again.times == [Fraction(index, 25) for index in range(4)]
    for place in range(4):
        assert torch.equal(again.pixels(place), images.load(images.to_uint8(picture(36, 40, place))).pixels)
    for place in (2, 3):
        assert torch.equal(again.past(place), rounded(picture(36, 40, place)))
    assert sorted(path.name for path in (tmp_path / "work").iterdir()) == [
        *(f"{index:08d}.png" for index in (7, 8)),
        *(f"{index:08d}.{kind}" for index in (9, 10) for kind in ("past", "png")),
        LOCK,
        MANIFEST,
    ]
    again.close()


def test_same_frames_same_bytes(tmp_path: Path) -> None:
    for name in ("one", "other"):
        filled(tmp_path / name).close()
    assert kept_in(tmp_path / "one") == kept_in(tmp_path / "other")


def test_names() -> None:
    assert folder_for(Path("films/out.mp4")) == Path("films/out.mp4.work")


@given(st.floats(0, 1, width=32))
def test_rounding_is_done_once(value: float) -> None:
    pixels = rounded(torch.full((1, 3, 32, 32), value))
    assert float((pixels - value).abs().max()) <= 0.5 / 65535 + 1e-7
    assert torch.equal(rounded(pixels), pixels)


def test_what_is_not_finite_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ImageError, match="finite values"):
        rounded(torch.full((1, 3, 32, 32), float("nan")))
    kept = filled(tmp_path / "work", 1)
    with pytest.raises(ImageError, match="finite values"):
        kept.add(moment(1), Fraction(0), torch.full((1, 3, 36, 40), float("inf")))
    assert len(kept) == 1
    kept.close()


@pytest.mark.parametrize(
    ("other", "told"),
    [
        ({"film": {"sha256": "b"}}, "film.sha256"),
        ({"settings": {"style": {"weight": 31.0}}}, "style.weight"),
        ({"range": [1, 2]}, "range"),
        ({"size": 64}, "size"),
    ],
)
def test_another_film_is_refused(other: dict[str, object], told: str, tmp_path: Path) -> None:
    filled(tmp_path / "work").close()
    before = kept_in(tmp_path / "work")
    with pytest.raises(OptimizationError, match=f"of other {told}, .*--restart"):
        Kept(tmp_path / "work", {**IDENTITY, **other})
    assert kept_in(tmp_path / "work") == before
    with_restart = Kept(tmp_path / "work", {**IDENTITY, **other}, restart=True)
    assert len(with_restart) == 0
    with_restart.close()
    assert sorted(path.name for path in (tmp_path / "work").iterdir()) == [LOCK, MANIFEST]


@pytest.mark.parametrize("text", ["", "{", "[]", '"x"', '{"format": "something else"}', "\0"])
def test_a_damaged_manifest_is_refused(text: str, tmp_path: Path) -> None:
    filled(tmp_path / "work").close()
    (tmp_path / "work" / MANIFEST).write_text(text)
    with pytest.raises(OptimizationError, match=r"goes on from its own frames; got .*--restart"):
        Kept(tmp_path / "work", IDENTITY)


def test_the_manifest_is_for_people_too(tmp_path: Path) -> None:
    filled(tmp_path / "work").close()
    assert json.loads((tmp_path / "work" / MANIFEST).read_text()) == {"format": FORMAT, **IDENTITY}


def test_one_at_a_time(tmp_path: Path) -> None:
    pytest.importorskip("fcntl")
    kept = filled(tmp_path / "work", 1)
    with pytest.raises(OptimizationError, match=r"only one process .* Wait for it"):
        Kept(tmp_path / "work", IDENTITY, restart=True)
    kept.add(moment(1), Fraction(1), picture(36, 40, 1))
    kept.close()
    with closing(Kept(tmp_path / "work", IDENTITY, reach=2)) as again:
        assert len(again) == 2


def test_what_a_crash_leaves_is_cleared(tmp_path: Path) -> None:
    folder = tmp_path / "work"
    filled(folder).close()
    before = kept_in(folder)
    (folder / "00000004.past").write_bytes(b"half")
    (folder / ".00000004.png.0123abcd.tmp").write_bytes(b"half")
    (folder / ".manifest.json.0123abcd.tmp").write_bytes(b"half")
    (folder / "00000001.past").write_bytes(b"not removed in time")
    (folder / "00000009.png").write_bytes(b"beyond a gap")
    (folder / "mine.txt").write_text("somebody's own")
    kept = Kept(folder, IDENTITY, reach=2)
    assert len(kept) == 4
    assert kept_in(folder) == before | {"mine.txt": b"somebody's own"}
    kept.remove()
    assert kept_in(folder) == {"mine.txt": b"somebody's own"}


def test_frames_without_a_manifest_count_for_nothing(tmp_path: Path) -> None:
    filled(tmp_path / "work").close()
    (tmp_path / "work" / MANIFEST).unlink()
    with closing(Kept(tmp_path / "work", IDENTITY)) as kept:
        assert len(kept) == 0


@pytest.mark.parametrize(
    ("lost", "left"),
    [("00000003.png", [0, 1, 2]), ("00000000.png", [2, 3]), ("00000001.png", [2, 3]), ("00000003.past", [])],
)
def test_what_is_left_is_what_can_be_gone_on_from(lost: str, left: list[int], tmp_path: Path) -> None:
    """Frames from the beginning or from a cut, frame 2, on, as long as those at their end can be looked back to."""
    filled(tmp_path / "work").close()
    (tmp_path / "work" / lost).unlink()
    with closing(Kept(tmp_path / "work", IDENTITY, reach=2)) as kept:
        assert kept.places == left
        assert len(kept) == len(left)
    there = {path.name for path in (tmp_path / "work").glob("*.png")}
    assert there == {f"{place:08d}.png" for place in left}


def test_gaps_and_what_is_seen_beside_them(tmp_path: Path) -> None:
    kept = Kept(tmp_path / "work", IDENTITY, first=10, reach=2)
    assert kept.gap() == (0, None)
    for place in (5, 0, 6, 7, 1):
        cut = place == 5
        kept.add(replace(moment(10 + place), cut=cut), Fraction(place, 25), picture(36, 40, place))
    assert kept.places == [0, 1, 5, 6, 7]
    assert [kept.gap(place) for place in (0, 3, 5)] == [(2, 5), (3, 5), (8, None)]
    assert [kept.sight(place) for place in (0, 1, 2, 4, 5, 6, 7, 8)] == [0, 1, 2, 0, 0, 1, 2, 2]
    assert {path.stem for path in kept.folder.glob("*.past")} == {f"{10 + place:08d}" for place in (0, 1, 6, 7)}
    for place in (2, 3, 4):
        kept.add(replace(moment(10 + place), cut=False), Fraction(place, 25), picture(36, 40, place))
    assert {path.stem for path in kept.folder.glob("*.past")} == {"00000016", "00000017"}
    kept.close()


def test_a_row_of_another_frame_is_none(tmp_path: Path) -> None:
    filled(tmp_path / "work").close()
    (tmp_path / "work" / "00000003.png").rename(tmp_path / "work" / "00000002.png")
    with closing(Kept(tmp_path / "work", IDENTITY, reach=1)) as kept:
        assert len(kept) == 0


def test_with_how_many_threads(tmp_path: Path) -> None:
    assert threads_in(tmp_path / "work") is None
    Kept(tmp_path / "work", {**IDENTITY, "threads": 3}).close()
    assert threads_in(tmp_path / "work") == 3
    for other in ("{", json.dumps({"format": FORMAT, "threads": "many"})):
        (tmp_path / "work" / MANIFEST).write_text(other)
        assert threads_in(tmp_path / "work") is None


def test_a_damaged_frame_is_told(tmp_path: Path) -> None:
    kept = filled(tmp_path / "work")
    for place, name in ((1, "00000001.png"), (2, "00000002.past")):
        path = tmp_path / "work" / name
        path.write_bytes(path.read_bytes()[:-40])
        with pytest.raises(ImageError, match=f"as it was kept; got .*{name}.*--restart"):
            kept.pixels(place) if name.endswith("png") else kept.past(place)
    kept.close()


def test_nowhere_to_keep_frames(tmp_path: Path) -> None:
    (tmp_path / "work").write_text("a file")
    for folder in (tmp_path / "work", tmp_path / "missing" / "work"):
        with pytest.raises(ImageError, match="a folder of their own"):
            Kept(folder, IDENTITY)


def test_removed(tmp_path: Path) -> None:
    filled(tmp_path / "work").remove()
    assert not list(tmp_path.iterdir())
