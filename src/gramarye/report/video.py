"""The report of a painted film: its flicker frame by frame beside the film's own, and the flow behind it."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import gramarye
from gramarye import inline
from gramarye.files import write_atomically
from gramarye.plain import finite
from gramarye.report import figures, folder
from gramarye.report.drawing import CONTENT, INK, QUIET, STYLE, Drawing, canvas, strip
from gramarye.report.figures import Figure
from gramarye.report.page import rendered
from gramarye.video.account import Account, Shown
from gramarye.video.flow import as_picture, veiled

SECTION = "flicker"
LONG_SIDE = 480  # px of a picture in a figure


def write(account: Account, directory: str | Path) -> Path:
    """Write the report into a folder and return the path of its page; an earlier one is replaced. Raises ImageError."""
    drawn = [figures.render(drawing, SECTION) for drawing in draw(account)]
    names = [f"{folder.FIGURES}/{figure.name}.{kind}" for figure in drawn for kind in ("png", "svg")]
    writers: dict[str, folder.Writer] = {}
    for figure in drawn:
        writers[f"{folder.FIGURES}/{figure.name}.png"] = partial(write_atomically, data=figure.png)
        writers[f"{folder.FIGURES}/{figure.name}.svg"] = partial(write_atomically, data=figure.svg)
    plain = json.dumps(numbers(account, [*names, folder.NUMBERS, folder.PAGE]), allow_nan=False)
    writers[folder.NUMBERS] = partial(write_atomically, data=plain.encode())
    writers[folder.PAGE] = partial(write_atomically, data=render(account, drawn).encode())
    folder.write(Path(directory), writers)
    return Path(directory) / folder.PAGE


def numbers(account: Account, files: Sequence[str] = ()) -> dict[str, Any]:
    """Every number as plain data."""
    plain: dict[str, Any] = finite(
        {
            "gramarye": gramarye.__version__,
            "film": account.name,
            "painter": account.painter,
            "size": list(account.size),
            "rate": account.rate,
            "findings": list(account.findings),
            "flicker": account.flicker.as_json(),
            "shown": [{"frame": each.moment.index, "why": each.why} for each in account.shown],
            "files": list(files),
        }
    )
    return plain


def draw(account: Account) -> list[Drawing]:
    """The curves of flicker, and a row of pictures for each frame that is shown."""
    compared = any(row.warp_error is not None for row in account.flicker.rows)
    return [*([_curves(account)] if compared else []), *map(_pictures, account.shown)]


def _curves(account: Account) -> Drawing:
    figure, axes = canvas(2, 1, height=4.2, sharex=True, height_ratios=[3, 1])
    rows = account.flicker.rows
    places = [row.index for row in rows]
    marker = "." if len(rows) < 60 else None
    for name, color in (("warp_error", STYLE), ("source_warp_error", CONTENT)):
        values = [getattr(row, name) for row in rows]
        roots = [math.nan if value is None else 100 * math.sqrt(value) for value in values]
        label = "the painted film" if color == STYLE else "the film itself"
        axes[0, 0].plot(places, roots, color=color, label=label, marker=marker)
    seen = [math.nan if row.warp_error is None else 100 * row.seen for row in rows]
    axes[1, 0].plot(places, seen, color=INK, marker=marker)
    for axis in axes[:, 0]:
        for cut in account.flicker.cuts:
            axis.axvline(cut, color=QUIET, linewidth=0.8, linestyle=":")
    axes[0, 0].set_ylim(0, 1.15 * axes[0, 0].get_ylim()[1])  # room for the names
    axes[0, 0].set_ylabel("change, % of full brightness")
    axes[0, 0].legend(loc="upper right", ncols=2, frameon=False, fontsize=8.5, labelcolor=INK)
    axes[1, 0].set_ylim(0, 102)
    axes[1, 0].set_ylabel("seen before, %")
    axes[1, 0].set_xlabel("frame")
    axes[1, 0].xaxis.get_major_locator().set_params(integer=True)
    caption = (
        "How much every frame differs from the one before it, moved to where its things are now: the root of the warp "
        "error. The curve of the film itself is what flow, light and noise leave; a painting lies below it where its "
        "strokes rest. Below, how much of a frame is seen in the one before. Dotted lines are cuts."
    )
    return Drawing("flicker-curves", caption, figure)


def _pictures(shown: Shown) -> Drawing:
    index = shown.moment.index
    pictures = [
        (f"frame {index - 1}", shown.filmed[0]),
        (f"frame {index}", shown.filmed[1]),
        ("where its things were", as_picture(shown.flow)),
        (f"{index - 1}, painted", shown.painted[0]),
        (f"{index}, painted", shown.painted[1]),
        ("not seen before", veiled(shown.filmed[1], shown.mask)),
    ]
    small = [(title, inline.shrunk(pixels, LONG_SIDE)) for title, pixels in pictures]
    longest = float(shown.flow.square().sum(1).sqrt().max())
    caption = (
        f"Frame {index}, {shown.why}: filmed and painted, with the one before. The colours of the flow are directions, "
        f"the stronger the farther, {longest:.1f} pixels at most. Orange is what the frame before does not show, or "
        "where flow cannot be trusted: there nothing is held, and nothing measured."
    )
    return Drawing(f"flicker-frame-{index}", caption, strip(small, columns=3), photographic=True)


def render(account: Account, drawn: Sequence[Figure]) -> str:
    """The page as one HTML file; texts are plain, whatever is in them is shown and never obeyed."""
    height, width = account.size
    facts = [
        ("film", account.name),
        ("painter", account.painter),
        ("frames", f"{len(account.flicker.rows)}, {width}×{height}"),
        ("frames a second", f"{account.rate:.4g}"),
    ]
    return rendered("video.html.j2", account.name, account=account, figures=drawn, facts=facts, numbers=folder.NUMBERS)
