"""Coarse to fine: the sizes at which a picture is painted, and how many evaluations each gets."""

from __future__ import annotations

from dataclasses import dataclass

from gramarye import images
from gramarye.errors import SettingsError
from gramarye.settings import ScalesSettings


@dataclass(frozen=True)
class Scale:
    """One size of the schedule: height and width in pixels, and how many evaluations it gets."""

    size: tuple[int, int]
    evaluations: int


def schedule(size: tuple[int, int], steps: int, settings: ScalesSettings, least: int = 1) -> tuple[Scale, ...]:
    """The sizes from coarse to fine, the last one being `size` (height, width), with their evaluations.

    The k-th size before the last is smaller by factorᵏ; sizes below `smallest`, and those with a side
    shorter than `least`, which the network could not see, are left out; their share of the evaluations
    goes to the others in proportion. The evaluations sum to `steps`.
    """
    long_side = max(size)
    sides = [long_side / settings.factor**k for k in reversed(range(settings.count))]
    seen = max(settings.smallest, least * long_side / min(size))
    kept = [round(side) for side in sides[:-1] if side >= seen] + [long_side]
    if settings.shares and len(settings.shares) != settings.count:
        rule = f"scales.shares needs one share for each of the {settings.count} scales"
        raise SettingsError(rule, str(len(settings.shares)), "or set scales.shares=")
    shares = (settings.shares or (1.0,) * settings.count)[-len(kept) :]
    ends = [round(steps * sum(shares[: k + 1]) / sum(shares)) for k in range(len(kept))]
    counts = [end - start for start, end in zip([0, *ends], ends, strict=False)]
    sizes = [images.fitted_size(size, side) for side in kept[:-1]] + [size]
    return tuple(Scale(*pair) for pair in zip(sizes, counts, strict=True))
