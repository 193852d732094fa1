"""Regions: which part of the photograph is painted after which part of the paintings.

Champandard 2016, "Semantic Style Transfer and Turning Two-Bit Doodles into Fine Artworks", arXiv:1603.01768;
Gatys, Ecker, Bethge, Hertzmann, Shechtman 2017, "Controlling Perceptual Factors in Neural Style Transfer",
section 4: each region has statistics of its own, which a mask, shrunk to the layer, weights position by position.
"""

from __future__ import annotations

import difflib
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from gramarye import blur, masks
from gramarye.errors import SettingsError
from gramarye.images import Picture
from gramarye.masks import Mask, MaskSource

WHOLE = 0.01  # what may be missing to 1 where a place belongs to regions
FEATHER = 0.006  # standard deviation of the soft edge of a region, relative to the picture's long side


@dataclass(frozen=True)
class Regions:
    """The regions of one scale: `picture` 1 R H W in [0, 1], and each painting's own, 1 R h w.

    `labels` names them; `content_weights` multiplies the content terms in each. A painting without a
    region has 0 everywhere in it.
    """

    labels: tuple[str, ...]
    picture: Float[Tensor, "1 r h w"]
    paintings: tuple[Tensor, ...]
    content_weights: tuple[float, ...]


@dataclass(frozen=True)
class Masks:
    """The masks of the photograph and of its paintings, as they were read, and the weight of content in each region."""

    content: Mask
    styles: tuple[Mask, ...]
    content_weights: Mapping[str, float]

    def at(self, picture: Tensor, paintings: Sequence[Tensor]) -> Regions:
        """The regions at the sizes of `picture`, 1 3 H W, and of the `paintings`, on their device, with soft edges."""
        labels = self.content.labels

        def soft(mask: Mask, pixels: Tensor) -> Tensor:
            size = (pixels.shape[2], pixels.shape[3])
            return blur.gaussian(mask.at(size, labels).to(pixels.device), FEATHER * max(size)).clamp(0, 1)

        return Regions(
            labels=labels,
            picture=soft(self.content, picture),
            paintings=tuple(soft(*pair) for pair in zip(self.styles, paintings, strict=True)),
            content_weights=tuple(self.content_weights.get(label, 1.0) for label in labels),
        )

    def covered(self, size: tuple[int, int]) -> Float[Tensor, "1 1 h w"] | None:
        """How much each place of the photograph belongs to any region, with soft edges; None if all do wholly."""
        whole = self.content.at(size, self.content.labels).sum(1, keepdim=True).clamp(max=1)
        if float(whole.min()) > 1 - WHOLE:
            return None
        return blur.gaussian(whole, FEATHER * max(size)).clamp(0, 1)

    def unused(self, painting: int) -> tuple[str, ...]:
        """The regions of a painting's mask that the photograph's has not."""
        return tuple(label for label in self.styles[painting].labels if label not in self.content.labels)


def read(
    photograph: Picture,
    paintings: Sequence[Picture],
    content_mask: MaskSource,
    style_masks: Sequence[MaskSource],
    region_content: Mapping[str, float],
    *,
    max_megapixels: float = 100.0,
) -> Masks | None:
    """The masks of a photograph and its paintings; None if none is given.

    Without masks of the paintings, each of them gives its whole to every region; then `region_content` alone
    tells the regions apart. Raises ImageError for a mask that cannot be used, SettingsError for a number of
    masks that does not fit, a region that no painting has, or a content weight of an unknown one.
    """
    if content_mask is None:
        if style_masks or region_content:
            received = "masks of the paintings alone" if style_masks else "content weights of regions alone"
            raise SettingsError("regions need a mask of the photograph", received, "give content_mask (--content-mask)")
        return None
    content = masks.read(content_mask, photograph, max_megapixels=max_megapixels)
    if not style_masks and region_content:
        style_masks = [dict.fromkeys(content.labels)] * len(paintings)
    if len(style_masks) != len(paintings):
        rule = "a mask of the photograph needs one for each painting, in their order"
        remedy = "give style_masks (--style-mask); the name of a region alone means the whole painting"
        raise SettingsError(rule, f"{len(style_masks)} for {len(paintings)}", remedy)
    styles = tuple(
        masks.read(source, painting, content, max_megapixels=max_megapixels)
        for source, painting in zip(style_masks, paintings, strict=True)
    )
    _check_styled(content, styles)
    return Masks(content, styles, _content_weights(content, region_content))


def _check_styled(content: Mask, styles: Sequence[Mask]) -> None:
    there = list(dict.fromkeys(label for mask in styles for label in mask.labels))
    for label in content.labels:
        if label not in there:
            rule = "every region of the photograph needs one of the same name in a painting's mask"
            raise SettingsError(rule, f"{label!r}, which none has", _nearest(label, there))


def _content_weights(content: Mask, given: Mapping[str, float]) -> dict[str, float]:
    weights: dict[str, float] = {}
    for name, weight in given.items():
        label = _canonical(name, content)
        if label not in content.labels:
            rule = "a content weight must be of a region of the photograph's mask"
            raise SettingsError(rule, repr(name), _nearest(name, content.labels))
        if not (math.isfinite(weight) and weight >= 0):
            raise SettingsError(f"the content weight of {label!r} must be a finite number ≥ 0", f"{weight:g}")
        weights[label] = float(weight)
    return weights


def _canonical(name: str, content: Mask) -> str:
    """The label of a colour that was written as #rrggbb; any other name as it is."""
    if name in content.labels or len(name) != 7 or not name.startswith("#"):
        return name
    try:
        color = torch.tensor(list(bytes.fromhex(name[1:]))) / 255
    except ValueError:
        return name
    return masks.color_name(color, content.palette)


def _nearest(name: str, known: Sequence[str]) -> str:
    near = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
    guess = f"did you mean {near[0]!r}? " if near else ""
    return f"{guess}there are: {', '.join(known)}"
