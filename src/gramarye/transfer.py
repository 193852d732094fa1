"""A painting from beginning to end: prepared, painted coarse to fine, and the result with its recipe."""

from __future__ import annotations

import math
import os
import platform
import time
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

import gramarye
from gramarye import images, layers, machine, presets, statistics, weights
from gramarye.errors import SettingsError
from gramarye.images import Picture
from gramarye.objective import Objective, objective_for
from gramarye.optimize import Step, optimize
from gramarye.settings import ScalesSettings, Settings
from gramarye.vgg import VGG

if TYPE_CHECKING:
    from PIL import Image

Source = Any  # a path, a PIL image, an array, a tensor or a Picture: whatever images.load accepts
NOISE_MEAN, NOISE_DEVIATION = 0.5, 0.25


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


@dataclass
class Painting:
    """A painting under way: what it is made from, how far it is, and the picture so far.

    `pixels` is 1 3 H W, sRGB in [0, 1], at the size of the scale that was reached last.
    """

    content: Picture
    styles: tuple[Picture, ...]
    origins: tuple[dict[str, Any], ...]
    settings: Settings
    preset: str
    network: VGG
    loaded: weights.Weights
    device: torch.device
    scales: tuple[Scale, ...]
    pixels: Tensor = field(default_factory=lambda: torch.empty(0), repr=False)
    history: list[Step] = field(default_factory=list)
    seconds: float = 0.0
    _objective: tuple[tuple[int, int], Objective] | None = None

    def steps(self) -> Iterator[Step]:
        """Paint, one Step an evaluation; stop pulling at any time and take `result()`."""
        began = time.perf_counter() - self.seconds
        index = 0
        for number, scale in enumerate(self.scales):
            self.pixels = images.resize(self.pixels, scale.size)
            if not scale.evaluations:
                continue
            objective = self.objective(scale.size)
            for inner in optimize(self.pixels, objective, self.network, self.settings.optimizer, scale.evaluations):
                index += 1
                self.seconds = time.perf_counter() - began
                step = replace(inner, index=index, scale=number, seconds=self.seconds)
                self.history.append(replace(step, pixels=torch.empty(0)))
                yield step
            self.pixels = self.pixels.clamp(0, 1)
        self.seconds = time.perf_counter() - began

    def objective(self, size: tuple[int, int]) -> Objective:
        """The objective for a picture of `size` (height, width); the last one made is kept."""
        if self._objective is None or self._objective[0] != size:
            self._objective = None  # freed before the next one is made
            photograph = images.resize(self.content.pixels.to(self.device), size)
            made = objective_for(self.network, photograph, self.paintings_at(size), self.settings)
            self._objective = (size, made)
        return self._objective[1]

    def paintings_at(self, size: tuple[int, int]) -> list[Tensor]:
        """The style pictures for a picture of `size`: its long side times style.scale, never enlarged.

        None becomes so small that the network could not see it.
        """
        long_side, least = round(max(size) * self.settings.style.scale), least_side(self.network, self.settings)
        return [_shrunk(style.pixels, long_side, least).to(self.device) for style in self.styles]

    def result(self) -> Result:
        """What has been reached so far, at full size, with its terms."""
        pixels = images.resize(self.pixels, self.scales[-1].size).clamp(0, 1)
        terms = measure_pixels(self.network, self.objective(self.scales[-1].size), pixels)
        return Result(
            pixels=pixels.cpu(),
            alpha=self.content.alpha,
            settings=self.settings,
            terms=terms,
            history=tuple(self.history),
            seconds=self.seconds,
            peak_memory=machine.peak_memory(self.device),
            recipe=self._recipe(terms),
        )

    def _recipe(self, terms: list[dict[str, Any]]) -> dict[str, Any]:
        return {
            "gramarye": gramarye.__version__,
            "preset": self.preset,
            "settings": self.settings.to_dict(),
            "content": self.origins[0],
            "styles": list(self.origins[1:]),
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
            "evaluations": len(self.history),
            "terms": terms,
            "total": sum(term["weighted"] for term in terms),
        }


