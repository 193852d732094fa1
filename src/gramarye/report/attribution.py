"""Drawings of what pulls each place: pulls, conflict, who leads, blame and its test, details lost."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from torch import Tensor

from gramarye.explain.attribution import Attribution, Lost
from gramarye.explain.blame import Blame, Deletion
from gramarye.explain.pulls import Pulls
from gramarye.images import to_uint8
from gramarye.report.drawing import (
    INK,
    KINDS,
    OTHER,
    QUIET,
    STYLE,
    WALL,
    WIDTH,
    Drawing,
    canvas,
    color_of,
    diverging,
    show,
)

COLUMNS = 4
DIM = 0.3  # how much of the picture's contrast is left beneath a map
TOP = 0.99  # quantile of a map that is drawn in full colour
AREA = 0.005  # a term that leads in less of the picture is not in the legend


def draw(section: Attribution) -> list[Drawing]:
    """The pulls, where they meet, who leads, who is to blame, and what was lost."""
    drawings = [_pulls(section.result, "result"), _conflict(section), _leaders(section)]
    if section.blames:
        drawings.append(_blames(section.blames, section.result.picture))
    if section.deletions:
        drawings.append(_deletions(section.deletions))
    return [*drawings, _lost(section.lost, section.photograph, section.result.picture)]


def _panels(count: int, picture: Tensor, columns: int = COLUMNS, below: float = 0.0) -> tuple[Any, list[Any]]:
    """A figure with a place for so many maps of a picture's shape, and some inches below them."""
    columns = min(columns, count)
    rows = math.ceil(count / columns)
    tall = picture.shape[2] / picture.shape[3]
    figure, axes = canvas(rows, columns, height=rows * (WIDTH / columns * tall + 0.25) + below)
    for axis in axes.flat[count:]:
        axis.set_axis_off()
    return figure, list(axes.flat[:count])


def over(axis: Any, picture: Tensor, values: Tensor, color: str, title: str) -> None:
    """A map, 1 1 h w ≥ 0, in one colour over the picture in pale grey; its top hundredth is in full colour."""
    from matplotlib.colors import to_rgb

    grey = to_uint8(picture.clamp(0, 1)).mean(2, keepdims=True) / 255
    base = np.array(to_rgb(WALL)) * (1 - DIM * (1 - grey))
    found = values[0, 0].float().numpy()
    strength = np.clip(found / (np.quantile(found, TOP) or 1.0), 0, 1)
    axis.imshow(base)
    extent = (-0.5, base.shape[1] - 0.5, base.shape[0] - 0.5, -0.5)
    layer = np.dstack([np.broadcast_to(to_rgb(color), (*strength.shape, 3)), strength])
    axis.imshow(layer, extent=extent, interpolation="nearest")
    axis.set_title(title, fontsize=8.5, loc="left", pad=3)
    axis.set_axis_off()


def _pulls(pulls: Pulls, where: str) -> Drawing:
    total = sum(pull.norm for pull in pulls.pulls) or 1.0
    shown = [pull for pull in pulls.pulls if pull.norm]
    figure, axes = _panels(len(shown) + 1, pulls.picture)
    show(axes[0], pulls.picture, f"the {where}")
    for axis, pull in zip(axes[1:], shown, strict=True):
        over(axis, pulls.picture, pull.map, KINDS.get(pull.kind, OTHER), f"{pull.term} · {pull.norm / total:.0%}")
    caption = (
        "Where each term wants to change the picture: the stronger the colour, the harder it pulls at that pixel (each "
        "map by itself). The per cent are its share of all pull: shallow layers care for single pixels, deep ones "
        "for whole shapes."
    )
    return Drawing(f"attribution-pulls-{where}", caption, figure, photographic=True)


def _conflict(section: Attribution) -> Drawing:
    figure, axes = _panels(4, section.result.picture, below=0.5)
    for place, (pulls, title) in enumerate(((section.start, "at the start"), (section.result, "at the result"))):
        show(axes[2 * place], pulls.picture, title)
        image = axes[2 * place + 1].imshow(-pulls.conflict[0, 0].numpy(), cmap=diverging(), vmin=-1, vmax=1)
        axes[2 * place + 1].set_title(f"cosine {pulls.cosine:+.2f}", fontsize=8.5, loc="left", pad=3)
        axes[2 * place + 1].set_axis_off()
    bar = figure.colorbar(image, ax=axes, orientation="horizontal", shrink=0.5, aspect=40, pad=0.02)
    bar.set_ticks([-1, 0, 1], labels=["they pull together", "across", "against each other"], fontsize=8, color=INK)
    bar.outline.set_visible(False)
    caption = (
        "Do content and style agree? Blue: both want the same change there. Orange: each would undo what the other "
        "does. The nearer a painting is to rest, the more of it is orange: it stands where the two pulls cancel."
    )
    return Drawing("attribution-conflict", caption, figure, photographic=True)


