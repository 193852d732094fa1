"""A film in segments: stopped and killed anywhere, it comes out as undisturbed, without a frame twice or missing."""

from __future__ import annotations

import hashlib
import multiprocessing
import random
import time
from collections import Counter
from dataclasses import replace
from fractions import Fraction
from itertools import islice, pairwise
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import filming as films
from filming import brushed, carry_out, film_in, filming, kept_in, paint
from gramarye import images
from gramarye.errors import ImageError, OptimizationError
from gramarye.pulling import finish
from gramarye.video import frames
from gramarye.video.manifest import folder_for, rounded
from gramarye.video.segments import Filming, Order, Segment, painted, shots
from gramarye.video.sequence import Before, sequence

KILLS, FRAMES = 10, 24


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A film of twelve frames with a cut before the seventh."""
    return film_in(tmp_path_factory.mktemp("source") / "frames", 12, cut=6)


@pytest.fixture(scope="module")
def calm(source: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, str]:
    """Digests of its frames as they are kept, and of the film, painted without being disturbed."""
    output = tmp_path_factory.mktemp("calm") / "out.mp4"
    with filming(source, output) as film:
        assert paint(film) == list(range(12))
        kept = digest(output)
        assert film.resumed == 0
        assert [round(done * 12) for done in film.write()] == list(range(1, 13))
    assert list(output.parent.iterdir()) == [output]
    return kept, hashlib.sha256(output.read_bytes()).hexdigest()


def digest(output: Path) -> str:
    """The frames that are kept of a film, in few letters."""
    return hashlib.sha256(repr(sorted(kept_in(folder_for(output)).items())).encode()).hexdigest()


def test_painted_as_a_sequence_paints(source: Path, tmp_path: Path) -> None:
    film = frames.film(source)
    plain = list(sequence(frames.frames(film), lambda *given: rounded(brushed(*given)), range=(1, 2)))
    with filming(source, tmp_path / "out.mp4") as going:
        moments = list(going.paint())
        for painted, moment, place in zip(plain, moments, range(12), strict=True):
            assert (moment.index, moment.cut, moment.seen) == (place, painted.cut, painted.seen or 0.0)
            assert (moment.warp_error, moment.source_warp_error) == (painted.warp_error, painted.source_warp_error)
            assert images.to_uint8(going.kept.pixels(place)).tobytes() == images.to_uint8(painted.pixels).tobytes()
    assert [moment.index for moment in moments if moment.cut] == [6]


@settings(max_examples=5)
@given(stops=st.lists(st.integers(1, 11), max_size=4))
def test_stopped_anywhere_it_is_the_same(
    source: Path, calm: tuple[str, str], tmp_path_factory: pytest.TempPathFactory, stops: list[int]
) -> None:
    output, painted = tmp_path_factory.mktemp("stopped") / "out.mp4", list[int]()
    for stop in [*stops, None]:
        with filming(source, output) as film:
            assert film.resumed == len(painted)
            painted += paint(film, stop)
            if stop is None:
                assert digest(output) == calm[0]
                for _ in film.write():
                    pass
    assert painted == list(range(12))
    assert hashlib.sha256(output.read_bytes()).hexdigest() == calm[1]


@pytest.mark.parametrize("kind", ["video", "gif"])
def test_stopped_in_a_file_it_is_the_same(kind: str, source: Path, tmp_path: Path) -> None:
    """Frames are found again in the middle of what is compressed."""
    suffix = {"video": ".mp4", "gif": ".gif"}[kind]
    given = frames.film(source)
    with frames.Writer(tmp_path / f"in{suffix}", given, size=given.size) as writer:
        for frame in frames.frames(given):
            writer.write(frame)
    results = []
    for stops in ([None], [5, 2, None]):
        output = tmp_path / f"out{len(stops)}.mp4"
        for stop in stops:
            with filming(tmp_path / f"in{suffix}", output) as film:
                assert film.order.film.kind == kind
                paint(film, stop)
                if stop is None:
                    results.append(kept_in(folder_for(output)))
    assert results[0] == results[1]


def test_killed_at_random_moments(tmp_path: Path) -> None:
    source, log, chance = film_in(tmp_path / "frames", FRAMES, cut=11), tmp_path / "log", random.Random(0)
    calm, output = tmp_path / "calm.mp4", tmp_path / "out.mp4"
    with filming(source, calm) as film:
        paint(film)
        for _ in film.write():
            pass
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["filming"])
    kills, deadline = 0, time.monotonic() + 120
    while kills < KILLS and time.monotonic() < deadline:
        worker = context.Process(target=carry_out, args=(source, output, 0.08, log))
        worker.start()
        worker.join(chance.uniform(0.05, 0.5))
        assert worker.exitcode in (None, 0)
        if worker.exitcode == 0:  # done before it could be killed: once more from the beginning
            assert output.read_bytes() == calm.read_bytes()
            output.unlink()
            log.unlink()
            continue
        worker.kill()
        worker.join()
        kills += 1
        assert not output.exists() or output.read_bytes() == calm.read_bytes()
    last = context.Process(target=carry_out, args=(source, output, 0.0, log))
    last.start()
    last.join()
    assert (kills, last.exitcode) == (KILLS, 0)
    assert output.read_bytes() == calm.read_bytes()
    painted = Counter(int(line.split()[0]) for line in log.read_text().splitlines())
    assert set(painted) == set(range(FRAMES))
    assert sum(painted.values()) - FRAMES <= KILLS  # the frame under way, once for each kill
    assert sorted(path.name for path in tmp_path.iterdir()) == ["calm.mp4", "frames", "log", "out.mp4"]


def test_what_is_whole_is_not_painted_again(source: Path, tmp_path: Path) -> None:
    for _ in range(2):
        with filming(source, tmp_path / "out.mp4", last=4) as film:
            paint(film)
    with filming(source, tmp_path / "out.mp4", last=4) as film:
        assert (film.resumed, paint(film)) == (5, [])
        assert film.flicker.cuts == []
        assert film.flicker.warp_error is not None


def test_a_part_of_a_film(source: Path, tmp_path: Path) -> None:
    whole = frames.film(source)
    with filming(source, tmp_path / "out", first=3, last=8, size=48) as film:
        assert film.order.count == 6
        assert film.order.shape == (36, 48)
        assert paint(film, 2) == [3, 4]
    with filming(source, tmp_path / "out", first=3, last=8, size=48) as film:
        assert paint(film) == [5, 6, 7, 8]
        assert film.kept.times == [whole.time(index) for index in range(3, 9)]
        for _ in film.write():
            pass
    written = frames.film(tmp_path / "out")
    assert (written.size, written.frames) == ((36, 48), 6)


@pytest.mark.parametrize(
    "other", [{"range": (1,)}, {"size": 48}, {"first": 1}, {"last": 8}], ids=lambda each: next(iter(each))
)
def test_another_order_is_refused(other: dict[str, object], source: Path, tmp_path: Path) -> None:
    with filming(source, tmp_path / "out.mp4") as film:
        paint(film, 2)
    with (
        pytest.raises(OptimizationError, match=f"of other {next(iter(other))}.*--restart"),
        filming(source, tmp_path / "out.mp4", **other),
    ):
        pass
    with filming(source, tmp_path / "out.mp4", restart=True, **other) as film:
        assert film.resumed == 0


def test_another_film_is_refused(source: Path, tmp_path: Path) -> None:
    copied = film_in(tmp_path / "frames", 12, cut=6)
    with filming(copied, tmp_path / "out.mp4") as film:
        paint(film, 2)
    with filming(source, tmp_path / "out.mp4") as film:  # the same frames, elsewhere
        assert film.resumed == 2
    images.save(torch.zeros(1, 3, 48, 64), copied / "0007.png")
    with pytest.raises(OptimizationError, match="of other film"), filming(copied, tmp_path / "out.mp4"):
        pass


def test_sound_does_not_decide_what_is_painted(source: Path, tmp_path: Path) -> None:
    with filming(source, tmp_path / "out.mp4") as film:
        paint(film, 2)
    with filming(source, tmp_path / "out.mp4", sound=False) as film:
        assert film.resumed == 2


def test_writing_that_is_stopped_leaves_no_film(source: Path, tmp_path: Path) -> None:
    (tmp_path / "out.mp4").write_bytes(b"a film from before")
    with filming(source, tmp_path / "out.mp4") as film:
        paint(film)
        writing = film.write()
        next(writing)
        writing.close()
        assert len(film.kept) == 12
    assert (tmp_path / "out.mp4").read_bytes() == b"a film from before"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out.mp4", "out.mp4.work"]


def test_a_film_needs_a_frame(source: Path, tmp_path: Path) -> None:
    with filming(source, tmp_path / "out.mp4") as film, pytest.raises(ImageError, match="needs a frame"):
        next(film.write())


def test_frames_that_nothing_can_be_seen_in_are_refused(source: Path) -> None:
    with pytest.raises(ImageError, match=r"at least 32 pixels .* 40 × 30\. .*larger --size"):
        Order(frames.film(source), Path("x.mp4"), size=40)


def test_how_many_frames_there_will_be(source: Path) -> None:
    film = frames.film(source)
    assert Order(film, Path("x.mp4")).count == 12
    assert Order(film, Path("x.mp4"), first=5).count == 7
    assert Order(film, Path("x.mp4"), first=5, last=6).count == 2
    assert Order(film, Path("x.mp4"), first=50).count == 0
    unknown = replace(film, frames=None, seconds=2.0, rate=Fraction(25))
    assert Order(unknown, Path("x.mp4")).count == 50
    assert Order(replace(unknown, seconds=0.0), Path("x.mp4")).count is None
    assert Order(replace(unknown, seconds=0.0), Path("x.mp4"), last=9).count == 10


def test_a_painter_that_fails_leaves_what_is_kept(source: Path, tmp_path: Path) -> None:
    with (
        Filming(films.order(source, tmp_path / "out.mp4"), films.Refusing(3), films.IDENTITY) as film,
        pytest.raises(ImageError, match="paintable"),
    ):
        paint(film)
    with filming(source, tmp_path / "out.mp4") as film:
        assert film.resumed == 3
        assert paint(film) == list(range(3, 12))


# ---- segments in any order -------------------------------------------------------------------------------

CUTS = (5, 7, 13)


@pytest.fixture(scope="module")
def shot_by_shot(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """A film of four shots, and the digest of its frames, painted one after the other."""
    folder = tmp_path_factory.mktemp("shots")
    source = film_in(folder / "frames", 16, cut=CUTS)
    with filming(source, folder / "out.mp4") as film:
        assert [moment.index for moment in film.paint() if moment.cut] == list(CUTS)
        return source, digest(folder / "out.mp4")


def keep(film: Filming, segment: Segment, count: int | None = None) -> None:
    """Paint so many frames of a segment, or all of it, as another process might."""
    for each in islice(painted(film.order, brushed, segment), count):
        film.kept.add(each.moment, each.frame.time, each.pixels)


def test_where_shots_begin(shot_by_shot: tuple[Path, str]) -> None:
    source, _ = shot_by_shot
    work = shots(films.order(source, Path("x.mp4")))
    assert finish(work) == (0, *CUTS, 16)
    fractions = list(shots(films.order(source, Path("x.mp4"), first=6, last=9)))
    assert fractions == [0.25, 0.5, 0.75, 1.0]
    assert finish(shots(films.order(source, Path("x.mp4"), first=6, last=9, size=48))) == (0, 1, 4)
    assert finish(shots(films.order(source, Path("x.mp4"), first=20))) == ()


@settings(max_examples=8)
@given(turns=st.permutations(range(4)), counts=st.lists(st.integers(0, 6), min_size=4, max_size=4))
def test_shots_in_any_order_are_the_same(
    shot_by_shot: tuple[Path, str],
    tmp_path_factory: pytest.TempPathFactory,
    turns: list[int],
    counts: list[int],
) -> None:
    """A part of every shot, in any turn; then, by a new process, what is missing."""
    source, calm = shot_by_shot
    output, bounds = tmp_path_factory.mktemp("turns") / "out.mp4", list(pairwise((0, *CUTS, 16)))
    with filming(source, output) as film:
        for turn in turns:
            keep(film, film.missing(*bounds[turn]), counts[turn])
        there = len(film.kept)
    with filming(source, output) as film:
        assert film.resumed == there
        assert len(paint(film)) == 16 - there
        assert film.missing() is None or film.missing().start == 16
        assert [moment.index for moment in film.kept.moments] == list(range(16))
    assert digest(output) == calm


def test_shots_are_gone_on_from_one_by_one(shot_by_shot: tuple[Path, str], tmp_path: Path) -> None:
    source, calm = shot_by_shot
    for count in (2, 1, 3, None):
        with filming(source, tmp_path / "out.mp4") as film:
            for bounds in pairwise((0, *CUTS, 16)):
                segment = film.missing(*bounds)
                if segment is not None:
                    assert bounds[0] <= segment.start < segment.stop == bounds[1]
                    keep(film, segment, count)
    assert digest(tmp_path / "out.mp4") == calm


def test_a_segment_begins_at_a_cut(shot_by_shot: tuple[Path, str]) -> None:
    order = films.order(shot_by_shot[0], Path("x.mp4"), first=1)
    with pytest.raises(OptimizationError, match=r"begin at a cut.*frame 6"):
        next(painted(order, brushed, Segment(5, None)))
    assert next(painted(order, brushed, Segment(4, None))).cut


def test_a_film_keeps_its_number_of_threads(source: Path, tmp_path: Path) -> None:
    before, used = torch.get_num_threads(), set[int]()

    def counting(frame: frames.Frame, before: Before | None) -> torch.Tensor:
        used.add(torch.get_num_threads())
        return brushed(frame, before)

    def opened(**options: Any) -> Filming:
        return Filming(films.order(source, tmp_path / "out.mp4"), counting, films.IDENTITY, **options)

    with opened(threads=before + 1) as film:
        paint(film, 2)
    with opened() as film:
        assert (film.resumed, film.threads) == (2, before + 1)
        paint(film, 2)
    assert used == {before + 1}
    assert torch.get_num_threads() == before
    with pytest.raises(OptimizationError, match="of other threads"), opened(threads=before):
        pass
    with opened(restart=True) as film:
        assert (film.resumed, film.threads) == (0, before)
