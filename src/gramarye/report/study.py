"""The drawings of a study's report: loss curves, effects with intervals, interactions, shares, the front."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from typing import Any

from gramarye import scores
from gramarye.report.drawing import CONTENT, DPI, INK, OTHER, QUIET, STYLE, Drawing, canvas
from gramarye.study.effects import Effect, Interaction
from gramarye.study.findings import Chapter, Curve, Front
from gramarye.study.wording import short, word

MOST_CURVES, MOST_EFFECTS, MOST_INTERACTIONS = 10, 12, 6
# Blue and orange are content's and style's: what is neither has other colours.
SHADES = ("#3b7a78", "#8a5a83", "#7a8b69", "#b8860b", "#5b6770", "#a8434f", "#c98bb9", "#4f5d2f", "#a39171", "#6d8fa0")
MARKS = "osD^vPX*"  # of scores of one kind
HIGHEST = 3.0  # of a curve divided by its first value


def draw(chapter: Chapter) -> list[Drawing]:
    """Whatever can be drawn of a chapter so far."""
    made = [_curves(chapter), _effects(chapter), _interactions(chapter), _shares(chapter), _front(chapter)]
    return [drawing for drawing in made if drawing is not None]


def color_of(score: str) -> str:
    """Blue for scores of content, orange for style."""
    known = scores.SCORES.get(score.partition("@")[0])
    return {"content": CONTENT, "style": STYLE}.get(known.kind if known else "", OTHER)


def _plain(text: str) -> str:
    """Text that matplotlib takes as it is."""
    return text.replace("$", r"\$")


def _curves(chapter: Chapter) -> Drawing | None:
    """The loss of each trial of the first pair, as in Joshi and Hu's Figure 6."""
    pair = chapter.curves[0].pair if chapter.curves else ""
    found = spread([curve for curve in chapter.curves if curve.pair == pair and len(curve.points) > 1], MOST_CURVES)
    if not found:
        return None
    figure, axes = canvas(height=4.0)
    axis = axes[0, 0]
    for curve, color in zip(found, SHADES, strict=False):
        steps, values = _drawn(curve, relative=bool(chapter.relative))
        axis.plot(steps, values, color=color, label=_plain(curve.label))
        axis.plot(steps[-1:], values[-1:], "o", color=color, markersize=4)
    if all(value > 0 for curve in found for _, value in curve.points):
        axis.set_yscale("log")
    axis.set(xlabel="evaluation", ylabel="total loss ÷ the first" if chapter.relative else "total loss")
    if chapter.relative:
        axis.set_ylim(top=min(HIGHEST, axis.get_ylim()[1]))
    _legend(figure, axis.get_legend_handles_labels()[0], 3, chapter.order)
    left = len({curve.label for curve in chapter.curves}) - len(found)
    caption = f"The total loss as the pictures are painted ({pair}); the dot is the last evaluation."
    if chapter.relative:
        caption += " Each curve is divided by its first value: shapes can be compared, heights cannot."
    return Drawing("curves", caption + (f" {left} more are in the store." if left > 0 else ""), figure)


def _drawn(curve: Curve, *, relative: bool) -> tuple[list[int], list[float]]:
    first = curve.points[0][1] if relative else 1.0
    return [step for step, _ in curve.points], [value / (first or 1.0) for _, value in curve.points]


def spread(found: Sequence[Any], most: int) -> list[Any]:
    """At most so many of them, evenly from first to last."""
    if len(found) <= most:
        return list(found)
    return [found[round(index * (len(found) - 1) / (most - 1))] for index in range(most)]


