"""How a study is shown: a bar with the remaining time, a line, tables; and a running one followed."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

from gramarye.cli import console

if TYPE_CHECKING:
    from rich.progress import Progress
    from rich.table import Table

    from gramarye.study.record import Record
    from gramarye.study.store import Store
    from gramarye.study.summary import Summary

REFRESH = 1.0  # seconds
SCORES = 3  # of a trial, at most, in a table


def line(summary: Summary) -> str:
    """A study in one line."""
    counts = summary.counts
    parts = [f"{counts['done'] + counts['pruned']} of {summary.total} trials done"]
    parts += [f"{counts[state]} {state}" for state in ("running", "failed", "set aside") if counts[state]]
    return ", ".join(parts)


def remaining(summary: Summary, workers: int | None = None) -> str:
    """How long it will still take, as people say it; empty where that is not known."""
    at_work = workers or len(summary.running)
    seconds = summary.remaining(at_work) if at_work and summary.left else None
    return "" if seconds is None else f"about {console.seconds_in_words(seconds)} left"


class Bar:
    """A study that is being painted: a bar with the remaining time on a terminal; elsewhere a line a trial."""

    def __init__(self, summary: Summary, workers: int) -> None:
        self.workers, self.live, self.ended = workers, console.on_terminal(), summary.ended
        self.first = summary

    def __enter__(self) -> Bar:
        if self.live:
            self.progress = _bar()
            self.task = self.progress.add_task(self.first.study, total=self.first.total, left="")
            self.progress.start()
            self.show(self.first)
        return self

    def __exit__(self, *_: object) -> None:
        if self.live:
            self.progress.stop()

    def show(self, summary: Summary) -> None:
        """The study as it is now."""
        left = remaining(summary, self.workers)
        if self.live:
            failed = summary.counts["failed"] + summary.counts["set aside"]
            text = ", ".join(filter(None, (left, f"{failed} failed" if failed else "")))
            self.progress.update(self.task, completed=summary.ended, total=summary.total, left=text)
        elif summary.ended > self.ended:
            console.say(", ".join(filter(None, (line(summary), left))))
            self.ended = summary.ended


def _bar() -> Progress:
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.completed:.0f}/{task.total:.0f}"),
        TimeElapsedColumn(),
        TextColumn("{task.fields[left]}"),
        console=Console(stderr=True),
        transient=True,
    )


def follow(store: Store, study: str, *, quiet: bool) -> None:
    """Show a study until all its trials have ended."""
    from rich.console import Console
    from rich.live import Live

    summary = store.summary(study)
    live = console.on_terminal() and not quiet
    with Live(experiments(summary), console=Console(stderr=True, quiet=not live), transient=True) as shown:
        bar = Bar(summary, 0)
        while summary.left:
            time.sleep(REFRESH)
            summary = store.summary(study)
            if live:
                shown.update(experiments(summary))
            elif not quiet:
                bar.show(summary)


def experiments(summary: Summary) -> Table:
    """A row for each experiment: how many trials, in which state, how long one takes."""
    from rich.markup import escape
    from rich.table import Table

    states = [state for state, count in summary.counts.items() if count or state == "done"]
    table = Table("experiment", box=None, pad_edge=False, caption=_caption(summary), caption_justify="left")
    for head in ("trials", *states, "a trial"):
        table.add_column(head, justify="right")
    for each in summary.experiments:
        counts = [str(each.counts.get(state, 0) or "") for state in states]
        took = "" if each.seconds is None else console.seconds_in_words(each.seconds)
        table.add_row(escape(each.name), str(sum(each.counts.values())), *counts, took)
    return table


def _caption(summary: Summary) -> str | None:
    """Who is at work, and for how long still."""
    if not summary.running:
        return None
    at_work = ", ".join(f"trial {number}: {who}" for number, who in summary.running[:4])
    more = f" and {len(summary.running) - 4} more" if len(summary.running) > 4 else ""
    return " · ".join(filter(None, (f"{at_work}{more}", remaining(summary))))


def trials(records: Sequence[Record]) -> Table:
    """A row for each trial: what it varies, its state, its first scores."""
    from rich.markup import escape
    from rich.table import Table

    from gramarye.study.wording import short, word

    knobs = list(dict.fromkeys(knob for record in records for knob in record.trial.levels))
    scores = list(dict.fromkeys(name for record in records for name in record.scores))[:SCORES]
    table = Table(box=None, pad_edge=False)
    heads = ["", *_where(records), *map(short, knobs), "state"]
    for head in heads:
        table.add_column(head)
    for head in (*(name.partition("@")[0] for name in scores), "total", "seconds"):
        table.add_column(head, justify="right", no_wrap=True)
    for record in records:
        trial = record.trial
        values = [word(trial.levels[knob]) if knob in trial.levels else "" for knob in knobs]
        found = [record.scores.get(name) for name in scores]
        numbers = ["" if value is None else f"{value:.3g}" for value in (*found, record.total, record.seconds)]
        place = [{"experiment": trial.group, "pair": trial.pair.name}[head] for head in _where(records)]
        table.add_row(*map(escape, (str(trial.number), *place, *values, record.state)), *numbers)
    return table


def _where(records: Sequence[Record]) -> list[str]:
    """Which of experiment and pair tell trials apart."""
    groups, pairs = ({each.trial.group for each in records}, {each.trial.pair for each in records})
    return [name for name, number in (("experiment", len(groups)), ("pair", len(pairs))) if number > 1]
