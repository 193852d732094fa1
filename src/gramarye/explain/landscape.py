"""The loss around the result: along a descent of its own, and on the way from photograph to painting.

Slices through a function of so many dimensions after Li et al. 2018, "Visualizing the Loss Landscape of Neural Nets",
section 7: the plane is that of the first two principal components of the pictures of a descent, seen from its last.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import ClassVar

import torch
from jaxtyping import Float
from torch import Tensor

from gramarye import starts
from gramarye.explain.section import Section, fixed
from gramarye.explain.subject import Subject
from gramarye.objective import Objective
from gramarye.optimize import Descent
from gramarye.pulling import Work, part_of
from gramarye.vgg import VGG

KINDS = ("total", "content", "style")
DEPTHS = {  # long side of the descent, its evaluations, points along each side of the plane; of the way, and its steps
    "quick": {"side": 112, "evaluations": 50, "points": 15, "way": 256, "steps": 10},
    "full": {"side": 128, "evaluations": 80, "points": 17, "way": 256, "steps": 12},
}
MARGIN = 0.2  # of the track's extent, around it
STOPS = (0.0, 0.5, 1.0, 1.5, 2.0)  # of which pictures are shown
NONE = 1e-10  # a component of so small a share of the largest is nothing but rounding


@dataclass(frozen=True)
class Plane:
    """The loss on the plane of the first two principal components of a descent, through its last picture.

    `across` and `up` are the coordinates of the grid in units of pixel distance (root of the sum of squares, colours
    in [0, 1]); `surfaces` has the loss at each point, rows by `up` and columns by `across`, by kind: total, content,
    style. `track` K 2 is the descent in those coordinates, `losses` its total at each of the K pictures; the last is
    the origin. `variance` is each component's share of the squared distances of the track from its end.
    """

    size: tuple[int, int]
    across: tuple[float, ...]
    up: tuple[float, ...]
    surfaces: dict[str, Tensor] = field(repr=False)
    track: Tensor = field(repr=False)
    losses: tuple[float, ...]
    variance: tuple[float, float]


@dataclass(frozen=True)
class Path:
    """The loss on the straight way from the photograph (0) over the result (1) to the painting (2), by kind.

    `at` are the places on the way, `curves` the loss there: total, content, style. `pictures` are at `stops`.
    `fitted` says what was done to the painting to bring it to the photograph's shape.
    """

    size: tuple[int, int]
    at: tuple[float, ...]
    curves: dict[str, tuple[float, ...]]
    stops: tuple[float, ...]
    pictures: tuple[Tensor, ...] = field(repr=False)
    fitted: str


@dataclass(frozen=True)
class Landscape(Section):
    """The loss around the result, and on the way to it and beyond."""

    name: ClassVar[str] = "landscape"
    title: ClassVar[str] = "The lie of the land around the result"

    plane: Plane
    path: Path

    @property
    def findings(self) -> tuple[str, ...]:
        """What the numbers of these pictures say."""
        return (*_of_plane(self.plane), *_of_path(self.path))


def _of_plane(plane: Plane) -> tuple[str, ...]:
    """How much of the way lies in the plane, and whether its end is the lowest point there."""
    height, width = plane.size
    held = sum(plane.variance)
    first, last, lowest = plane.losses[0], plane.losses[-1], float(plane.surfaces["total"].min())
    fell = f"A descent at {width}×{height} went from {first:.3g} to {last:.3g} in {len(plane.losses) - 1} evaluations"
    where = f"the plane of its first two principal components holds {held:.0%} of the squared distances to its end"
    if lowest >= last:
        end = "No point of the grid in that plane is lower than the end."
    else:
        end = f"The lowest point of the grid in that plane is {1 - lowest / last:.0%} below the end: it could go on."
    return (f"{fell}; {where}.", end)


def _of_path(path: Path) -> tuple[str, ...]:
    """How the loss goes over the two legs, and where it is lowest and highest."""
    total = path.curves["total"]
    ends = {stop: total[path.at.index(stop)] for stop in (0.0, 1.0, 2.0)}
    if not ends[1.0]:
        return ("At the result the loss is nothing.",)
    first, last = (ends[stop] / ends[1.0] for stop in (0.0, 2.0))
    said = f"The photograph's loss is {first:.3g} times the result's, the painting's {last:.3g} times"
    low = path.at[total.index(min(total))]
    lowest = "the result is the lowest point of the straight way between" if low == 1 else _elsewhere(low, total, ends)
    legs = [path.curves[kind] for kind in ("content", "style")]
    middle = path.at.index(1.0)
    ways = [f"{kind} {_course(leg[: middle + 1])}" for kind, leg in zip(("content", "style"), legs, strict=True)]
    return (f"{said}; {lowest}.", f"From the photograph to the result {ways[0]}, {ways[1]}.")


def _elsewhere(low: float, total: Sequence[float], ends: Mapping[float, float]) -> str:
    below = f"{1 - min(total) / ends[1.0]:.1%} below the result"
    if low in (0.0, 2.0):
        return f"the {'painting' if low else 'photograph'} itself is the lowest point, {below}"
    way = f"{low:.0%} of the way from the photograph" if low < 1 else f"{low - 1:.0%} of the way on to the painting"
    return f"the lowest point lies {way}, {below}"


def _course(curve: Sequence[float]) -> str:
    """Rises, falls, or over a ridge: how a curve goes from its first to its last value."""
    first, last, most = curve[0], curve[-1], max(curve)
    if most > 1.05 * max(first, last):
        return f"passes a ridge {most / max(first, last):.2g} times as high as its higher end"
    way = "rises" if last > first else "falls" if last < first else "stays"
    return f"{way} from {first:.3g} to {last:.3g}"


def explain(subject: Subject, depth: str) -> Work[Landscape]:
    """The plane of a small descent, and the way from the photograph over the result to the painting."""
    knobs = DEPTHS[depth]
    small = subject.shrunk(knobs["side"])
    plane = yield from part_of(_plane(small, knobs["evaluations"], knobs["points"]), 0.0, 0.7)
    path = yield from part_of(_path(subject.shrunk(knobs["way"]), knobs["steps"]), 0.7, 1.0)
    return Landscape(plane=plane, path=path)


def losses_at(network: VGG, objective: Objective, pixels: Tensor) -> dict[str, float]:
    """The loss of a picture, 1 3 H W, by kind: total, and of it content and style."""
    with torch.no_grad():
        values = objective.values(network(pixels, objective.layers))
    weighted = [(term.kind, term.weight * float(values[term.name])) for term in objective.terms if term.weight]
    return {kind: math.fsum(value for of, value in weighted if kind in ("total", of)) for kind in KINDS}


def principal_components(
    differences: Float[Tensor, "k d"], generator: torch.Generator
) -> tuple[Float[Tensor, "2 d"], tuple[float, float]]:
    """The first two principal directions of the rows X (not centred), orthonormal, with their shares of Σ‖X‖².

    From the K×K matrix XXᵀ = U·S·Uᵀ: the directions are Xᵀu/√s, the shares s/ΣS. The sign is such that
    the first row does not lie on the negative side. Where there is no further direction, a random one takes its place,
    with a share of 0.
    """
    wide = differences.double()
    vectors, values, _ = torch.linalg.svd(wide @ wide.T)
    total = float(values.sum()) or 1.0
    found: list[Tensor] = []
    shares: list[float] = []
    for place in range(2):
        real = place < len(values) and float(values[place]) > NONE * total
        direction = wide.T @ vectors[:, place] if real else torch.randn(wide.shape[1], generator=generator).to(wide)
        for other in found:
            direction = direction - (direction @ other) * other
        direction = direction / direction.norm()
        found.append(-direction if real and float(wide[0] @ direction) < 0 else direction)
        shares.append(float(values[place]) / total if real else 0.0)
    return torch.stack(found).to(differences.dtype), (shares[0], shares[1])


def _plane(subject: Subject, evaluations: int, points: int) -> Work[Plane]:
    """A descent at this size, and the loss on the plane of its principal components."""
    network, objective, settings = subject.network, subject.objective, subject.settings
    descent = Descent(subject.start, objective, network, settings.optimizer, seed=settings.seed)
    pictures, losses = [descent.pixels.cpu().clone()], []
    for step in descent.steps(evaluations):
        pictures.append(step.pixels.cpu().clone())
        losses.append(step.total)
        yield 0.4 * min(step.index / evaluations, 1.0)
    losses.append(losses_at(network, objective, pictures[-1].to(subject.content))["total"])
    differences = torch.stack([each.flatten() for each in pictures]) - pictures[-1].flatten()
    directions, variance = principal_components(differences, fixed(settings.seed))
    track = differences @ directions.T
    across, up = (_extent(track[:, axis], points) for axis in (0, 1))
    surfaces = {kind: torch.zeros(points, points) for kind in KINDS}
    for row, high in enumerate(up):
        for column, far in enumerate(across):
            moved = (far * directions[0] + high * directions[1]).view_as(pictures[-1])
            found = losses_at(network, objective, (pictures[-1] + moved).to(subject.content))
            for kind in KINDS:
                surfaces[kind][row, column] = found[kind]
            yield 0.4 + 0.6 * (row * points + column + 1) / points**2
    return Plane(subject.size, across, up, surfaces, track, tuple(losses), variance)


def _extent(coordinates: Tensor, points: int) -> tuple[float, ...]:
    """So many points over the extent of the track and a margin around it; at least a unit wide."""
    low, high = float(coordinates.min()), float(coordinates.max())
    margin = max(MARGIN * (high - low), 0.5 if high == low else 0.0)
    return tuple(torch.linspace(low - margin, high + margin, points).tolist())


def _path(subject: Subject, steps: int) -> Work[Path]:
    """The loss along photograph, result, painting, with so many steps a leg."""
    painting, fitted = painting_as_shown(subject)
    ends = (subject.content, subject.result, painting)
    at = tuple(place / steps for place in range(2 * steps + 1))
    found = []
    for place in at:
        found.append(losses_at(subject.network, subject.objective, between(ends, place)))
        yield len(found) / len(at)
    return Path(
        size=subject.size,
        at=at,
        curves={kind: tuple(each[kind] for each in found) for kind in KINDS},
        stops=STOPS,
        pictures=tuple(between(ends, stop).cpu() for stop in STOPS),
        fitted=fitted,
    )


def between(ends: Sequence[Tensor], place: float) -> Tensor:
    """The picture at a place on the polygon of `ends`, its corners being at 0, 1, 2 …: (1 − t)·one + t·next."""
    corner = min(int(place), len(ends) - 2)
    return torch.lerp(ends[corner], ends[corner + 1], place - corner)


def painting_as_shown(subject: Subject) -> tuple[Tensor, str]:
    """The first painting in the shape of the photograph, 1 3 H W, and what was done to it."""
    painting = subject.style
    if painting.shape == subject.content.shape:
        return painting, "as it is"
    filled = starts.filling(painting, subject.content)
    grown = max(subject.size[0] / painting.shape[2], subject.size[1] / painting.shape[3])
    size = f"{painting.shape[3]}×{painting.shape[2]}"
    how = "enlarged" if grown > 1 else "shrunk" if grown < 1 else "kept"
    return filled, f"{how} from {size} until it fills the photograph's shape, what juts out cut off evenly"