def _effects(chapter: Chapter) -> Drawing | None:
    """The largest effects, in standard deviations of their score, each with its interval."""
    by_level: dict[tuple[str, str], list[Effect]] = {}
    for each in chapter.effects:
        by_level.setdefault((each.axis, word(each.level)), []).append(each)
    largest = sorted(by_level.values(), key=lambda own: -max(abs(each.size) for each in own))[:MOST_EFFECTS]
    if not largest or not any(each.size for own in largest for each in own):
        return None
    names = list(dict.fromkeys(each.score for each in chapter.effects))
    marks = _marks(names)
    figure, axes = canvas(height=0.9 + len(largest) * (0.16 * len(names) + 0.22))
    axis, ticks, y = axes[0, 0], [], 0.0
    for own in largest:
        begin = y
        for each in own:
            _bar(axis, each, y, marks[each.score])
            y -= 1
        ticks.append(
            ((begin + y + 1) / 2, f"{short(own[0].axis)} {word(own[0].level)}\nagainst {word(own[0].reference)}")
        )
        y -= 1.2
    axis.axvline(0, color=QUIET, linewidth=0.8)
    axis.set_yticks([place for place, _ in ticks], [_plain(textwrap.shorten(text, 60)) for _, text in ticks], color=INK)
    axis.set(xlabel="difference in standard deviations of the score", ylim=(y + 0.6, 1))
    axis.tick_params(axis="y", length=0)
    handles = [axis.plot([], [], marks[name], color=color_of(name), label=name)[0] for name in names]
    _legend(figure, handles, 3)
    left = len(by_level) - len(largest)
    caption = (
        "What each level does to each score, against the reference; the line is the 95 % interval, a hollow mark has "
        "none. Blue scores are of content, orange ones of style."
    )
    return Drawing("effects", caption + (f" {left} smaller ones are in effects.csv." if left else ""), figure)


def _marks(names: Sequence[str]) -> dict[str, str]:
    """A mark for each score that no other of its colour has."""
    kinds = [color_of(name) for name in names]
    return {name: MARKS[kinds[:index].count(kinds[index]) % len(MARKS)] for index, name in enumerate(names)}


def _legend(figure: Any, handles: Sequence[Any], columns: int, title: str = "") -> None:
    """A legend below everything."""
    known = {"title": _plain(title), "title_fontsize": 8} if title else {}
    figure.legend(handles=list(handles), loc="outside lower center", ncols=columns, frameon=False, fontsize=8, **known)


def _bar(axis: Any, effect: Effect, y: float, mark: str) -> None:
    """One effect: its score's mark, and its interval as a line."""
    gap, color = effect.difference, color_of(effect.score)
    scale = effect.size / gap.value if gap.value else 0.0
    if gap.low is not None and gap.high is not None:
        axis.plot([gap.low * scale, gap.high * scale], [y, y], color=color, alpha=0.55, linewidth=1.6)
    face = color if gap.low is not None else "none"
    axis.plot([effect.size], [y], mark, color=color, markerfacecolor=face, markersize=4)


