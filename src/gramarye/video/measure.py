"""How much a painted film flickers, in numbers, beside what its source has by itself."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from gramarye import images
from gramarye.plain import finite
from gramarye.statistics import gram_matrix
from gramarye.vgg import VGG
from gramarye.video import flow as flows
from gramarye.video.flow import UNKNOWN, Flow, Mask, Pixels


@dataclass(frozen=True)
class Moment:
    """One frame beside the one before it.

    `warp_error` of the painting, `source_warp_error` of its source, by the same flow and mask: the floor, since
    flow, light and noise leave an error in any film. Both are None for the first frame and at a `cut`, where there
    is nothing to compare with. `seen` is the share of pixels that are visible in both frames.
    """

    index: int
    warp_error: float | None
    source_warp_error: float | None
    seen: float
    cut: bool = False


@dataclass(frozen=True)
class Flicker:
    """The flicker of a film, frame by frame.

    The means are over the frames that can be compared with the one before: not the first, none at a cut, none of which
    nothing was seen before. They are None if there are no such frames.
    """

    rows: Sequence[Moment]

    @property
    def compared(self) -> list[Moment]:
        """The frames that the means are over."""
        return [row for row in self.rows if row.seen and not row.cut]

    @property
    def warp_error(self) -> float | None:
        """The painting's mean warp error."""
        return _mean(row.warp_error for row in self.compared)

    @property
    def source_warp_error(self) -> float | None:
        """The source's mean warp error."""
        return _mean(row.source_warp_error for row in self.compared)

    @property
    def seen(self) -> float | None:
        """The mean share of pixels that were seen before."""
        return _mean(row.seen for row in self.compared)

    @property
    def cuts(self) -> list[int]:
        """Where another shot begins."""
        return [row.index for row in self.rows if row.cut]

    def as_json(self) -> dict[str, Any]:
        """Plain data: the means, the cuts, and a row for each frame."""
        means = {"warp_error": self.warp_error, "source_warp_error": self.source_warp_error, "seen": self.seen}
        plain: dict[str, Any] = finite({**means, "cuts": self.cuts, "rows": [asdict(row) for row in self.rows]})
        return plain


def warp_error(now: Pixels, then: Pixels, flow: Flow, mask: Mask) -> float:
    """Σ M·‖now − W(then)‖² / ΣM, the mean over channels, for flow = flow(now, then); 0 where nothing is seen.

    sRGB in [0, 1], so that its root is a difference of brightness. Lai et al. 2018, "Learning Blind Video Temporal
    Consistency", whose `then` is the frame after; any other frame may be it.
    """
    weight = float(mask.sum())
    if weight == 0:
        return 0.0
    squares = (now - flows.warp(then, flow)).square().mean(1, keepdim=True)
    return float((mask * squares).sum()) / weight


def flicker(sources: Iterable[Float[Tensor, "1 3 h w"]], paintings: Iterable[Pixels]) -> Iterator[Moment]:
    """The flicker of a painted film, a row as soon as its frame has come; two frames are kept in memory.

    Flow, mask and cuts are those of the source, brought to the size of the painting. Raises ValueError if one film is
    longer than the other.
    """
    before: tuple[Pixels, Pixels] | None = None
    for index, (source, painting) in enumerate(zip(sources, paintings, strict=True)):
        fitted = images.resize(source, (painting.shape[2], painting.shape[3]))
        yield _moment(index, fitted, painting, before)
        before = (fitted, painting)


def _moment(index: int, source: Pixels, painting: Pixels, before: tuple[Pixels, Pixels] | None) -> Moment:
    if before is None or flows.is_cut(before[0], source):
        return Moment(index, None, None, 0.0, cut=before is not None)
    backward, mask = flows.matched(source, before[0])
    painted = warp_error(painting, before[1], backward, mask)
    return Moment(index, painted, warp_error(source, before[0], backward, mask), float(mask.mean()))


def endpoint_error(found: Flow, truth: Flow, valid: Mask | None = None) -> float:
    """The mean of ‖w − w*‖ in pixels, over the pixels that are `valid` and whose true flow is known.

    Baker et al. 2007, "A Database and Evaluation Methodology for Optical Flow".
    """
    known = (truth.abs() <= UNKNOWN).all(1, keepdim=True)
    counted = known if valid is None else known & (valid > 0)
    lengths = (found - truth).square().sum(1, keepdim=True).sqrt()
    return float(lengths[counted].mean())


def gram_trace(network: VGG, picture: Float[Tensor, "1 3 height width"], layers: Iterable[str]) -> dict[str, float]:
    """The trace of the Gram matrix per position, Σ_i G_ii = (1/M)·Σ_k ‖F_k‖², of every layer.

    Of a style it says how much films painted in it tend to flicker, other things being equal: activations that have
    the style's Gram matrix lie on a sphere whose squared radius is the trace, and the larger the sphere, the farther
    apart may be the solutions for two frames. Gupta et al. 2017, "Characterizing and Improving Stability in Neural
    Style Transfer".
    """
    with torch.no_grad():
        activations = network(picture, layers)
        return {name: float(gram_matrix(each)[0].trace()) for name, each in activations.items()}


def _mean(values: Iterable[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return sum(known) / len(known) if known else None
