"""Draws the Gram loss as a kernel's: both routes to one number, and what other statistics paint."""

from __future__ import annotations

from collections.abc import Sequence

from gramarye.explain.kernels import Identity, Kernels, Painted
from gramarye.report.drawing import INK, QUIET, STYLE, Drawing, canvas, sequential, strip

COLUMNS = 4


def draw(section: Kernels) -> list[Drawing]:
    """The identity, the paintings, and the matrix of their distances."""
    drawings = [_identity(section.identities)]
    if section.paintings:
        drawings += [_paintings(section), _distances(section.paintings)]
    return drawings


def _identity(identities: Sequence[Identity]) -> Drawing:
    figure, axes = canvas(height=3.3)
    axis, across = axes[0, 0], range(len(identities))
    routes = (
        ("MMD² with the kernel (xᵀy)², a sum over pairs of positions", STYLE, [each.kernel for each in identities]),
        ("‖G − A‖², the Gram loss times 4N²", INK, [each.gram for each in identities]),
    )
    for number, (label, color, values) in enumerate(routes):
        axis.bar([place + 0.4 * number - 0.2 for place in across], values, width=0.36, color=color, label=label)
    for place, each in zip(across, identities, strict=True):
        top = max(each.kernel, each.gram)
        axis.text(place, top * 1.25, f"differ by {each.difference:.0e}", ha="center", fontsize=7.5, color=QUIET)
    if all(min(values) > 0 for _, _, values in routes):  # the result may be the painting itself
        axis.set_yscale("log")
        least, most = (choose(each for _, _, values in routes for each in values) for choose in (min, max))
        axis.set_ylim(least / 10, most * 10)
    axis.set_xticks(list(across), [each.layer for each in identities])
    axis.set_ylabel("result against painting")
    axis.legend(loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=2, fontsize=8, frameon=False)
    caption = (
        "Two routes to one number. Orange: how differently the activations of result and painting are distributed, by "
        "comparing every position with every other; no Gram matrix is made. Dark: the style loss as it is painted with."
    )
    return Drawing("identity", caption, figure)


def _paintings(section: Kernels) -> Drawing:
    named = [
        (f"{each.statistic}: {each.distances[each.statistic]:.0%} left", each.pixels) for each in section.paintings
    ]
    caption = (
        f"The same photograph after {section.evaluations} evaluations, matched with the painting by other statistics "
        "of the same activations; the per cent are what is left of the photograph's distance."
    )
    pictures = [("the painting", section.style), *named]
    return Drawing("paintings", caption, strip(pictures, columns=COLUMNS), photographic=True)


def _distances(paintings: Sequence[Painted]) -> Drawing:
    names = [each.statistic for each in paintings]
    values = [[each.distances[name] for name in names] for each in paintings]
    figure, axes = canvas(height=4.4)
    axis = axes[0, 0]
    axis.imshow(
        [[value**0.5 for value in row] for row in values], cmap=sequential(STYLE), vmin=0, vmax=1, aspect="auto"
    )
    for row, line in enumerate(values):
        for column, value in enumerate(line):
            least = value <= min(other[column] for other in values)
            weight = "bold" if least else "normal"
            axis.text(column, row, f"{value:.1%}", ha="center", va="center", fontsize=9, color=INK, weight=weight)
    axis.set_xticks(range(len(names)), names)
    axis.set_yticks(range(len(names)), names)
    axis.xaxis.tick_top()
    axis.tick_params(length=0)
    axis.spines[:].set_visible(False)
    axis.xaxis.set_label_position("top")
    axis.set_xlabel("measured by")
    axis.set_ylabel("painted with")
    caption = (
        "What is left of the photograph's distance to the painting: each row is a picture, each column a statistic to "
        "measure it by. The least of each column is bold."
    )
    return Drawing("distances", caption, figure)
