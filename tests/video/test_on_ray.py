"""Shots painted side by side, by a stand-in of Ray and, where it is installed, by Ray: the same film, whoever dies."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import torch

import filming as films
import rays
from filming import Mortal, Refusing, brushed, film_in, kept_in, paint
from gramarye import cluster
from gramarye.errors import ImageError, MissingExtraError, OptimizationError
from gramarye.pulling import finish
from gramarye.video import on_ray
from gramarye.video.manifest import folder_for
from gramarye.video.segments import Filming, shots

FRAMES, CUTS = 14, (3, 5, 11)
BOUNDS = (0, *CUTS, FRAMES)
# Ray leaves sockets and files to the interpreter, and warns of its own future.
pytestmark = [
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::FutureWarning"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]


@pytest.fixture(scope="module")
def real() -> Iterator[Any]:
    """Ray, with a cluster of two processors."""
    found = pytest.importorskip("ray", reason="Ray is not installed: pip install 'gramarye[ray]' (270 MB)")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(Path(films.__file__).parent))
        cluster.require()
        found.init(address="local", num_cpus=2, include_dashboard=False, _node_ip_address=cluster.LOOPBACK)
        yield found
        found.shutdown()


@pytest.fixture(params=["stand-in", "Ray"])
def ray(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Two processors, of a stand-in of Ray or of Ray."""
    if request.param == "Ray":
        yield request.getfixturevalue("real")
        return
    monkeypatch.setattr("gramarye.machine.keep_memory", lambda: True)  # this process is not theirs
    before = torch.get_num_threads()
    yield rays.stand_in(monkeypatch)
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A film of four shots."""
    return film_in(tmp_path_factory.mktemp("source") / "frames", FRAMES, cut=CUTS)


@pytest.fixture(scope="module")
def calm(source: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """Its frames as they are kept, painted one after the other."""
    output = tmp_path_factory.mktemp("calm") / "out.mp4"
    with opened(source, output) as film:
        assert paint(film) == list(range(FRAMES))
        return kept_in(folder_for(output))


def opened(source: Path, output: Path, painter: Any = brushed) -> Filming:
    return Filming(films.order(source, output), painter, films.IDENTITY, threads=1)


def indices(film: Filming, count: int | None = None) -> list[int]:
    """Paint so many frames on Ray, or all; their indices as they come."""
    going, found = on_ray.paint(film, finish(shots(film.order))), list[int]()
    for moment in going:
        found.append(moment.index)
        if len(found) == count:
            break
    going.close()
    return found


def test_the_same_film(ray: Any, source: Path, calm: dict[str, bytes], tmp_path: Path) -> None:
    with opened(source, tmp_path / "out.mp4", Mortal(tmp_path / "log")) as film:
        found = indices(film)
        assert sorted(found) == list(range(FRAMES))
        for begin, end in pairwise(BOUNDS):
            assert [index for index in found if begin <= index < end] == list(range(begin, end))
        assert found[0] in {0, 5}  # the longest shots come first
        assert indices(film) == []
        assert film.flicker.cuts == list(CUTS)
    assert kept_in(folder_for(tmp_path / "out.mp4")) == calm
    lines = [line.split() for line in (tmp_path / "log").read_text().splitlines()]
    assert {line[2] for line in lines} == {"1"}
    if isinstance(ray, rays.StandIn):
        assert ray.together == 2
    else:
        assert len({line[1] for line in lines}) == 2  # processes


@pytest.mark.parametrize("at", [0, 4, 8])
def test_a_worker_that_dies(at: int, ray: Any, source: Path, calm: dict[str, bytes], tmp_path: Path) -> None:
    painter = Mortal(tmp_path / "log", at)
    with opened(source, tmp_path / "out.mp4", painter) as film:
        assert sorted(indices(film)) == list(range(FRAMES))
    assert kept_in(folder_for(tmp_path / "out.mp4")) == calm
    begun = painter.begun()
    assert begun[at] == 2
    # What it had painted and nobody had taken yet is gone with it, no more.
    assert begun.total() - FRAMES <= 1 + (0 if isinstance(ray, rays.StandIn) else on_ray.AHEAD + 1)


def test_workers_that_always_die(ray: Any, source: Path, calm: dict[str, bytes], tmp_path: Path) -> None:
    with (
        opened(source, tmp_path / "out.mp4", Mortal(tmp_path / "log", 12, times=99)) as film,
        pytest.raises(OptimizationError, match=r"come to the end of a frame.*ended at frame 12"),
    ):
        indices(film)
    with opened(source, tmp_path / "out.mp4") as film:
        assert 0 < film.resumed < FRAMES
        assert len(paint(film)) == FRAMES - film.resumed
    assert kept_in(folder_for(tmp_path / "out.mp4")) == calm


def test_what_a_painter_says_is_told(ray: Any, source: Path, tmp_path: Path) -> None:
    with (
        opened(source, tmp_path / "out.mp4", Refusing(6)) as film,
        pytest.raises(ImageError, match="must be paintable; got frame 6"),
    ):
        indices(film)


@pytest.mark.parametrize("then", [indices, paint], ids=["on Ray", "by one"])
def test_stopped_and_gone_on_from(
    then: Callable[[Filming], list[int]], ray: Any, source: Path, calm: dict[str, bytes], tmp_path: Path
) -> None:
    with opened(source, tmp_path / "out.mp4") as film:
        first = indices(film, 5)
    if isinstance(ray, rays.StandIn):
        assert any(task.was_cancelled for task in ray.tasks)
    with opened(source, tmp_path / "out.mp4") as film:
        assert film.resumed == 5
        assert sorted(first + then(film)) == list(range(FRAMES))
    assert kept_in(folder_for(tmp_path / "out.mp4")) == calm


def test_begun_by_one(ray: Any, source: Path, calm: dict[str, bytes], tmp_path: Path) -> None:
    with opened(source, tmp_path / "out.mp4") as film:
        paint(film, 7)
    with opened(source, tmp_path / "out.mp4") as film:
        assert sorted(indices(film)) == list(range(7, FRAMES))
    assert kept_in(folder_for(tmp_path / "out.mp4")) == calm


def test_no_ray(source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    with opened(source, tmp_path / "out.mp4") as film, pytest.raises(MissingExtraError, match=r"gramarye\[ray\]"):
        indices(film)