@dataclass(frozen=True)
class Result:
    """A finished (or interrupted) painting: `pixels` 1 3 H W, sRGB in [0, 1], and how it came about.

    `terms` are measured at the final picture, in the precision of the network that painted it; `history`
    holds every step without its pixels; `peak_memory` is in bytes.
    """

    pixels: Tensor = field(repr=False)
    alpha: Tensor | None = field(repr=False)
    settings: Settings
    terms: list[dict[str, Any]]
    history: tuple[Step, ...] = field(repr=False)
    seconds: float
    peak_memory: int
    recipe: dict[str, Any] = field(repr=False)

    @property
    def image(self) -> Image.Image:
        """The painting as a PIL image, 8 bit, with the photograph's alpha if it had one."""
        return images.to_pil(self.pixels, self._fitting_alpha())

    @property
    def total(self) -> float:
        """The objective at the final picture."""
        return float(sum(term["weighted"] for term in self.terms))

    @property
    def ledger(self) -> list[dict[str, Any]]:
        """One row for each step and term: step, scale, term, value, weighted, total."""
        return [
            {
                "step": step.index,
                "scale": step.scale,
                "term": name,
                "value": value,
                "weighted": step.weighted[name],
                "total": step.total,
            }
            for step in self.history
            for name, value in step.terms.items()
        ]

    def save(self, path: str | Path, *, bits: int = 8) -> None:
        """Write the painting with its recipe inside; the format follows the suffix. Raises ImageError."""
        images.save(self.pixels, path, recipe=self.recipe, alpha=self._fitting_alpha(), bits=bits)

    def _fitting_alpha(self) -> Tensor | None:
        if self.alpha is None:
            return None
        return images.resize(self.alpha, (self.pixels.shape[2], self.pixels.shape[3]))


def prepare(
    content: Source,
    style: Source,
    settings: Settings | None = None,
    *,
    preset: str = "",
    weights_file: str | Path | None = None,
    max_megapixels: float = images.DEFAULT_MAX_MEGAPIXELS,
) -> Painting:
    """Load the pictures and the network and set up a Painting; `style` may be a list of paintings.

    `weights_file` overrides where the network's weights come from; `preset` is the name that the recipe
    records. Raises ImageError, WeightsError or SettingsError.
    """
    settings = settings or presets.preset("default")
    sources = [content, *(style if isinstance(style, (list, tuple)) else [style])]
    photograph, *styles = [images.load(source, max_megapixels=max_megapixels) for source in sources]
    if not styles:
        raise SettingsError("a painting is needed to paint in its manner", "none")
    device = machine.choose_device(settings.device)
    loaded = weights.load(settings.network.name, weights_file)
    network = make_network(loaded, settings, device)
    size = images.fitted_size(_size(photograph.pixels), settings.size)
    scales = schedule(size, settings.steps, settings.scales, least_side(network, settings))
    painting = Painting(
        content=photograph,
        styles=tuple(styles),
        origins=tuple(_origin(*pair) for pair in zip(sources, (photograph, *styles), strict=True)),
        settings=settings,
        preset=preset,
        network=network,
        loaded=loaded,
        device=device,
        scales=scales,
    )
    painting.pixels = start(painting, scales[0].size)
    return painting


def make_network(loaded: weights.Weights, settings: Settings, device: torch.device) -> VGG:
    """The network as the settings want it: pooling, padding, precision, device."""
    network = VGG(
        loaded,
        pooling=settings.network.pooling,
        padding=settings.network.padding,
        rescale=settings.network.rescale,
        dtype=machine.fastest_dtype(device, settings.precision),
    )
    return network.to(device)


