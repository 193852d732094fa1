"""One frame after the other: each is painted with those before it in sight, and measured against them.

`sequence` is a generator: whoever watches pulls, and stopping is not pulling. A painter gets the frame and what is
before it (None at the beginning and after a cut) and gives the painted frame; all that it knows of earlier frames
is in what it is given, so that a film may be painted in parts. `painters` has two of them.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

from gramarye.errors import ImageError, SettingsError
from gramarye.video import flow as motion
from gramarye.video.film import Frame
from gramarye.video.flow import Flow
from gramarye.video.measure import Moment, warp_error

Pixels = Float[Tensor, "1 3 height width"]
Map = Float[Tensor, "1 1 height width"]

SHORT = (1,)  # each frame follows from the one before
LONG = (1, 2, 4)  # Ruder et al. 2016: what was hidden for a moment comes back as it was
FARTHEST = 64  # frames that may be looked back; each is kept in memory


@dataclass(frozen=True)
class Earlier:
    """An earlier frame, `distance` frames back: as filmed, as painted, and where the present one is in it.

    `flow`, 1 2 H W in pixels, leads from the present frame to the earlier one; `mask`, 1 1 H W, is 1 where what
    the present frame shows is seen in the earlier one.
    """

    distance: int
    frame: Frame
    pixels: Tensor = field(repr=False)
    flow: Tensor = field(repr=False)
    mask: Tensor = field(repr=False)

    def painted(self) -> Pixels:
        """The earlier painting moved to where its things are now, as sharp as it was."""
        return moved(self.pixels, self.flow)


@dataclass(frozen=True)
class Before:
    """What is before a frame since the last cut; the nearest comes first."""

    earlier: tuple[Earlier, ...]

    def masks(self) -> tuple[Map, ...]:
        """Where each earlier frame counts, in the order of `earlier`: every place goes by the nearest that shows it.

        c_long(j) = max(c(j) − Σ_{k<j} c(k), 0), c(j) being the mask of the frame j back: Ruder, Dosovitskiy, Brox 2016,
        "Artistic Style Transfer for Videos", equation 9. They sum to at most 1.
        """
        found, covered = list[Tensor](), torch.zeros_like(self.earlier[0].mask)
        for each in self.earlier:
            found.append((each.mask - covered).clamp_min(0))
            covered = covered + each.mask
        return tuple(found)


Painter = Callable[[Frame, Before | None], Tensor]


def moved(picture: Pixels, flow: Flow) -> Pixels:
    """p(x + flow(x)) as `flow.warp` has it, but bicubic and clipped to [0, 1].

    What is painted is moved again with every frame, and would lose a little of its strokes to each bilinear mean.
    """
    height, width = picture.shape[2:]
    rows = torch.arange(height, device=flow.device, dtype=flow.dtype)[:, None] + flow[0, 1]
    columns = torch.arange(width, device=flow.device, dtype=flow.dtype) + flow[0, 0]
    places = torch.stack([columns * (2 / (width - 1)) - 1, rows * (2 / (height - 1)) - 1], dim=-1)[None]
    found = F.grid_sample(picture, places.to(picture), mode="bicubic", padding_mode="border", align_corners=True)
    return found.clamp(0, 1)


@dataclass(frozen=True)
class Painted:
    """A painted frame, `pixels` 1 3 H W in [0, 1], and how steady it is.

    `warp_error` is that of the painted frame against the one before, `source_warp_error` that of the frames as they
    were filmed, its floor; both are None where nothing is before. `seen` is the share of the picture that the frame
    before shows too; `cut` tells that another shot begins.
    """

    frame: Frame
    pixels: Tensor = field(repr=False)
    warp_error: float | None = None
    source_warp_error: float | None = None
    seen: float = 0.0
    cut: bool = False

    @property
    def moment(self) -> Moment:
        """The row of `measure.Flicker`."""
        return Moment(self.frame.index, self.warp_error, self.source_warp_error, self.seen, self.cut)


def sequence(
    frames: Iterable[Frame],
    painter: Painter,
    *,
    range: tuple[int, ...] = SHORT,
    past: Sequence[tuple[Frame, Tensor]] = (),
) -> Iterator[Painted]:
    """Paint frames in their order, each with those in sight that lie `range` frames back.

    Flows are computed once for each pair of frames and serve the painter and the measures. `past`, to go on with a
    film, are the last frames before the first, with their paintings, the latest last; as many as the largest of
    `range` are enough. Memory holds no more than that. Raises SettingsError for a range that is none, ImageError
    where frames or their paintings are of different sizes.
    """
    reach = _checked(range)
    kept = deque(past, maxlen=reach[-1])
    for frame in frames:
        cut = bool(kept) and _is_cut(kept[-1][0], frame)
        if cut:
            kept.clear()
        near = {each: _earlier(frame, *kept[-each], each) for each in sorted({1, *reach}) if each <= len(kept)}
        looked_at = tuple(near[each] for each in reach if each in near)
        pixels = painter(frame, Before(looked_at) if looked_at else None)
        _check_size("a painted frame", pixels, frame)
        kept.append((frame, pixels))
        yield _measured(frame, pixels, near.get(1), cut=cut)


def _checked(reach: tuple[int, ...]) -> tuple[int, ...]:
    if not reach or min(reach) < 1 or max(reach) > FARTHEST:
        received = ", ".join(map(str, reach)) or "none"
        raise SettingsError(f"a range counts frames back, from 1 to {FARTHEST}", received, "take 1, or 1,2,4")
    return tuple(sorted(set(reach)))


def _is_cut(before: Frame, frame: Frame) -> bool:
    _check_size("a frame", before.pixels, frame)
    return motion.is_cut(before.pixels, frame.pixels)


def _earlier(frame: Frame, then: Frame, painted: Tensor, distance: int) -> Earlier:
    """An earlier frame as the present one sees it; `painted` is its painting."""
    return Earlier(distance, then, painted.to(frame.pixels), *motion.matched(frame.pixels, then.pixels))


def _measured(frame: Frame, pixels: Tensor, before: Earlier | None, *, cut: bool) -> Painted:
    if before is None:
        return Painted(frame, pixels, cut=cut)
    return Painted(
        frame,
        pixels,
        warp_error=warp_error(pixels.to(frame.pixels), before.pixels, before.flow, before.mask),
        source_warp_error=warp_error(frame.pixels, before.frame.pixels, before.flow, before.mask),
        seen=float(before.mask.mean()),
        cut=cut,
    )


def _check_size(what: str, pixels: Tensor, frame: Frame) -> None:
    if pixels.shape != frame.pixels.shape:
        sizes = " and ".join(f"{each.shape[3]} × {each.shape[2]}" for each in (pixels, frame.pixels))
        raise ImageError(f"{what} must have the size of the frame beside it", sizes)
