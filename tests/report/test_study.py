"""The report of a study: one page that needs nothing, tables that refuse to rank, honest also when unfinished."""

from __future__ import annotations

import csv
import io
import json
import re
from dataclasses import replace
from html.parser import HTMLParser
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gramarye import images
from gramarye.report import folder, study, study_page, study_tables
from gramarye.settings import Settings
from gramarye.study import findings
from gramarye.study.findings import Asked, Findings
from gramarye.study.record import Record
from networks import picture
from records import record

BASE = Settings().with_(size=64, **{"network.name": "vgg19-lite"})
HOSTILE = "<script>alert('x')</script> & \"quotes\" %s {{ 7 * 7 }} $x$"


def records(folder: Path, *, pairs: int = 3, state: str = "done") -> list[Record]:
    """init × style.weight for a few pairs, the scores made up, the pictures plain."""
    generator, made = np.random.default_rng(0), []
    for index in range(pairs):
        for role in ("", "-style"):
            images.save(picture(24, 32, index), folder / f"pair{index}{role}.png")
    images.save(picture(24, 32, 9), folder / "painted.png")
    for number, (pair, init, weight) in enumerate(product(range(pairs), ("content", "noise"), (1.0, 10.0, 100.0))):
        noise = generator.normal(0, 0.01, 4)
        scores = {
            "ssim": 0.9 - 0.1 * np.log10(weight) - 0.2 * (init == "noise") + noise[0],
            "cfsd@vgg19-lite": 0.1 + 0.1 * np.log10(weight) + noise[1],
            "style-sliced@vgg19-lite": 0.5 - 0.1 * np.log10(weight) + noise[2],
            "colour": 0.3 + noise[3],
        }
        levels = {"init": init, "style.weight": weight}
        found = record(number, levels, scores, pair=f"pair{pair}", base=BASE, state=state)
        trial = replace(
            found.trial,
            pair=replace(
                found.trial.pair, content=str(folder / f"pair{pair}.png"), style=str(folder / f"pair{pair}-style.png")
            ),
        )
        made.append(
            replace(found, trial=trial, total=weight, seconds=1.0, picture="painted.png", ledger="x", version="0.1.0")
        )
    return made


def ledger(found: Record) -> dict[str, Any]:
    weight = found.trial.settings.style.weight
    terms = [{"name": f"{kind} relu1_1", "kind": kind, "layer": "relu1_1"} for kind in ("content", "style")]
    curve = [weight * 0.5**step for step in range(6)]
    weighted = {"content relu1_1": [value / 4 for value in curve], "style relu1_1": [value / 2 for value in curve]}
    return {"terms": terms, "step": [1, 2, 3, 4, 5, 6], "total": curve, "value": weighted, "weighted": weighted}


def found(folder: Path, **known: Any) -> Findings:
    asked = Asked("weights", "Do they act together?", "less style, more realism", "factorial")
    made = known.pop("made", None) or records(folder, **known)
    return findings.find("a study", made, ledger, question="What acts how?", groups=(asked,))


class Reader(HTMLParser):
    """The tags and the text of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attributes)))

    def handle_data(self, data: str) -> None:
        self.text += data


def read(page: str) -> Reader:
    reader = Reader()
    reader.feed(page)
    return reader


@pytest.fixture
def undrawn(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pages without drawings, which take most of the time."""
    monkeypatch.setattr(study, "draw", lambda chapter: [])


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("pictures")
    study_page.write(found(folder), lambda name: folder / name, folder / "report")
    return folder / "report"


def test_the_page_needs_nothing_beside_it(written: Path) -> None:
    text = (written / "report.html").read_text()
    page = read(text)
    assert "http://" not in text.replace("http://www.w3.org", "")
    assert not [tag for tag, _ in page.tags if tag in {"script", "link", "iframe"}]
    for tag, attributes in page.tags:
        if tag == "img":
            assert str(attributes["src"]).startswith("data:image/")
            assert attributes["alt"]
    told = {str(attributes.get("http-equiv") or attributes.get("name")): attributes for tag, attributes in page.tags}
    assert str(told["Content-Security-Policy"]["content"]).startswith("default-src 'none'; ")
    assert "width=device-width" in text
    assert len(text) < 15e6


