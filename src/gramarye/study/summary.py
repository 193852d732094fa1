"""How far a study is: how many trials are in which state, and how long the rest will take."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass

from gramarye.study.record import STATES

SHARES = (("waiting", 1.0), ("failed", 1.0), ("running", 0.5))  # what is left of a trial, on the average


@dataclass(frozen=True)
class Experiment:
    """One group of a study: its number of trials by state, and the mean seconds of those that were painted."""

    name: str
    counts: dict[str, int]
    seconds: float | None


@dataclass(frozen=True)
class Summary:
    """A study at one moment.

    `running` says who holds a trial: (number, process in words), in the order of the numbers. `versions` counts
    finished trials by the Gramarye that painted them; `left_out` those that an earlier version of the plan had;
    `tries` how often trials were begun.
    """

    study: str
    experiments: tuple[Experiment, ...]
    running: tuple[tuple[int, str], ...] = ()
    versions: dict[str, int] | None = None
    left_out: int = 0
    tries: int = 0

    @property
    def counts(self) -> dict[str, int]:
        """How many trials are in each state, all states named."""
        total = Counter[str]()
        for experiment in self.experiments:
            total.update(experiment.counts)
        return {state: total[state] for state in STATES}

    @property
    def total(self) -> int:
        """All trials of the plan."""
        return sum(self.counts.values())

    @property
    def ended(self) -> int:
        """Trials of which nothing more will come: done, pruned, set aside."""
        return sum(self.counts[state] for state in ("done", "pruned", "set aside"))

    @property
    def left(self) -> int:
        """Trials that are still to be painted or being painted."""
        return self.total - self.ended

    def remaining(self, workers: int) -> float | None:
        """Seconds that so many workers will still take, by the mean time of each experiment; None if none is known."""
        known = [(each.seconds, each.counts.get("done", 0)) for each in self.experiments if each.seconds is not None]
        painted = sum(count for _, count in known)
        if not painted:
            return None
        mean = sum(seconds * count for seconds, count in known) / painted
        return math.fsum(
            (mean if each.seconds is None else each.seconds)
            * sum(each.counts.get(state, 0) * share for state, share in SHARES)
            for each in self.experiments
        ) / max(workers, 1)
