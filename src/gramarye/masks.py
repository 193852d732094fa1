"""Masks: which parts of a picture belong to which region.

A mask is one picture in which every region has a plain colour, or one grey picture for each region, white
where the region is. Soft greys stay as they are, as weights; the colours between two plain ones, along a
smoothed edge or in a JPEG, belong to the nearer one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional

from gramarye import images
from gramarye.errors import ImageError
from gramarye.images import Picture
from gramarye.origins import Origin, Source, origin

SOLID = 16 / 255  # by which the colours of a plain area may differ between neighbours: JPEG's noise
SAME = 32 / 255  # two colours nearer than this, in every channel, are one
SHARE = 0.005  # of all pixels must a colour have to be a region
EMPTY = 0.0005  # of all pixels: a grey mask with less white marks nothing
MOST = 16  # regions; a picture with more plain colours is no mask
SHAPE = 0.02  # by which the aspect ratio of a mask may differ from its picture's
COLORS: dict[str, tuple[float, float, float]] = {
    "black": (0, 0, 0),
    "white": (1, 1, 1),
    "grey": (0.5, 0.5, 0.5),
    "red": (1, 0, 0),
    "green": (0, 1, 0),
    "blue": (0, 0, 1),
    "yellow": (1, 1, 0),
    "cyan": (0, 1, 1),
    "magenta": (1, 0, 1),
    "orange": (1, 0.5, 0),
}
MaskSource = Source  # a picture, a mapping from names to grey pictures, or its text, "sky=a.png,sea=b.png"


@dataclass(frozen=True)
class Mask:
    """The regions of one picture by label, each 1 1 h w in [0, 1], or None where it is the whole picture.

    `palette` has the colour of each region that was read from a coloured mask; `origin` is for the recipe:
    the mask's own, or {"regions": {label: its picture's, or None}}.
    """

    layers: Mapping[str, Float[Tensor, "1 1 h w"] | None]
    palette: Mapping[str, Tensor]
    origin: Origin

    @property
    def labels(self) -> tuple[str, ...]:
        """The names of the regions."""
        return tuple(self.layers)

    def at(self, size: tuple[int, int], labels: tuple[str, ...]) -> Float[Tensor, "1 r h w"]:
        """The weights of the regions `labels` at (height, width) `size`; 0 where there is none of the name."""
        layers = []
        for label in labels:
            layer = self.layers.get(label, torch.zeros(1, 1, 1, 1))
            layer = torch.ones(1, 1, 1, 1) if layer is None else layer
            plain = layer.shape[2:] == (1, 1)
            layers.append(layer.expand(1, 1, *size) if plain else images.resize(layer, size))
        return torch.cat(layers, dim=1)


def read(source: MaskSource, picture: Picture, known: Mask | None = None, *, max_megapixels: float = 100.0) -> Mask:
    """The mask in `source` for `picture`; colours and labels are those of `known`, the photograph's mask.

    `source` is a picture in plain colours; or a mapping (or the text "sky=a.png,sea=b.png") from names to
    grey pictures; a name alone, or None for its picture, means the whole picture. Raises ImageError for
    another shape than the picture's, more than 16 colours, or a region with nothing in it.
    """
    parts = _parts(source, known.labels if known else ())
    if parts is not None:
        return _from_greys(parts, picture, max_megapixels)
    mask = images.load(source, max_megapixels=max_megapixels)
    _check_shape(mask, picture)
    palette = dict(known.palette) if known else {}
    named: dict[str, Tensor] = {}
    layers: dict[str, Tensor] = {}
    colors = plain_colors(mask)
    nearest = _nearest(_opaque(mask), colors)
    for index, color in enumerate(colors):
        label = color_name(color, palette)
        layer = (nearest == index).float()[None, None]
        layers[label] = layers[label] + layer if label in layers else layer
        named.setdefault(label, color)
    return Mask(layers, named, origin(source, mask))


def plain_colors(mask: Picture) -> Float[Tensor, "r 3"]:
    """The colours of a mask's plain areas, the most frequent first.

    Only pixels whose eight neighbours have about the same colour are counted: those of smoothed edges never
    do. Raises ImageError when there are none, or so many that it must be another kind of picture.
    """
    pixels = _opaque(mask)
    border = functional.pad(pixels, (1, 1, 1, 1), mode="replicate")
    spread = functional.max_pool2d(border, 3, 1) + functional.max_pool2d(-border, 3, 1)
    solid = (spread <= SOLID).all(1)[0]
    levels = (pixels[0][:, solid].T * 255).round().long()
    packed, counts = torch.unique(levels @ torch.tensor([65536, 256, 1]), return_counts=True)
    colors = torch.stack([packed >> shift & 255 for shift in (16, 8, 0)], dim=1) / 255
    kept: list[Tensor] = []
    while len(colors) and len(kept) <= MOST:  # the most frequent colour takes all that are like it
        color = colors[counts.argmax()]
        like = ((colors - color).abs() <= SAME).all(1)
        if int(counts[like].sum()) >= SHARE * solid.numel():
            kept.append(color)
        elif int(counts.max()) < SHARE * solid.numel() / len(colors):
            break
        colors, counts = colors[~like], counts[~like]
    if not 1 <= len(kept) <= MOST:
        received = f"{mask.name}: {len(kept) or 'no'} plain colours"
        remedy = "paint each region in one colour, or give a grey mask for each: name=mask.png"
        raise ImageError(f"a mask must have 1 to {MOST} regions in plain colours", received, remedy)
    return torch.stack(kept)


def color_name(color: Float[Tensor, "rgb=3"], palette: Mapping[str, Tensor]) -> str:
    """The label of a colour: that of `palette` if it is there, else its plain name, else #rrggbb."""
    named = {name: torch.tensor(known) for name, known in COLORS.items()}
    for name, known in (*palette.items(), *named.items()):
        if bool(((color - known).abs() <= SAME).all()):
            return name
    return "#" + "".join(f"{round(float(value) * 255):02x}" for value in color)


