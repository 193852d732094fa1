"""gramarye study tune: knobs tuned for each pair, by scores or by a person's choices."""

from __future__ import annotations

import math
import random
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gramarye.cli import console
from gramarye.cli import painting as shared
from gramarye.cli.study import plan as planning
from gramarye.cli.study import running
from gramarye.errors import StudyError, unknown_name

if TYPE_CHECKING:
    from gramarye.study.plan import Group, Plan
    from gramarye.study.record import Record
    from gramarye.study.tune import Tuning

ANSWERS = {"1": 0, "2": 1, "same": None, "s": None, "0": None}
QUIT = {"q", "quit"}


@console.command
def tune(
    source: planning.Source,
    *,
    count: Annotated[
        int, typer.Option("--trials", min=1, help="Paintings of each pair, the untuned one included.")
    ] = 20,
    knobs: Annotated[
        list[str] | None,
        typer.Option(
            "--knob",
            metavar="KNOB[=…]",
            help="What is tuned: a knob, KNOB=LOW:HIGH or KNOB=A,B; by default content.weight, style.weight and init.",
        ),
    ] = None,
    group: Annotated[str | None, typer.Option(help="The experiment whose base is tuned; by default the first.")] = None,
    alone: Annotated[
        bool, typer.Option("--one-number", help="Minimise content lost times style missing, not both apart.")
    ] = False,
    prefer: Annotated[bool, typer.Option("--prefer", help="Learn from your choices between two pictures.")] = False,
    seed: shared.Seed = None,
    store: running.Place = None,
    files: running.Files = None,
    scale: planning.Scale = 1.0,
    pairs: planning.Pairs = None,
    content: planning.Contents = None,
    style: planning.Styles = None,
    picture: planning.Pictures = None,
    network: shared.Network = None,
    device: shared.Device = None,
    settings: shared.Knobs = None,
    json: console.Json = False,
    quiet: console.Quiet = False,
) -> None:
    """Tune knobs for each pair of a plan, and judge by scores that the tuning did not see. Run it again to go on.

    What is tuned for, and what judges, is said at the end. A painting that is clearly behind another is given up early.

    Example: [b]gramarye study tune revised --trials 20 --network vgg19-lite[/b]
    """
    from gramarye import machine

    options = {"pairs": pairs, "contents": content, "styles": style, "pictures": picture, "knobs": settings}
    plan = planning.read(source, scale=scale, **options, **{"network.name": network, "device": device})
    machine.keep_memory()
    tunings = list(_tunings(plan, group, knobs or (), store, files, alone=alone, seed=seed or 0))
    with console.hear_interrupt(quiet=quiet) as stop:
        for tuning in tunings:
            going = _preferring(tuning, count, quiet) if prefer else _painting(tuning, count, quiet)
            for _ in going:
                if stop.requested:
                    break
            if stop.requested:
                break
    rows = [row for tuning in tunings if (row := result(tuning)) is not None]
    if json:
        console.answer({"study": tunings[0].study, "pairs": rows, "interrupted": stop.requested})
    else:
        _tell(rows)
    raise typer.Exit(console.INTERRUPTED if stop.requested else 0)


def _tunings(
    plan: Plan, group: str | None, knobs: Any, store: str | None, files: Path | None, **known: Any
) -> Iterator[Tuning]:
    """One tuning for each pair of the plan."""
    from gramarye.study import tune as tuning
    from gramarye.study.store import Store, place_of

    base = _base(plan, group)
    name = f"{plan.name}-tune"
    opened = Store.open(store or str(place_of(plan.name)), files)
    chosen = tuning.ranges(base.settings, tuple(knobs) or tuning.KNOBS_TUNED)
    for pair in base.pairs:
        yield tuning.Tuning(opened, name, pair, base.preset, base.settings, chosen, **known)


def _base(plan: Plan, name: str | None) -> Group:
    groups = {group.name: group for group in plan.groups}
    if name is not None and name not in groups:
        raise StudyError(*unknown_name("experiment", name, groups))
    return groups[name] if name else plan.groups[0]


def _painting(tuning: Tuning, count: int, quiet: bool) -> Iterator[Record]:
    """Paint until there are enough, a line for each."""
    from gramarye.study import pruning
    from gramarye.study import tune as tuned

    for record in tuned.steps(tuning, count, pruning.run):
        _say(tuning, record, count, quiet)
        yield record


def _say(tuning: Tuning, record: Record, count: int, quiet: bool) -> None:
    from gramarye.study.wording import word

    knobs = ", ".join(f"{each.knob}={word(record.trial.settings.get(each.knob))}" for each in tuning.ranges)
    told = {"done": "", "pruned": " · given up early"}.get(record.state, f" · {record.state}: {record.error}")
    console.say(f"{tuning.pair.name} {len(tuning.records())}/{count}  {knobs}{told}", quiet=quiet)


