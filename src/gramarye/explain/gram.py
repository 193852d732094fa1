"""The Gram matrix, looked into: its order, its eigenvectors, and what one pair of channels stands for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar

import torch
from jaxtyping import Float
from torch import Tensor

from gramarye.explain.components import Component, Synthesis, components, leading_terms, needed_for, spectrum
from gramarye.explain.features import PICTURES, layers_of, one_of_each_block, pictures_of, seen_by
from gramarye.explain.pairs import Entry, Pair, most_wanted, pair, strongest_pairs
from gramarye.explain.reconstruction import rebuild, relative, relative_errors, root_mean_square, small, start_of
from gramarye.explain.section import Section
from gramarye.explain.seriation import binned, cosines, seriated
from gramarye.explain.subject import Subject
from gramarye.pulling import Work, part_of
from gramarye.statistics import gram_matrix
from gramarye.statistics.positions import Activation

ENOUGH = 0.9  # of the energy
PAIRS = 50  # strongest pairs of a layer that are listed
COMPONENTS = {"quick": 4, "full": 8}  # of a layer, as maps
RANKS = (1, 4, 16, 0)  # leading components that textures are painted from; 0: all of them
SIDES = {"quick": 112, "full": 128}  # long side of those textures, px
EVALUATIONS = {"quick": 60, "full": 80}  # of each
LOOKING = 0.3  # of the section's time; the rest is painting textures

Matrix = Float[Tensor, "channels channels"]


@dataclass(frozen=True)
class GramView:
    """One layer's Gram matrices per position, of photograph, painting and result (PICTURES).

    `order` puts the channels so that what fires together in the painting stands together; `matrices` are in that
    order and binned, 1 1 b b in the activations' squared unit, and so is `missing`, painting − result. By picture:
    `eigenvalues`, from the largest, are shares of their sum (the energy, tr G), and `needed` is how many leading ones
    hold ENOUGH of it; `distance` is ‖G − A‖/‖A‖ to the painting's A (Frobenius norm).
    """

    layer: str
    width: int
    order: tuple[int, ...]
    eigenvalues: dict[str, tuple[float, ...]]
    needed: dict[str, int]
    distance: dict[str, float]
    matrices: dict[str, Tensor] = field(repr=False)
    missing: Tensor = field(repr=False)


@dataclass(frozen=True)
class Grams(Section):
    """The Gram matrices of the style layers; `pictures` are by PICTURES.

    `pairs` are by layer the PAIRS strongest of the painting; `strokes` one of them for each block: the one that the
    photograph lacks most. `components` are the leading ones of the same layers, `syntheses` textures from the
    leading components of all style layers.
    """

    name: ClassVar[str] = "gram"
    title: ClassVar[str] = "What a Gram matrix holds"

    network: str
    views: tuple[GramView, ...]
    components: tuple[Component, ...]
    syntheses: tuple[Synthesis, ...]
    pairs: dict[str, tuple[Entry, ...]]
    strokes: tuple[Pair, ...]
    pictures: dict[str, Tensor] = field(repr=False)

    @property
    def findings(self) -> tuple[str, ...]:
        return (*self._distances(), *self._energies(), *self._textures(), *self._stroke())

    def _distances(self) -> tuple[str, ...]:
        nearer = [view for view in self.views if view.distance["result"] < view.distance["photograph"]]
        best = min(self.views, key=lambda view: view.distance["result"] / max(view.distance["photograph"], 1e-30))
        worst = max(self.views, key=lambda view: view.distance["result"])
        return (
            f"In {len(nearer)} of {len(self.views)} layers the result's Gram matrix is nearer to the painting's than "
            f"the photograph's is; the largest change is in {best.layer}, where a difference of "
            f"{best.distance['photograph']:.0%} became one of {best.distance['result']:.0%}.",
            f"The largest difference is left in {worst.layer}: {worst.distance['result']:.0%} of the painting's "
            "Gram matrix.",
        )

    def _energies(self) -> tuple[str, ...]:
        first = ", ".join(f"{view.needed['painting']} of {view.width} in {view.layer}" for view in self.views)
        return (f"So many components hold {ENOUGH:.0%} of the painting's energy: {first}.",)

    def _textures(self) -> tuple[str, ...]:
        if not self.syntheses:
            return ()
        parts = "; ".join(
            f"{'all' if not each.rank else each.rank} ({each.energy:.0%} of the energy): {each.whole:.0%}"
            for each in self.syntheses
        )
        return (f"Textures painted from the leading components miss so much of the whole Gram matrices: {parts}.",)

    def _stroke(self) -> tuple[str, ...]:
        if not self.strokes:
            return ()
        most = max(self.strokes, key=lambda each: _ratio(each.entry, "painting"))
        i, j = most.entry.channels
        return (
            f"Channels {i} and {j} of {most.layer} fire together {_ratio(most.entry, 'painting'):.1f} times as much in "
            f"the painting as in the photograph, and {_ratio(most.entry, 'result'):.1f} times in the result.",
        )


def gram_view(layer: str, activations: Mapping[str, Activation]) -> GramView:
    """A layer's Gram matrices of all pictures (PICTURES), ordered, binned, decomposed and compared."""
    grams = grams_of(activations)
    order = seriated(cosines(grams["painting"]))
    ordered = {picture: gram[order][:, order] for picture, gram in grams.items()}
    values = {picture: spectrum(gram)[0] for picture, gram in grams.items()}
    target = grams["painting"]
    return GramView(
        layer=layer,
        width=len(order),
        order=tuple(order.tolist()),
        eigenvalues={picture: tuple((each / each.sum().clamp_min(1e-30)).tolist()) for picture, each in values.items()},
        needed={picture: needed_for(each, ENOUGH) for picture, each in values.items()},
        distance={
            picture: float((gram - target).norm() / target.norm().clamp_min(1e-30))
            for picture, gram in grams.items()
            if picture != "painting"
        },
        matrices={picture: binned(each) for picture, each in ordered.items()},
        missing=binned(ordered["painting"] - ordered["result"]),
    )