def test_everything_lies_beside_it(written: Path) -> None:
    names = {path.name for path in written.iterdir()}
    assert {"report.md", "tables.tex", "trials.csv", "effects.csv", "interactions.csv", "numbers.json"} <= names
    plain = json.loads((written / "numbers.json").read_text())
    assert plain["states"] == {"done": 18}
    assert all((written / name).is_file() for name in plain["files"])
    rows = list(csv.DictReader(io.StringIO((written / "trials.csv").read_text())))
    assert len(rows) == 18
    assert {row["style.weight"] for row in rows} == {"1.0", "10.0", "100.0"}
    assert any("sheet" in name for name in plain["files"])


def test_parquet_holds_the_same(written: Path) -> None:
    parquet = pytest.importorskip("pyarrow.parquet")
    table = parquet.read_table(written / "trials.parquet")
    assert table.num_rows == 18
    assert table.column("score ssim").to_pylist()[0] == pytest.approx(0.9, abs=0.05)


def test_losses_that_differ_in_a_weight_are_not_ranked(tmp_path: Path) -> None:
    chapter = found(tmp_path).chapters[0]
    table = chapter.grids[0]
    columns = {column.name: column for column in table.columns}
    assert "style.weight differs" in columns["total"].refused
    assert not any("total" in row.best for row in table.rows)
    assert any("ssim" in row.best for row in table.rows)
    assert any("style.weight" in remark for remark in study_tables.remarks(table))
    assert any("not ranked" in sentence for sentence in chapter.conclusions)
    assert "**" not in study_tables.markdown(table).splitlines()[2].split("|")[4]  # the lowest total is not in bold


def test_losses_of_one_kind_are_ranked(tmp_path: Path) -> None:
    alike = [each for each in records(tmp_path) if each.trial.settings.style.weight == 10]
    chapter = found(tmp_path, made=alike).chapters[0]
    assert any("total" in row.best for row in chapter.grids[0].rows)
    assert any("lowest total loss" in sentence for sentence in chapter.conclusions)


def test_curves_are_divided_by_their_start_where_heights_mean_nothing(tmp_path: Path) -> None:
    chapter = found(tmp_path).chapters[0]
    drawn = {drawing.name: drawing for drawing in study.draw(chapter)}
    assert set(drawn) == {"curves", "effects", "interactions", "shares", "front"}
    lines = drawn["curves"].figure.axes[0].get_lines()
    assert {line.get_ydata()[0] for line in lines if len(line.get_ydata()) > 1} == {1.0}
    assert "heights cannot" in drawn["curves"].caption


def test_conclusions_hold_the_numbers(tmp_path: Path) -> None:
    chapter = found(tmp_path).chapters[0]
    told = " ".join(chapter.conclusions)
    assert "3 pairs" in told
    assert "not repeated" in told or "No trial was repeated" in told
    counts = re.search(r"Of (\d+) main effects with an interval, (\d+) exclude zero; ([\d.]+) would by chance", told)
    assert counts is not None
    assert int(counts[1]) == len(chapter.effects)
    assert float(counts[3]) == pytest.approx(0.05 * len(chapter.effects), abs=0.06)


def test_one_pair_speaks_of_itself_alone(tmp_path: Path) -> None:
    told = found(tmp_path, pairs=1).chapters[0].conclusions
    assert any("nothing here speaks of other pictures" in sentence for sentence in told)
    assert any("No effect has an interval" in sentence for sentence in told)


