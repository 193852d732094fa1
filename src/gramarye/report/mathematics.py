"""Draws the formulas with their numbers, the two gradients beside each other, and the work of each layer."""

from __future__ import annotations

import math
import re
import textwrap
from collections.abc import Sequence
from typing import Any

from gramarye.explain.anatomy import Row
from gramarye.explain.formulas import Formula
from gramarye.explain.gradients import Gradient
from gramarye.explain.mathematics import AGREEMENT, Mathematics
from gramarye.report.drawing import CONTENT, INK, OTHER, QUIET, STYLE, WALL, Drawing, canvas, color_of

# The colour of a formula is that of what it measures.
COLORS = {"content": CONTENT, "gram": STYLE, "layer": STYLE, "style": STYLE, "variation": OTHER}
ORDER = (
    "content",
    "content gradient",
    "gram",
    "layer",
    "style gradient",
    "style",
    "variation",
    "total",
    "update",
)
LINE = 0.86  # inches: a formula with its name and its meaning
COLUMN = 0.42  # where the numbers begin, of the width
LONGEST = 56  # signs of numbers in one line
MEANING = 88  # characters of a meaning in one line
FLOOR = 1e-17  # differences below this are drawn as this: there are no smaller ones in double precision
POWERS = (-16, -12, -8, -4)
LABELLED = 3.0  # million parameters: smaller pieces have no room for a label


def draw(section: Mathematics) -> list[Drawing]:
    """The formulas, the agreement of the gradients, and what the layers cost."""
    return [
        Drawing(
            "mathematics-formulas",
            "The formulas of the papers, and at their right the same with the numbers of this pair.",
            _formulas(_one_of_each(section.formulas)),
        ),
        Drawing(
            "mathematics-gradients",
            "Every dot is an entry of a gradient, by formula and by automatic differentiation: on the line "
            "they are the same. The bars tell how far apart they are at most; in double precision they should end "
            "before the dashed line.",
            _gradients(section.gradients),
        ),
        Drawing(
            "mathematics-network",
            "What each layer costs: its share of the multiplications, and the time it takes forward and backward here.",
            _network(section.rows),
        ),
        Drawing(
            "mathematics-parameters",
            "Where the published network keeps its parameters: most are in the fully connected layers, which style "
            "transfer cuts off.",
            _parameters(section.published),
        ),
    ]


def _one_of_each(formulas: Sequence[Formula]) -> list[Formula]:
    """One of each kind of formula: of the deepest layer, where there are several."""
    kinds = {formula.key: formula for formula in formulas}
    return [kinds[key] for key in ORDER if key in kinds]


def _formulas(formulas: Sequence[Formula]) -> Any:
    figure, ((axis,),) = canvas(height=LINE * len(formulas) + 0.1)
    axis.set_axis_off()
    axis.set_xlim(0, 1)
    axis.set_ylim(len(formulas), 0)
    for place, formula in enumerate(formulas):
        color = COLORS.get(formula.key.split()[0], INK)
        axis.plot([0, 0], [place + 0.1, place + 0.86], color=color, linewidth=3)
        axis.text(0.015, place + 0.2, formula.name, fontsize=9, color=color, weight="bold", va="center")
        axis.text(0.015, place + 0.6, f"${formula.mathtext}$", fontsize=11, va="center", color=INK)
        long = len(re.sub(r"\\[a-z]+|[{}^ ]", "", formula.mathtext_numbers)) > LONGEST
        numbers = _broken(formula.mathtext_numbers) if long else f"${formula.mathtext_numbers}$"
        axis.text(
            COLUMN, place + 0.26, numbers, fontsize=8.5 if long else 10.5, va="center", color=INK, linespacing=1.5
        )
        meaning = textwrap.fill(formula.meaning, MEANING)
        axis.text(COLUMN, place + 0.7, meaning, fontsize=7.8, color=QUIET, va="center", linespacing=1.35)
    return figure


def _broken(tex: str) -> str:
    """A long sum in two lines."""
    parts = tex.split(" + ")
    half = math.ceil(len(parts) / 2)
    return f"${' + '.join(parts[:half])}$\n$+\\ {' + '.join(parts[half:])}$"


