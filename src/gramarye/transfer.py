"""A painting from beginning to end: prepared, painted coarse to fine, and the result with its recipe."""

from __future__ import annotations

import math
import platform
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, TypedDict, Unpack

import torch
from torch import Tensor

import gramarye
from gramarye import detail, images, machine, presets, recolor, starts, weights
from gramarye import regions as region_masks
from gramarye.errors import SettingsError
from gramarye.images import Picture
from gramarye.masks import MaskSource
from gramarye.objective import Objective, objective_for
from gramarye.optimize import Descent, Step
from gramarye.origins import Source, origin
from gramarye.regions import Masks, Regions
from gramarye.result import Measurement, Result
from gramarye.schedule import Scale, schedule
from gramarye.seeing import least_side, make_network, measure_pixels, seen
from gramarye.settings import Settings
from gramarye.strength import strengthened
from gramarye.vgg import VGG

DRAFT_SIZE, DRAFT_STEPS = 192, 60  # of the painting that shows which details get lost


class Inputs(TypedDict, total=False):
    """What a painting may be given beside photograph, paintings and settings; see `prepare`."""

    content_mask: MaskSource
    style_masks: Sequence[MaskSource]
    region_content: Mapping[str, float] | None
    start: Source


@dataclass
class Painting:
    """A painting under way: what it is made from, how far it is, and the picture so far.

    `content` is as it was given, `styles` are in the colours that are painted. `pixels` is 1 3 H W, sRGB in
    [0, 1], at the size of the scale that was reached last; grey where only luminance is painted.
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
    watched: bool = False  # each Step tells how hard each term pulls
    pixels: Tensor = field(default_factory=lambda: torch.empty(0), repr=False)
    history: list[Step] = field(default_factory=list)
    seconds: float = 0.0
    scale: int = 0
    done: int = 0  # evaluations at the scales before this one
    _descent: Descent | None = field(default=None, repr=False)
    _before: Descent | None = field(default=None, repr=False)  # of the scale before
    _objective: tuple[tuple[int, int], Objective] | None = None
    _lost: Tensor | None = field(default=None, repr=False)

    def steps(self) -> Iterator[Step]:
        """Paint, one Step an evaluation; stop pulling at any time and take `result()`, or go on by another call."""
        began = time.perf_counter() - self.seconds
        while self.scale < len(self.scales):
            scale = self.scales[self.scale]
            self._descent = self._descent or self._descend(scale)
            for inner in self._descent.steps(scale.evaluations):
                self.seconds = time.perf_counter() - began
                self.pixels = inner.pixels
                step = replace(inner, index=self.done + inner.index, scale=self.scale, seconds=self.seconds)
                self.history.append(replace(step, pixels=torch.empty(0)))
                yield step
            self.pixels = self._descent.pixels.clamp(0, 1)
            self.done += self._descent.index
            self.scale, self._before, self._descent = self.scale + 1, self._descent, None
        self._before = None

    def _descend(self, scale: Scale) -> Descent:
        """The descent at one scale, from the picture so far."""
        self.pixels = self.enlarged(scale.size)
        settings = self.settings
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
            "descent": self._descent.state() if self._descent else None,
            "history": [
                {name: value for name, value in vars(step).items() if name != "pixels"} for step in self.history
            ],
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Go on from what `state` has given; the next call of `steps` does."""
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
        )
        return strengthened(made, self.settings.strength)

    def enlarged(self, size: tuple[int, int]) -> Tensor:
        """The picture so far, 1 3 H W of `size`.

        Below a strength of 1 it gets, in the measure of what is missing to 1, the photograph's details that its
        present size is too small for.
        """
        small, pixels = _size(self.pixels), images.resize(self.pixels, size)
        if self.settings.strength >= 1 or small == size:
            return pixels
        photograph = self.photograph_at(size)
        blurred = images.resize(images.resize(photograph, small), size)
        return pixels + (1 - self.settings.strength) * (photograph - blurred)

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
        settings = self.settings.with_(**{"content.detail": 0, "steps": DRAFT_STEPS})
        size = images.fitted_size(final, min(DRAFT_SIZE, max(final)))
        scales = schedule(size, DRAFT_STEPS, settings.scales, least_side(self.network, settings))
        draft = replace(self, settings=settings, scales=scales, history=[], seconds=0.0, scale=0, done=0)
        draft._descent = draft._before = draft._objective = None
        draft.begin()
        for _ in draft.steps():
            pass
        return detail.lost(draft.photograph_at(size), draft.pixels)

    def begin(self, own: Tensor | None = None) -> None:
        """Put the first picture in place, as `init` says; `own` is that of init=file."""
        photograph, paintings = self.photograph_at(self.scales[0].size), self.paintings_at(self.scales[0].size)
        regions = self.regions_at(photograph, paintings)
        self.pixels = starts.start(self.settings, photograph, paintings, regions, own)

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
        )

    def recipe(self, terms: Sequence[dict[str, Any]] = ()) -> dict[str, Any]:
        """Everything that made the picture, as it is saved inside it; `terms` are measured at the result."""
        return {
            "gramarye": gramarye.__version__,
            "preset": self.preset,
            "settings": self.settings.to_dict(),
            **self.origins,
            "network": {
                "name": self.loaded.network,
                "source": self.loaded.source,
                "sha256": self.loaded.sha256,
                "file": None if self.loaded.path == weights.embedded() else str(self.loaded.path),
            },
            "machine": {
                "device": str(self.device),
                "precision": str(self.network.dtype).removeprefix("torch."),
                "threads": torch.get_num_threads(),
                "processor": machine.processor_name(),
            },
            "versions": {"python": platform.python_version(), "torch": torch.__version__},
            "evaluations": self.history[-1].index if self.history else 0,
            "finished": self.scale >= len(self.scales),
            "terms": list(terms),
            "total": sum(term["weighted"] for term in terms),
        }


