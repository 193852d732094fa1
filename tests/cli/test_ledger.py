"""The ledger of a painting, written beside it."""

from __future__ import annotations

import csv
import io
import math
import os
import signal
import sys
from pathlib import Path

import pytest

from gramarye import images
from gramarye.explain.ledger import COLUMNS

from .command import TINY, Gramarye, everything_in, refused
from .test_interrupt import interrupt_at

PAINT = ("transfer", "content.png", "style.png", "-o", "out.png", *TINY)


def rows_of(path: Path) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(path.read_text(encoding="utf-8"))))


def test_the_ledger_of_the_same_picture(place: Path, gramarye: Gramarye) -> None:
    plain = gramarye.transfer("plain.png", "--json").answer
    outcome = gramarye.ok(*PAINT, "--ledger", "out.csv", "--json")
    assert "wrote out.csv" in outcome.err
    assert outcome.answer["history"] == plain["history"]
    assert bool((images.load("out.png").pixels == images.load("plain.png").pixels).all())
    rows = rows_of(place / "out.csv")
    assert list(rows[0]) == list(COLUMNS)
    assert len(rows) == 4 * len(plain["terms"])
    for step, total in plain["history"]:
        mine = [row for row in rows if row["step"] == str(step)]
        assert math.fsum(float(row["share"]) for row in mine) == pytest.approx(1, abs=1e-6)
        assert math.fsum(float(row["weighted"]) for row in mine) == pytest.approx(total, rel=1e-6)
        assert {float(row["total"]) for row in mine} == {total}
        assert all(float(row["gradient"]) >= 0 for row in mine)


def test_parquet_on_request(place: Path, gramarye: Gramarye) -> None:
    parquet = pytest.importorskip("pyarrow.parquet")
    gramarye.ok(*PAINT, "--ledger", "out.parquet", "-q")
    assert parquet.read_table("out.parquet").column("step").to_pylist()[-1] == 4


@pytest.mark.skipif(os.name == "nt", reason="signals are POSIX's")
def test_ctrl_c_keeps_the_ledger_of_what_was_reached(
    place: Path, gramarye: Gramarye, monkeypatch: pytest.MonkeyPatch
) -> None:
    interrupt_at(monkeypatch, 2)
    assert gramarye(*PAINT, "--ledger", "out.csv").status == 130
    assert {row["step"] for row in rows_of(place / "out.csv")} == {"1", "2"}
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


@pytest.mark.skipif(os.name == "nt", reason="signals are POSIX's")
def test_a_checkpoint_goes_on_with_the_ledger(place: Path, gramarye: Gramarye, monkeypatch: pytest.MonkeyPatch) -> None:
    gramarye.ok(*PAINT, "--ledger", "whole.csv")
    more = ("--checkpoint-every", "1", "--ledger", "out.csv")
    with monkeypatch.context() as patch:
        interrupt_at(patch, 2)
        assert gramarye(*PAINT, *more).status == 130
    gramarye.ok(*PAINT, *more)
    assert (place / "out.csv").read_bytes() == (place / "whole.csv").read_bytes()


@pytest.mark.parametrize(
    ("more", "about"),
    [
        (("--ledger", "out.tsv"), "suffix for a ledger"),
        (("--ledger", "out"), "suffix for a ledger"),
        (("--ledger", "nowhere/out.csv"), "nowhere"),
        (("--ledger", "content.csv"), "one of the inputs"),
        (("--ledger", "out.csv", "--compare", "color"), "--ledger does not go with --compare"),
    ],
)
def test_names_are_checked_before_the_painting(
    more: tuple[str, ...], about: str, place: Path, gramarye: Gramarye
) -> None:
    (place / "content.csv").symlink_to("content.png")
    before = everything_in(place)
    refused(gramarye(*PAINT, *more), about=about)
    assert everything_in(place) == before


def test_a_batch_has_no_ledger(place: Path, gramarye: Gramarye) -> None:
    many = ("transfer", "content.png", "--styles", "style.png", "--out-dir", "painted", "--ledger", "out.csv")
    refused(gramarye(*many), about="--ledger does not go with --styles and --out-dir")


def test_parquet_without_its_package_is_one_line_before_the_painting(
    place: Path, gramarye: Gramarye, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    before = everything_in(place)
    refused(gramarye(*PAINT, "--ledger", "out.parquet"), about='pip install "gramarye[parquet]"'[1:])
    assert everything_in(place) == before