def _preferring(tuning: Tuning, count: int, quiet: bool) -> Iterator[Record]:
    """Paint one at a time, and ask which of two is liked better."""
    from gramarye.study import choosing

    path = choosing.place_of(tuning.store.archive.folder, tuning.study, tuning.pair.name)
    tuning.preferred = lambda records: choosing.losses(records, choosing.read(path))
    going = True
    for record in _painting(tuning, count, quiet):
        yield record
        while going and (asked := choosing.question(_shown(tuning), choosing.read(path))) is not None:
            going = _ask(tuning, asked, path)
        if not going:
            return
    while going and (asked := choosing.question(_shown(tuning), choosing.read(path))) is not None:
        going = _ask(tuning, asked, path)


def _shown(tuning: Tuning) -> list[Record]:
    return [record for record in tuning.records() if record.state == "done"]


def _ask(tuning: Tuning, asked: tuple[Record, Record], path: Path) -> bool:
    """Show two pictures, in an order that tells nothing, and keep the answer; False to stop."""
    from gramarye.report.sheet import Cell, contact_sheet, thumbnail
    from gramarye.study import choosing
    from gramarye.study.preferences import Choice

    shown = list(asked)
    random.Random(asked[0].trial.key + asked[1].trial.key).shuffle(shown)
    sheet = path.with_suffix(".png")
    sheet.parent.mkdir(parents=True, exist_ok=True)
    cells = [
        Cell(str(number), thumbnail(tuning.store.path(record.picture or "")), note="not there")
        for number, record in enumerate(shown, 1)
    ]
    contact_sheet(cells, sheet, columns=2)
    console.say(f"\nopen {sheet}")
    while True:
        try:
            answer = input("which is better, 1 or 2? (same, quit) ").strip().lower()
        except EOFError:
            return False
        if answer in QUIT:
            return False
        if answer in ANSWERS:
            break
        console.say("answer 1, 2, same or quit")
    place = ANSWERS[answer]
    first, second = (shown[place or 0], shown[1 - (place or 0)])
    choosing.add(path, Choice(first.trial.key, second.trial.key, tie=place is None))
    return True


def result(tuning: Tuning) -> dict[str, Any] | None:
    """What tuning came to for a pair, against the untuned preset, by the goal and by the judges."""
    from gramarye.study import choosing
    from gramarye.study import tune as tuned

    untuned, best = tuning.untuned(), tuning.tuned()
    if untuned is None or best is None:
        return None
    chosen: dict[str, Any] = {}
    if tuning.preferred is not None:
        path = choosing.place_of(tuning.store.archive.folder, tuning.study, tuning.pair.name)
        found = choosing.ranked(_shown(tuning), choosing.read(path))
        best = next(record for record in _shown(tuning) if record.trial.key == next(iter(found.strengths)))
        chosen = {"choices": found.choices, "remarks": list(found.remarks)}
    aim = tuning.goal()
    return {
        "pair": tuning.pair.name,
        "trials": len(tuning.records()),
        "given up": sum(record.state == "pruned" for record in tuning.records()),
        "knobs": {each.knob: best.trial.settings.get(each.knob) for each in tuning.ranges},
        "goal": {name: _both(untuned, best, name) for name in (*aim.content, *aim.style)},
        "judges": {name: _both(untuned, best, name) for name in aim.judges},
        "judged": tuned.judged(best, untuned, aim.judges),
        "image": str(tuning.store.path(best.picture or "")),
        "front": [
            {each.knob: record.trial.settings.get(each.knob) for each in tuning.ranges} for record in tuning.front()
        ],
        **chosen,
    }


def _both(untuned: Record, tuned: Record, name: str) -> dict[str, float]:
    return {"untuned": untuned.scores[name], "tuned": tuned.scores[name]}


def _tell(rows: list[dict[str, Any]]) -> None:
    """A table for each pair: what tuning minimised, and what judges."""
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    from gramarye.study.wording import word

    out = Console(highlight=False)
    for row in rows:
        knobs = ", ".join(f"{knob}={word(value)}" for knob, value in row["knobs"].items())
        out.print(
            f"\n[b]{escape(row['pair'])}[/b] · {row['trials']} trials, {row['given up']} given up · {escape(knobs)}"
        )
        table = Table("score", "untuned", "tuned", "", box=None, pad_edge=False)
        for part, told in (("goal", "tuned for"), ("judges", "judges")):
            for name, both in row[part].items():
                table.add_row(escape(name), f"{both['untuned']:.4g}", f"{both['tuned']:.4g}", told)
        out.print(table)
        if row["judged"] is not None:
            out.print(
                f"by the judges {100 * math.expm1(row['judged']):+.1f} % is lost; the picture is {escape(row['image'])}"
            )
        for remark in row.get("remarks", ()):
            out.print(escape(remark))
