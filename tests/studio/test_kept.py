"""What is kept of runs and films: written whole, read back, interrupted by a restart; what is none is passed over."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from gramarye.studio.film_record import FilmRecord
from gramarye.studio.kept import OVER, UNFINISHED, Kept, all_in, read
from gramarye.studio.record import Record

ALIKE = {"title": "A walk", "started": "2026-11-22T06:00:00.000+00:00", "remaining": 3.5}


def run(number: int, state: str) -> Record:
    return Record(
        id=f"{number:016x}", state=state, content="c", styles=["s"], preset="draft", settings={}, steps=9, **ALIKE
    )


def film(number: int, state: str) -> FilmRecord:
    return FilmRecord(
        id=f"{number:016x}", state=state, clip="c", painting="p", size=256, width=8, height=6, rate=24.0, count=5,
        sound=False, **ALIKE,
    )  # fmt: skip


@pytest.mark.parametrize("make", [run, film])
def test_a_restart_interrupts_what_was_under_way_and_nothing_else(
    make: Callable[[int, str], Kept], tmp_path: Path
) -> None:
    states = {f"{number:016x}": state for number, state in enumerate((*UNFINISHED, *OVER))}
    for number, state in enumerate(states.values()):
        folder = tmp_path / f"{number:016x}"
        folder.mkdir()
        made = make(number, state)
        made.save(folder)
        assert read(type(made), folder) == made
    found = {each.id: each for each in all_in(type(made), tmp_path)}
    assert {name: each.state for name, each in found.items()} == {
        name: "interrupted" if state in UNFINISHED else state for name, state in states.items()
    }
    assert [each.remaining for each in found.values() if each.state == "interrupted"] == [None] * len(UNFINISHED)
    assert all(read(type(made), tmp_path / name) == each for name, each in found.items())


@pytest.mark.parametrize("make", [run, film])
def test_what_is_none_is_passed_over(make: Callable[[int, str], Kept], tmp_path: Path) -> None:
    made = make(1, "finished")
    for name, text in {
        "0" * 16: json.dumps({"id": "0" * 16}),  # too little
        "1" * 16: "{",
        "2" * 16: (tmp_path / "moved").name,
        "not-one": "{}",
    }.items():
        (tmp_path / name).mkdir()
        (tmp_path / name / made.FILE).write_text(text)
    (tmp_path / "3333333333333333").mkdir()
    made.save(tmp_path / "3333333333333333")  # another's name
    (tmp_path / "a file").write_text("")
    assert list(all_in(type(made), tmp_path)) == []
