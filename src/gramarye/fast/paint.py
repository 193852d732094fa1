"""Paintings in one pass: a photograph through a feed-forward network that has learned what the optimisation does.

    painter = painter_for("demo:cubist")
    picture = painter(pixels)              # 1 3 H W in [0, 1], as often as wanted

    paint("photo.jpg", "painting.jpg").save("out.png")

Johnson et al. 2016, "Perceptual Losses for Real-Time Style Transfer"; Dumoulin et al. 2016, "A Learned Representation
For Artistic Style", for many styles in one network; Huang and Belongie 2017, "Arbitrary Style Transfer in Real-time
with Adaptive Instance Normalization", for any painting.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

import gramarye
from gramarye import images, machine, presets, recolor
from gramarye.checkpoint import identity
from gramarye.errors import GramaryeError, SettingsError
from gramarye.fast import large, stored, styles
from gramarye.fast.any_style import AnyStyle, Manner
from gramarye.fast.stored import FastNetwork
from gramarye.fast.styles import Style
from gramarye.images import Picture
from gramarye.origins import Origin, Source, origin, surroundings
from gramarye.result import Result
from gramarye.settings import Settings

STYLE_SIZE = 512  # px, the long side at which a painting is looked at, unless the card of its network says otherwise

Image = Float[Tensor, "1 3 height width"]
Mix = Float[Tensor, "1 styles"]


@dataclass(frozen=True)
class FastPainter:
    """A network and what it was told of the styles: call it with a picture as often as wanted.

    `told` is the network's own: shares of its styles, or a painting's manner. `names` are those of styles that it has
    learned. Of the `settings` strength, mix and size of the styles, device and precision count.
    """

    network: FastNetwork
    told: Mix | Manner = field(repr=False)
    names: tuple[str, ...]
    origins: tuple[Origin, ...]
    settings: Settings = field(repr=False)
    device: torch.device
    dtype: torch.dtype

    def __call__(self, pixels: Image) -> Image:
        """Paint a picture of any size, sRGB in [0, 1], in one pass; on the device that it came from.

        Below 1 the strength is the share of what is painted beside the photograph, so that 0 is the photograph itself.
        Differs from Huang and Belongie 2017, of a network of any style: their α stays 1, as in the training, since the
        painter paints strokes also where it is told of the photograph alone.
        """
        given = pixels.to(self.device, torch.float32)
        with torch.inference_mode(), torch.autocast(self.device.type, self.dtype, enabled=self.dtype != torch.float32):
            painted = large.paint(self.network.painter, given, self.told).float()
        painted = painted.clamp(0, 1)  # out of inference mode: may be differentiated from here on
        return (torch.lerp(given, painted, self.strength) if self.strength < 1 else painted).to(pixels.device)

    @property
    def strength(self) -> float:
        """From the photograph, 0, to the painting, 1."""
        return self.settings.strength

    @property
    def style_size(self) -> int:
        """The long side in pixels at which the paintings were looked at; 0 where none were."""
        return self.settings.style.size


@dataclass(frozen=True)
class FastPainting:
    """A photograph that is ready to be painted in one pass, with the recipe that its picture will have."""

    painter: FastPainter
    photograph: Picture
    settings: Settings
    recipe: dict[str, Any] = field(repr=False)

    def result(self) -> Result:
        """Paint; `seconds` are those of the pass, with resizing and colours. There are no terms and no history."""
        began = time.perf_counter()
        height, width = self.photograph.pixels.shape[2:]
        pixels = images.resize(self.photograph.pixels, images.fitted_size((height, width), self.settings.size))
        painted = _colored(self.painter, pixels, self.settings.color).cpu()
        return Result(
            pixels=painted,
            alpha=self.photograph.alpha,
            settings=self.settings,
            terms=[],
            history=(),
            seconds=time.perf_counter() - began,
            peak_memory=machine.peak_memory(self.painter.device),
            recipe=self.recipe,
        )

    def is_done(self, path: Path) -> bool:
        """Whether the picture at `path` is what `result` would paint: by its recipe, wherever its inputs lay."""
        try:
            return identity(images.read_recipe(path)) == identity(self.recipe)
        except GramaryeError:  # not there, or not ours
            return False


def _colored(painter: FastPainter, pixels: Image, color: str) -> Image:
    """A painting of `pixels` in the colours that are asked for.

    Differs from an optimisation, which gives the painting the photograph's colours before: a network has learned the
    painting as it is, and so the finished picture gets them.
    """
    painted = painter(recolor.grey(pixels) if color == "luminance" else pixels)
    matched = painted if color == "luminance" else recolor.before(painted, pixels, color)
    return recolor.after(matched, pixels, color)


def painter_for(
    style: Source,
    *,
    mix: Sequence[float] = (),
    network: str | Path | None = None,
    device: str = "auto",
    precision: str = "auto",
    strength: float = 1.0,
    style_size: int = 0,
    max_megapixels: float = images.DEFAULT_MAX_MEGAPIXELS,
) -> FastPainter:
    """A painter in a style, or in a mix of several by their shares; `style` may be a list.

    A style is a painting (whatever `images.load` accepts) or a name, see `styles.read`. `network` is "many", "any" or a
    file; without it, bundled paintings are painted by the network that has learned them, others by that of any style,
    which looks at them at a long side of `style_size` pixels (0: as it was trained). `strength` is 0 … 1. Raises a
    GramaryeError that says what to mend.
    """
    sources = list(style) if isinstance(style, (list, tuple)) else [style]
    settings = _settings(sources, mix, strength, device, precision)
    chosen = machine.choose_device(device)
    dtype = machine.fastest_dtype(chosen, precision)
    loaded = None if network is None else stored.load(network, dtype)
    asked = [styles.read(each, loaded, max_megapixels=max_megapixels) for each in sources]
    loaded = loaded or stored.load("many" if all(each.name for each in asked) else "any", dtype)
    loaded.painter.to(chosen)
    many = loaded.kind == "many"
    size = 0 if many else style_size or _trained_at(loaded)
    settings = settings.with_(**{"style.size": size})
    return FastPainter(
        network=loaded,
        told=_mix(asked, settings, loaded).to(chosen) if many else _manner(asked, settings, loaded),
        names=tuple(str(each.name) for each in asked) if many else (),
        origins=tuple(each.origin for each in asked),
        settings=settings,
        device=chosen,
        dtype=dtype,
    )


def _settings(
    sources: Sequence[Source], mix: Sequence[float], strength: float, device: str, precision: str
) -> Settings:
    """Those of the network's objective, with what was asked for; raises SettingsError for what cannot be painted."""
    if not sources:
        raise SettingsError("a painting is needed to paint in its manner", "none")
    if mix and len(mix) != len(sources):
        raise SettingsError(f"a mix needs one share for each of the {len(sources)} styles", len(mix))
    if not 0 <= strength <= 1:
        rule = "in one pass the strength goes from the photograph, 0, to the painting, 1"
        raise SettingsError(rule, f"{strength:g}", "to go further, take gramarye transfer")
    knobs = {"strength": strength, "device": device, "precision": precision, "style.mix": tuple(mix)}
    return presets.DEFAULT.with_(**knobs, steps=0)