def grams_of(activations: Mapping[str, Activation]) -> dict[str, Matrix]:
    """The Gram matrix per position of each picture, N N on the processor."""
    return {picture: gram_matrix(each)[0].cpu() for picture, each in activations.items()}


def synthesize(subject: Subject, rank: int, evaluations: int) -> Work[Synthesis]:
    """A texture of the painting's size, from noise, that fits its `rank` leading components in every style layer."""
    style, painting, network = subject.settings.style, subject.style, subject.network
    quick = subject.painting.network
    whole = leading_terms(network, painting, style, 0)
    terms = relative(quick, leading_terms(quick, painting, style, rank), painting)
    start = start_of(subject, (painting.shape[2], painting.shape[3]))
    rebuilt = yield from rebuild(quick, terms, start, evaluations, name=f"{rank}", measured=network, keep=())
    errors = relative_errors(network, whole, rebuilt.pixels)
    return Synthesis(
        rank=rank,
        energy=_energy(subject, rank),
        reached=rebuilt.error,
        whole=root_mean_square(errors.values()),
        pixels=rebuilt.pixels,
    )


def explain(subject: Subject, depth: str) -> Work[Grams]:
    """The Gram matrices of this subject's style layers; yields the fraction done."""
    style_layers = set(subject.network.resolve(subject.settings.style.layers))
    layers = tuple(layer for layer in layers_of(subject) if layer in style_layers)
    closer = one_of_each_block(layers) if depth == "quick" else layers
    found = seen_by(subject, layers)
    views: list[GramView] = []
    parts: list[Component] = []
    strokes: list[Pair] = []
    pairs: dict[str, tuple[Entry, ...]] = {}
    for number, layer in enumerate(layers):
        yield LOOKING * number / len(layers)
        here = {picture: found[picture][layer] for picture in PICTURES}
        views.append(gram_view(layer, here))
        grams = grams_of(here)
        pairs[layer] = strongest_pairs(grams, PAIRS)
        if layer in closer:
            parts += components(layer, here, COMPONENTS[depth])
            wanted = most_wanted(pairs[layer], grams)
            strokes.append(pair(subject.network, layer, wanted, here, subject.style))
    syntheses = yield from part_of(_textures(subject, depth), LOOKING, 1)
    return Grams(
        network=subject.network.network,
        views=tuple(views),
        components=tuple(parts),
        syntheses=syntheses,
        pairs=pairs,
        strokes=tuple(strokes),
        pictures={picture: each.cpu() for picture, each in pictures_of(subject).items()},
    )


def _textures(subject: Subject, depth: str) -> Work[tuple[Synthesis, ...]]:
    """The painting's leading components as textures, at small size."""
    little = small(subject, SIDES[depth], subject.settings.style.layers)
    made = []
    for number, rank in enumerate(RANKS):
        work = synthesize(little, rank, EVALUATIONS[depth])
        made.append((yield from part_of(work, number / len(RANKS), (number + 1) / len(RANKS))))
    return tuple(made)


def _energy(subject: Subject, rank: int) -> float:
    """The mean over the style layers of the energy that the leading components hold."""
    layers = subject.settings.style.layers
    with torch.no_grad():
        found = subject.network(subject.style, layers)
    shares = []
    for layer in layers:
        values = spectrum(gram_matrix(found[layer])[0])[0]
        shares.append(float(values[: rank or None].sum() / values.sum().clamp_min(1e-30)))
    return sum(shares) / len(shares)


def _ratio(entry: Entry, picture: str) -> float:
    return entry.values[picture] / max(abs(entry.values["photograph"]), 1e-30)
