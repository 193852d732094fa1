"""What a painter has learned: the objective of what it paints of photographs that it has never seen, and a sheet."""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

from gramarye.fast.losses import Grams
from gramarye.fast.photographs import Photographs
from gramarye.fast.training import Training

MOST = 240  # pictures that are measured
SHOWN, IN_A_ROW = 6, 3  # styles on a sheet

Values = Mapping[str, float]
Picture = Float[Tensor, "1 3 height width"]
Sheet = Float[Tensor, "1 3 rows columns"]


@dataclass(frozen=True)
class Styles:
    """Some paintings by their names: what the objective asks of each, and what the painter is told of some of them."""

    names: tuple[str, ...]
    grams: Sequence[Grams]
    told: Callable[[list[int]], object]


def examine(training: Training, photographs: Photographs, styles: Styles) -> dict[str, Any]:
    """The objective's parts, a mean over `photographs` in the `styles`, of the painter's pictures and of photographs.

    A crop of each photograph, the same at every call; MOST pictures in all, so that of many photographs each style
    meets others. `painted` is what the painter reaches, `photograph` what it begins with, `paintings` the totals of
    each style.
    """
    photographs.generator.manual_seed(0)
    crops = [photographs.crop(place, training.crop) for place in range(len(photographs))]
    count = min(len(crops), max(1, MOST // len(styles.names)))
    found: dict[str, list[tuple[Values, Values]]] = {}
    for place, name in list(enumerate(styles.names))[:MOST]:
        chosen = [crops[(place * count + number) % len(crops)] for number in range(count)]
        batches = [chosen[at : at + training.batch] for at in range(0, count, training.batch)]
        found[name] = [pair for batch in batches for pair in _measured(training, torch.cat(batch), styles, place)]
    everything = [pair for pairs in found.values() for pair in pairs]
    return {
        "photographs": len(crops),
        "pictures": len(everything),
        "size": training.crop,
        **_means(everything),
        "paintings": {
            name: {key: each["total"] for key, each in _means(pairs).items()} for name, pairs in found.items()
        },
    }


def _measured(training: Training, pictures: Tensor, styles: Styles, place: int) -> list[tuple[Values, Values]]:
    """The parts of each picture as it is painted, and as it is."""
    pictures, count = pictures.to(training.device), len(pictures)
    wanted = {layer: gram.expand(count, -1, -1) for layer, gram in styles.grams[place].items()}
    with torch.no_grad():
        painted = training.paint(pictures, styles.told([place] * count)).clamp(0, 1)
        values = [training.losses.of(each, pictures, wanted) for each in (painted, pictures)]
    of_painted, of_pictures = ({kind: each.tolist() for kind, each in found.items()} for found in values)
    return [(_row(of_painted, index), _row(of_pictures, index)) for index in range(count)]


def _row(values: Mapping[str, list[float]], index: int) -> Values:
    return {kind: each[index] for kind, each in values.items()}


def _means(pairs: Sequence[tuple[Values, Values]]) -> dict[str, dict[str, float]]:
    return {key: mean([pair[which] for pair in pairs]) for which, key in enumerate(("painted", "photograph"))}


def mean(rows: Sequence[Values]) -> dict[str, float]:
    """The mean of each part of the objective over some rows, and their sum, `total`; none of no rows."""
    if not rows:
        return {}
    parts = {kind: statistics.fmean(row[kind] for row in rows) for kind in rows[0]}
    return {**parts, "total": math.fsum(parts.values())}


def sheet(training: Training, photograph: Picture, styles: Sequence[Styles]) -> Sheet:
    """The photograph in some of the styles, of each kind of styles half the places if there are two."""
    share = SHOWN // len(styles)
    told = [(each, place) for each in styles for place in range(min(share, len(each.names)))]
    picture = photograph.to(training.device)
    with torch.no_grad():
        painted = [training.paint(picture, each.told([place])).clamp(0, 1).cpu() for each, place in told]
    rows = [torch.cat(painted[at : at + IN_A_ROW], 3) for at in range(0, len(painted), IN_A_ROW)]
    width = rows[0].shape[3]
    return torch.cat([F.pad(row, (0, width - row.shape[3], 0, 0), value=1.0) for row in rows], 2)
