"""Drawings of the loss around the result: a contour map with the descent, and the way there and beyond."""

from __future__ import annotations

from typing import Any

import numpy as np

from gramarye.explain.landscape import Landscape, Path, Plane
from gramarye.report.drawing import CONTENT, INK, QUIET, STYLE, WALL, WIDTH, Drawing, canvas, sequential, show

COLORS = {"total": INK, "content": CONTENT, "style": STYLE}
LEVELS = 14
CORNERS = {0.0: "photograph", 0.5: "half and half", 1.0: "result", 1.5: "half and half", 2.0: "painting"}


def draw(section: Landscape) -> list[Drawing]:
    """The map and the way."""
    return [_map(section.plane), _way(section.path)]


def _map(plane: Plane) -> Drawing:
    figure, axes = canvas(1, 3, height=3.6, width_ratios=[1, 1, 1])
    for axis, kind in zip(axes[0], COLORS, strict=True):
        _contours(axis, plane, kind)
    axes[0, 0].set_ylabel(f"second component ({plane.variance[1]:.0%})")
    axes[0, 1].set_xlabel(f"first component ({plane.variance[0]:.0%} of the squared distances)")
    height, width = plane.size
    caption = (
        f"The loss like a map with contour lines, dark where it is high, seen on the plane in which a descent at "
        f"{width}×{height} mostly moves: from the ring (start) to the dot (end). Left all of it, "
        "then content and style apart: what is downhill for one may be uphill for the other."
    )
    return Drawing("landscape-map", caption, figure)


def _contours(axis: Any, plane: Plane, kind: str) -> None:
    """One kind of loss on the plane, in logarithmic steps, with the descent on it."""
    surface = np.log10(np.maximum(plane.surfaces[kind].double().numpy(), 1e-12))
    low, high = np.quantile(surface, 0.01), surface.max()
    levels = np.linspace(min(low, high - 1e-3), high, LEVELS)
    axis.contourf(plane.across, plane.up, surface, levels=levels, cmap=sequential(COLORS[kind]), extend="min")
    axis.contour(plane.across, plane.up, surface, levels=levels, colors=WALL, linewidths=0.5, linestyles="solid")
    track = plane.track.numpy()
    axis.plot(track[:, 0], track[:, 1], color="white", linewidth=3.2, solid_capstyle="round")
    axis.plot(track[:, 0], track[:, 1], color=INK, linewidth=1.3, marker=".", markersize=3)
    axis.plot(*track[0], marker="o", markersize=9, color="white", markeredgecolor=INK)
    axis.plot(*track[-1], marker="o", markersize=9, color=INK, markeredgecolor="white")
    axis.set_title({"total": "the whole loss"}.get(kind, f"of it {kind}"), fontsize=9, loc="left")
    axis.set_aspect("auto")


def _way(path: Path) -> Drawing:
    height, width = path.size
    picture = WIDTH / len(path.stops) * height / width
    figure, axes = canvas(2, 1, height=3.0 + picture, height_ratios=[3.0, picture])
    axis, below = axes[:, 0]
    most = max(path.curves["total"])
    for kind, color in COLORS.items():
        values = [value if value > 1e-5 * most else np.nan for value in path.curves[kind]]
        axis.plot(path.at, values, color=color, linewidth=2.2 if kind == "total" else 1.6, label=kind)
    axis.set_yscale("log")
    axis.set_xlim(-0.25, 2.25)  # so that each picture lies below its place
    axis.set_xticks(path.stops, [CORNERS.get(stop, "") for stop in path.stops])
    axis.set_ylabel("loss")
    axis.axvline(1.0, color=QUIET, linewidth=0.8)
    axis.legend(loc="upper right", ncols=3, frameon=False, fontsize=8.5, labelcolor=INK)
    below.set_axis_off()
    for place, pixels in enumerate(path.pictures):
        inset = below.inset_axes((place / len(path.stops) + 0.005, 0, 1 / len(path.stops) - 0.01, 1))
        show(inset, pixels)
    caption = (
        "The loss on the straight way from the photograph to the result and on to the painting "
        f"(the painting {path.fitted}). The pictures below are what lies on the way."
    )
    return Drawing("landscape-way", caption, figure, photographic=True)
