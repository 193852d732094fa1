"""A report: one page that needs nothing else, and what lies beside it."""

from __future__ import annotations

import base64
import csv
import errno
import hashlib
import json
import os
import re
import shlex
from collections import Counter
from html.parser import HTMLParser
from importlib import resources
from pathlib import Path

import pytest
import torch

import gramarye
from gramarye import images
from gramarye.errors import ImageError, SettingsError
from gramarye.explain import story
from gramarye.explain.contents import SECTIONS
from gramarye.explain.reconstruction import Rebuilt
from gramarye.explain.subject import Frame
from gramarye.report import commands, figures, folder, marking, page, reels, words
from gramarye.report import explanation as report
from networks import picture
from sections import FINDING, draw, tiny, told

NASTY = "<script>alert(1)</script>&\"'.png"
VOID = {"meta", "img", "input", "link", "br", "hr"}


class Reader(HTMLParser):
    """Checks that tags are balanced and collects what is in them."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: Counter[str] = Counter()
        self.attributes: list[tuple[str, str, str]] = []
        self.texts: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags[tag] += 1
        self.attributes += [(tag, name, value or "") for name, value in attrs]
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags[tag] += 1
        self.attributes += [(tag, name, value or "") for name, value in attrs]

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.texts.append(data)

    def values(self, name: str) -> list[str]:
        return [value for _, attribute, value in self.attributes if attribute == name]


def read(text: str) -> Reader:
    reader = Reader()
    reader.feed(text)
    reader.close()
    assert not reader.open
    return reader


@pytest.fixture(autouse=True)
def _fakes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(story, "told", told)
    monkeypatch.setattr(report, "drawings", draw)


@pytest.fixture(scope="module")
def explained(tmp_path_factory: pytest.TempPathFactory) -> story.Explanation:
    """Two sections and one that is missing, of files whose names are hostile."""
    place = tmp_path_factory.mktemp("pictures")
    images.save(picture(60, 80, 1), place / NASTY.replace("/", "∕"))
    images.save(picture(70, 64, 2), place / "a painting.png")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(story, "told", told)
        return story.explain(
            place / NASTY.replace("/", "∕"),
            place / "a painting.png",
            tiny(**{"style.layers": ("relu1_1", "relu4_1")}),
            only=["ledger", "gram", "landscape"],
        )


@pytest.fixture(scope="module")
def written(explained: story.Explanation, tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("reports") / "new" / "report"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(report, "drawings", draw)
        assert report.write(explained, directory) == directory / "report.html"
    return directory


@pytest.fixture(scope="module")
def text(written: Path) -> str:
    return (written / "report.html").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def reader(text: str) -> Reader:
    return read(text)


# ---- the page ---------------------------------------------------------------------------------------


def test_nothing_is_fetched(text: str, reader: Reader) -> None:
    assert all(source.startswith("data:image/") for source in reader.values("src"))
    beside = [link for link in reader.values("href") if not link.startswith("#")]
    assert beside
    assert all(re.fullmatch(r"[\w./-]+", link) for link in beside)
    assert not reader.tags.keys() & {"link", "iframe", "object", "embed", "base", "form"}
    assert "url(" not in (resources.files("gramarye.report") / "page.css").read_text()
    assert "@import" not in text
    policy = next(value for tag, name, value in reader.attributes if name == "content" and "default-src" in value)
    assert "default-src 'none'" in policy
    assert "unsafe-eval" not in policy
    assert "http" not in policy


def test_only_its_own_script_runs(text: str, reader: Reader) -> None:
    assert reader.tags["script"] == 1
    script = re.search(r"<script>(.*)</script>", text, re.DOTALL)[1]
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert f"script-src 'sha256-{digest}'" in text.replace("&#39;", "'")
    assert not [name for _, name, _ in reader.attributes if name.startswith("on")]
    assert not [value for value in reader.values("href") if "javascript" in value]


def test_what_is_hostile_is_shown_and_not_obeyed(text: str, reader: Reader) -> None:
    assert "<script>alert" not in text
    assert any("<script>alert(1)<∕script>" in each for each in reader.texts)
    assert "<b>leads" not in text
    assert "<section> & its title" in "".join(reader.texts)
    assert "<i>costs" not in text


def test_it_is_accessible(reader: Reader) -> None:
    assert ("html", "lang", "en-GB") in reader.attributes
    assert len(reader.values("alt")) == reader.tags["img"]
    assert reader.tags["h1"] == 1
    assert reader.tags["main"] == 1
    identifiers = reader.values("id")
    assert len(set(identifiers)) == len(identifiers)
    for link in reader.values("href"):
        assert not link.startswith("#") or link[1:] in identifiers
    for name in ("aria-labelledby", "popovertarget"):
        assert set(reader.values(name)) <= set(identifiers)
    ranges = [index for index, each in enumerate(reader.attributes) if each == ("input", "type", "range")]
    assert len(ranges) == 2
    assert [name for tag, name, _ in reader.attributes if tag == "input"].count("aria-label") == len(ranges)


def test_without_javascript_everything_is_there(text: str) -> None:
    """What only the script can work is hidden, what only it would hide is shown."""
    assert re.search(r'<label class="cut" hidden>', text)
    assert re.search(r'<div class="wind" hidden>', text)
    css = (resources.files("gramarye.report") / "page.css").read_text()
    hiding = [line.strip() for line in css.splitlines() if ".moment" in line and "display: none" in line]
    assert hiding
    assert all(line.startswith(".js ") for line in hiding)


def test_it_tells_what_was_found(explained: story.Explanation, reader: Reader) -> None:
    shown = " ".join("".join(reader.texts).split())
    assert FINDING in shown
    assert "a landscape needs a picture that was painted here" in shown
    for row in explained.terms:
        assert " ".join(page.number(row["value"]).split()) in shown
    assert "gramarye explain" in shown
    assert "--only ledger" in shown
    assert "after 4 evaluations" in shown
    assert shown.count("Check it yourself") == 2


def test_layers_and_words_are_marked(reader: Reader) -> None:
    layers = Counter(reader.values("data-layer"))
    assert layers["relu4_1"] >= 4  # in the network, the table and both sections' findings
    assert reader.values("popovertarget").count("word-gram-matrix") == 2  # once in each section


def test_it_is_small(written: Path) -> None:
    assert (written / "report.html").stat().st_size < 1_000_000


def test_the_wheel_has_its_parts() -> None:
    for name in ("frame.html.j2", "page.html.j2", "study.html.j2", "video.html.j2", "page.css", "page.js"):
        assert (resources.files("gramarye.report") / name).is_file()


# ---- marking ----------------------------------------------------------------------------------------


def test_marked() -> None:
    known: set[str] = set()
    found = str(marking.marked("Style in relu3_1 & conv4_2: Gram matrices, no content, Gram matrices", known))
    assert found == (
        '<span class="style">Style</span> in <span class="layer" data-layer="relu3_1">relu3_1</span> &amp; '
        '<span class="layer" data-layer="conv4_2">conv4_2</span>: '
        '<button type="button" class="word" popovertarget="word-gram-matrix">Gram matrices</button>, no '
        '<span class="content">content</span>, Gram matrices'
    )
    assert known == {"Gram matrix"}
    assert str(marking.marked("contents, stylish, relu3_11, a gramophone")) == (
        "contents, stylish, relu3_11, a gramophone"
    )
    assert str(marking.marked(NASTY)) == str(marking.marked(NASTY, set()))


@pytest.mark.parametrize("term", words.GLOSSARY)
def test_every_term_is_found_in_its_own_words(term: str) -> None:
    explained: set[str] = set()
    marking.marked(term, explained)
    assert explained == {term}
    assert words.GLOSSARY[term][1].endswith(".")


def test_every_section_has_its_opening() -> None:
    assert set(words.OPENINGS) == set(SECTIONS)
    for opening in words.OPENINGS.values():
        assert 2 <= opening.count(".") + opening.count("?") <= 5


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (0, "0"),
        (0.12345, "0.1235"),
        (-0.5, "-0.5"),
        (1234.5, "1\u202f234"),
        (98765.4, "98\u202f765"),
        (1.5e-7, "1.50 × 10⁻⁷"),
        (-2.25e12, "-2.25 × 10¹²"),
        (float("nan"), "nan"),
    ],
)
def test_numbers_as_people_read_them(value: float, shown: str) -> None:
    assert page.number(value) == shown


# ---- the figures and the rest -----------------------------------------------------------------------


def test_figures_are_written_alike_each_time() -> None:
    one, other = ([figures.render(each, "ledger") for each in draw(None)] for _ in range(2))
    assert one == other
    curve, shown = one
    assert [each.name for each in one] == ["ledger-a-curve", "ledger-pictures"]
    assert curve.source.startswith("data:image/svg+xml;base64,")
    assert shown.source.startswith("data:image/webp;base64,")
    assert (shown.width, curve.width) == (1260, 1260)
    assert curve.svg.startswith(b"<?xml")
    assert curve.png.startswith(b"\x89PNG")


def test_everything_lies_beside_it(explained: story.Explanation, written: Path) -> None:
    names = {str(path.relative_to(written)) for path in written.rglob("*") if path.is_file()}
    stems = ("ledger-a-curve", "ledger-pictures", "gram-a-curve", "gram-ledger-pictures")
    drawn = {f"figures/{stem}.{kind}" for stem in stems for kind in ("png", "svg")}
    assert names == {"report.html", "numbers.json", "ledger.csv", "result.png", *drawn}
    numbers = json.loads((written / "numbers.json").read_text())
    assert set(numbers["files"]) == names
    assert numbers["gramarye"] == gramarye.__version__
    assert numbers["sections"]["ledger"]["findings"] == [FINDING]
    assert numbers["sections"]["ledger"]["undefined"] is None
    assert numbers["missing"].keys() == {"landscape"}
    assert images.read_recipe(written / "result.png") == explained.recipe
    rows = list(csv.DictReader((written / "ledger.csv").read_text().splitlines()))
    assert len(rows) == len(explained.subject.run.ledger)


def test_a_picture_that_was_brought_along(tmp_path: Path) -> None:
    brought = picture(36, 48, 3)
    found = story.explain(picture(60, 80, 1), picture(70, 64, 2), tiny(), image=brought, only="gram")
    report.write(found, tmp_path)
    assert not (tmp_path / "ledger.csv").exists()
    assert torch.equal(images.load(tmp_path / "result.png").pixels, (brought * 255).round() / 255)
    assert "The picture that is explained" in (tmp_path / "report.html").read_text()


def test_an_unfinished_story_says_so(tmp_path: Path) -> None:
    begun = story.begin(picture(60, 80, 1), picture(70, 64, 2), tiny(), only=["ledger", "gram"])
    next(each for each in begun.steps() if each.section == "gram")
    report.write(begun.stop(), tmp_path)
    assert "This story was stopped early; not told: gram." in (tmp_path / "report.html").read_text()
    with pytest.raises(SettingsError, match="a report needs a painting"):
        report.write(story.Explanation(), tmp_path)


def test_the_command_makes_it_again(explained: story.Explanation) -> None:
    line = shlex.split(commands.command(explained, explained.subject, "gram"))
    assert line[:2] == ["gramarye", "explain"]
    assert Path(line[2]).is_file()
    assert Path(line[3]).name == "a painting.png"
    assert line[4:] == [
        *("-o", "explained-gram", "--only", "gram", "--size", "48", "--steps", "4", "--network", "vgg19-lite"),
        *("--set", "style.layers=relu1_1,relu4_1"),
    ]
    code = commands.code(explained, explained.subject, "gram")
    compile(code, "the reader's", "exec")
    assert "only=['gram']" in code


# ---- the folder -------------------------------------------------------------------------------------


def test_an_earlier_report_is_replaced(explained: story.Explanation, tmp_path: Path) -> None:
    report.write(explained, tmp_path)
    (tmp_path / "notes.txt").write_text("mine")
    found = story.explain(picture(60, 80, 1), picture(70, 64, 2), tiny(), image=picture(36, 48, 3), only="ledger")
    report.write(found, tmp_path)
    names = {path.name for path in tmp_path.rglob("*") if path.is_file()}
    stems = ("ledger-a-curve", "ledger-pictures")
    drawn = {f"{stem}.{kind}" for stem in stems for kind in ("png", "svg")}
    assert names == {"report.html", "numbers.json", "result.png", "notes.txt", *drawn}


@pytest.mark.parametrize("name", ["report.html", "result.png", "numbers.json", "figures"])
def test_what_others_wrote_is_not_overwritten(name: str, explained: story.Explanation, tmp_path: Path) -> None:
    (tmp_path / name).write_text("{}")
    with pytest.raises(ImageError, match="must not overwrite other files"):
        report.write(explained, tmp_path)
    assert (tmp_path / name).read_text() == "{}"
    assert len(list(tmp_path.iterdir())) == 1


def test_a_hostile_list_of_files_removes_nothing(explained: story.Explanation, tmp_path: Path) -> None:
    victim = tmp_path / "victim.png"
    victim.write_text("mine")
    directory = tmp_path / "report"
    directory.mkdir()
    names = ["../victim.png", str(victim), "figures/../../victim.png", 3]
    (directory / "numbers.json").write_text(json.dumps({"gramarye": "0", "files": names}))
    assert folder.earlier(directory) == ()
    report.write(explained, directory)
    assert victim.read_text() == "mine"


def test_a_file_is_no_folder(explained: story.Explanation, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("mine")
    for directory in (tmp_path / "file", tmp_path / "file" / "report"):
        with pytest.raises(ImageError, match="report"):
            report.write(explained, directory)


def test_nothing_is_left_half_written(
    explained: story.Explanation, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    replace, done = os.replace, []

    def full(*paths: object) -> None:
        if len(done) == 3:
            raise OSError(errno.ENOSPC, "No space left on device")
        done.append(paths)
        replace(*paths)

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(ImageError, match=r"the report cannot be written; .*no space left.* Free some space"):
        report.write(explained, tmp_path / "new" / "report")
    assert list(tmp_path.iterdir()) == []


def test_a_reel_says_after_how_many_evaluations() -> None:
    def rebuilt(*indices: int) -> Rebuilt:
        frames = tuple(Frame(index, picture(32, 40, index)) for index in indices)
        return Rebuilt("", ("relu1_1",), frames[-1].pixels, frames, (), 0.0, {}, {})

    reel = reels._wound("Wind", "Noise.", [("relu1_1", rebuilt(0, 1, 6, 16)), ("relu5_1", rebuilt(0, 1, 4))])
    assert reel.moments == ("at the start", "after 1 evaluation", "after 4 to 6 evaluations")
    assert [[shot.caption for shot in moment] for moment in reel.shots] == [["relu1_1", "relu5_1"]] * 3