def _nearest(pixels: Tensor, colors: Tensor) -> Tensor:
    """The index of the nearest of the `colors`, r 3, for every pixel of 1 3 h w."""
    best = torch.full(pixels.shape[2:], torch.inf)
    index = torch.zeros(pixels.shape[2:], dtype=torch.long)
    for number, color in enumerate(colors):
        distance = (pixels[0] - color.view(3, 1, 1)).square().sum(0)
        index[distance < best] = number
        best = torch.minimum(best, distance)
    return index


def _opaque(mask: Picture) -> Tensor:
    """The colours of a mask, its transparent parts black."""
    return mask.pixels if mask.alpha is None else mask.pixels * mask.alpha


def _parts(source: MaskSource, known: tuple[str, ...]) -> dict[str, Source] | None:
    """The grey pictures of a mask by name, None in place of the whole; None for a mask of one picture."""
    if isinstance(source, Mapping):
        return dict(source)
    texts = list(source) if isinstance(source, (list, tuple)) else [source]
    if not all(isinstance(text, str) for text in texts) or (len(texts) == 1 and Path(texts[0]).exists()):
        return None
    items = [item.strip() for text in texts for item in text.split(",") if item.strip()]
    if not items or not all("=" in item or item in known for item in items):
        return None
    pairs = [item.partition("=") for item in items]
    return {name.strip(): path.strip() or None for name, _, path in pairs}


def _from_greys(parts: Mapping[str, Source], picture: Picture, max_megapixels: float) -> Mask:
    layers: dict[str, Tensor | None] = {}
    origins: dict[str, Origin | None] = {}
    for label, source in parts.items():
        layers[label], origins[label] = None, None
        if source is None:
            continue
        mask = images.load(source, max_megapixels=max_megapixels)
        _check_shape(mask, picture)
        layer = _opaque(mask).mean(1, keepdim=True)
        layers[label], origins[label] = layer, origin(source, mask)
        if float(layer.mean()) < EMPTY:
            rule = f"the region {label!r} must not be empty"
            raise ImageError(rule, f"{mask.name}: a mask that is black", "paint it white there, or leave it out")
    return Mask(_at_most_one(layers, picture), {}, {"regions": origins})


def _at_most_one(layers: Mapping[str, Tensor | None], picture: Picture) -> dict[str, Tensor | None]:
    """The layers divided by their sum where it is more than 1, as where two masks overlap."""
    size = (picture.pixels.shape[2], picture.pixels.shape[3])
    greys = {label: images.resize(layer, size) for label, layer in layers.items() if layer is not None}
    if not greys:
        return dict(layers)
    total = torch.stack(list(greys.values())).sum(0).clamp_min(1)
    return {label: greys[label] / total if label in greys else None for label in layers}


def _check_shape(mask: Picture, picture: Picture) -> None:
    height, width = mask.pixels.shape[2:]
    rows, columns = picture.pixels.shape[2:]
    if abs((width / height) / (columns / rows) - 1) > SHAPE:
        received = f"{mask.name} of {width} × {height} for {picture.name} of {columns} × {rows}"
        raise ImageError("a mask must have the shape of its picture", received, "draw it over a copy of the picture")
