"""gramarye study list and plan: the bundled plans, and what a plan comes to before anything is painted."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gramarye.cli import console
from gramarye.cli import painting as shared
from gramarye.errors import SettingsError, StudyError

if TYPE_CHECKING:
    from gramarye.study.forecast import Forecast
    from gramarye.study.plan import Group, Plan
    from gramarye.study.record import Trial

SHOWN = 8  # trials of each experiment

Source = Annotated[
    str,
    typer.Argument(
        metavar="PLAN", help="A TOML file, or a bundled plan; see [b]gramarye study list[/b].", show_default=False
    ),
]
Scale = Annotated[float, typer.Option(help="Multiplies sizes and steps, e.g. 0.25.")]
Pairs = Annotated[
    list[str] | None,
    typer.Option(metavar="PHOTO,PAINTING", help="Paint this pair instead of the plan's; may be given several times."),
]
Contents = Annotated[
    list[str] | None,
    typer.Option(
        "--content", metavar="PHOTO", help="Paint this photograph, with every --style, instead of the plan's."
    ),
]
Styles = Annotated[list[str] | None, typer.Option("--style", metavar="PAINTING", help="See --content.")]
Pictures = Annotated[
    list[str] | None,
    typer.Option(metavar="NAME=FILE", help="Take this file for a picture of the plan, e.g. demo:cubist=picasso.jpg."),
]


def read(
    source: str,
    *,
    scale: float = 1.0,
    pairs: Sequence[str] | None = None,
    contents: Sequence[str] | None = None,
    styles: Sequence[str] | None = None,
    pictures: Sequence[str] | None = None,
    knobs: Sequence[str] | None = None,
    **named: Any,
) -> Plan:
    """The plan with what the options say; `named` are knobs with options of their own. Raises a GramaryeError."""
    from gramarye.study import plan

    changes = {name: value for name, value in named.items() if value is not None}
    changes |= dict(_assigned(each, "--set", "style.weight=50") for each in knobs or ())
    replaced = dict(_assigned(each, "--picture", "demo:cubist=picasso.jpg") for each in pictures or ())
    given = [*map(_pair, pairs or ()), *_products(contents or (), styles or ())]
    return plan.read(source, scale=scale, changes=changes, pairs=given, pictures=replaced)


def _assigned(text: str, option: str, example: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not (equals and name.strip()):
        raise SettingsError(f"{option} takes NAME=VALUE", repr(text), f"for example {option} {example}")
    return name.strip(), value


def _pair(text: str) -> tuple[str, str]:
    """Photograph and painting by comma; where the names have commas themselves, the cut at which both are files."""
    cuts = [index for index, letter in enumerate(text) if letter == ","]
    both = [(text[:cut], text[cut + 1 :]) for cut in cuts]
    if not both:
        raise StudyError("--pairs takes PHOTO,PAINTING", repr(text), "or give --content and --style")
    there = [pair for pair in both if all(Path(each).is_file() for each in pair)]
    return (there or both)[0]


def _products(contents: Sequence[str], styles: Sequence[str]) -> list[tuple[str, str]]:
    if bool(contents) != bool(styles):
        missing = "--style" if contents else "--content"
        raise StudyError("--content and --style are given together", f"no {missing}", "or give --picture NAME=FILE")
    return [(content, style) for content in contents for style in styles]


@console.command
def list_plans(*, json: console.Json = False, quiet: console.Quiet = False) -> None:
    """List the bundled plans and what they ask.

    Example: [b]gramarye study list[/b]
    """
    from gramarye.study import plan

    plans = [plan.read(name) for name in plan.bundled()]
    if json:
        rows = [{"name": each.name, "trials": plan.count(each), "question": each.question} for each in plans]
        console.answer({"plans": rows})
        return
    from rich.console import Console
    from rich.table import Table

    table = Table("plan", "trials", "question", box=None, pad_edge=False)
    for each in plans:
        table.add_row(each.name, str(plan.count(each)), each.question)
    Console().print(table)


@console.command
def plan(
    source: Source,
    *,
    scale: Scale = 1.0,
    pairs: Pairs = None,
    content: Contents = None,
    style: Styles = None,
    picture: Pictures = None,
    network: shared.Network = None,
    device: shared.Device = None,
    knobs: shared.Knobs = None,
    json: console.Json = False,
    quiet: console.Quiet = False,
) -> None:
    """Show the trials of a plan, and predict its time and disk; nothing is painted.

    Example: [b]gramarye study plan joshi-hu --scale 0.25 --network vgg19-lite[/b]
    """
    from gramarye import machine
    from gramarye.study import plan as plans
    from gramarye.study.forecast import forecast

    options = {"pairs": pairs, "contents": content, "styles": style, "pictures": picture, "knobs": knobs}
    found = read(source, scale=scale, **options, **{"network.name": network, "device": device})
    trials = plans.trials(found)
    machine.keep_memory()
    expected, remarks = forecast(trials), plans.remarks(found, trials)
    if json:
        predicted = {"seconds": round(expected.seconds, 1), "disk_mb": round(expected.disk / 1e6, 3)}
        rest = {"paintings": expected.paintings, "predicted": predicted, "remarks": list(remarks)}
        console.answer({**plans.describe(found), **rest})
        return
    _show(found, trials)
    _tell(trials, expected)
    for remark in remarks:
        print(f"note: {remark}")


def _show(found: Plan, trials: Sequence[Trial]) -> None:
    """Every experiment with its question and its first trials."""
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    from gramarye.study.wording import short, word

    out = Console(highlight=False)
    out.print(f"[b]{escape(found.name)}[/b] {escape(found.question)}")
    for group in found.groups:
        own = [trial for trial in trials if trial.group == group.name]
        question = "" if group.question == found.question else f" · {group.question}"
        out.print(f"\n[b]{escape(group.name)}[/b] · {_counted(len(own), 'trial')}, {_design(group)}{escape(question)}")
        varied = [axis.knob for axis in group.axes]
        rows = [{**_fixed(trial), **{knob: trial.levels[knob] for knob in varied}} for trial in own]
        same = [name for name in rows[0] if name not in varied and len({row[name] for row in rows}) == 1]
        out.print("each: " + escape(" · ".join(f"{name} {word(rows[0][name])}" for name in same)))
        shown = [name for name in rows[0] if name not in same]
        table = Table("", *map(short, shown), box=None, pad_edge=False)
        for trial, row in list(zip(own, rows, strict=True))[:SHOWN]:
            table.add_row(str(trial.number), *(escape(word(row[name])) for name in shown))
        out.print(table)
        if len(own) > SHOWN:
            out.print(f"… and {len(own) - SHOWN} more")


def _fixed(trial: Trial) -> dict[str, Any]:
    """What tells trials apart beside the axes, or is worth knowing of them."""
    return {"pair": trial.pair.name, **{knob: trial.settings.get(knob) for knob in ("seed", "size", "steps")}}


def _design(group: Group) -> str:
    if not group.axes:
        return f"the base, preset {group.preset}"
    return f"{group.design.kind} around preset {group.preset}"


def _tell(trials: Sequence[Trial], expected: Forecast) -> None:
    """What it all comes to."""
    disk = console.memory_in_words(expected.disk)
    parts = [_counted(len(trials), "trial"), _counted(expected.paintings, "painting")]
    print(
        f"\n{', '.join(parts)}: about {console.seconds_in_words(expected.seconds)} in one process, and {disk} of disk"
    )


def _counted(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"