@pytest.mark.usefixtures("undrawn")
def test_a_study_that_is_still_running_says_how_far(tmp_path: Path) -> None:
    made = records(tmp_path)
    made = made[:7] + [replace(each, state="waiting", picture=None, ledger=None) for each in made[7:]]
    made[6] = replace(made[6], state="set aside", error="it would not")
    findings_ = found(tmp_path, made=made)
    page = study_page.write(findings_, lambda name: tmp_path / name, tmp_path / "report").read_text()
    text = " ".join(read(page).text.split())
    assert "6 of 18 trials are" in text
    assert "it would not" in text
    assert "1 of 18 trials came to nothing" in text


@pytest.mark.parametrize("state", ["waiting", "failed"])
@pytest.mark.usefixtures("undrawn")
def test_nothing_done_is_a_page_too(tmp_path: Path, state: str) -> None:
    made = [replace(each, picture=None, ledger=None, scores={}) for each in records(tmp_path, state=state)]
    page = study_page.write(found(tmp_path, made=made), lambda name: tmp_path / name, tmp_path / "report").read_text()
    assert "nothing can be concluded" in page


@pytest.mark.usefixtures("undrawn")
def test_a_plan_without_trials_yet(tmp_path: Path) -> None:
    nothing = findings.find("empty", [], ledger, groups=(Asked("weights", "What?"),))
    assert "0 of 0 trials" in study_page.write(nothing, lambda name: tmp_path / name, tmp_path / "report").read_text()


@pytest.mark.usefixtures("undrawn")
def test_what_is_in_a_text_is_shown_and_never_obeyed(tmp_path: Path) -> None:
    made = records(tmp_path)
    made[0] = replace(made[0], error=HOSTILE, state="failed")
    asked = Asked("weights", HOSTILE, HOSTILE, "factorial")
    hostile = findings.find(HOSTILE, made, ledger, question=HOSTILE, groups=(asked,))
    text = study_page.write(hostile, lambda name: tmp_path / name, tmp_path / "report").read_text()
    page = read(text)
    assert not [tag for tag, _ in page.tags if tag == "script"]
    assert HOSTILE in page.text
    assert (tmp_path / "report" / "tables.tex").read_text().count(r"\begin{table}") == 2


@pytest.mark.usefixtures("undrawn")
def test_a_picture_that_is_gone_leaves_the_rest(tmp_path: Path) -> None:
    made = records(tmp_path)
    (tmp_path / "painted.png").unlink()
    page = study_page.write(found(tmp_path, made=made), lambda name: tmp_path / name, tmp_path / "report").read_text()
    assert "photograph" in page


def test_latex_escapes_what_it_would_obey() -> None:
    assert study_tables.tex(r"a_b & 5 % {x} \y #1 $z$ ~ ^") == (
        r"a\_b \& 5 \% \{x\} \textbackslash{}y \#1 \$z\$ \textasciitilde{} \textasciicircum{}"
    )


def test_numbers_come_in_order_and_the_baseline_is_said(tmp_path: Path) -> None:
    rows = found(tmp_path).chapters[0].grids[0].rows
    assert [row.levels[1] for row in rows if row.levels[0] == "content"] == [1.0, 10.0, 100.0]


@pytest.mark.usefixtures("undrawn")
def test_a_report_knows_its_own_files_again(tmp_path: Path) -> None:
    directory = tmp_path / "report"
    study_page.write(found(tmp_path), lambda name: tmp_path / name, directory)
    written = {path.relative_to(directory).as_posix() for path in directory.rglob("*") if path.is_file()}
    assert {"report.md", "tables.tex", "trials.parquet"} < written == set(folder.earlier(directory))


@pytest.mark.usefixtures("undrawn")
def test_a_report_does_not_overwrite_what_is_not_its_own(tmp_path: Path) -> None:
    from gramarye.errors import ImageError

    (tmp_path / "report").mkdir()
    (tmp_path / "report" / "report.html").write_text("mine")
    with pytest.raises(ImageError, match="overwrite"):
        study_page.write(found(tmp_path), lambda name: tmp_path / name, tmp_path / "report")
