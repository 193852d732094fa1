"""Drawings of how a painting came about: pictures on the way, curves, shares, pulls, channels."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from gramarye.explain.ledger import Curve, Ledger
from gramarye.report.drawing import INK, QUIET, Drawing, canvas, color_of, strip

STRIP = 5  # pictures in a row
LEGEND: dict[str, Any] = {"frameon": False, "fontsize": 8, "labelcolor": INK}
LINES = ("-", (0, (4, 1.5)), (0, (1, 1)))  # of terms that share a colour
LEAST = 1e-6  # of the largest value: what is smaller is off the logarithmic axis


def draw(section: Ledger) -> list[Drawing]:
    """The pictures on the way, the loss by term, its shares, the pulls, and the channels that carry what is left."""
    drawings = []
    if section.frames:
        drawings.append(_frames(section))
    if section.curves:
        drawings += [_losses(section), _shares(section)]
        drawings += [_pulls(section)] if not math.isnan(section.curves[0].gradients[-1]) else []
    else:
        drawings.append(_terms(section))
    return [*drawings, _channels(section)] if section.channels else drawings


def _frames(section: Ledger) -> Drawing:
    frames = section.frames
    pictures = [(_after(frame.index), frame.pixels) for frame in frames]
    caption = "The picture on its way, after 1, 2, 4, 8 … evaluations: what changes first, and what takes longest?"
    return Drawing("ledger-frames", caption, strip(pictures, columns=STRIP), photographic=True)


def _after(index: int) -> str:
    return "at the start" if not index else "after 1 step" if index == 1 else f"after {index} steps"


def _losses(section: Ledger) -> Drawing:
    figure, axes = canvas(height=3.9)
    axis = axes[0, 0]
    axis.plot(section.steps, section.totals, color=INK, linewidth=2.2, label="total")
    _lines(axis, section, [curve.weighted for curve in section.curves])
    _finish(axis, section, "loss (weight × value)")
    caption = (
        "The loss and what it is made of, at every evaluation: content blue, style orange (darker the deeper), "
        "smoothness green. Thin lines mark where the picture grows; there all weights are balanced anew."
    )
    return Drawing("ledger-loss", caption, figure)


def _pulls(section: Ledger) -> Drawing:
    figure, axes = canvas(height=3.9)
    _lines(axes[0, 0], section, [curve.gradients for curve in section.curves])
    _finish(axes[0, 0], section, "pull (length of the gradient)")
    caption = (
        "How hard each term pulls at the picture, at every evaluation. A large loss need not pull hard; and what pulls "
        "hard need not win, if others pull the other way."
    )
    return Drawing("ledger-pulls", caption, figure)


def _shares(section: Ledger) -> Drawing:
    figure, axes = canvas(height=3.4)
    axis = axes[0, 0]
    curves = sorted(section.curves, key=lambda curve: ("content", "style").index(curve.kind) if _main(curve) else 2)
    axis.stackplot(
        section.steps,
        [curve.shares for curve in curves],
        colors=[color_of(curve.kind, curve.layer) for curve in curves],
        labels=[curve.term for curve in curves],
        linewidth=0.4,
        edgecolor="white",
    )
    axis.set_ylim(0, 1)
    axis.set_yticks([0, 0.5, 1], ["0", "50 %", "100 %"])
    _finish(axis, section, "share of the loss", log=False, upward=True)
    caption = (
        "Who has which share of the loss, from the first evaluation to the last; the shares sum to one throughout."
    )
    return Drawing("ledger-shares", caption, figure)


def _main(curve: Curve) -> bool:
    return curve.kind in ("content", "style")


def _lines(axis: Any, section: Ledger, series: Sequence[tuple[float, ...]]) -> None:
    """One line a term; terms of one colour differ in their dashes."""
    used: dict[str, int] = {}
    most = max((value for values in series for value in values if math.isfinite(value)), default=1.0)
    for curve, values in zip(section.curves, series, strict=True):
        color = color_of(curve.kind, curve.layer)
        line = LINES[used.get(color, 0) % len(LINES)]
        used[color] = used.get(color, 0) + 1
        shown = [value if value > LEAST * most else math.nan for value in values]
        if not all(math.isnan(value) for value in shown):
            axis.plot(section.steps, shown, color=color, linestyle=line, label=curve.term)


def _finish(axis: Any, section: Ledger, label: str, *, log: bool = True, upward: bool = False) -> None:
    """Axes, the marks of the sizes, and the legend beside."""
    if log:
        axis.set_yscale("log")
    axis.set_xlabel("evaluations")
    axis.set_ylabel(label)
    axis.margins(x=0.01)
    for before, step, one, other in zip(
        section.steps, section.steps[1:], section.scales, section.scales[1:], strict=False
    ):
        if one != other:
            axis.axvline((before + step) / 2, color=QUIET, linewidth=0.7)
    handles, labels = axis.get_legend_handles_labels()
    order = slice(None, None, -1 if upward else 1)
    axis.legend(handles[order], labels[order], loc="center left", bbox_to_anchor=(1.0, 0.5), **LEGEND)


def _terms(section: Ledger) -> Drawing:
    figure, axes = canvas(height=0.9 + 0.24 * len(section.terms))
    axis = axes[0, 0]
    names = [term["term"] for term in section.terms]
    colors = [color_of(term["kind"], term["layer"]) for term in section.terms]
    axis.barh(names, [term["share"] for term in section.terms], color=colors)
    axis.invert_yaxis()
    axis.xaxis.set_major_formatter(_percent)
    axis.set_xlabel("share of the loss")
    caption = "What the loss of this picture is made of. How it came about is not known: it was brought along."
    return Drawing("ledger-terms", caption, figure)


def _channels(section: Ledger) -> Drawing:
    columns = min(4, len(section.channels))
    rows = math.ceil(len(section.channels) / columns)
    figure, axes = canvas(rows, columns, height=0.4 + 1.7 * rows, sharey=True)
    for axis, each in zip(axes.flat, section.channels, strict=False):
        axis.bar(range(len(each.shares)), each.shares, color=color_of("style", each.layer), width=0.8)
        axis.axhline(1 / each.count, color=QUIET, linewidth=0.8)
        axis.set_title(f"{each.layer}: half in {each.half} of {each.count}", fontsize=8.5, loc="left")
        axis.set_xticks(range(len(each.channels)), [str(channel) for channel in each.channels], fontsize=7, rotation=90)
        axis.yaxis.set_major_formatter(_percent)
    for axis in axes.flat[len(section.channels) :]:
        axis.set_axis_off()
    caption = (
        "The channels that carry most of what is left of the style difference, by number, each with its share "
        "Σ_j ΔG²_cj / ΣΔG². The thin line is what each would have if all had the same."
    )
    return Drawing("ledger-channels", caption, figure)


def _percent(value: float, _: int) -> str:
    return f"{value:.0%}"
