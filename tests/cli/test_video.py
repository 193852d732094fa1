"""gramarye video: what it says, writes and refuses, and that it goes on from wherever it was stopped."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import torch

import rays
from filming import IDENTITY, brushed, film_in
from gramarye import images
from gramarye.cli import filming, progress
from gramarye.cli.filming import Asked, Brush
from gramarye.errors import MissingExtraError
from gramarye.video import film as films
from gramarye.video import frames

from .command import Gramarye, everything_in, refused

TOLD = {
    "painter",
    "output",
    "sheet",
    "report",
    "frames",
    "size",
    "rate",
    "threads",
    "seconds",
    "fps",
    "warp_error",
    "source_warp_error",
    "seen",
    "cuts",
    "resumed",
    "interrupted",
    "kept",
}
PAINT = ("video", "film", "style.png", "-o", "out.mp4")
# The program with a painter that takes its time.
SLOW = """
import sys, time
import filming as films
from gramarye import cli
from gramarye.cli import filming
def slowly(frame, before):
    time.sleep(0.2)
    return films.brushed(frame, before)
filming.brush = lambda asked, size: filming.Brush(slowly, films.IDENTITY, "slow")
cli.main()
"""


@pytest.fixture
def film(place: Path) -> Path:
    """Twelve frames in the folder `film`, with a cut before the seventh."""
    return film_in(place / "film", 12, cut=6)


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Asked, int]]:
    """No network: frames are `brushed`; what was asked of the painter, and the long side."""
    asked_for: list[tuple[Asked, int]] = []

    def brush(asked: Asked, size: int) -> Brush:
        asked_for.append((asked, size))
        return Brush(brushed, IDENTITY | ({"strength": asked.strength} if asked.strength else {}), "brushed")

    monkeypatch.setattr(filming, "brush", brush)
    return asked_for


def interrupt_at(monkeypatch: pytest.MonkeyPatch, count: int, times: int = 1, label: str = "painting") -> None:
    """Press Ctrl-C when so many frames are there."""
    show = progress.FilmBar.show

    def shown(bar: progress.FilmBar) -> None:
        show(bar)
        if (bar.label, bar.done) == (label, count):
            for _ in range(times):
                signal.raise_signal(signal.SIGINT)

    monkeypatch.setattr(progress.FilmBar, "show", shown)


def test_a_film(film: Path, quick: list[object], gramarye: Gramarye) -> None:
    outcome = gramarye.ok(*PAINT, "--json", "--rate", 12)
    answer = outcome.answer
    assert set(answer) == TOLD
    assert (answer["frames"], answer["size"], answer["rate"]) == (12, [48, 64], 12.0)
    assert (answer["output"], answer["sheet"], answer["kept"]) == ("out.mp4", None, None)
    assert (answer["cuts"], answer["resumed"], answer["interrupted"]) == ([6], 0, False)
    assert answer["warp_error"] > answer["source_warp_error"] > 0
    assert answer["seconds"] > 0
    assert answer["fps"] > 0
    painted = frames.film("out.mp4")
    assert (painted.frames, painted.size, painted.rate) == (12, (48, 64), 12)
    assert "film      64×48, 12 frames a second, 1.0 s\n" in outcome.err
    assert "frames    12, 64×48, each looking back 1\n" in outcome.err
    assert "painting  12/12" in outcome.err
    assert "wrote out.mp4 · 12 frames in " in outcome.err
    assert "warp error " in outcome.err
    assert not Path("out.mp4.work").exists()


def test_quiet(film: Path, quick: list[object], gramarye: Gramarye) -> None:
    outcome = gramarye.ok(*PAINT, "--quiet")
    assert (outcome.out, outcome.err) == ("", "")


@pytest.mark.parametrize("output", ["out.gif", "out.webp", "painted"])
def test_other_outputs(output: str, film: Path, quick: list[object], gramarye: Gramarye) -> None:
    gramarye.ok("video", "film", "style.png", "-o", output, "--last", "3")
    assert frames.film(output).frames == 4
    assert not Path(f"{output}.work").exists()


def test_a_part_and_a_size(film: Path, quick: list[tuple[Asked, int]], gramarye: Gramarye) -> None:
    answer = gramarye.ok(*PAINT, "--first", 2, "--last", 5, "--scale", 0.75, "--json").answer
    assert (answer["frames"], answer["size"]) == (4, [36, 48])
    assert quick[0][1] == 48
    assert gramarye.ok(*PAINT, "--last", 1, "--size", 56, "--json").answer["size"] == [42, 56]


@pytest.mark.parametrize("times", [1, 2])
def test_ctrl_c_and_on(
    times: int, film: Path, quick: list[object], gramarye: Gramarye, monkeypatch: pytest.MonkeyPatch
) -> None:
    gramarye.ok("video", "film", "style.png", "-o", "calm.mp4")
    with monkeypatch.context() as patch:
        interrupt_at(patch, 5, times)
        outcome = gramarye(*PAINT, "--json")
    assert outcome.status == 130
    assert "interrupted, kept 5 of 12 frames in " in outcome.err
    assert "out.mp4.work; the same command goes on from there\n" in outcome.err
    assert (outcome.answer["output"], outcome.answer["frames"], outcome.answer["interrupted"]) == (None, 5, True)
    assert outcome.answer["kept"] == str(film.parent / "out.mp4.work")
    assert not Path("out.mp4").exists()
    outcome = gramarye.ok(*PAINT, "--json")
    assert "resumed   5 are there already, in " in outcome.err
    assert (outcome.answer["resumed"], outcome.answer["frames"]) == (5, 12)
    assert Path("out.mp4").read_bytes() == Path("calm.mp4").read_bytes()


def test_ctrl_c_while_writing(
    film: Path, quick: list[object], gramarye: Gramarye, monkeypatch: pytest.MonkeyPatch
) -> None:
    write = frames.Writer.write

    def interrupted(writer: frames.Writer, frame: frames.Frame) -> None:
        signal.raise_signal(signal.SIGINT)
        write(writer, frame)

    with monkeypatch.context() as patch:
        patch.setattr(frames.Writer, "write", interrupted)
        outcome = gramarye(*PAINT)
    assert outcome.status == 130
    assert "kept 12 of 12 frames" in outcome.err
    names = {path.name for path in film.parent.iterdir()}
    assert "out.mp4.work" in names
    assert not {name for name in names if name.endswith(".tmp") or name == "out.mp4"}
    answer = gramarye.ok(*PAINT, "--json").answer
    assert (answer["resumed"], answer["frames"], answer["fps"]) == (12, 12, 0.0)


@pytest.mark.skipif(os.name == "nt", reason="signals are POSIX's")
def test_killed_and_on(film: Path, quick: list[object], gramarye: Gramarye) -> None:
    gramarye.ok("video", "film", "style.png", "-o", "calm.mp4")
    tests = Path(__file__).parents[1]
    environment = os.environ | {"OMP_NUM_THREADS": "1", "PYTHONPATH": str(tests)}
    command = [sys.executable, "-c", SLOW, *PAINT]
    with subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        assert any("painting" in line for line in process.stderr)
        process.kill()
    assert not Path("out.mp4").exists()
    answer = gramarye.ok(*PAINT, "--json").answer
    assert 1 <= answer["resumed"] < 12
    assert Path("out.mp4").read_bytes() == Path("calm.mp4").read_bytes()


@pytest.fixture
def on_ray(monkeypatch: pytest.MonkeyPatch) -> rays.StandIn:
    """Two processors."""
    return rays.stand_in(monkeypatch)


def test_shots_on_ray(film: Path, quick: list[object], on_ray: rays.StandIn, gramarye: Gramarye) -> None:
    assert gramarye.ok("video", "film", "style.png", "-o", "calm.mp4", "--threads", 1, "--json").answer["threads"] == 1
    outcome = gramarye.ok(*PAINT, "--ray", "auto", "--json")
    assert "looking for cuts  12/12" in outcome.err
    assert "shots     2, on Ray, auto, threads for each: 1\n" in outcome.err
    assert "painting  12/12" in outcome.err
    assert (outcome.answer["frames"], outcome.answer["cuts"], outcome.answer["threads"]) == (12, [6], 1)
    assert len(on_ray.tasks) == on_ray.together == 2
    assert Path("out.mp4").read_bytes() == Path("calm.mp4").read_bytes()


def test_one_shot_is_painted_by_one(place: Path, quick: list[object], on_ray: rays.StandIn, gramarye: Gramarye) -> None:
    film_in(place / "film", 5)
    torch.set_num_threads(2)
    outcome = gramarye.ok(*PAINT, "--ray", "auto", "--json")
    assert "note      it is one shot, which cannot be shared: one process paints it\n" in outcome.err
    assert outcome.answer["threads"] == 2
    assert not on_ray.tasks


def test_ctrl_c_on_ray_and_on(
    film: Path,
    quick: list[object],
    on_ray: rays.StandIn,
    gramarye: Gramarye,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    gramarye.ok("video", "film", "style.png", "-o", "calm.mp4", "--threads", 2)
    with monkeypatch.context() as patch:
        interrupt_at(patch, 5)
        outcome = gramarye(*PAINT, "--ray", "auto", "--threads", 2)
    assert outcome.status == 130
    assert "interrupted, kept 5 of 12 frames in " in outcome.err
    assert all(task.was_cancelled for task in on_ray.tasks)
    answer = gramarye.ok(*PAINT, "--json").answer
    assert (answer["resumed"], answer["threads"]) == (5, 2)
    assert Path("out.mp4").read_bytes() == Path("calm.mp4").read_bytes()


def test_ctrl_c_while_cuts_are_looked_for(
    film: Path, quick: list[object], on_ray: rays.StandIn, gramarye: Gramarye, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = everything_in(film.parent)
    interrupt_at(monkeypatch, 5, label="looking for cuts")
    assert gramarye(*PAINT, "--ray", "auto").status == 130
    assert everything_in(film.parent) == before


def test_without_ray(film: Path, quick: list[object], gramarye: Gramarye, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    before = everything_in(film.parent)
    refused(gramarye(*PAINT, "--ray", "auto", "--quiet"), about="Pip install 'gramarye[ray]'")
    assert everything_in(film.parent) == before


def test_other_settings_are_refused(
    film: Path, quick: list[object], gramarye: Gramarye, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        interrupt_at(patch, 3)
        gramarye(*PAINT)
    before = everything_in(film.parent)
    outcome = gramarye(*PAINT, "--strength", 0.5)
    refused(outcome, about="goes on from its own frames; got those of other strength")
    assert "begin anew with --restart" in outcome.err.lower()
    assert everything_in(film.parent) == before
    assert gramarye.ok(*PAINT, "--strength", 0.5, "--restart", "--json").answer["resumed"] == 0


def test_preview(film: Path, quick: list[tuple[Asked, int]], gramarye: Gramarye) -> None:
    outcome = gramarye.ok(*PAINT, "--preview", "--rate", 6, "--json")
    assert outcome.answer["output"] == "out-preview.mp4"
    assert outcome.answer["sheet"] == "out-preview.png"
    assert outcome.answer["frames"] == 6
    assert frames.film("out-preview.mp4").frames == 6
    assert images.load("out-preview.png").pixels.shape[3] > 500
    assert not Path("out.mp4").exists()
    assert "wrote out-preview.png\n" in outcome.err
    gramarye.ok(*PAINT, "--preview", "--rate", 5)  # another one in its place
    assert frames.film("out-preview.mp4").frames == 5


def test_explained(film: Path, quick: list[object], gramarye: Gramarye) -> None:
    outcome = gramarye.ok(*PAINT, "--explain", "explained", "--json")
    assert outcome.answer["report"] == "explained/report.html"
    assert "wrote explained/report.html\n" in outcome.err
    page = Path("explained/report.html").read_text()
    assert "Another shot begins at frame 6." in page
    assert json.loads(Path("explained/numbers.json").read_text())["flicker"]["cuts"] == [6]
    Path("taken").mkdir()
    Path("taken/report.html").write_text("somebody's own")
    refused(gramarye(*PAINT, "--explain", "taken"), about="must not overwrite other files")


@pytest.mark.parametrize(
    ("arguments", "about"),
    [
        (("missing.mp4", "style.png", "-o", "out.mp4"), "missing.mp4"),
        (("content.png", "style.png", "-o", "out.mp4"), "content.png"),
        (("film", "style.png", "-o", "out.avi"), ".avi"),
        (("film", "style.png", "-o", "nowhere/out.mp4"), "nowhere"),
        (("film", "style.png", "-o", "film"), "must not be one of the inputs"),
        (("film", "style.png", "-o", "film/out.gif"), "must not lie among the frames"),
        (("film", "style.png", "-o", "style.png"), "style.png"),
        (("film", "style.png", "-o", "out.mp4", "--painter", "slow"), "unknown painter"),
        (("film", "style.png", "-o", "out.mp4", "--painter", "optimize"), "optimise"),
        (("film", "style.png", "-o", "out.mp4", "--range", "1,two"), "--range takes frames"),
        (("film", "style.png", "-o", "out.mp4", "--range", ""), "--range takes frames"),
        (("film", "style.png", "-o", "out.mp4", "--range", "0"), "counts frames back"),
        (("film", "style.png", "-o", "out.mp4", "--size", "32", "--scale", "0.5"), "--size and --scale"),
        (("film", "style.png", "-o", "out.mp4", "--scale", "-1"), "--scale"),
        (("film", "style.png", "-o", "out.mp4", "--scale", "0.5"), "at least 32 pixels"),
        (("film", "style.png", "-o", "out.mp4", "--scale", "nan"), "--scale"),
        (("film", "style.png", "-o", "out.mp4", "--first", "5", "--last", "4"), "5 to 4"),
        (("film", "style.png", "-o", "out.mp4", "--first", "50"), "frame 50 of 12"),
        (("film", "style.png", "-o", "out.mp4", "--rate", "0"), "rate"),
        (("film", "style.png", "-o", "out.mp4", "--preset", "gatys-2016"), "Add --painter optimise"),
        (("film", "style.png", "-o", "out.mp4", "--set", "style.weight=3"), "Add --painter optimise"),
        (("film", "style.png", "-o", "out.mp4", "--set", "temporal.blnd=3"), "temporal.blend"),
        (("film", "style.png", "-o", "out.mp4", "--set", "temporal.blend=3"), "temporal.blend must lie in"),
        (("film", "style.png", "-o", "out.mp4", "--set", "temporal.blend"), "KNOB=VALUE"),
    ],
    ids=lambda given: " ".join(map(str, given)) if isinstance(given, tuple) else "",
)
def test_refused(
    arguments: tuple[str, ...], about: str, film: Path, gramarye: Gramarye, monkeypatch: pytest.MonkeyPatch
) -> None:
    def brush(asked: Asked, size: int) -> Brush:
        asked.temporal()
        return Brush(brushed, IDENTITY, "brushed")

    monkeypatch.setattr(filming, "brush", brush)
    before = everything_in(film.parent)
    refused(gramarye("video", *arguments, "--quiet"), about=about)
    assert everything_in(film.parent) == before


def test_a_film_over_itself_is_refused(film: Path, quick: list[object], gramarye: Gramarye) -> None:
    gramarye.ok("video", "film", "style.png", "-o", "in.mp4", "--last", 3)
    before = everything_in(film.parent)
    refused(gramarye("video", "in.mp4", "style.png", "-o", "./in.mp4"), about="must not be one of the inputs")
    refused(gramarye("video", "in.mp4", "in.mp4", "-o", "in.mp4"), about="must not be one of the inputs")
    assert everything_in(film.parent) == before


def test_without_pyav(film: Path, gramarye: Gramarye, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "av", None)
    with pytest.raises(MissingExtraError):
        films.pyav()
    refused(gramarye(*PAINT), about='Pip install "gramarye[video]"')


@pytest.mark.parametrize("painter", ["fast", "optimise"])
def test_the_painters_themselves(painter: str, film: Path, gramarye: Gramarye, monkeypatch: pytest.MonkeyPatch) -> None:
    """Stopped after two frames and gone on by a new painter, which has seen no frame before."""
    options = ["--painter", painter, "--last", "3", "--set", "temporal.steps=3", "--device", "cpu"]
    if painter == "fast":
        pytest.importorskip("gramarye.fast.paint")
        from gramarye.fast import stored

        if not stored.bundled("any").exists():
            pytest.skip("the package has no fast network yet")
    else:
        options += ["--network", "vgg19-lite", "--set", "steps=4", "--set", "size=48"]
    calm = gramarye.ok(*PAINT[:-1], "calm", *options, "--json").answer
    assert calm["size"] == ([48, 64] if painter == "fast" else [36, 48])
    with monkeypatch.context() as patch:
        interrupt_at(patch, 2)
        assert gramarye(*PAINT[:-1], "out", *options).status == 130
    assert gramarye.ok(*PAINT[:-1], "out", *options, "--json").answer["resumed"] == 2
    assert everything_in(Path("out")) == everything_in(Path("calm"))
