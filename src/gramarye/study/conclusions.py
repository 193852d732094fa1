"""What may and may not be concluded from a study, in sentences made from its numbers."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from gramarye.study.effects import PAIRS, Effect, Interaction, Interval, by_chance
from gramarye.study.wording import named, short, signed, word

if TYPE_CHECKING:
    from gramarye.study.findings import Chapter
    from gramarye.study.grids import Column, Row

TOLD = 3  # effects of each sort
WEAK = 0.3  # cross-validated R² below which shares of variance are not to be relied on


def concluded(chapter: Chapter) -> Chapter:
    """The chapter with its conclusions."""
    return replace(chapter, conclusions=tuple(_sentences(chapter)))


def _sentences(chapter: Chapter) -> Iterator[str]:
    done = chapter.states.get("done", 0)
    if not done:
        yield "Nothing is finished yet, so nothing can be concluded."
        return
    yield from _progress(chapter)
    yield from _reach(chapter)
    yield from _refusals(chapter)
    yield from _best(chapter)
    yield from _effects(chapter)
    yield from _interactions(chapter)
    yield from _shares(chapter)


def _progress(chapter: Chapter) -> Iterator[str]:
    whole = sum(chapter.states.values())
    left = chapter.states.get("waiting", 0) + chapter.states.get("running", 0)
    if left:
        yield (
            f"{chapter.states['done']} of {whole} trials are finished; {left} are not, and what is said below may "
            "change."
        )
    lost = chapter.states.get("failed", 0) + chapter.states.get("set aside", 0)
    if lost:
        yield f"{lost} of {whole} trials came to nothing and are left out of every mean; their errors are below."


def _reach(chapter: Chapter) -> Iterator[str]:
    """What the numbers speak of: these pictures, pictures like them, this seed."""
    pairs = len(chapter.pairs)
    if pairs >= PAIRS:
        yield f"Intervals are over {pairs} pairs of pictures: they speak of pairs like these, chosen as these were."
    else:
        which = "one pair" if pairs == 1 else f"{pairs} pairs"
        yield f"There is only {which} of pictures: nothing here speaks of other pictures."
    if chapter.noise:
        name, (noise, freedom) = next(iter(chapter.noise.items()))
        if not any(deviation for deviation, _ in chapter.noise.values()):
            yield "Other seeds paint the same: nothing here is random, and an interval over seeds alone has no width."
            return
        yield (
            f"Between seeds, with all else equal, {name} varies by a standard deviation of {noise:.3g} ({freedom} "
            f"degrees of freedom): two single trials that differ by less than {2.8 * noise:.2g} may well "
            "differ by the seed alone."
        )
    else:
        yield "No trial was repeated with another seed: how much of a difference is chance is not known."


def _refusals(chapter: Chapter) -> Iterator[str]:
    for column in _columns(chapter):
        if column.name == "total" and column.refused:
            yield f"The losses of this table are not ranked: {column.refused.rstrip('.')}."


def _columns(chapter: Chapter) -> tuple[Column, ...]:
    return chapter.grids[0].columns if chapter.grids else ()


def _best(chapter: Chapter) -> Iterator[str]:
    """Whether the lowest loss is also the best by scores that were not optimised."""
    columns, front = _columns(chapter), chapter.front
    total = next((column for column in columns if column.name == "total"), None)
    if front is not None:
        best = [point for point in front.points if point.on_front]
        some = ", ".join(point.label for point in best[:4]) + (" and others" if len(best) > 4 else "")
        yield (
            f"Between content kept ({front.content}) and style taken ({front.style}), {len(best)} of "
            f"{len(front.points)} choices are not beaten in both by another: {some}."
        )
    if total is None or total.refused or not chapter.grids:
        return
    rows: list[Row] = [row for row in chapter.grids[0].rows if "total" in row.values]
    if len(rows) > 1:
        lowest = min(rows, key=lambda row: row.values["total"].value)
        won = [
            column.name
            for column in columns
            if column.name in lowest.best and column.name not in {"total", "content", "style"}
        ]
        judged = [column.name for column in columns if column.name not in {"total", "content", "style"}]
        if judged:
            yield (
                f"The lowest total loss is that of {named(chapter.grids[0].axes, lowest.levels)}; it is also the best "
                f"by {len(won)} of {len(judged)} scores" + (f" ({', '.join(won)})." if won else ".")
            )


def _effects(chapter: Chapter) -> Iterator[str]:
    known, beyond, chance = by_chance(chapter.effects)
    if known:
        yield (
            f"Of {known} main effects with an interval, {beyond} exclude zero; {chance:.1f} would by chance alone if "
            "nothing had any effect. The intervals are not corrected for their number."
        )
    elif chapter.effects:
        yield "No effect has an interval, since nothing was repeated: differences are shown as they are."
    sure = sorted((each for each in chapter.effects if each.difference.excludes_zero), key=lambda each: -abs(each.size))
    for each in sure[:TOLD]:
        yield _effect(each)


def _effect(effect: Effect) -> str:
    gap = effect.difference
    return (
        f"{short(effect.axis)} {word(effect.level)} against {word(effect.reference)} changes {effect.score} by "
        f"{signed(gap.value)} (95 % interval {_interval(gap)}, {gap.n} {gap.over}), "
        f"{abs(effect.size):.1f} standard deviations."
    )


def _interval(gap: Interval) -> str:
    return "none" if gap.low is None or gap.high is None else f"{signed(gap.low)} … {signed(gap.high)}"


def _interactions(chapter: Chapter) -> Iterator[str]:
    if len(chapter.axes) > 1 and not chapter.interactions:
        yield (
            f"The design ({chapter.design}) does not vary two knobs together, so it cannot tell whether the effect of "
            "one depends on another."
        )
        return
    known, beyond, chance = by_chance(chapter.interactions)
    if known:
        yield f"Of {known} interactions with an interval, {beyond} exclude zero; {chance:.1f} would by chance alone."
    for each in [each for each in chapter.interactions if each.difference.excludes_zero][:TOLD]:
        yield _interaction(each)


def _interaction(each: Interaction) -> str:
    gap, (first, second) = each.difference, each.axes
    return (
        f"The effect of {short(first)} {word(each.levels[0])} on {each.score} depends on {short(second)}: it is "
        f"{signed(gap.value)} (95 % interval {_interval(gap)}, {gap.n} {gap.over}) higher "
        f"with {word(each.levels[1])} than with {word(each.references[1])}."
    )


def _shares(chapter: Chapter) -> Iterator[str]:
    weak = [each.score for each in chapter.importances if each.r2 is not None and each.r2 < WEAK]
    if weak:
        yield (
            f"The shares of variation of {', '.join(weak)} are not to be relied on: their model predicts unseen trials "
            f"with an R² below {WEAK}."
        )
