"""Bradley–Terry: a published example, ties, groups that were never compared, and what has never lost."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gramarye.errors import StudyError
from gramarye.study import choosing
from gramarye.study.preferences import Choice, bradley_terry
from records import record

TEAMS = ("Milwaukee", "Detroit", "Toronto", "New York", "Boston", "Cleveland", "Baltimore")
# Wins of the row over the column, American League 1987 (Agresti, “Categorical Data Analysis”, chapter 10.6) …
WINS = (
    (0, 7, 9, 7, 7, 9, 11),
    (6, 0, 7, 5, 11, 9, 9),
    (4, 6, 0, 7, 7, 8, 12),
    (6, 8, 6, 0, 6, 7, 10),
    (6, 2, 6, 7, 0, 7, 12),
    (4, 4, 5, 6, 6, 0, 6),
    (2, 4, 1, 3, 1, 7, 0),
)
FITTED = (1.58, 1.44, 1.29, 1.25, 1.11, 0.68, 0.0)  # … and the log strengths that he gives, Baltimore's being 0


def games(wins: tuple[tuple[int, ...], ...], names: tuple[str, ...]) -> list[Choice]:
    return [
        Choice(names[i], names[j]) for i, row in enumerate(wins) for j, count in enumerate(row) for _ in range(count)
    ]


def test_the_american_league_of_1987() -> None:
    found = bradley_terry(games(WINS, TEAMS), prior=0)
    zero = math.log(found.strengths["Baltimore"])
    for team, expected in zip(TEAMS, FITTED, strict=True):
        assert math.log(found.strengths[team]) - zero == pytest.approx(expected, abs=0.01)
    assert list(found.strengths) == list(TEAMS)
    assert np.log(list(found.strengths.values())).mean() == pytest.approx(0, abs=1e-9)
    assert len(found.remarks) == 1


@given(st.integers(1, 30), st.integers(1, 30))
def test_two_items_are_as_strong_as_they_won(first: int, second: int) -> None:
    choices = [Choice("a", "b")] * first + [Choice("b", "a")] * second
    found = bradley_terry(choices, prior=0)
    assert found.strengths["a"] / found.strengths["b"] == pytest.approx(first / second, rel=1e-5)
    assert found.probability("a", "b") == pytest.approx(first / (first + second), rel=1e-5)
    low, high = found.intervals["a"]
    assert low < math.log(found.strengths["a"]) < high


def test_ties_are_half_a_win_for_both() -> None:
    tied = bradley_terry([Choice("a", "b", tie=True)] * 4, prior=0)
    assert tied.probability("a", "b") == pytest.approx(0.5)
    mixed = bradley_terry([Choice("a", "b"), Choice("a", "b"), Choice("b", "a", tie=True)] * 2, prior=0)
    assert mixed.probability("a", "b") == pytest.approx(2.5 / 3, rel=1e-5)
    assert (mixed.choices, mixed.ties) == (6, 2)


def test_groups_that_were_never_compared_are_said() -> None:
    found = bradley_terry([Choice("a", "b"), Choice("b", "a"), Choice("c", "d"), Choice("d", "c")], ["a", "e"])
    assert set(map(frozenset, found.parts)) == {frozenset("ab"), frozenset("cd"), frozenset("e")}
    assert found.probability("a", "c") is None
    assert found.probability("a", "b") == pytest.approx(0.5)
    assert any("tell nothing between" in each for each in found.remarks)


def test_what_was_never_beaten_stays_finite_and_is_said() -> None:
    found = bradley_terry([Choice("a", "b"), Choice("a", "b"), Choice("b", "c"), Choice("c", "b")])
    assert found.unbeaten == ("a",)
    assert found.winless == ()
    assert 1 < found.strengths["a"] < 1e4
    assert any("Never beaten" in each and "a" in each for each in found.remarks)


def test_without_choices_nothing_is_known() -> None:
    found = bradley_terry([], ["a", "b"])
    assert found.strengths == {"a": 1.0, "b": 1.0}
    assert bradley_terry([]).strengths == {}


@given(st.permutations(range(7)))
def test_the_order_of_the_choices_does_not_matter(order: list[int]) -> None:
    made = [Choice(f"{i}", f"{(i + 1 + i % 2) % 5}", tie=i == 3) for i in range(7)]
    plain, shuffled = bradley_terry(made), bradley_terry([made[index] for index in order])
    assert shuffled.strengths == pytest.approx(plain.strengths, rel=1e-6)


# ---- asking ------------------------------------------------------------------------------------------


def painted(count: int) -> list:
    return [record(number, {"style.weight": float(number + 1)}, {}) for number in range(count)]


def test_every_picture_is_compared_twice_and_none_again() -> None:
    records, choices, asked = painted(6), list[Choice](), set()
    while (question := choosing.question(records, choices)) is not None:
        keys = [each.trial.key for each in question]
        assert frozenset(keys) not in asked
        asked.add(frozenset(keys))
        better, worse = sorted(keys, reverse=True)  # the later, the better
        choices.append(Choice(better, worse))
    games = {each.trial.key: sum(each.trial.key in {c.winner, c.loser} for c in choices) for each in records}
    assert min(games.values()) >= 2
    assert len(choices) < 15
    found = choosing.ranked(records, choices)
    assert next(iter(found.strengths)) == records[-1].trial.key
    assert len(found.parts) == 1
    losses = choosing.losses(records, choices)
    assert losses[records[-1].trial.key] < losses[records[0].trial.key]


def test_one_picture_asks_nothing() -> None:
    assert choosing.question(painted(1), []) is None
    assert choosing.question([], []) is None


def test_answers_are_kept_and_a_line_that_was_cut_off_is_dropped(tmp_path: Path) -> None:
    path = tmp_path / "choices" / "x.jsonl"
    assert choosing.read(path) == []
    made = [Choice("a", "b"), Choice("b", "c", tie=True)]
    for choice in made:
        choosing.add(path, choice)
    assert choosing.read(path) == made
    path.write_text(path.read_text() + '{"winner": "c", "lo')
    assert choosing.read(path) == made
    path.write_text('{"winn\n' + path.read_text())
    with pytest.raises(StudyError, match="line 1"):
        choosing.read(path)