def prepare(
    content: Source,
    style: Source,
    settings: Settings | None = None,
    *,
    preset: str = "",
    weights_file: str | Path | None = None,
    max_megapixels: float = images.DEFAULT_MAX_MEGAPIXELS,
    content_mask: MaskSource = None,
    style_masks: Sequence[MaskSource] = (),
    region_content: Mapping[str, float] | None = None,
    start: Source = None,
) -> Painting:
    """Load the pictures and the network and set up a Painting; `style` may be a list of paintings.

    `weights_file` overrides where the network's weights come from; `preset` is the name that the recipe
    records. `content_mask` and one of `style_masks` for each painting tell regions apart (see masks.read),
    `region_content` has the weight of content in a region by its label; `start` is the picture to begin with.
    Raises ImageError, WeightsError or SettingsError.
    """
    settings = settings or presets.preset("default")
    sources = [content, *(style if isinstance(style, (list, tuple)) else [style])]
    photograph, *styles = [images.load(source, max_megapixels=max_megapixels) for source in sources]
    own = None if start is None else images.load(start, max_megapixels=max_megapixels)
    settings = settings if own is None else settings.with_(init="file")
    _check_number(styles, settings)
    weights_of_regions = dict(region_content or {})
    masks = region_masks.read(
        photograph, styles, content_mask, style_masks, weights_of_regions, max_megapixels=max_megapixels
    )
    device = machine.choose_device(settings.device)
    loaded = weights.load(settings.network.name, weights_file)
    network = make_network(loaded, settings, device)
    origins = [origin(*pair) for pair in zip(sources, (photograph, *styles), strict=True)]
    painting = Painting(
        content=photograph,
        styles=tuple(_as_painted(*pair, photograph, masks, settings) for pair in enumerate(styles)),
        origins={
            "content": origins[0],
            "styles": origins[1:],
            "content_mask": masks.content.origin if masks else None,
            "style_masks": [mask.origin for mask in masks.styles] if masks else [],
            "region_content": weights_of_regions,
            "start": None if own is None else origin(start, own),
        },
        settings=settings,
        preset=preset,
        network=network,
        loaded=loaded,
        device=device,
        scales=_scales(photograph, settings, network),
        masks=masks,
    )
    painting.begin(own.pixels if own else None)
    return painting


