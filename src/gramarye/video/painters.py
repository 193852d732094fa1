"""Two painters of films: the optimisation, held to the frames before, and a feed-forward painter, blended with them.

Both are callables for `sequence.sequence`, and remember nothing of the film: what they paint depends on the frame and
on what is given as before it alone.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from gramarye import blur, images, recolor, transfer
from gramarye.images import Picture
from gramarye.objective import Objective, Term, temporal_term
from gramarye.origins import Source
from gramarye.painting import Painting
from gramarye.presets import preset as preset_named
from gramarye.result import Result
from gramarye.schedule import Scale, schedule
from gramarye.seeing import least_side
from gramarye.settings import Settings
from gramarye.vgg import VGG
from gramarye.video import flow as motion
from gramarye.video.film import Frame
from gramarye.video.sequence import Before, Earlier, Map
from gramarye.video.settings import TemporalSettings

DEFAULTS = TemporalSettings()
TONE = 3.0  # px, within which what appears takes on the tone of what is kept
STILL: dict[str, Any] = {"shifting.fraction": 1.0, "shifting.degrees": 0.0}

# ---- the optimisation --------------------------------------------------------------------------------


class Optimised:
    """The optimisation as a painter of films: a frame begins as the one before, moved to its place, and is held to it.

    To the objective of the settings come the temporal terms of Ruder, Dosovitskiy, Brox 2016, "Artistic Style
    Transfer for Videos", one for each earlier frame in sight:

        γ·L₀·1/D·Σ c_long(j)·(x − ω(j))²

    ω(j) is the painting of j frames back moved to where its things are now, c_long(j) where it counts
    (`Before.masks`), and L₀ the weighted sum of the style terms at the photograph, so that γ means the same in every
    preset and at every size. What no earlier frame shows begins as a single picture would. The targets of style are
    made once for each size.

    Differs from the paper in L₀, and in that it passes over the film once. Where the photograph's colours are put
    back afterwards, only luminance is held. Random shifts are for first frames alone: what is shifted cannot be held.
    No size begins with a frame's details (`scales.detail`), among which is its grain, which flickers.
    """

    def __init__(
        self,
        style: Source,
        settings: Settings | None = None,
        temporal: TemporalSettings = DEFAULTS,
        *,
        preset: str = "",
        weights_file: str | Path | None = None,
    ) -> None:
        self.style, self.temporal = style, temporal
        self.settings = settings or preset_named("default")
        self.result: Result | None = None  # of the frame that was painted last, with its ledger
        self._known: dict[str, Any] = {"preset": preset, "weights_file": weights_file}
        self._first: Painting | None = None  # whose network and paintings serve all frames
        self._targets: dict[Any, tuple[Term, ...]] = {}

    def __call__(self, frame: Frame, before: Before | None) -> Tensor:
        """The painted frame, 1 3 H W in [0, 1]."""
        painting = self.painting(frame, before)
        for _ in painting.steps():
            pass
        self.result = painting.result()
        return self.result.pixels

    def painting(self, frame: Frame, before: Before | None) -> Painting:
        """The painting of a frame, prepared and not begun: pull its steps, then take its result."""
        painting = self._anew(frame)
        if before is None or not self.settings.strength:
            painting.begin()
            return painting
        painting.settings = painting.settings.with_(steps=min(self.temporal.steps, self.settings.steps), **STILL)
        painting.scales = _scales(painting)
        painting.begin()
        painting.held = _Earlier.of(before, painting, self.temporal.weight)
        return painting

    def _anew(self, frame: Frame) -> Painting:
        """A painting of `frame`, with no picture yet, by the network and after the paintings of the first one."""
        settings = self.settings.with_(**{"size": max(frame.pixels.shape[2:]), "scales.detail": 0.0})
        content = Picture(frame.pixels, None, f"frame {frame.index}", None)
        first = self._first
        if first is None or first.content.pixels.shape != content.pixels.shape:
            first = self._first = transfer.prepare(content, self.style, settings, **self._known)
        recolored = settings.color in recolor.BEFORE  # by the photograph, which is another one now
        return Painting(
            content=content,
            styles=self._recolored(content) if recolored and first.content is not content else first.styles,
            origins=first.origins | {"content": {"name": content.name, "path": None, "sha256": None}},
            settings=settings,
            preset=first.preset,
            network=first.network,
            loaded=first.loaded,
            device=first.device,
            scales=first.scales,
            targets=None if recolored else self._targets,
        )

    def _recolored(self, content: Picture) -> tuple[Picture, ...]:
        sources = self.style if isinstance(self.style, (list, tuple)) else [self.style]
        styles = [images.load(source) for source in sources]
        return tuple(
            replace(each, pixels=recolor.before(each.pixels, content.pixels, self.settings.color)) for each in styles
        )


def _scales(painting: Painting) -> tuple[Scale, ...]:
    """The sizes that get evaluations of the painting's steps, and the full one."""
    settings, size = painting.settings, painting.scales[-1].size
    scales = schedule(size, settings.steps, settings.scales, least_side(painting.network, settings))
    return tuple(scale for scale in scales[:-1] if scale.evaluations) + scales[-1:]


