"""Which picture people like better, from choices between two: the Bradley–Terry model."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

ROUNDS = 10_000
CLOSE = 1e-10
PRIOR = 0.1  # imagined games, each half won and half lost, of every item against one of strength 1


@dataclass(frozen=True)
class Choice:
    """One answer: `winner` and `loser` by name, or a tie, in which the two change places freely."""

    winner: str
    loser: str
    tie: bool = False


@dataclass(frozen=True)
class Preferences:
    """Strengths πᵢ, P(i over j) = πᵢ/(πᵢ + πⱼ), of geometric mean 1 in each part; the strongest first.

    `intervals` are 95 % of ln π, from the observed information. `parts` are sets of items that were compared with each
    other, directly or by way of others: strengths in different parts cannot be set against each other. `unbeaten`
    and `winless` items have strengths that only the prior keeps finite.
    """

    strengths: dict[str, float]
    intervals: dict[str, tuple[float, float]]
    parts: tuple[tuple[str, ...], ...]
    unbeaten: tuple[str, ...]
    winless: tuple[str, ...]
    choices: int
    ties: int

    @property
    def remarks(self) -> tuple[str, ...]:
        """What has to be known before the strengths are believed, in plain sentences."""
        said = [f"{self.choices} choices, {self.ties} of them ties, each counted as half a win for both."]
        if len(self.parts) > 1:
            groups = "; ".join(", ".join(part) for part in self.parts)
            said.append(f"Not all were compared: strengths tell nothing between the groups {groups}.")
        if self.unbeaten:
            said.append(f"Never beaten, so its strength is only known to be large: {', '.join(self.unbeaten)}.")
        if self.winless:
            said.append(f"Never won, so its strength is only known to be small: {', '.join(self.winless)}.")
        return tuple(said)

    def probability(self, first: str, second: str) -> float | None:
        """How likely the first is preferred to the second; None where nothing connects them."""
        if not any({first, second} <= set(part) for part in self.parts):
            return None
        return self.strengths[first] / (self.strengths[first] + self.strengths[second])


def bradley_terry(choices: Iterable[Choice], items: Sequence[str] = (), *, prior: float = PRIOR) -> Preferences:
    """The strengths that make the choices likeliest, by minorisation and maximisation.

    πᵢ ← Wᵢ / Σⱼ nᵢⱼ/(πᵢ + πⱼ), with Wᵢ the wins of i (a tie is half a win for both) and nᵢⱼ the games of i and j
    (Hunter 2004, “MM algorithms for generalized Bradley–Terry models”). Differs by `prior` games, half of them won,
    of each item against one of strength 1, without which an unbeaten item has no finite strength; 0 leaves them out.
    """
    made = list(choices)
    names = list(dict.fromkeys([*items, *(name for choice in made for name in (choice.winner, choice.loser))]))
    wins = _wins(made, names)
    strengths = _climbed(wins, prior)
    parts = _parts(wins)
    for part in parts:
        strengths[part] /= np.exp(np.log(strengths[part]).mean())
    errors = _errors(wins, strengths, prior)
    order = sorted(range(len(names)), key=lambda index: -strengths[index])
    logs = np.log(strengths)
    played = wins + wins.T > 0
    lost, won = wins.sum(axis=0) > 0, wins.sum(axis=1) > 0
    return Preferences(
        strengths={names[index]: float(strengths[index]) for index in order},
        intervals={
            names[index]: (float(logs[index] - 1.96 * errors[index]), float(logs[index] + 1.96 * errors[index]))
            for index in order
        },
        parts=tuple(tuple(names[index] for index in part) for part in parts),
        unbeaten=tuple(name for index, name in enumerate(names) if played[index].any() and not lost[index]),
        winless=tuple(name for index, name in enumerate(names) if played[index].any() and not won[index]),
        choices=len(made),
        ties=sum(choice.tie for choice in made),
    )


def _wins(choices: Sequence[Choice], names: Sequence[str]) -> NDArray[np.float64]:
    """How often the row was preferred to the column."""
    place = {name: index for index, name in enumerate(names)}
    wins = np.zeros((len(names), len(names)))
    for choice in choices:
        wins[place[choice.winner], place[choice.loser]] += 0.5 if choice.tie else 1.0
        wins[place[choice.loser], place[choice.winner]] += 0.5 if choice.tie else 0.0
    return wins


def _climbed(wins: NDArray[np.float64], prior: float) -> NDArray[np.float64]:
    games, won = wins + wins.T, wins.sum(axis=1) + prior / 2
    strengths = np.ones(len(wins))
    for _ in range(ROUNDS):
        expected = (games / (strengths[:, None] + strengths[None, :])).sum(axis=1) + prior / (strengths + 1)
        new = np.where(expected > 0, np.maximum(won, 1e-12) / np.maximum(expected, 1e-12), 1.0)
        if np.abs(np.log(new / strengths)).max(initial=0) < CLOSE:
            return new
        strengths = new
    return strengths


def _errors(wins: NDArray[np.float64], strengths: NDArray[np.float64], prior: float) -> NDArray[np.float64]:
    """Standard errors of ln π: Σⱼ nᵢⱼ·p·(1 − p) on the diagonal of the information, −nᵢⱼ·p·(1 − p) beside it."""
    chance = strengths[:, None] / (strengths[:, None] + strengths[None, :])
    pull = (wins + wins.T) * chance * (1 - chance)
    mine = strengths / (strengths + 1)
    information = np.diag(pull.sum(axis=1) + prior * mine * (1 - mine)) - pull
    spread: NDArray[np.float64] = np.sqrt(np.maximum(np.diag(np.linalg.pinv(information, hermitian=True)), 0))
    return spread


def _parts(wins: NDArray[np.float64]) -> list[list[int]]:
    """The connected parts of the graph of comparisons."""
    left, parts = set(range(len(wins))), list[list[int]]()
    while left:
        part, edge = set[int](), {min(left)}
        while edge:
            part |= edge
            edge = {j for i in edge for j in left - part if wins[i, j] + wins[j, i] > 0}
        left -= part
        parts.append(sorted(part))
    return parts