def start(painting: Painting, size: tuple[int, int]) -> Tensor:
    """The first picture, 1 3 H W of `size`, as `init` says; noise is Gaussian, mean 0.5, deviation 0.25."""
    init = painting.settings.init
    if init == "noise":
        generator = torch.Generator().manual_seed(painting.settings.seed)
        noise = torch.randn(1, 3, *size, generator=generator)
        return (NOISE_MEAN + NOISE_DEVIATION * noise).clamp(0, 1).to(painting.device)
    if init == "black":
        return torch.zeros(1, 3, *size, device=painting.device)
    photograph = images.resize(painting.content.pixels.to(painting.device), size)
    if init == "matched":
        return statistics.match_color_moments(photograph, painting.paintings_at(size)[0])
    return photograph.clone()


def stylize_steps(content: Source, style: Source, settings: Settings | None = None) -> Iterator[Step]:
    """Paint `content` in the manner of `style`, one Step an evaluation."""
    return prepare(content, style, settings).steps()


def stylize(content: Source, style: Source, settings: Settings | None = None) -> Result:
    """Paint `content` in the manner of `style` and return the Result.

    Both may be paths, PIL images, arrays H W 3 (uint8 or uint16) or tensors 1 3 H W in [0, 1]; `style`
    may be a list. Raises a GramaryeError that says what to mend.
    """
    painting = prepare(content, style, settings)
    for _ in painting.steps():
        pass
    return painting.result()


@dataclass(frozen=True)
class Measurement:
    """The objective at a picture: one row a term (name, kind, layer, value, weight, weighted) and their total.

    `size` is height and width in pixels.
    """

    network: str
    size: tuple[int, int]
    terms: list[dict[str, Any]]

    @property
    def total(self) -> float:
        """The sum of the weighted values."""
        return float(sum(term["weighted"] for term in self.terms))


def measure(
    image: Source,
    content: Source,
    style: Source,
    settings: Settings | None = None,
    *,
    size: int | None = None,
    weights_file: str | Path | None = None,
) -> Measurement:
    """Every term's value for any picture under the objective of `settings`, in float32.

    The picture keeps its own size unless `size`, a long side in pixels, says otherwise; the photograph is
    resized to it and the paintings as in a painting of that size. Raises a GramaryeError.
    """
    settings = (settings or presets.preset("default")).with_(precision="float32")
    pixels = images.load(image).pixels
    if size is not None:
        pixels = images.resize(pixels, images.fitted_size(_size(pixels), size))
    exact = settings.with_(size=max(_size(pixels)), steps=0)
    painting = prepare(content, style, exact, weights_file=weights_file)
    objective = painting.objective(_size(pixels))
    terms = measure_pixels(painting.network, objective, pixels.to(painting.device))
    return Measurement(painting.network.network, _size(pixels), terms)


def measure_pixels(network: VGG, objective: Objective, pixels: Tensor) -> list[dict[str, Any]]:
    """The rows of `objective` at `pixels`, 1 3 H W."""
    with torch.no_grad():
        values = objective.values(network(pixels, objective.layers))
    return objective.describe({name: float(value) for name, value in values.items()})


def _size(pixels: Tensor) -> tuple[int, int]:
    return pixels.shape[2], pixels.shape[3]


def least_side(network: VGG, settings: Settings) -> int:
    """The shortest side, in pixels, of a picture at which the deepest layer of the settings has one position."""
    names = network.resolve((*settings.content.layers, *settings.style.layers))
    return network.table[layers.deepest(names, network.network)].stride


def _shrunk(pixels: Tensor, long_side: int, least: int) -> Tensor:
    size = _size(pixels)
    long_side = max(long_side, math.ceil(least * max(size) / min(size)))
    return pixels if max(size) <= long_side else images.resize(pixels, images.fitted_size(size, long_side))


def _origin(source: Source, picture: Picture) -> dict[str, Any]:
    """What the recipe tells of an input: its name, the place it was given as, and its hash."""
    path = os.fspath(source) if isinstance(source, (str, os.PathLike)) else None
    return {"name": picture.name, "path": path, "sha256": picture.sha256}
