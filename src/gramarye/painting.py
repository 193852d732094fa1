"""A painting under way: prepared, painted coarse to fine, changed on the way, and its result with its recipe."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, Protocol, runtime_checkable

import torch
from torch import Tensor

import gramarye
from gramarye import detail, images, machine, recolor, starts, weights
from gramarye.errors import SettingsError
from gramarye.fast.paint import FastPainter
from gramarye.images import Picture
from gramarye.objective import Objective, Term, objective_for, style_terms
from gramarye.optimize import Descent, Step
from gramarye.origins import surroundings
from gramarye.regions import Masks, Regions
from gramarye.result import Result
from gramarye.schedule import Scale, schedule
from gramarye.seeing import least_side, measure_pixels, seen
from gramarye.settings import Settings
from gramarye.strength import strengthened
from gramarye.vgg import VGG

DRAFT_SIZE, DRAFT_STEPS = 192, 60  # of the painting that shows which details get lost

Change = tuple[int, dict[str, Any]]  # after so many evaluations these knobs get these values
# What makes another objective of one, given the network and the paintings as it sees them.
Alteration = Callable[[Objective, VGG, Sequence[Tensor]], Objective]


@runtime_checkable
class Held(Protocol):
    """What a painting is held to beside photograph and paintings; pictures are 1 3 H W of any size."""

    def laid_over(self, pixels: Tensor) -> Tensor:
        """The picture that a size begins with, with what is known of it already."""

    def added(self, objective: Objective, network: VGG, photograph: Tensor) -> Objective:
        """The objective for a picture of the photograph's size, with more terms."""


