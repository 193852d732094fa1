"""What pulls each place: which term, which layer, which way; what it is blamed for, and what it cost in detail."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

import torch
from torch import Tensor

from gramarye import detail
from gramarye.explain.blame import Blame, Deletion, blame, deletion
from gramarye.explain.pulls import Pulls, pulls_at
from gramarye.explain.section import Section, fixed
from gramarye.explain.subject import Subject
from gramarye.objective import objective_for
from gramarye.optimize import Descent
from gramarye.pulling import Work, part_of
from gramarye.settings import Settings
from gramarye.strength import strengthened

DEPTHS = {  # long sides of what is deleted and repainted, evaluations of repainting
    "quick": {"deletion": 128, "repaint": 128, "evaluations": 50},
    "full": {"deletion": 160, "repaint": 128, "evaluations": 60},
}
SMALL = 0.01  # p below which the deletion test is passed
MUCH = 0.3  # of the edges lost: less is what painting takes anyway
TENTH = 0.1
GATHERED = 0.3  # of what is lost, in the worst tenth of the picture: then a mask for that place may be worth it
DETAIL = 10.0  # content.detail of the first remedy: strong enough to be seen
STRENGTH = 0.6  # strength of the second, relative to what it was
HEAVIER = 4.0  # times the content weight, of the third


@dataclass(frozen=True)
class Remedy:
    """Knobs that may keep more detail, and the part of the edges that a small copy painted with them has lost."""

    knobs: dict[str, str]
    share: float


@dataclass(frozen=True)
class Lost:
    """The details of the photograph that the picture has lost, and what would keep more of them.

    `map`, 1 1 H W in [0, 1], is `detail.lost`; `share` is the part of the photograph's edges that is gone, and
    `gathered` the part of that which lies in the worst tenth of the picture. `before` is the share that a small copy
    loses as the settings are, `tried` what each remedy makes of it; None and empty where nothing needs it.
    """

    map: Tensor = field(repr=False)
    share: float
    gathered: float
    before: float | None
    tried: tuple[Remedy, ...]


@dataclass(frozen=True)
class Attribution(Section):
    """What pulls each place: of the result, and of the picture that the painting began with."""

    name: ClassVar[str] = "attribution"
    title: ClassVar[str] = "What pulls each place"

    photograph: Tensor = field(repr=False)
    result: Pulls
    start: Pulls
    blames: tuple[Blame, ...]
    deletions: tuple[Deletion, ...]
    lost: Lost

    @property
    def findings(self) -> tuple[str, ...]:
        """What the numbers of these pictures say."""
        found = (*_tug(self.result), *_start(self.start), *_lead(self.result), *_tested(self.deletions))
        return (*found, *_remedy(self.lost))


def _tug(pulls: Pulls) -> tuple[str, ...]:
    """How content and style stand to each other at the result."""
    how = "against each other" if pulls.cosine < 0 else "together"
    if not pulls.cosine:
        return ("At the result content or style does not pull at all, so that there is nothing to balance.",)
    said = f"At the result content and style pull {how} (cosine {pulls.cosine:+.2f} over all pixels)"
    where = f"in {pulls.opposed:.0%} of the picture clearly so (below −0.5)"
    rest = f"What is left when all pulls are added is {pulls.left:.0%} of their lengths; at rest it would be nothing."
    return (f"{said}, {where}.", rest)


def _start(pulls: Pulls) -> tuple[str, ...]:
    """Who pulls at the start; at the photograph itself content asks for nothing."""
    total = sum(pull.norm for pull in pulls.pulls)
    if not total:
        return ()
    hardest = max(pulls.pulls, key=lambda pull: pull.norm)
    content = sum(pull.norm for pull in pulls.pulls if pull.kind == "content") / total
    share = "content does not pull yet" if content < 1e-6 else f"content has {content:.0%} of the pull"
    against = f", with a cosine of {pulls.cosine:+.2f} to style" if pulls.cosine else ""
    return (f"At the start {share}{against}; hardest pulls {hardest.term}, with {hardest.norm / total:.0%}.",)


def _lead(pulls: Pulls) -> tuple[str, ...]:
    """Which terms lead where."""
    content = sum(pulls.areas[pull.term] for pull in pulls.pulls if pull.kind == "content")
    first = max(pulls.areas, key=pulls.areas.__getitem__)
    return (f"{first} pulls hardest in {pulls.areas[first]:.0%} of the result, content terms in {content:.0%}.",)


def _tested(deletions: tuple[Deletion, ...]) -> tuple[str, ...]:
    """Whether the blame passes the deletion test, for every term that was tested."""
    if not deletions:
        return ()
    passed = [each for each in deletions if each.p < SMALL]
    said = (
        f"The blame holds in {len(passed)} of {len(deletions)} layers: when the most blamed tenth of the places "
        f"fades, the term falls further than with a random tenth (p < {SMALL:g} over {len(deletions[0].random)} trials)"
    )
    failed = ", ".join(each.layer for each in deletions if each.p >= SMALL)
    most = max(deletions, key=lambda each: each.blamed)
    much = f"most in {most.layer}, by {most.blamed:.1%} against {most.mean:.1%}"
    return (f"{said}{f', not in {failed}' if failed else ''}; {much}.",)


def _remedy(lost: Lost) -> tuple[str, ...]:
    """How much detail is gone, and what keeps more, as measured."""
    said = f"The picture has lost {lost.share:.0%} of the photograph's edges"
    place = f"{lost.gathered:.0%} of that in the worst tenth of the picture"
    if lost.before is None:
        return (f"{said}, {place}: little enough to need no remedy.",)
    best = min(lost.tried, key=lambda each: each.share)
    others = ", ".join(f"{_written(each)}: {each.share:.0%}" for each in lost.tried if each is not best)
    told = f"Painted anew in small, where {lost.before:.0%} is lost as it is, {_written(best)} loses {best.share:.0%}"
    works = "keeps most" if best.share < lost.before else "does least harm, but keeps no more"
    own = " For a place of your own choice there is --region-content, with a mask." if lost.gathered >= GATHERED else ""
    return (f"{said}, {place}.", f"{told} and {works} ({others}).{own}")


def _written(remedy: Remedy) -> str:
    return " ".join(f"{name}={value}" for name, value in remedy.knobs.items())


def explain(subject: Subject, depth: str) -> Work[Attribution]:
    """Pulls at the result and at the start, blame and its test, and the details lost."""
    sizes = DEPTHS[depth]
    result = yield from part_of(pulls_at(subject.network, subject.objective, subject.result), 0.0, 0.35)
    start = yield from part_of(pulls_at(subject.network, subject.objective, subject.start), 0.35, 0.65)
    small = subject.shrunk(sizes["deletion"])
    tested = yield from part_of(_blames(small), 0.65, 0.85)
    lost = yield from part_of(_lost(subject, sizes["repaint"], sizes["evaluations"]), 0.85, 1.0)
    blames, deletions = tested
    return Attribution(
        photograph=subject.content.cpu(), result=result, start=start, blames=blames, deletions=deletions, lost=lost
    )


def _blames(subject: Subject) -> Work[tuple[tuple[Blame, ...], tuple[Deletion, ...]]]:
    """The blame of each content and style term at the result, and of the style terms the deletion test.

    Not of the content terms: their blame is the very share of the term that each place has.
    """
    terms = [term for term in subject.objective.terms if term.weight and term.kind in ("content", "style")]
    generator = fixed(subject.settings.seed)
    with torch.no_grad():
        activations = subject.network(subject.result, [term.layer for term in terms])
    blames, deletions = [], []
    for place, term in enumerate(terms):
        yield place / len(terms)
        blames.append(blame(term, activations[term.layer]))
        if term.kind == "style" and blames[-1].places.any():
            deletions.append(deletion(term, activations[term.layer], blames[-1].places, generator))
    return tuple(blames), tuple(deletions)


def share_lost(photograph: Tensor, painted: Tensor) -> tuple[float, float]:
    """The part of the photograph's edges that a painting of the same size (both 1 3 H W) has lost, and its gathering.

    Σ e·(1 − ρ) / Σ e, with e = `detail.edges` and ρ = `detail.kept`; and the part of Σ e·(1 − ρ) in that tenth of
    the pixels where it is largest: 0.1 where it is alike everywhere.
    """
    edges = detail.edges(photograph)
    gone = (edges * (1 - detail.kept(photograph, painted))).flatten()
    total, whole = float(gone.sum()), float(edges.sum())
    worst = float(gone.topk(max(1, round(TENTH * len(gone)))).values.sum())
    return (total / whole if whole else 0.0), (worst / total if total else TENTH)


def remedies(settings: Settings) -> tuple[dict[str, str], ...]:
    """Knobs that keep more detail: where it was lost; everywhere, painting less; or weighing the photograph more."""
    return (
        {"content.detail": f"{min(max(DETAIL, 2 * settings.content.detail), 100):g}", "content.detail_from": "lost"},
        {"strength": f"{STRENGTH * settings.strength:.2g}"},
        {"content.weight": f"{min(HEAVIER * settings.content.weight, 1e12):g}"},
    )


def _lost(subject: Subject, side: int, evaluations: int) -> Work[Lost]:
    found = detail.lost(subject.content, subject.result)
    share, gathered = share_lost(subject.content, subject.result)
    if share < MUCH:
        return Lost(found.cpu(), share, gathered, None, ())
    small, changes = subject.shrunk(side), ({}, *remedies(subject.settings))
    shares = []
    for place, knobs in enumerate(changes):
        ends = place / len(changes), (place + 1) / len(changes)
        painted = yield from part_of(_repainted(small, knobs, evaluations), *ends)
        shares.append(share_lost(small.content, painted)[0])
    tried = tuple(Remedy(*pair) for pair in zip(changes[1:], shares[1:], strict=True))
    return Lost(found.cpu(), share, gathered, shares[0], tried)


def _repainted(subject: Subject, knobs: dict[str, str], evaluations: int) -> Work[Tensor]:
    """The small picture painted anew in one size, with some knobs changed."""
    settings, network = subject.settings.with_(**knobs), subject.painting.network
    content = settings.content
    places = None
    if content.detail:
        lost = content.detail_from == "lost"
        places = 1 + content.detail * (
            detail.lost(subject.content, subject.result) if lost else detail.edges(subject.content)
        )
    objective = objective_for(network, subject.content, subject.styles, settings, detail=places)
    objective = strengthened(objective, settings.strength)
    start = subject.content + min(settings.strength, 1.0) * (subject.start - subject.content)
    descent = Descent(start, objective, network, settings.optimizer, seed=settings.seed)
    for step in descent.steps(evaluations):
        yield min(step.index / evaluations, 1.0)
    return descent.pixels.clamp(0, 1)