def _check_number(styles: Sequence[Picture], settings: Settings) -> None:
    if not styles:
        raise SettingsError("a painting is needed to paint in its manner", "none")
    if settings.style.mix and len(settings.style.mix) != len(styles):
        rule = f"style.mix needs one weight for each of the {len(styles)} paintings"
        raise SettingsError(rule, f"{len(settings.style.mix)}", "or set style.mix=")


def _scales(photograph: Picture, settings: Settings, network: VGG) -> tuple[Scale, ...]:
    """The schedule without the first sizes if they get no evaluation; at a strength of 0 none is left."""
    size = images.fitted_size(_size(photograph.pixels), settings.size)
    steps = settings.steps if settings.strength else 0
    scales = schedule(size, steps, settings.scales, least_side(network, settings))
    return tuple(scale for scale in scales[:-1] if scale.evaluations) + scales[-1:]


def _as_painted(index: int, style: Picture, photograph: Picture, masks: Masks | None, settings: Settings) -> Picture:
    """A painting in the colours that are painted, with a remark on what its mask has in vain."""
    unused = masks.unused(index) if masks else ()
    remarks = (f"its mask's {', '.join(unused)} is not in the photograph's and not used",) if unused else ()
    pixels = recolor.before(style.pixels, photograph.pixels, settings.color)
    return replace(style, pixels=pixels, notes=(*style.notes, *remarks))


def stylize_steps(
    content: Source, style: Source, settings: Settings | None = None, **inputs: Unpack[Inputs]
) -> Iterator[Step]:
    """Paint `content` in the manner of `style`, one Step an evaluation; `inputs` are those of `prepare`."""
    return prepare(content, style, settings, **inputs).steps()


def stylize(content: Source, style: Source, settings: Settings | None = None, **inputs: Unpack[Inputs]) -> Result:
    """Paint `content` in the manner of `style` and return the Result.

    Both may be paths, PIL images, arrays H W 3 (uint8 or uint16) or tensors 1 3 H W in [0, 1]; `style`
    may be a list. `inputs` (masks of regions, a picture to start from) are those of `prepare`. Raises a
    GramaryeError that says what to mend.
    """
    painting = prepare(content, style, settings, **inputs)
    for _ in painting.steps():
        pass
    return painting.result()


def measure(
    image: Source,
    content: Source,
    style: Source,
    settings: Settings | None = None,
    *,
    size: int | None = None,
    weights_file: str | Path | None = None,
    **inputs: Unpack[Inputs],
) -> Measurement:
    """Every term's value for any picture under the objective of `settings`, in float32.

    The picture keeps its own size unless `size`, a long side in pixels, says otherwise; the photograph is
    resized to it and the paintings as in a painting of that size. `inputs` are the masks of `prepare`.
    Raises a GramaryeError.
    """
    settings = (settings or presets.preset("default")).with_(precision="float32", init="content")
    pixels = images.load(image).pixels
    if size is not None:
        pixels = images.resize(pixels, images.fitted_size(_size(pixels), size))
    exact = settings.with_(size=max(_size(pixels)), steps=0)
    painting = prepare(content, style, exact, weights_file=weights_file, **inputs)
    objective = painting.objective(_size(pixels))
    terms = measure_pixels(painting.network, objective, seen(pixels, settings).to(painting.device))
    return Measurement(painting.network.network, _size(pixels), terms)


def _size(pixels: Tensor) -> tuple[int, int]:
    return pixels.shape[2], pixels.shape[3]


def _shrunk(pixels: Tensor, long_side: int, least: int) -> Tensor:
    size = _size(pixels)
    long_side = max(long_side, math.ceil(least * max(size) / min(size)))
    return pixels if max(size) <= long_side else images.resize(pixels, images.fitted_size(size, long_side))
