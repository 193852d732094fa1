"""What is explained: a painting, finished, with the network that looks at it."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Unpack

from torch import Tensor

from gramarye import images, presets
from gramarye.errors import ImageError, SettingsError
from gramarye.objective import Objective
from gramarye.origins import Source
from gramarye.painting import Painting
from gramarye.pulling import Work
from gramarye.result import Result
from gramarye.seeing import least_side, make_network, seen
from gramarye.settings import Settings
from gramarye.transfer import Inputs, prepare
from gramarye.vgg import VGG


@dataclass(frozen=True)
class Frame:
    """The picture after so many evaluations, 1 3 H W, sRGB in [0, 1]."""

    index: int
    pixels: Tensor = field(repr=False)


@dataclass(frozen=True)
class Subject:
    """A photograph, paintings and what became of them, with the objective that asked for it.

    `network` sees in float32 whatever the painting was painted in. `content` and `result` are 1 3 H W of one
    size, `styles` are of the size that the network saw them in. `run` is None for a picture that was brought along:
    nothing is known of how it came about, and `frames` is empty.
    """

    settings: Settings
    network: VGG
    objective: Objective = field(repr=False)
    content: Tensor = field(repr=False)
    styles: tuple[Tensor, ...] = field(repr=False)
    result: Tensor = field(repr=False)
    run: Result | None
    frames: tuple[Frame, ...] = field(repr=False)
    painting: Painting = field(repr=False)

    @property
    def style(self) -> Tensor:
        """The first painting."""
        return self.styles[0]

    @property
    def start(self) -> Tensor:
        """What the painting began with, 1 3 H W at this size; the photograph, of a picture that was brought along."""
        if not self.frames:
            return self.content
        return self.painting.start_at(self.size, self.frames[0].pixels)  # init=file is known at the first size alone

    @property
    def size(self) -> tuple[int, int]:
        """Height and width of photograph and result."""
        return self.content.shape[2], self.content.shape[3]

    def shrunk(self, long_side: int) -> Subject:
        """The same at a smaller size, where something is to be optimised anew; itself if it is small enough.

        The short side stays one that the network can see.
        """
        least = least_side(self.network, self.settings) * max(self.size) / min(self.size)
        long_side = max(long_side, math.ceil(least))
        if max(self.size) <= long_side:
            return self
        size = images.fitted_size(self.size, long_side)
        return replace(
            self,
            objective=self.painting.objective_of(self.network, size),
            content=images.resize(self.content, size),
            styles=tuple(self.painting.paintings_at(size)),
            result=images.resize(self.result, size),
        )


def paint(
    content: Source,
    style: Source,
    settings: Settings | None = None,
    *,
    preset: str = "",
    weights_file: str | Path | None = None,
    **inputs: Unpack[Inputs],
) -> Work[Subject]:
    """Paint, watching how hard each term pulls and keeping the pictures at log-spaced evaluations."""
    settings = settings or presets.preset("default")
    painting = prepare(content, style, settings, preset=preset, weights_file=weights_file, **inputs)
    painting.watched = True
    return follow(painting)


def follow(painting: Painting) -> Work[Subject]:
    """Paint to the end what was prepared; yields the fraction done. Raises SettingsError, before, where masks are."""
    _refuse_masks(painting)
    frames, reached = [Frame(0, _shown(painting))], 0
    for step in painting.steps():
        if step.index.bit_length() > reached.bit_length():  # 1, 2, 4, 8 …, or the first after it
            frames.append(Frame(step.index, _shown(painting)))
        reached = step.index
        yield min(reached / max(painting.settings.steps, 1), 1.0)
    run = painting.result()
    if frames[-1].index == reached:
        frames.pop()
    frames.append(Frame(reached, run.pixels))
    return _subject(painting, run.pixels, run, tuple(frames))


def bring(
    image: Source,
    content: Source,
    style: Source,
    settings: Settings | None = None,
    *,
    preset: str = "",
    weights_file: str | Path | None = None,
    **inputs: Unpack[Inputs],
) -> Subject:
    """A finished picture in place of what would be painted, in its own size; `settings` are what it is looked at with.

    Raises ImageError if it has not the shape of the photograph.
    """
    settings = settings or presets.preset("default")
    pixels = images.load(image).pixels
    height, width = pixels.shape[2], pixels.shape[3]
    exact = settings.with_(size=max(height, width), steps=0, init="content")
    painting = prepare(content, style, exact, preset=preset, weights_file=weights_file, **inputs)
    expected = painting.scales[-1].size
    if max(abs(expected[0] - height), abs(expected[1] - width)) > 1:
        rule = "the result must have the shape of the photograph"
        remedy = f"at that size the photograph is {expected[1]}×{expected[0]}: was it painted from another one?"
        raise ImageError(rule, f"{width}×{height}", remedy)
    return _subject(painting, pixels.to(painting.device), None, ())


def _subject(painting: Painting, pixels: Tensor, run: Result | None, frames: tuple[Frame, ...]) -> Subject:
    _refuse_masks(painting)
    size = (pixels.shape[2], pixels.shape[3])
    network = painting.network
    if painting.network.dtype.itemsize < 4:
        exact = painting.settings.with_(precision="float32")
        network = make_network(painting.loaded, exact, painting.device)
    return Subject(
        settings=painting.settings,
        network=network,
        objective=painting.objective_of(network, size),
        content=painting.photograph_at(size),
        styles=tuple(painting.paintings_at(size)),
        result=seen(pixels.to(painting.device), painting.settings),
        run=run,
        frames=frames,
        painting=painting,
    )


def _refuse_masks(painting: Painting) -> None:
    if painting.masks:
        raise SettingsError("an explanation looks at the whole picture", "masks", "leave the masks out")


def _shown(painting: Painting) -> Tensor:
    return painting.pixels.detach().clamp(0, 1).cpu().clone()
