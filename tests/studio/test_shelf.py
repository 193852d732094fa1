"""Answers on the disk: whole or not there, under names that cannot lead elsewhere, and not too many."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from gramarye.studio.refusals import Unknown
from gramarye.studio.shelf import Found, Shelf

RUN = "0123456789abcdef"


@pytest.fixture
def shelf(tmp_path: Path) -> Shelf:
    (tmp_path / RUN).mkdir()
    return Shelf(tmp_path, largest=10_000)


def test_what_is_kept_is_read_back(shelf: Shelf) -> None:
    assert shelf.read(RUN, "relu3_1.gram.frame-4") is None
    shelf.keep(RUN, "relu3_1.gram.frame-4", Found({"a": [1, float("nan")]}, {"one": b"1", "two-3": b"23"}))
    assert shelf.read(RUN, "relu3_1.gram.frame-4") == b'{"a":[1,null]}'
    assert shelf.picture(RUN, "relu3_1.gram.frame-4", "two-3") == b"23"
    assert shelf.picture(RUN, "relu3_1.gram.frame-4", "three") is None
    assert shelf.read(RUN, "relu3_1.gram.frame-5") is None
    assert [each.name for each in shelf.folder(RUN).iterdir()] == ["relu3_1.gram.frame-4"]


@pytest.mark.parametrize(
    "name", ["..", ".", "", "../x", "a/b", "/etc", "a.b.c.d.e", "relu3_1.\0", "relu3_1..x", ".hidden", "RELU", "a\n"]
)
def test_no_name_leads_elsewhere(shelf: Shelf, name: str) -> None:
    (shelf.runs / "answer.json").write_text("secret")
    (shelf.folder(RUN) / "x").mkdir(parents=True)
    (shelf.folder(RUN) / "x" / "answer.json").write_text("{}")
    assert shelf.read(RUN, name) is None
    assert shelf.picture(RUN, "x", name) is None


def test_what_was_not_asked_for_the_longest_makes_room(shelf: Shelf) -> None:
    for number in range(3):
        shelf.keep(RUN, f"pulls.{number}", Found({}, {"one": bytes(3000)}))
        os.utime(shelf.folder(RUN) / f"pulls.{number}", (1000 + number, 1000 + number))
    assert shelf.read(RUN, "pulls.0") is not None  # asked for just now
    shelf.keep(RUN, "pulls.3", Found({}, {"one": bytes(3000)}))
    assert sorted(each.name for each in shelf.folder(RUN).iterdir()) == ["pulls.0", "pulls.2", "pulls.3"]


def test_what_a_crash_has_left_goes_first(shelf: Shelf) -> None:
    torn = shelf.folder(RUN) / ".1234"
    torn.mkdir(parents=True)
    (torn / "one.webp").write_bytes(bytes(9000))
    os.utime(torn, (1000, 1000))
    shelf.keep(RUN, "pulls.1", Found({}, {"one": bytes(3000)}))
    assert [each.name for each in shelf.folder(RUN).iterdir()] == ["pulls.1"]


def test_a_failure_leaves_nothing(shelf: Shelf, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(self: Path, data: bytes) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", fails)
    with pytest.raises(OSError, match="No space"):
        shelf.keep(RUN, "pulls.1", Found({}, {"one": b"1"}))
    assert list(shelf.folder(RUN).iterdir()) == []


def test_the_first_answer_stays_and_a_run_that_is_gone_does_not_come_back(shelf: Shelf) -> None:
    shelf.keep(RUN, "pulls.1", Found({"first": True}))
    shelf.keep(RUN, "pulls.1", Found({"first": False}))
    assert shelf.read(RUN, "pulls.1") == b'{"first":true}'
    assert len(list(shelf.folder(RUN).iterdir())) == 1
    with pytest.raises(Unknown, match="deleted"):
        shelf.keep("fedcba9876543210", "pulls.1", Found({}))
    assert not (shelf.runs / "fedcba9876543210").exists()
