"""gramarye presets: named settings, with their sources and departures."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from gramarye import presets as library
from gramarye.cli import console
from gramarye.settings import KNOBS

Name = Annotated[str | None, typer.Argument(metavar="NAME", help="One preset, with every knob.", show_default=False)]


@console.command
def presets(name: Name = None, *, json: console.Json = False, quiet: console.Quiet = False) -> None:
    """List the presets, or show one with every knob, its source and its departures.

    Example: [b]gramarye presets default[/b]
    """
    chosen = {name: library.find(name)} if name is not None else library.PRESETS
    if json:
        console.answer({"presets": {each: _plain(found) for each, found in chosen.items()}})
    elif name is not None:
        _show(name, chosen[name])
    else:
        _list()


def _plain(found: library.Preset) -> dict[str, Any]:
    return {
        "settings": found.settings.to_dict(),
        "source": found.source,
        "departures": list(found.departures),
    }


def _list() -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table("preset", "size", "steps", "source", box=None, pad_edge=False)
    for name, found in library.PRESETS.items():
        table.add_row(name, str(found.settings.size), str(found.settings.steps), found.source)
    Console().print(table)


def _show(name: str, found: library.Preset) -> None:
    from rich.console import Console
    from rich.table import Table

    out = Console()
    out.print(f"[b]{name}[/b] · {found.source}")
    for departure in found.departures:
        out.print(f"differs: {departure}")
    table = Table("knob", "value", "what it does", box=None, pad_edge=False)
    for knob in KNOBS.values():
        value = found.settings.get(knob.name)
        shown = ", ".join(map(str, value)) if isinstance(value, tuple) else str(value)
        changed = value != knob.default
        unit = f" {knob.unit}" if knob.unit else ""
        table.add_row(knob.name, f"[b]{shown}{unit}[/b]" if changed else f"{shown}{unit}", knob.help)
    out.print(table)
