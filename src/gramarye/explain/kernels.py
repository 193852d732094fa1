"""Neural style transfer demystified: matching Gram matrices is matching distributions under a kernel.

Li, Wang, Liu and Hou 2017, "Demystifying Neural Style Transfer", arXiv:1701.01036.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar

import torch
from jaxtyping import Float
from torch import Tensor

from gramarye.explain.features import PICTURES, layers_of, seen_by
from gramarye.explain.reconstruction import small
from gramarye.explain.section import Section
from gramarye.explain.subject import Subject
from gramarye.objective import Objective, balanced, objective_for, style_terms
from gramarye.optimize import Descent
from gramarye.presets import preset
from gramarye.pulling import Work, part_of
from gramarye.settings import Settings
from gramarye.statistics import gram_distance, gram_matrix
from gramarye.statistics.positions import Activation, sampled
from gramarye.vgg import VGG

SAMPLE = {"quick": 1024, "full": 4096}  # positions of each picture; the sums run over all their pairs
COMPARED = ("gram", "covariance", "moments", "mmd-gauss", "w2", "sliced-w", "nearest")
SIDES = {"quick": 112, "full": 128}  # long side of the paintings, px
EVALUATIONS = {"quick": 30, "full": 60}  # of each
IDENTITY = 0.1  # of the section's time
BLOCK = 512  # rows of a kernel matrix that exist at a time

Positions = Float[Tensor, "positions channels"]
Others = Float[Tensor, "others channels"]


@dataclass(frozen=True)
class Identity:
    """One layer: MMD² of result and painting with the kernel (xᵀy)², by two independent routes.

    `kernel` is the sum over all pairs of at most `positions` sampled positions of each picture, in float64; `gram` is
    4N² times the style loss of Gatys et al. of the same positions, in float32, by the code that paints; `difference` is
    relative. `photograph` is MMD² of photograph and painting, by the kernel.
    """

    layer: str
    positions: int
    kernel: float
    gram: float
    difference: float
    photograph: float


@dataclass(frozen=True)
class Painted:
    """A small painting with one statistic, from the photograph; `pixels` is 1 3 H W.

    `distances` to the painting are by statistic, means over the style layers relative to the photograph's own
    distance: 1 is nothing gained, 0 is there.
    """

    statistic: str
    distances: dict[str, float]
    pixels: Tensor = field(repr=False)


@dataclass(frozen=True)
class Kernels(Section):
    """The identity in every style layer, and small paintings with other statistics; pictures are 1 3 H W."""

    name: ClassVar[str] = "kernels"
    title: ClassVar[str] = "Demystified: a Gram matrix compares distributions"

    identities: tuple[Identity, ...]
    paintings: tuple[Painted, ...]
    evaluations: int  # of each painting
    photograph: Tensor = field(repr=False)
    style: Tensor = field(repr=False)

    @property
    def findings(self) -> tuple[str, ...]:
        return (*self._identity(), *self._progress(), *self._apart())

    def _identity(self) -> tuple[str, ...]:
        worst = max(self.identities, key=lambda each: each.difference)
        gone = [1 - each.kernel / max(each.photograph, 1e-30) for each in self.identities]
        return (
            f"Summed over all pairs of {worst.positions} positions, MMD² with the kernel (xᵀy)² is 4N² times the Gram "
            f"loss in every style layer: the largest difference is {worst.difference:.0e}, in {worst.layer}.",
            f"Measured so, {min(gone):.0%} to {max(gone):.0%} of the photograph's distance to the painting are gone in "
            "the result.",
        )

    def _progress(self) -> tuple[str, ...]:
        if not self.paintings:
            return ()
        own = "; ".join(f"{each.statistic} {each.distances[each.statistic]:.0%}" for each in self.paintings)
        return (f"After {self.evaluations} evaluations so much is left of the distance that was asked for: {own}.",)

    def _apart(self) -> tuple[str, ...]:
        if len(self.paintings) < 3:
            return ()
        places = {each.statistic: _mean_place(each, self.paintings) for each in self.paintings}
        best, worst = min(places, key=places.__getitem__), max(places, key=places.__getitem__)
        count = len(places)
        if places[best] == places[worst]:
            return ()
        return (
            f"Measured by the {count - 1} statistics that were not asked for, the picture painted with {best} comes "
            f"nearest to the painting (its mean place of {count} is {places[best]:.1f}), the one painted with {worst} "
            f"least near ({places[worst]:.1f}).",
        )


def polynomial_mmd(x: Positions, y: Others) -> float:
    """MMD² = E k(x, x') + E k(y, y') − 2·E k(x, y) with k(x, y) = (xᵀy)², over all pairs, each with itself too.

    x is M N and y is M' N, one position a row; in float64. Written out as Li et al. 2017 have it, eq. 5: no
    Gram matrix is made. Equal to ‖XᵀX/M − YᵀY/M'‖² (Frobenius), their eq. 9.
    """
    x, y = x.double(), y.double()
    return _mean_kernel(x, x) + _mean_kernel(y, y) - 2 * _mean_kernel(x, y)


def gram_route(found: Activation, target: Float[Tensor, "1 channels other_rows other_columns"]) -> float:
    """‖G − A‖² of two activations by the code that paints: 4N² times the loss of Gatys et al. 2015."""
    loss = gram_distance(gram_matrix(found), gram_matrix(target), normalization="gatys")
    return float(loss) * 4 * found.shape[1] ** 2


def identity(layer: str, activations: Mapping[str, Activation], count: int, seed: int = 0) -> Identity:
    """Both routes for the result against the painting, on at most `count` sampled positions of each picture."""
    samples = {picture: sampled(activations[picture], None, count, seed)[0] for picture in PICTURES}
    columns = {picture: each.T[None, :, :, None] for picture, each in samples.items()}
    kernel = polynomial_mmd(samples["result"], samples["painting"])
    gram = gram_route(columns["result"], columns["painting"])
    return Identity(
        layer=layer,
        positions=min(len(samples["result"]), len(samples["painting"])),
        kernel=kernel,
        gram=gram,
        difference=abs(gram - kernel) / max(kernel, 1e-30),
        photograph=polynomial_mmd(samples["photograph"], samples["painting"]),
    )


def asked_with(settings: Settings, statistic: str) -> Settings:
    """The settings with another statistic, and weights that mean the same for all of them: balanced at the start.

    Weights that are not balanced so, as the papers', suit their own statistic and optimiser alone: in place of such
    settings come those of the default preset, with the same layers.
    """
    base = settings
    if settings.balance != "start":
        names = ("content.layers", "style.layers", "style.mix", "seed", "color")
        base = preset("default").with_(**{name: settings.get(name) for name in names})
    return base.with_(**{"style.statistic": statistic, "style.distance": "l2", "content.detail": 0.0})


def paint_with(subject: Subject, statistic: str, evaluations: int) -> Work[Tensor]:
    """The photograph painted with one statistic, 1 3 H W; yields the fraction done."""
    settings, network = asked_with(subject.settings, statistic), subject.painting.network
    objective = objective_for(network, subject.content, subject.styles, settings)
    descent = Descent(subject.content, objective, network, settings.optimizer, seed=settings.seed)
    for step in descent.steps(evaluations):
        yield min(1.0, step.index / evaluations)
    return descent.pixels.clamp(0, 1).float()


def distances_of(network: VGG, subject: Subject, pictures: Mapping[str, Tensor], statistic: str) -> dict[str, float]:
    """Each picture's distance to the paintings by `statistic`, the photograph's being 1.

    The mean over the style layers of distance over the photograph's distance.
    """
    settings = asked_with(subject.settings, statistic)
    made = style_terms(network, subject.styles, settings.style, seed=settings.seed)
    terms = balanced(network, subject.content, [term.weighted_by(1 / term.weight) for term in made if term.weight])
    objective = Objective(terms)
    with torch.no_grad():
        return {
            name: float(objective.total(objective.values(network(pixels, objective.layers)))) / len(terms)
            for name, pixels in pictures.items()
        }


def explain(subject: Subject, depth: str) -> Work[Kernels]:
    """The identity on this subject, then the small paintings; yields the fraction done."""
    style_layers = set(subject.network.resolve(subject.settings.style.layers))
    layers = [layer for layer in layers_of(subject) if layer in style_layers]
    seen, identities = seen_by(subject, layers), list[Identity]()
    for layer in layers:
        yield IDENTITY * len(identities) / len(layers)
        here = {picture: seen[picture][layer] for picture in PICTURES}
        identities.append(identity(layer, here, SAMPLE[depth], subject.settings.seed))
    little = small(subject, SIDES[depth], layers)
    paintings = yield from part_of(_paintings(little, EVALUATIONS[depth]), IDENTITY, 1)
    return Kernels(
        identities=tuple(identities),
        paintings=paintings,
        evaluations=EVALUATIONS[depth],
        photograph=little.content.cpu(),
        style=little.style.cpu(),
    )


def _paintings(subject: Subject, evaluations: int) -> Work[tuple[Painted, ...]]:
    """One painting by each statistic, each measured by all of them."""
    pictures = {}
    for number, statistic in enumerate(COMPARED):
        work = paint_with(subject, statistic, evaluations)
        pictures[statistic] = yield from part_of(work, number / len(COMPARED), (number + 1) / len(COMPARED))
    measured = {statistic: distances_of(subject.network, subject, pictures, statistic) for statistic in COMPARED}
    return tuple(
        Painted(painted, {statistic: each[painted] for statistic, each in measured.items()}, pixels.cpu())
        for painted, pixels in pictures.items()
    )


def _mean_kernel(x: Positions, y: Others) -> float:
    """The mean of (xᵀy)² over all pairs, a block of rows at a time."""
    total = sum(float((block @ y.T).square().sum()) for block in torch.split(x, BLOCK))
    return total / (len(x) * len(y))


def _mean_place(painted: Painted, all_of_them: tuple[Painted, ...]) -> float:
    """Its place, from 1, in the order of distance, averaged over the statistics that are not its own."""
    others = [name for name in painted.distances if name != painted.statistic]
    nearer = [sum(each.distances[name] < painted.distances[name] for each in all_of_them) for name in others]
    return 1 + sum(nearer) / len(others)
