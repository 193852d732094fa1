"""The report of a painted film: one page that needs nothing, with the numbers it is drawn from."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path

import pytest

from filming import film_in, filming, paint
from gramarye.report import video
from gramarye.video.account import Account, account
from gramarye.video.measure import Flicker, Moment

HOSTILE = "<script>alert('x')</script> {{ 7 * 7 }} $x$.mp4"


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Account:
    """The account of eight frames with a cut."""
    folder = tmp_path_factory.mktemp("told")
    with filming(film_in(folder / "frames", 8, cut=5), folder / "out.mp4", first=1) as film:
        paint(film)
        return account(film, "brushed")


def test_what_is_shown(told: Account) -> None:
    assert 1 <= len(told.shown) <= 3
    assert {"which flickers most", "which has least in common with the one before"} <= {
        word for each in told.shown for word in each.why.split(", ")
    }
    known = [row for row in told.flicker.rows if row.warp_error is not None]
    worst = max(known, key=lambda row: (row.warp_error or 0) - (row.source_warp_error or 0))
    for shown in told.shown:
        assert shown.moment in told.flicker.rows
        assert shown.moment.warp_error is not None
        assert shown.filmed[0].shape == shown.painted[1].shape == (1, 3, 48, 64)
        assert float(shown.mask.mean()) == pytest.approx(shown.moment.seen)
        assert float((shown.painted[1] - (1 - shown.filmed[1] ** 2)).abs().mean()) < 0.2
    assert worst.index in {each.moment.index for each in told.shown}


def test_what_is_said(told: Account) -> None:
    first, second, third, last = told.findings
    assert re.search(r"change by [\d.]+% of full brightness", first)
    assert "flickers by more" in second or "as steady" in second
    assert "seen in the one before" in third
    assert last == "Another shot begins at frame 5."


@pytest.mark.parametrize(
    ("painted", "own", "words"),
    [
        (0.001, 0.001, "as steady"),
        (0.0001, 0.001, "as steady"),
        (0.004, 0.001, "2 times as much"),
        (0.1, 0.0, "any film"),
    ],
)
def test_the_comparison(painted: float, own: float, words: str, told: Account) -> None:
    rows = (Moment(0, None, None, 0.0), Moment(1, painted, own, 0.9))
    findings = replace(told, flicker=Flicker(rows)).findings
    assert words in findings[1]
    assert findings[-1] == "There is no cut."


def test_the_page(told: Account, tmp_path: Path) -> None:
    page = video.write(replace(told, name=HOSTILE), tmp_path / "explained")
    text = page.read_text(encoding="utf-8")
    assert "<script" not in text
    assert "{{ 7 * 7 }}" in text
    assert not re.search(r"""(?:src|href)=["']?(?:https?:|//)""", text)
    assert text.count("<figure") == 1 + len(told.shown)
    numbers = json.loads((page.parent / "numbers.json").read_text())
    assert numbers["flicker"]["warp_error"] == told.flicker.warp_error
    assert len(numbers["flicker"]["rows"]) == 7
    files = {str(path.relative_to(page.parent)) for path in page.parent.rglob("*") if path.is_file()}
    assert files == set(numbers["files"])
    video.write(replace(told, shown=()), tmp_path / "explained")  # in its place
    left = {path.name for path in (tmp_path / "explained" / "figures").iterdir()}
    assert left == {"flicker-curves.png", "flicker-curves.svg"}


def test_one_frame_has_a_page_too(told: Account, tmp_path: Path) -> None:
    alone = replace(told, flicker=Flicker((Moment(0, None, None, 0.0),)), shown=())
    text = video.write(alone, tmp_path / "explained").read_text()
    assert "No two frames could be compared." in text
    assert "<figure" not in text