@dataclass
class Painting:
    """A painting under way: what it is made from, how far it is, and the picture so far.

    `content` is as it was given, `styles` are in the colours that are painted. `pixels` is 1 3 H W, sRGB in
    [0, 1], at the size of the scale that was reached last; grey where only luminance is painted. `settings` are
    the present ones; `changes` are those of live knobs, made on the way or still to come.
    """

    content: Picture
    styles: tuple[Picture, ...]
    origins: dict[str, Any]  # content, styles, content_mask, style_masks, region_content, start: for the recipe
    settings: Settings
    preset: str
    network: VGG
    loaded: weights.Weights
    device: torch.device
    scales: tuple[Scale, ...]
    masks: Masks | None = None
    watched: bool = False  # each Step tells how hard each term pulls; may be switched between two
    changes: list[Change] = field(default_factory=list)
    alter: Alteration | None = None
    held: Held | None = None
    targets: dict[Any, tuple[Term, ...]] | None = None  # style terms that paintings of the same styles share
    pixels: Tensor = field(default_factory=lambda: torch.empty(0), repr=False)
    history: list[Step] = field(default_factory=list)
    seconds: float = 0.0
    scale: int = 0
    done: int = 0  # evaluations at the scales before this one
    _descent: Descent | None = field(default=None, repr=False)
    _before: Descent | None = field(default=None, repr=False)  # of the scale before
    _objective: tuple[tuple[int, int], Objective] | None = None
    _lost: Tensor | None = field(default=None, repr=False)
    _first: Settings | None = None  # before any change
    _made: int = 0  # how many of the changes
    _asked: dict[str, tuple[str, str]] = field(default_factory=dict)  # kind and layer of every term there has been

    def steps(self) -> Iterator[Step]:
        """Paint, one Step an evaluation; stop pulling at any time and take `result()`, or go on by another call."""
        began = time.perf_counter() - self.seconds
        while self.scale < len(self.scales):
            self._make_changes()
            scale = self.scales[self.scale]
            self._descent = self._descent or self._descend(scale)
            for inner in self._pulled(self._descent, scale.evaluations):
                self.seconds = time.perf_counter() - began
                self.pixels = inner.pixels
                step = replace(inner, index=self.done + inner.index, scale=self.scale, seconds=self.seconds)
                self.history.append(replace(step, pixels=torch.empty(0)))
                yield step
            self.pixels = self._descent.pixels.clamp(0, 1)
            self.done += self._descent.index
            self.scale, self._before, self._descent = self.scale + 1, self._descent, None
        self._before = None

    def _pulled(self, descent: Descent, evaluations: int) -> Iterator[Step]:
        """The steps of a descent; before each, the changes that are due are made."""
        steps = descent.steps(evaluations)
        while True:
            self._make_changes()
            descent.watched = self.watched
            inner = next(steps, None)
            if inner is None:
                return
            yield inner

    @property
    def evaluations(self) -> int:
        """How many were made so far."""
        return self.history[-1].index if self.history else 0

    def change(self, knobs: Mapping[str, Any]) -> None:
        """Give live knobs other values, by their dotted names, between two steps; the very next step follows them.

        L-BFGS forgets its curvature, Adam keeps its means; totals before and after are not comparable. Raises
        SettingsError, with nothing changed, for other knobs and for values that cannot be.
        """
        settings = self.settings.with_live(**knobs)
        self._follow(settings)
        plain = {name: _plain(settings.get(name)) for name in knobs}
        self.changes.insert(self._made, (self.evaluations, plain))
        self._made += 1

    def _make_changes(self) -> None:
        """Make the changes that were planned for this evaluation."""
        while self._made < len(self.changes) and self.changes[self._made][0] <= self.evaluations:
            self._follow(self.settings.with_live(**self.changes[self._made][1]))
            self._made += 1

    def _follow(self, settings: Settings) -> None:
        before = self.settings, self._objective
        self.settings, self._objective = settings, None
        if self._descent is None:  # between two sizes: the next one begins with them
            self._first = self._first or before[0]
            return
        try:
            objective = self.objective(self.scales[self.scale].size)
            if not objective.layers:
                raise SettingsError("something must be asked of the picture", "weights that are all 0", "raise one")
        except SettingsError:
            self.settings, self._objective = before
            raise
        self._first = self._first or before[0]
        self._descent.change(objective)

    def _descend(self, scale: Scale) -> Descent:
        """The descent at one scale, from the picture so far."""
        settings = self.settings
        self.pixels = self.enlarged(scale.size, settings.scales.detail if settings.init in starts.OF_PHOTOGRAPH else 0)
        if self.held:
            self.pixels = self.held.laid_over(self.pixels)
        objective = self.objective(scale.size) if scale.evaluations else Objective(())
        seed = settings.seed + self.scale
        descent = Descent(
            self.pixels, objective, self.network, settings.optimizer, settings.shifting, seed, watched=self.watched
        )
        if self._before:
            descent.carry_on(self._before)
            self._before = None
        return descent

    def state(self) -> dict[str, Any]:
        """Everything that is needed to go on later: tensors, numbers, text and None in dicts and lists.

        Take it between two steps; a painting that is prepared alike goes on from it to the same result.
        """
        return {
            "pixels": self.pixels,
            "scale": self.scale,
            "done": self.done,
            "seconds": self.seconds,
            "changes": [list(change) for change in self.changes[: self._made]],
            "descent": self._descent.state() if self._descent else None,
            "history": [
                {name: value for name, value in vars(step).items() if name != "pixels"} for step in self.history
            ],
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Go on from what `state` has given; the next call of `steps` does.

        Changes that were planned here beyond those that the state has made are still to come.
        """
        made = [(evaluation, dict(knobs)) for evaluation, knobs in state.get("changes", ())]
        self.changes[: len(made)], self._made = made, len(made)
        for _, knobs in made:
            self._first = self._first or self.settings
            self.settings = self.settings.with_live(**knobs)
        self.pixels, self.scale, self.done = state["pixels"].to(self.device), state["scale"], state["done"]
        self.seconds, self._before, self._descent = state["seconds"], None, None
        self.history = [Step(**kept, pixels=torch.empty(0)) for kept in state["history"]]
        if state["descent"]:
            self._descent = self._descend(self.scales[self.scale])
            self._descent.restore(state["descent"])

    def objective(self, size: tuple[int, int]) -> Objective:
        """The objective for a picture of `size` (height, width); the last one made is kept."""
        if self._objective is None or self._objective[0] != size:
            self._objective = None  # freed before the next one is made
            self._objective = (size, self.objective_of(self.network, size))
        return self._objective[1]

    def objective_of(self, network: VGG, size: tuple[int, int]) -> Objective:
        """A new objective for a picture of `size` as `network` sees it."""
        photograph, paintings = self.photograph_at(size), self.paintings_at(size)
        made = objective_for(
            network,
            photograph,
            paintings,
            self.settings,
            regions=self.regions_at(photograph, paintings),
            detail=self.detail_at(photograph),
            style=self._style_terms(network, paintings, size),
        )
        if self.held:
            made = self.held.added(made, network, photograph)
        if self.alter:
            made = self.alter(made, network, paintings)
        self._asked |= {term.name: (term.kind, term.layer) for term in made.terms}
        return strengthened(made, self.settings.strength)

    def _style_terms(self, network: VGG, paintings: Sequence[Tensor], size: tuple[int, int]) -> tuple[Term, ...] | None:
        """The style terms at a size if they are shared and have no regions: made once, used by every painting."""
        if self.targets is None or self.masks is not None or network is not self.network:
            return None
        key = size, self.settings.style, self.settings.seed
        if key not in self.targets:
            self.targets[key] = style_terms(network, paintings, self.settings.style, seed=self.settings.seed)
        return self.targets[key]

    def enlarged(self, size: tuple[int, int], detail: float = 0) -> Tensor:
        """The picture so far, 1 3 H W of `size`.

        It gets `detail`, and below a strength of 1 at least what is missing to 1, times the photograph's details that
        its present size is too small for. Where no region is, it is the photograph.
        """
        small, pixels = _size(self.pixels), images.resize(self.pixels, size)
        detail = max(detail, 1 - self.settings.strength)
        if detail > 0 and small != size:
            photograph = self.photograph_at(size)
            blurred = images.resize(images.resize(photograph, small), size)
            pixels = pixels + detail * (photograph - blurred)
        return self._within_regions(pixels)

    def _within_regions(self, pixels: Tensor) -> Tensor:
        """`pixels`, 1 3 H W, with the photograph wherever the mask of the photograph has no region."""
        painted = self.masks.covered(_size(pixels)) if self.masks else None
        if painted is None:
            return pixels
        return torch.lerp(self.photograph_at(_size(pixels)), pixels, painted.to(pixels))

    def shown(self) -> Tensor:
        """The picture so far, 1 3 H W of its present size, as the result will show it."""
        pixels = self._within_regions(self.pixels.detach().clamp(0, 1))
        return recolor.after(pixels, self.content.pixels, self.settings.color)

    def photograph_at(self, size: tuple[int, int]) -> Tensor:
        """The photograph as it is painted, 1 3 H W of `size`: in grey where only luminance is painted."""
        photograph = images.resize(self.content.pixels.to(self.device), size)
        return recolor.grey(photograph) if self.settings.color == "luminance" else photograph

    def paintings_at(self, size: tuple[int, int]) -> list[Tensor]:
        """The style pictures for a picture of `size`, never enlarged: style.size, else style.scale, says how large.

        style.size is the long side at the full size; at smaller ones it shrinks with the picture. None becomes
        so small that the network could not see it.
        """
        style, least = self.settings.style, least_side(self.network, self.settings)
        relative = style.size / max(self.scales[-1].size) if style.size else style.scale
        long_side = max(1, round(max(size) * relative))
        return [_shrunk(painting.pixels, long_side, least).to(self.device) for painting in self.styles]

    def regions_at(self, photograph: Tensor, paintings: Sequence[Tensor]) -> Regions | None:
        """The regions of pictures of these sizes; None without masks."""
        return self.masks.at(photograph, paintings) if self.masks else None

    def detail_at(self, photograph: Tensor) -> Tensor | None:
        """How much each place of the photograph counts, 1 1 H W: 1 + content.detail · map; None if all alike."""
        content = self.settings.content
        if not content.detail:
            return None
        if content.detail_from == "edges":
            return 1 + content.detail * detail.edges(photograph)
        if self._lost is None:
            self._lost = self._lost_in_a_draft()
        return 1 + content.detail * images.resize(self._lost, _size(photograph))

    def _lost_in_a_draft(self) -> Tensor:
        """The map of the details that a quick small painting loses."""
        final = self.scales[-1].size
        first = self._first or self.settings
        settings = first.with_(**{"content.detail": 0, "steps": DRAFT_STEPS})
        size = images.fitted_size(final, min(DRAFT_SIZE, max(final)))
        scales = schedule(size, DRAFT_STEPS, settings.scales, least_side(self.network, settings))
        draft = replace(self, settings=settings, scales=scales, history=[], seconds=0.0, scale=0, done=0, changes=[])
        draft._first, draft._made, draft.watched = None, 0, False
        draft._descent = draft._before = draft._objective = None
        draft.begin()
        for _ in draft.steps():
            pass
        return detail.lost(draft.photograph_at(size), draft.pixels)

    def begin(self, own: Tensor | None = None) -> None:
        """Put the first picture in place, as `init` says; `own` is that of init=file."""
        began = time.perf_counter()
        self.pixels = self.start_at(self.scales[0].size, own)
        if self.settings.init == "fast":
            self.seconds = time.perf_counter() - began  # a part of the painting that is painted already

    def start_at(self, size: tuple[int, int], own: Tensor | None = None) -> Tensor:
        """The picture that painting begins with, 1 3 H W, were `size` the first; `own` is that of init=file."""
        photograph, paintings = self.photograph_at(size), self.paintings_at(size)
        regions = self.regions_at(photograph, paintings)
        return starts.start(self.settings, photograph, paintings, regions, own, self._beginners)

    @cached_property
    def _beginners(self) -> tuple[FastPainter, ...]:
        """The feed-forward painters of init=fast; none for other starts."""
        return starts.painters_for(self.settings, self.styles, apart=self.masks is not None)

    def result(self) -> Result:
        """What has been reached so far, at full size, with its terms."""
        size, color = self.scales[-1].size, self.settings.color
        pixels = recolor.after(self.enlarged(size).clamp(0, 1), self.content.pixels, color)
        terms = measure_pixels(self.network, self.objective(size), seen(pixels, self.settings))
        return Result(
            pixels=pixels.cpu(),
            alpha=self.content.alpha,
            settings=self.settings,
            terms=terms,
            history=tuple(self.history),
            seconds=self.seconds,
            peak_memory=machine.peak_memory(self.device),
            recipe=self.recipe(terms),
            asked=dict(self._asked),
        )

    def recipe(self, terms: Sequence[dict[str, Any]] = ()) -> dict[str, Any]:
        """Everything that made the picture, as it is saved inside it; `terms` are measured at the result.

        Its settings are those that it began with.
        """
        return {
            "gramarye": gramarye.__version__,
            "preset": self.preset,
            "settings": (self._first or self.settings).to_dict(),
            "changes": [{"evaluation": at, "settings": knobs} for at, knobs in self.changes[: self._made]],
            **self.origins,
            "start_networks": {each.network.name: each.network.sha256 for each in self._beginners},
            "network": {
                "name": self.loaded.network,
                "source": self.loaded.source,
                "sha256": self.loaded.sha256,
                "file": None if self.loaded.path == weights.embedded() else str(self.loaded.path),
            },
            **surroundings(self.device, self.network.dtype),
            "evaluations": self.evaluations,
            "finished": self.scale >= len(self.scales),
            "terms": list(terms),
            "total": sum(term["weighted"] for term in terms),
        }


def _plain(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value


def _size(pixels: Tensor) -> tuple[int, int]:
    return pixels.shape[2], pixels.shape[3]


def _shrunk(pixels: Tensor, long_side: int, least: int) -> Tensor:
    size = _size(pixels)
    long_side = max(long_side, math.ceil(least * max(size) / min(size)))
    return pixels if max(size) <= long_side else images.resize(pixels, images.fitted_size(size, long_side))