def _leaders(section: Attribution) -> Drawing:
    from matplotlib.patches import Patch

    figure, axes = _panels(4, section.result.picture, below=0.5)
    for place, (pulls, title) in enumerate(((section.start, "at the start"), (section.result, "at the result"))):
        show(axes[2 * place], pulls.picture, title)
        _colored(axes[2 * place + 1], pulls)
    handles = []
    for pull in section.result.pulls:
        first, last = (pulls.areas.get(pull.term, 0.0) for pulls in (section.start, section.result))
        if max(first, last) >= AREA:
            label = f"{pull.term}: {first:.0%} → {last:.0%}"
            handles.append(Patch(color=color_of(pull.kind, pull.layer), label=label))
    figure.legend(handles=handles, loc="outside lower center", ncols=4, frameon=False, fontsize=8, labelcolor=INK)
    caption = (
        "Who pulls hardest where: each place in the colour of the term that leads there, content blue, style orange, "
        "darker the deeper the layer, smoothness green. Below: each one's share of the picture, start and result."
    )
    return Drawing("attribution-leaders", caption, figure, photographic=True)


def _colored(axis: Any, pulls: Pulls) -> None:
    from matplotlib.colors import to_rgb

    colors = np.array([to_rgb(color_of(pull.kind, pull.layer)) for pull in pulls.pulls])
    grey = to_uint8(pulls.picture).mean(2, keepdims=True) / 255
    axis.imshow(np.clip(colors[pulls.leader[0, 0].numpy()] * (0.75 + 0.4 * (grey - 0.4)), 0, 1))
    axis.set_title("who leads", fontsize=8.5, loc="left", pad=3)
    axis.set_axis_off()


def _blames(blames: Sequence[Blame], picture: Tensor) -> Drawing:
    figure, axes = _panels(len(blames), picture)
    for axis, each in zip(axes, blames, strict=True):
        rows, columns = each.places.shape[2:]
        over(
            axis,
            picture,
            _grown(each.places, picture),
            KINDS[each.kind],
            f"{each.term} · {columns}×{rows}",
        )
    caption = (
        "Which places each term blames for what is left of it, seen in the layer itself, whose grid of places grows "
        "coarser with depth. Blue: where the photograph is missed most. Orange: what the picture has too much of."
    )
    return Drawing("attribution-blame", caption, figure, photographic=True)


def _grown(places: Tensor, picture: Tensor) -> Tensor:
    """A layer's map in the size of the picture, its places as tiles."""
    from torch.nn.functional import interpolate

    return interpolate(places, size=tuple(picture.shape[2:]), mode="nearest")


def _deletions(deletions: Sequence[Deletion]) -> Drawing:
    figure, axes = canvas(height=0.9 + 0.36 * len(deletions))
    axis = axes[0, 0]
    for row, each in enumerate(deletions):
        spread = np.linspace(-0.2, 0.2, len(each.random))
        axis.scatter(each.random, row + spread, s=10, color=QUIET, alpha=0.7, linewidth=0)
        axis.scatter([each.blamed], [row], s=90, color=color_of("style", each.layer), linewidth=0, zorder=3)
        right = max(each.blamed, *each.random)
        said = f"   {each.wins} of {len(each.random)}, p = {each.p:.1g}"
        axis.annotate(said, (right, row), va="center", fontsize=7.5, color=INK)
    axis.set_yticks(range(len(deletions)), [each.layer for each in deletions])
    axis.invert_yaxis()
    axis.set_xlim(left=0)
    axis.margins(x=0.2)
    axis.xaxis.set_major_formatter(lambda value, _: f"{value:.0%}")
    axis.set_xlabel("how much the term falls")
    caption = (
        "Can the blame be believed? A tenth of the places fades as far as helps the term: the most blamed tenth "
        "(large dot) against thirty random tenths (grey). Beside it: how many of those it beats, and how likely "
        "that is by chance."
    )
    return Drawing("attribution-deletion", caption, figure)


def _lost(lost: Lost, photograph: Tensor, result: Tensor) -> Drawing:
    figure, axes = _panels(3, result, columns=3)
    show(axes[0], photograph, "the photograph")
    show(axes[1], result, "the result")
    over(axes[2], result, lost.map, STYLE, f"{lost.share:.0%} of the photograph's edges are gone")
    caption = "Details of the photograph that the painting has covered: orange where an edge was and none is left."
    return Drawing("attribution-lost", caption, figure, photographic=True)