def _trained_at(network: FastNetwork) -> int:
    """The long side of paintings in its training, as far as its card says it."""
    said = network.card.get("style_size")
    return said if type(said) is int and said >= images.SMALLEST_SIDE else STYLE_SIZE


def _shares(asked: Sequence[Style], settings: Settings) -> Sequence[float]:
    return settings.style.mix or [1.0] * len(asked)


def _mix(asked: Sequence[Style], settings: Settings, network: FastNetwork) -> Mix:
    told, shares = torch.zeros(1, len(network.styles)), _shares(asked, settings)
    for place, share in zip(styles.places(asked, network), shares, strict=True):
        told[0, place] += share / sum(shares)
    return told


def _manner(asked: Sequence[Style], settings: Settings, network: FastNetwork) -> Manner:
    assert isinstance(network.painter, AnyStyle)
    manners = [_remembered(network.painter, each.picture, settings.style.size) for each in asked if each.picture]
    return Manner.mixed(manners, _shares(asked, settings))


def _remembered(painter: AnyStyle, picture: Picture, size: int) -> Manner:
    """What there is to know of a painting, looked at at a long side of `size` pixels; never enlarged."""
    pixels, own = picture.pixels, (picture.pixels.shape[2], picture.pixels.shape[3])
    if max(own) > size:
        height, width = images.fitted_size(own, size)
        pixels = images.resize(pixels, (max(height, images.SMALLEST_SIDE), max(width, images.SMALLEST_SIDE)))
    with torch.inference_mode():
        return painter.remember(pixels.to(painter.enter.weight.device))


def prepare(
    painter: FastPainter,
    content: Source,
    *,
    size: int | None = None,
    color: str = "style",
    max_megapixels: float = images.DEFAULT_MAX_MEGAPIXELS,
) -> FastPainting:
    """Load a photograph to be painted; `size` is the long side in pixels, None its own. Raises a GramaryeError."""
    photograph = images.load(content, max_megapixels=max_megapixels)
    settings = painter.settings.with_(size=size or max(photograph.pixels.shape[2:]), color=color)
    return FastPainting(painter, photograph, settings, _recipe(painter, origin(content, photograph), settings))


def _recipe(painter: FastPainter, content: Origin, settings: Settings) -> dict[str, Any]:
    """Everything that makes the picture; `fast` tells it from that of an optimisation."""
    network = painter.network
    return {
        "gramarye": gramarye.__version__,
        "preset": "",
        "settings": settings.to_dict(),
        "fast": {"kind": network.kind, "styles": list(painter.names)},
        "content": content,
        "styles": list(painter.origins),
        "network": {
            "name": network.name,
            "source": "embedded" if network.embedded else "file",
            "sha256": network.sha256,
            "file": None if network.embedded else str(network.path),
        },
        **surroundings(painter.device, painter.dtype),
        "evaluations": 0,
        "finished": True,
        "terms": [],
    }


def paint(
    content: Source,
    style: Source,
    *,
    size: int | None = None,
    mix: Sequence[float] = (),
    strength: float = 1.0,
    color: str = "style",
    network: str | Path | None = None,
    device: str = "auto",
    precision: str = "auto",
    style_size: int = 0,
    max_megapixels: float = images.DEFAULT_MAX_MEGAPIXELS,
) -> Result:
    """Paint `content` in the manner of `style` in one pass; see `painter_for` and `prepare`. Raises a GramaryeError."""
    painter = painter_for(
        style,
        mix=mix,
        network=network,
        device=device,
        precision=precision,
        strength=strength,
        style_size=style_size,
        max_megapixels=max_megapixels,
    )
    return prepare(painter, content, size=size, color=color, max_megapixels=max_megapixels).result()
