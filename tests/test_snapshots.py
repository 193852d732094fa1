"""Which evaluations are kept, and how their files are called."""

from __future__ import annotations

from pathlib import Path

import pytest

from gramarye import snapshots
from gramarye.errors import SettingsError


@pytest.mark.parametrize(
    ("text", "steps", "expected"),
    [
        ("1,5,10", 10, (1, 5, 10)),
        ("10, 5 ,5,1", 10, (1, 5, 10)),
        ("log", 10, (1, 2, 4, 8)),
        ("log", 8, (1, 2, 4, 8)),
        ("log", 1, (1,)),
        ("log", 0, ()),
        ("3,log,10", 10, (1, 2, 3, 4, 8, 10)),
    ],
)
def test_evaluations(text: str, steps: int, expected: tuple[int, ...]) -> None:
    assert snapshots.evaluations(text, steps) == expected


@pytest.mark.parametrize("text", ["", "0", "11", "-1", "1.5", "ten", "1,,2", "log2", "²"])
def test_what_is_no_evaluation(text: str) -> None:
    with pytest.raises(SettingsError, match=r"1 … 10"):
        snapshots.evaluations(text, 10)


def test_names_sort_as_they_came() -> None:
    assert snapshots.paths(Path("a/out.png"), (1, 20), 20) == {
        1: Path("a/out-0001.png"),
        20: Path("a/out-0020.png"),
    }
    assert snapshots.paths(Path("out.tar.jpg"), (7,), 123456) == {7: Path("out.tar-000007.jpg")}
