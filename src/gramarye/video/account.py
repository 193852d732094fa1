"""How steady a painted film is, told with pictures: its flicker, and what flow made of the frames that tell most."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from gramarye.video import flow as flows
from gramarye.video.flow import Flow, Mask, Pixels
from gramarye.video.frames import frames
from gramarye.video.measure import Flicker, Moment
from gramarye.video.segments import Filming

STEADY = 1.1  # how often the film's own warp error counts as just that


@dataclass(frozen=True)
class Shown:
    """A frame beside the one before it: filmed, painted, and where everything went.

    `flow`, 1 2 H W in pixels, leads from the frame to the one before, `mask` is 1 where that one shows the same.
    """

    why: str
    moment: Moment
    filmed: tuple[Pixels, Pixels] = field(repr=False)  # the one before, and it
    painted: tuple[Pixels, Pixels] = field(repr=False)
    flow: Flow = field(repr=False)
    mask: Mask = field(repr=False)


@dataclass(frozen=True)
class Account:
    """What there is to tell of a painted film; `size` is (height, width), `rate` in frames a second."""

    name: str
    painter: str
    size: tuple[int, int]
    rate: float
    flicker: Flicker
    shown: tuple[Shown, ...]

    @property
    def findings(self) -> tuple[str, ...]:
        """What the numbers say, one plain sentence each."""
        flicker = self.flicker
        painted, own = flicker.warp_error, flicker.source_warp_error
        cuts = ", ".join(map(str, flicker.cuts))
        shots = f"Another shot begins at frame {cuts}." if cuts else "There is no cut."
        if painted is None or own is None:
            return ("No two frames could be compared.", shots)
        return (
            f"From frame to frame, things that are seen in both change by {_brightness(painted)} of full brightness in "
            f"the painted film (warp error {painted:.2g}), by {_brightness(own)} in the film itself ({own:.2g}).",
            _compared(painted, own),
            f"On average {flicker.seen or 0:.0%} of a frame is seen in the one before; only there is flicker measured.",
            shots,
        )


def _brightness(error: float) -> str:
    """The root of a warp error: a difference of values between black, 0, and white, 1."""
    return f"{math.sqrt(error):.1%}"


def _compared(painted: float, own: float) -> str:
    if painted <= STEADY * own:
        return "The painted film is as steady as the film itself, or steadier."
    times = f", {math.sqrt(painted / own):.2g} times as much as the film itself" if own else ""
    return f"It flickers by more than flow, light and noise leave in any film{times}."


def account(film: Filming, painter: str) -> Account:
    """The account of a film whose frames are painted and still kept; `painter` is its name for people."""
    order = film.order
    shown = tuple(_shown(film, why, moment) for why, moment in _chosen(film.flicker))
    return Account(order.film.path.name, painter, order.shape, float(order.film.rate), film.flicker, shown)


def _chosen(flicker: Flicker) -> list[tuple[str, Moment]]:
    """The frames to show, each once: the worst, one as most are, and the one with least in common with the last."""
    known = [row for row in flicker.rows if row.warp_error is not None]
    if not known:
        return []
    ascending = sorted(known, key=_excess)
    found = {
        "which flickers most": ascending[-1],
        "as most frames do": ascending[len(ascending) // 2],
        "which has least in common with the one before": min(known, key=lambda row: row.seen),
    }
    whys: dict[int, list[str]] = {}
    for why, row in found.items():
        whys.setdefault(row.index, []).append(why)
    rows = {row.index: row for row in known}
    return [(", ".join(words), rows[index]) for index, words in whys.items()]


def _excess(row: Moment) -> float:
    return (row.warp_error or 0.0) - (row.source_warp_error or 0.0)


def _shown(film: Filming, why: str, moment: Moment) -> Shown:
    order, index = film.order, moment.index
    before, now = (each.pixels for each in frames(order.film, index - 1, index, size=order.size))
    painted = film.kept.pixels(index - 1 - order.first), film.kept.pixels(index - order.first)
    return Shown(why, moment, (before, now), painted, *flows.matched(now, before))