def _gradients(gradients: Sequence[Gradient]) -> Any:
    layers = list(dict.fromkeys(each.layer for each in gradients))
    figure, ((dots, bars),) = canvas(1, 2, height=max(3.6, 0.3 * len(layers) + 1.3), width_ratios=(1, 1.35))
    dots.plot([-1, 1], [-1, 1], color=QUIET, linewidth=0.8, zorder=1)
    for each in gradients:
        color = color_of(each.key, each.layer)
        dots.scatter(each.autograd, each.analytic, s=11, color=color, alpha=0.6, linewidths=0, zorder=2)
    dots.set_aspect("equal")
    dots.set_xlabel("by automatic differentiation")
    dots.set_ylabel("by the formula")
    _title(dots, "Entries, the largest of each being 1")
    for key, shift in (("content", -0.2), ("style", 0.2)):
        chosen = [each for each in gradients if each.key == key]
        places = [layers.index(each.layer) + shift for each in chosen]
        _bars(
            bars, places, [each.difference_single for each in chosen], color_of(key), 0.35, f"{key}, single precision"
        )
        _bars(bars, places, [each.difference for each in chosen], color_of(key), 1.0, f"{key}, double precision")
    bars.axvline(math.log10(AGREEMENT), color=INK, linestyle="--", linewidth=1)
    bars.set_yticks(range(len(layers)), layers)
    bars.invert_yaxis()
    bars.set_xlim(math.log10(FLOOR), None)
    bars.set_xticks(POWERS, [f"$10^{{{power}}}$" for power in POWERS])
    _title(bars, "Largest difference, relative to the largest entry")
    handles = bars.get_legend_handles_labels()
    figure.legend(*handles, loc="outside lower right", ncols=2, frameon=False, fontsize=8, labelcolor=INK)
    return figure


def _bars(axis: Any, places: Sequence[float], values: Sequence[float], color: str, alpha: float, label: str) -> None:
    """Bars from FLOOR to the power of ten of each value."""
    lengths = [math.log10(max(value, FLOOR) / FLOOR) for value in values]
    axis.barh(places, lengths, 0.36, math.log10(FLOOR), color=color, alpha=alpha, label=label)


def _network(rows: Sequence[Row]) -> Any:
    """One line a layer: share of the multiplications, milliseconds forward and backward."""
    from matplotlib.patches import Patch

    shown = [row for row in rows if row.kind != "pixels"]
    figure, ((work, times),) = canvas(1, 2, height=0.2 * len(shown) + 0.7, sharey=True)
    whole = sum(row.multiplications for row in shown) or 1
    for place, row in enumerate(shown):
        faint = 1.0 if row.part == "used" else 0.3
        forward, backward = ((each or 0.0) * 1e3 for each in (row.forward, row.backward))
        work.barh([place], [100 * row.multiplications / whole], 0.7, color=OTHER, alpha=faint)
        times.barh([place], [forward], 0.7, color=QUIET, alpha=faint)
        times.barh([place], [backward], 0.7, forward, color=INK, alpha=faint)
    names = [f"{row.name}   {row.shape[0]}×{row.shape[1]}×{row.shape[2]}" for row in shown]
    work.set_yticks(range(len(shown)), names, fontsize=7.5)
    work.set_ylim(len(shown) - 0.4, -0.6)
    for axis in (work, times):
        axis.tick_params(axis="y", length=0)
    _title(work, "Share of the multiplications, %")
    _title(times, "Milliseconds forward and backward")
    handles = [Patch(color=QUIET, label="forward"), Patch(color=INK, label="backward")]
    times.legend(handles=handles, loc="lower right", labelcolor=INK, frameon=False, fontsize=8)
    return figure


def _parameters(rows: Sequence[Row]) -> Any:
    """All parameters of the published network as one bar, a block or a fully connected layer a piece."""
    pieces: dict[str, int] = {}
    for row in rows:
        if row.parameters:
            name = f"block {row.name[4]}" if row.kind == "conv" else row.name
            pieces[name] = pieces.get(name, 0) + row.parameters
    figure, ((axis,),) = canvas(height=1.5)
    begin = 0.0
    for name, parameters in pieces.items():
        millions, kept = parameters / 1e6, name.startswith("block")
        axis.barh([0], [millions], 0.6, begin, color=INK if kept else QUIET, alpha=1 if kept else 0.5, edgecolor=WALL)
        if millions > LABELLED:
            text = f"{name}\n{millions:.1f}"
            axis.text(begin + millions / 2, 0.4, text, ha="center", va="bottom", fontsize=8, color=INK)
        begin += millions
    axis.set_xlim(0, begin)
    axis.set_ylim(-0.4, 1.2)
    axis.set_yticks([])
    axis.spines["left"].set_visible(False)
    axis.set_xlabel(f"millions of parameters, {begin:.2f} in all; pale: cut off")
    return figure


def _title(axis: Any, text: str) -> None:
    axis.set_title(text, fontsize=9, loc="left", color=INK)
