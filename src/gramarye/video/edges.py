"""The edges of what moves: a flow that was found smooth across them is made as sharp as the things themselves.

Frames are H W 3 in [0, 1], flows H W 2 in pixels, all float32 arrays: this is OpenCV's side of `flow.flow`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

Plane = NDArray[np.float32]

DISTANCE = 3  # px: how far away the neighbours are whose flow is tried
CONTRAST = 0.2  # to which deviation both frames are brought, so that dark ones are told apart as bright ones are
STEEPEST = 10.0  # times, at most
ENOUGH = 0.03  # differences above it are all alike: what is hidden has no better flow than another
CLEAR = 0.001  # by how much a neighbour's flow must be better
GUIDE = (5, 1e-4)  # window in px and ε of the filter


def settled(cv2: Any, first: Plane, second: Plane, flow: Plane) -> Plane:
    """At every pixel x the flow w, or that of one of eight neighbours, which clearly finds `first` best in `second`.

    That is the least of min(|first(x) − second(x + w(x))|, ENOUGH), a grey of the channels, filtered along with `first`
    (He et al. 2010, "Guided Image Filtering"; Hosni et al. 2013, "Fast Cost-Volume Filtering for Visual Correspondence
    and Beyond"). A smooth flow is right on both sides of an edge and nowhere in between, where one of its sides holds
    too. That neighbours propose what they have is from Barnes et al. 2009, "PatchMatch".
    """
    scale = np.float32(min(CONTRAST / max(float(first.std()), 1e-6), STEEPEST))
    here, there = first * scale, second * scale
    filtered = _guided(cv2, cv2.cvtColor(here, cv2.COLOR_RGB2GRAY))
    best, least = (flow, filtered(_difference(cv2, here, there, flow)) - np.float32(CLEAR))
    for proposed in _neighbours(flow):
        cost = filtered(_difference(cv2, here, there, proposed))
        better = cost < least
        least, best = (np.where(better, cost, least), np.where(better[..., None], proposed, best))
    return best


def _difference(cv2: Any, here: Plane, there: Plane, flow: Plane) -> Plane:
    height, width = flow.shape[:2]
    columns, rows = (np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32)[:, None])
    places = flow[..., 0] + columns, flow[..., 1] + rows
    found = cv2.remap(there, *places, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    difference: Plane = cv2.cvtColor(cv2.absdiff(here, found), cv2.COLOR_RGB2GRAY)
    return np.minimum(difference, np.float32(ENOUGH))


def _guided(cv2: Any, guide: Plane) -> Callable[[Plane], Plane]:
    """The guided filter: q = ā·I + b̄ with a = cov(I, p)/(var I + ε), b = p̄ − a·Ī, all means over the window."""
    window, softness = GUIDE

    def mean(plane: Plane) -> Plane:
        found: Plane = cv2.boxFilter(plane, -1, (window, window), borderType=cv2.BORDER_REFLECT)
        return found

    middle = mean(guide)
    spread: Plane = mean(guide * guide) - middle * middle + np.float32(softness)

    def filtered(plane: Plane) -> Plane:
        level = mean(plane)
        slope: Plane = np.divide(mean(guide * plane) - middle * level, spread)
        return mean(slope) * guide + mean(level - slope * middle)

    return filtered


def _neighbours(flow: Plane) -> Iterator[Plane]:
    """The flow of each of the eight pixels DISTANCE away, the frame continued by its edge."""
    height, width = flow.shape[:2]
    wide = np.pad(flow, ((DISTANCE, DISTANCE), (DISTANCE, DISTANCE), (0, 0)), mode="edge")
    for down in (0, DISTANCE, 2 * DISTANCE):
        for across in (0, DISTANCE, 2 * DISTANCE):
            if (down, across) != (DISTANCE, DISTANCE):
                yield wide[down : down + height, across : across + width]
