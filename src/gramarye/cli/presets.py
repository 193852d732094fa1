"""gramarye presets: named settings, with their sources, units and departures."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from gramarye import presets as library
from gramarye.cli import console
from gramarye.errors import GramaryeError
from gramarye.presets.translation import Translated, translated
from gramarye.settings import KNOBS

if TYPE_CHECKING:
    from gramarye.weights import Weights

Name = Annotated[str | None, typer.Argument(metavar="NAME", help="One preset, with every knob.", show_default=False)]

UNITS = {
    "own": "own: whatever size the network's activations have",
    "oxford": "oxford: activations as large as those of Oxford's VGG-19, which sees pictures of 0 … 255",
    "torchvision": "torchvision: activations as large as those of torchvision's VGG-19, which sees standardised ones",
    "normalised": "normalised: a mean activation of 1 in every layer",
}


@console.command
def presets(name: Name = None, *, json: console.Json = False, quiet: console.Quiet = False) -> None:
    """List the presets, or show one with its source, units, departures and every knob.

    Example: [b]gramarye presets default[/b]
    """
    chosen = {name: library.find(name)} if name is not None else library.PRESETS
    if json:
        network = _network()
        console.answer({"presets": {each: _plain(found, network) for each, found in chosen.items()}})
    elif name is not None:
        _show(name, chosen[name])
    else:
        _list()


def _network() -> Weights | None:
    """The network that would be used, or None if it cannot be read."""
    from gramarye import weights

    try:
        return weights.load()
    except GramaryeError:
        return None


def _translated(found: library.Preset, network: Weights | None) -> list[Translated]:
    """The preset's weights on the network's own activations; none without a network or if it lacks a layer."""
    from gramarye import weights

    try:
        factors = weights.unit_factors(network, found.units) if network else {}
        return translated(found.settings, network.network, factors) if network else []
    except GramaryeError:
        return []


def _plain(found: library.Preset, network: Weights | None) -> dict[str, Any]:
    return {
        "settings": found.settings.to_dict(),
        "source": found.source,
        "units": found.units,
        "departures": list(found.departures),
        "translated": {
            "network": network.network if network else None,
            "terms": [
                {"name": row.name, "weight": row.weight, "factor": row.factor, "power": row.power, "own": row.own}
                for row in _translated(found, network)
            ],
        },
    }


def _list() -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table("preset", "size", "steps", "units", "source", box=None, pad_edge=False)
    for name, found in library.PRESETS.items():
        table.add_row(name, str(found.settings.size), str(found.settings.steps), found.units, found.source)
    Console().print(table)


def _show(name: str, found: library.Preset) -> None:
    from rich.console import Console

    out, network = Console(), _network()
    out.print(f"[b]{name}[/b] · {found.source}", highlight=False)
    out.print(f"units    {UNITS[found.units]}", highlight=False)
    for departure in found.departures:
        out.print(f"differs: {departure}", highlight=False)
    if rows := _translated(found, network):
        assert network is not None
        out.print()
        out.print(_weights_table(rows, network.network))
        if found.settings.balance != "raw":
            out.print(f"balance={found.settings.balance} makes weights relative, so units do not matter")
    out.print()
    out.print(_knobs_table(found))


def _weights_table(rows: list[Translated], network: str) -> Any:
    from rich.table import Table

    head = (f"activations of {network} ×", f"the same on {network}'s own")
    table = Table("term", "weight", head[0], head[1], box=None, pad_edge=False)
    for row in rows:
        own = "–" if row.own is None else f"{row.own:.5g}"
        table.add_row(row.name, f"{row.weight:.5g}", f"{row.factor:.4g}", own)
    return table


def _knobs_table(found: library.Preset) -> Any:
    """Every knob; what the preset changes is emphasised, and marked for those who see no bold."""
    from rich.table import Table

    table = Table("", "knob", "value", "what it does", box=None, pad_edge=False)
    for knob in KNOBS.values():
        value = found.settings.get(knob.name)
        shown = ", ".join(map(_in_short, value)) if isinstance(value, tuple) else _in_short(value)
        changed, unit = value != knob.default, f" {knob.unit}" if knob.unit else ""
        row = (f"[b]{knob.name}[/b]", f"[b]{shown}{unit}[/b]") if changed else (knob.name, f"{shown}{unit}")
        table.add_row("•" if changed else "", *row, knob.help)
    return table


def _in_short(value: Any) -> str:
    return f"{value:.6g}" if isinstance(value, float) else str(value)