@dataclass(frozen=True)
class _Earlier:
    """What a painting is held to: earlier painted frames, `moved` to where their things are now, and where they count.

    `luminance` alone is held where the photograph's colours are put back.
    """

    weight: float
    luminance: bool
    distances: tuple[int, ...]
    moved: tuple[Tensor, ...]
    masks: tuple[Tensor, ...]

    @classmethod
    def of(cls, before: Before, painting: Painting, weight: float) -> _Earlier:
        """As the painting has pictures in hand: before the photograph's colours are put back."""
        moved, color = [each.painted().to(painting.device) for each in before.earlier], painting.settings.color
        if color == "luminance":
            moved = [recolor.grey(pixels) for pixels in moved]
        elif color == "after":
            moved = [recolor.with_chroma(pixels, painting.pixels) for pixels in moved]
        masks = tuple(mask.to(painting.device) for mask in before.masks())
        return cls(weight, color == "after", tuple(each.distance for each in before.earlier), tuple(moved), masks)

    def laid_over(self, pixels: Tensor) -> Tensor:
        """A picture, 1 3 H W of any size, with the earlier frames wherever they count."""
        size = (pixels.shape[2], pixels.shape[3])
        for moved, mask in zip(self.moved, self.masks, strict=True):
            pixels = torch.lerp(pixels, images.resize(moved, size), images.resize(mask, size))
        return pixels

    def added(self, objective: Objective, network: VGG, photograph: Tensor) -> Objective:
        """The objective with the temporal terms."""
        factor = self.weight * _style_at(photograph, objective, network)
        see = recolor.luminance if self.luminance else _as_it_is
        terms = [
            _through(see, temporal_term(f"temporal {distance}", see(moved), mask, factor))
            for distance, moved, mask in zip(self.distances, self.moved, self.masks, strict=True)
        ]
        return replace(objective, terms=(*objective.terms, *terms))


def _as_it_is(pixels: Tensor) -> Tensor:
    return pixels


def _through(see: Callable[[Tensor], Tensor], term: Term) -> Term:
    """The same term of what `see` makes of the picture."""
    return replace(term, measure=lambda found: term.measure(see(found)))


def _style_at(photograph: Tensor, objective: Objective, network: VGG) -> float:
    """The weighted sum of the style terms at the photograph; 1 where there are none."""
    style = Objective(tuple(term for term in objective.terms if term.kind == "style" and term.weight))
    if not style.terms:
        return 1.0
    with torch.no_grad():
        return float(style.total(style.values(network(photograph, style.layers))))


# ---- feed-forward ------------------------------------------------------------------------------------


class Fast:
    """A feed-forward painter as a painter of films: what it makes of each frame is blended with the frames before.

        y = p + d + (1 − Σ_j c_long(j))·G(d)/max(G(s), ½),    d = Σ_j s(j)·(ω(j) − p),    s = Σ_j s(j)
        s(j) = b·c_long(j)·exp(−(e(j)/τ)²)

    p is the frame as `painter` (1 3 H W to 1 3 H W, in [0, 1]) has it, ω(j) the painting of j frames back moved to
    where its things are now, c_long(j) where it counts (`Before.masks`), and e(j) the difference of the two photographs
    there (`flow.difference`). Where the photographs differ nothing is kept, so that nothing trails behind what moves,
    and what is kept fades as bⁿ in n frames. What no earlier frame shows takes on the tone of what is kept beside it,
    by a Gaussian G of σ = TONE, lest a seam remain where a turn of the camera brings new things in.
    """

    def __init__(
        self,
        painter: Callable[[Tensor], Tensor],
        blend: float = DEFAULTS.blend,
        tolerance: float = DEFAULTS.tolerance,
    ) -> None:
        self.painter = painter
        self.temporal = TemporalSettings(blend=blend, tolerance=tolerance)

    def __call__(self, frame: Frame, before: Before | None) -> Tensor:
        """The painted frame, 1 3 H W in [0, 1]."""
        painted = self.painter(frame.pixels)
        if before is None:
            return painted
        masks = before.masks()
        kept, shares = torch.zeros_like(painted), torch.zeros_like(painted[:, :1])
        for earlier, mask in zip(before.earlier, masks, strict=True):
            share = (self.temporal.blend * mask * agreement(frame, earlier, self.temporal.tolerance)).to(painted)
            kept += share * (earlier.painted().to(painted) - painted)
            shares += share
        unseen = (1 - torch.stack(masks).sum(0)).clamp_min(0).to(painted)
        if bool(unseen.any()):
            around = blur.gaussian(torch.cat((kept, shares), 1), TONE)
            kept += unseen * around[:, :3] / around[:, 3:].clamp_min(0.5)
        return (painted + kept).clamp(0, 1)


def agreement(frame: Frame, earlier: Earlier, tolerance: float) -> Map:
    """How far a frame and an earlier one, moved to its place, show the same: exp(−(e/τ)²), 1 1 H W; see `Fast`."""
    apart = motion.difference(frame.pixels, earlier.frame.pixels, earlier.flow)
    return torch.exp(-((apart / tolerance) ** 2))