def _interactions(chapter: Chapter) -> Drawing | None:
    """The largest interactions: parallel lines would be none."""
    found = chapter.interactions[:MOST_INTERACTIONS]
    if not found or not any(each.size for each in found):
        return None
    columns = min(3, len(found))
    rows = -(-len(found) // columns)
    figure, axes = canvas(rows, columns, height=2.9 * rows)
    for axis in axes.flat[len(found) :]:
        axis.set_axis_off()
    for axis, each in zip(axes.flat, found, strict=False):
        _crossing(axis, each)
    caption = (
        "The largest interactions. Were there none, the two lines of a panel would be parallel: how far they are from "
        "it is the difference of differences, written above with its 95 % interval."
    )
    return Drawing("interactions", caption, figure)


def _crossing(axis: Any, each: Interaction) -> None:
    (here, there), (level, other) = each.references, each.levels
    both, first, second, neither = each.means
    axis.plot([0, 1], [neither, first], "o-", color=QUIET, label=_plain(f"{short(each.axes[1])} {word(there)}"))
    axis.plot(
        [0, 1], [second, both], "o-", color=color_of(each.score), label=_plain(f"{short(each.axes[1])} {word(other)}")
    )
    axis.set_xticks([0, 1], [_plain(word(here)), _plain(word(level))])
    axis.set(xlim=(-0.25, 1.25), xlabel=_plain(short(each.axes[0])))
    gap = each.difference
    interval = "" if gap.low is None else f" [{gap.low:+.2g}, {gap.high:+.2g}]"
    axis.set_title(_plain(f"{each.score}\n{gap.value:+.2g}{interval}"), fontsize=8)
    axis.legend(fontsize=7, frameon=False)


def _shares(chapter: Chapter) -> Drawing | None:
    """How much of each score's variation each axis accounts for."""
    found = [each for each in chapter.importances if each.r2 is not None]
    if not found:
        return None
    names = list(dict.fromkeys(name for each in found for name in each.shares))
    names = sorted(names, key=lambda name: -max(each.shares.get(name, 0) for each in found))[: len(SHADES) - 1]
    figure, axes = canvas(height=1.0 + 0.34 * len(found))
    axis = axes[0, 0]
    for row, each in enumerate(found):
        left = 0.0
        for name, color in zip(names, SHADES, strict=False):
            axis.barh(-row, each.shares.get(name, 0), left=left, color=color, height=0.62)
            left += each.shares.get(name, 0)
        axis.text(1.01, -row, f"R² {each.r2:.2f}", va="center", fontsize=8, color=INK)
    axis.set_yticks([-row for row in range(len(found))], [each.score for each in found], color=INK)
    axis.set(xlim=(0, 1), xlabel="share of the variation")
    axis.tick_params(axis="y", length=0)
    handles = [
        axis.barh(0, 0, color=color, label=_plain(" × ".join(map(short, name.split(" × ")))))
        for name, color in zip(names, SHADES, strict=False)
    ]
    _legend(figure, handles, 3)
    caption = (
        "How much of each score's variation every axis accounts for: Sobol indices of a linear model, with two-way "
        "interactions where these foretell better. R² says how well that "
        "model foretells trials that it has not seen; near or below zero the shares mean nothing."
    )
    return Drawing("shares", caption, figure)


def _front(chapter: Chapter) -> Drawing | None:
    """Content lost against style missing."""
    front = chapter.front
    if front is None:
        return None
    figure, axes = canvas(height=4.6)
    axis = axes[0, 0]
    best = sorted((point.x, point.y) for point in front.points if point.on_front)
    axis.step(*zip(*best, strict=True), where="post", color=QUIET, linewidth=1)
    for point in front.points:
        color = INK if point.on_front else QUIET
        axis.plot(point.x, point.y, "o", color=color, markersize=6 if point.on_front else 4)
    _label_points(axis, front)
    axis.set_xlabel(f"content lost: {front.content} →", color=CONTENT)
    axis.set_ylabel(f"style missing: {front.style} →", color=STYLE)
    order = f" Labels: {chapter.order}." if chapter.order else ""
    fair = "These" if front.held_out else "Not all of these"
    caption = (
        "Towards the lower left both content and style are better. Dark dots, on the line, are not beaten in both "
        f"by any other.{order} Means over the pairs. {fair} scores are taken at layers that no trial optimised."
    )
    return Drawing("front", caption, figure)


LETTER, LINE = 4.0, 9.0  # typographical points that a letter and a line of a label take


def _label_points(axis: Any, front: Front) -> None:
    """Names beside the points, those on the front first, as far as there is room."""
    axis.margins(0.12)
    axis.autoscale_view()
    taken: list[tuple[float, float, float, float]] = []
    for point in sorted(front.points, key=lambda each: (not each.on_front, each.x, each.y)):
        text = _plain(textwrap.shorten(point.brief, 40, placeholder=" …"))
        x, y = (72 / DPI * float(each) for each in axis.transData.transform((point.x, point.y)))  # typographical points
        for right, up in ((6, 6), (6, -11), (-6, 6), (-6, -11)):
            width = LETTER * len(text)
            left = x + right if right > 0 else x + right - width
            box = (left, y + up, left + width, y + up + LINE)
            if not any(_overlap(box, other) for other in taken):
                taken.append(box)
                side = "left" if right > 0 else "right"
                place = {"xytext": (right, up), "textcoords": "offset points", "ha": side}
                axis.annotate(text, (point.x, point.y), fontsize=7.5, color=INK, **place)
                break


def _overlap(one: tuple[float, float, float, float], other: tuple[float, float, float, float]) -> bool:
    """Whether two boxes (left, bottom, right, top) have anything in common."""
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]
