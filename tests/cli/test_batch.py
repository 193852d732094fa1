"""Many photographs after many paintings: the matrix, what is skipped, what fails, Ctrl-C."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest

from feedforward import CARD, anything, write_both
from gramarye import images
from gramarye.cli import series
from gramarye.cli.progress import SeriesBar
from gramarye.fast import stored

from .command import TINY, Gramarye, Outcome, everything_in, refused


@pytest.fixture
def many(place: Path) -> Path:
    """Two photographs in one folder, two paintings in another."""
    for folder, names in (("photos", ("content.png", "painted.png")), ("paintings", ("style.png", "other.png"))):
        (place / folder).mkdir()
        for name in names:
            (place / name).rename(place / folder / name)
    return place


def batch(gramarye: Gramarye, *more: object) -> Outcome:
    return gramarye("transfer", "photos", "--styles", "paintings", "--out-dir", "out", *TINY, *more)


PICTURES = {f"{content}__{style}.png" for content in ("content", "painted") for style in ("style", "other")}


def test_the_whole_matrix(many: Path, gramarye: Gramarye) -> None:
    outcome = batch(gramarye, "--json")
    assert outcome.status == 0
    assert {each.name for each in (many / "out").iterdir()} == PICTURES | {"contact-sheet.png"}
    answer = outcome.answer
    assert (answer["painted"], answer["skipped"], answer["failed"], answer["interrupted"]) == (4, 0, 0, False)
    assert answer["sheets"] == ["out/contact-sheet.png"]
    first = answer["results"][0]
    assert (first["content"], first["style"]) == ("photos/content.png", "paintings/other.png")
    assert first["output"] == "out/content__other.png"
    assert first["evaluations"] == 4
    recipe = images.read_recipe("out/painted__style.png")
    assert recipe["content"]["path"] == "photos/painted.png"
    sheet = images.load("out/contact-sheet.png").pixels
    assert sheet.shape[3] > sheet.shape[2] > 300
    assert "1/4  content__other" in outcome.err
    assert "4 painted, 0 already there, 0 failed · out/contact-sheet.png" in outcome.err
    assert outcome.err.count("network   ") == 1


def test_it_is_the_same_picture_as_alone(many: Path, gramarye: Gramarye) -> None:
    batch(gramarye, "-q")
    gramarye.ok("transfer", "photos/content.png", "paintings/style.png", "-o", "alone.png", *TINY)
    alone, one = images.load("alone.png").pixels, images.load("out/content__style.png").pixels
    assert bool((alone == one).all())


def test_what_is_done_is_left_as_it_is(many: Path, gramarye: Gramarye) -> None:
    batch(gramarye, "-q")
    before = everything_in(many)
    (many / "out" / "content__style.png").unlink()
    images.save(images.load("photos/content.png").pixels, "out/painted__other.png")  # no recipe of ours
    answer = batch(gramarye, "--json", "-q").answer
    assert (answer["painted"], answer["skipped"]) == (2, 2)
    assert [each.get("skipped", False) for each in answer["results"]] == [True, False, False, True]
    again = everything_in(many)
    assert {name for name in again if again[name] != before[name]} <= {
        "out/content__style.png",
        "out/painted__other.png",  # both painted again, at another time, but to the same pixels
    }
    assert batch(gramarye, "--json", "--seed", "3", "--set", "init=noise").answer["painted"] == 4
    (many / "paintings" / "style.png").write_bytes((many / "photos" / "content.png").read_bytes())
    answer = batch(gramarye, "--json", "--seed", "3", "--set", "init=noise").answer
    assert (answer["painted"], answer["skipped"]) == (2, 2)


def test_what_another_network_began_is_not_done(
    place: Path, tmp_path: Path, gramarye: Gramarye, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stored, "FOLDER", write_both(tmp_path))
    asked = ("content.png", "--styles", "style.png", "--out-dir", "out", *TINY, "--set", "init=fast", "--json", "-q")
    assert [gramarye.ok("transfer", *asked).answer["painted"] for _ in range(2)] == [1, 0]
    stored.save(stored.bundled("any"), anything(seed=5), CARD)
    assert [gramarye.ok("transfer", *asked).answer["painted"] for _ in range(2)] == [1, 0]


def test_it_goes_on_past_what_fails(many: Path, gramarye: Gramarye) -> None:
    (many / "photos" / "bad.png").write_bytes(b"no picture")
    outcome = batch(gramarye, "missing.png", "--json")
    assert outcome.status == 1
    answer = outcome.answer
    assert (answer["painted"], answer["failed"]) == (4, 4)
    assert {each.name for each in (many / "out").iterdir()} == PICTURES | {"contact-sheet.png"}
    errors = [line for line in outcome.err.splitlines() if line.startswith("error: ")]
    assert len(errors) == 2
    assert "bad__other.png and 1 more: " in errors[0]
    assert "missing.png" in errors[1]
    assert [each["output"] for each in answer["results"] if "error" in each] == [
        "out/bad__other.png",
        "out/bad__style.png",
        "out/missing__other.png",
        "out/missing__style.png",
    ]
    outcome = batch(gramarye, "-q")  # again: only what failed is tried
    assert outcome.status == 1
    assert outcome.err.startswith("error: ")
    assert outcome.err.count("\n") == 1


def test_nothing_at_all_is_painted(many: Path, gramarye: Gramarye) -> None:
    outcome = gramarye("transfer", "nowhere.png", "--styles", "paintings", "--out-dir", "out", *TINY, "-q")
    assert outcome.status == 1
    assert outcome.err.startswith("error: nowhere__other.png and 1 more: a picture must be a file")


def test_ctrl_c_keeps_what_is_done(many: Path, gramarye: Gramarye, monkeypatch: pytest.MonkeyPatch) -> None:
    show = SeriesBar.show

    def shown(bar: SeriesBar, done: int, loss: float) -> None:
        show(bar, done, loss)
        if bar.number == 2 and done == 2:
            signal.raise_signal(signal.SIGINT)

    with monkeypatch.context() as patch:
        patch.setattr(SeriesBar, "show", shown)
        outcome = batch(gramarye, "--json")
    assert outcome.status == 130
    answer = outcome.answer
    assert (answer["painted"], answer["interrupted"], len(answer["results"])) == (1, True, 4)
    assert {each.name for each in (many / "out").iterdir()} == {"content__other.png", "contact-sheet.png"}
    answer = batch(gramarye, "--json").answer
    assert (answer["painted"], answer["skipped"]) == (3, 1)


def test_a_batch_with_checkpoints_goes_on_inside_a_picture(
    many: Path, gramarye: Gramarye, monkeypatch: pytest.MonkeyPatch
) -> None:
    show = SeriesBar.show

    def shown(bar: SeriesBar, done: int, loss: float) -> None:
        show(bar, done, loss)
        if done == 3:
            signal.raise_signal(signal.SIGINT)

    with monkeypatch.context() as patch:
        patch.setattr(SeriesBar, "show", shown)
        assert batch(gramarye, "--checkpoint-every", "2").status == 130
    assert Path("out/content__other.png.checkpoint").exists()
    outcome = batch(gramarye, "--checkpoint-every", "2")
    assert outcome.status == 0
    assert "resumed   out/content__other.png.checkpoint after 3 evaluations" in outcome.err
    assert {each.name for each in (many / "out").iterdir()} == PICTURES | {"contact-sheet.png"}
    resumed = images.load("out/content__other.png").pixels
    gramarye.ok("transfer", "photos/content.png", "paintings/other.png", "-o", "alone.png", *TINY)
    assert bool((images.load("alone.png").pixels == resumed).all())


def test_progress_on_a_terminal(many: Path, gramarye: Gramarye, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gramarye.cli.console.on_terminal", lambda: True)
    outcome = batch(gramarye)
    assert outcome.status == 0
    assert "1/4  content__other\n" not in outcome.err
    assert "4 painted" in outcome.err


def test_many_pictures_are_on_several_sheets(many: Path, gramarye: Gramarye, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gramarye.report.sheet.ROWS", 1)
    assert batch(gramarye, "--json").answer["sheets"] == ["out/contact-sheet.png", "out/contact-sheet-2.png"]


@pytest.mark.parametrize(
    ("more", "about"),
    [
        (("-o", "out.png"), "-o does not go with"),
        (("--compare", "color"), "--compare does not go with"),
        (("--mix", "1,2"), "--mix does not go with"),
        (("--film", "a.webp"), "--film does not go with"),
        (("--start", "photos/content.png"), "--start does not go with"),
        (("--content-mask", "photos/content.png"), "--content-mask does not go with"),
        (("--set", "style.wieght=1"), "unknown knob"),
        (("--styles", "."), "none in"),
        (("--out-dir", "photos/content.png"), "need a folder"),
        (("--bits", "7"), "8 bits"),
        (("--network", "vgg16"), "vgg16"),
    ],
)
def test_what_does_not_go_together(more: tuple[str, ...], about: str, many: Path, gramarye: Gramarye) -> None:
    outcome = batch(gramarye, *more)
    refused(outcome, about=about)
    assert not any((many / "out").iterdir()) if (many / "out").exists() else True


def test_an_output_that_is_an_input(many: Path, gramarye: Gramarye) -> None:
    """As when the pictures go to the folder of the photographs, and are taken for photographs the next time."""
    (many / "photos" / "content__style.png").write_bytes((many / "photos" / "content.png").read_bytes())
    before = everything_in(many)
    outcome = gramarye("transfer", "photos", "--styles", "paintings/style.png", "--out-dir", "photos", *TINY)
    refused(outcome, about="one of the inputs")
    assert everything_in(many) == before


@pytest.mark.parametrize(
    "arguments",
    [
        ("content.png", "--styles", "style.png"),
        ("content.png", "--out-dir", "out"),
        ("content.png", "style.png"),
        ("content.png", "-o", "out.png"),
        (),
    ],
)
def test_what_is_missing_is_wrong_usage(arguments: tuple[str, ...], place: Path, gramarye: Gramarye) -> None:
    before = everything_in(place)
    outcome = gramarye("transfer", *arguments)
    assert (outcome.status, outcome.out) == (2, "")
    assert "Traceback" not in outcome.err
    assert everything_in(place) == before


def test_a_course_tells_each_error_once(capsys: pytest.CaptureFixture[str]) -> None:
    failed = [{"output": f"o/{name}.png", "error": "bad"} for name in "abc"]
    course = series.Course([*failed, {"output": "o/d.png", "error": "worse"}, {"output": "o/e.png"}])
    course.tell()
    assert capsys.readouterr().err == "error: a.png and 2 more: bad\nerror: d.png: worse\n"
    assert course.status == 1
