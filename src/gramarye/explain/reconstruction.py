"""Rebuilding a picture from what some layers hold of it: a recipe over terms and one descent.

Gatys et al. 2015, fig. 1; Mahendran and Vedaldi 2015, "Understanding Deep Image Representations by Inverting
Them": begin with noise and change it until the network's activations (content) or their statistics (style) are
those of the picture. What comes back was kept, what stays noise was thrown away.

The start is faint noise around grey, seeded: what a layer does not see of a start it cannot take away, so loud
noise would remain in every picture and hide what the layer holds, and L-BFGS needs longer from it (with a
deviation of 0.25 the errors in the features after 60 evaluations are 1.6 times those with 0.02, and more). L-BFGS
searches along each direction: without a search it takes fifteen evaluations to get away from so faint a start.

Nothing is asked of the picture's looks. Only a weak penalty keeps its values within [0, 1], because the finished
picture is cut off there: it changes no error in the pixels by more than 0.003, and the features of what is shown are
then those that were reached. Mahendran and Vedaldi's total variation would make prettier pictures and hide noise that a
layer is blind to: with weight 1 it makes the error in the pixels from relu3_1 half as large.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import torch
from jaxtyping import Float
from torch import Tensor

from gramarye import starts
from gramarye.explain.subject import Frame, Subject
from gramarye.objective import LEAST, Objective, Term, content_terms, smoothness_terms, style_terms
from gramarye.optimize import Descent
from gramarye.pulling import Work
from gramarye.seeing import least_side, seen
from gramarye.settings import ContentSettings, OptimizerSettings, SmoothnessSettings, StyleSettings
from gramarye.vgg import VGG

Pixels = Float[Tensor, "1 3 h w"]

OPTIMIZER = OptimizerSettings(name="lbfgs", history=40, line_search="strong-wolfe")
NOISE = 0.02  # standard deviation of the start around grey, of white
BOX = SmoothnessSettings(box=1.0)  # see above; a content or style term that is relative has a weight of 1 in all
KEPT = (0, 1, 4, 16, 64, 256, 1024)  # evaluations after which the picture is kept, and the last one
OF_FEATURES = ("content", "style")  # kinds of terms that have a relative error


@dataclass(frozen=True)
class Rebuilt:
    """What became of the start when its activations were made to fit.

    `pixels` is 1 3 H W, sRGB in [0, 1]. `snapshots` are the start, the picture after the first moves that reach 1,
    4, 16, 64 … evaluations, and the last one. `losses` are (evaluations so far, Σ weight·value). `errors` and
    `held_out` are relative errors by layer, 0 at the target and 1 for no activations at all (see
    `relative_errors`): of the layers that were asked for, whose root mean square is `error`, and of layers that
    were not.
    """

    name: str
    layers: tuple[str, ...]
    pixels: Tensor = field(repr=False)
    snapshots: tuple[Frame, ...] = field(repr=False)
    losses: tuple[tuple[int, float], ...] = field(repr=False)
    error: float
    errors: dict[str, float]
    held_out: dict[str, float]

    @property
    def evaluations(self) -> int:
        """How often the objective was evaluated."""
        return self.snapshots[-1].index


def rebuild(
    network: VGG,
    terms: Sequence[Term],
    start: Pixels,
    evaluations: int,
    *,
    name: str = "",
    held_out: Sequence[Term] = (),
    measured: VGG | None = None,
    smoothness: SmoothnessSettings = BOX,
    keep: Sequence[int] = KEPT,
) -> Work[Rebuilt]:
    """Change `start`, 1 3 H W, until it fits `terms`, with L-BFGS in about so many evaluations.

    `measured` is the network that the errors are measured with, by default the same: `network` may be in half
    precision. `held_out` are terms that are only measured; `smoothness` is asked beside `terms`. Yields the
    fraction done.
    """
    objective = Objective((*terms, *smoothness_terms(smoothness)))
    descent = Descent(start, objective, network, OPTIMIZER)
    frames, due = [Frame(0, _finished(start))], [each for each in sorted(keep, reverse=True) if each > 0]
    losses, reached = [], 0
    for step in descent.steps(evaluations):
        losses.append((reached, step.total))  # the value is that before the step
        reached = step.index
        if due and reached >= due[-1]:
            frames.append(Frame(reached, _finished(descent.pixels)))
            due = [each for each in due if each > reached]
        yield min(1.0, reached / evaluations)
    losses.append((reached, _total(network, objective, descent.pixels)))
    pixels = _finished(descent.pixels)
    if frames[-1].index < reached:
        frames.append(Frame(reached, pixels))
    errors = relative_errors(measured or network, terms, pixels)
    return Rebuilt(
        name=name,
        layers=tuple(dict.fromkeys(term.layer for term in terms if term.kind in OF_FEATURES)),
        pixels=pixels,
        snapshots=(*frames[:-1], Frame(frames[-1].index, pixels)),
        losses=tuple(losses),
        error=root_mean_square(errors.values()),
        errors=errors,
        held_out=relative_errors(measured or network, held_out, pixels),
    )


def noise(size: tuple[int, int], seed: int, deviation: float = NOISE) -> Pixels:
    """Where a reconstruction begins: Gaussian noise around grey of `size` (height, width), 1 3 H W."""
    return starts.noise(torch.empty(1, 3, *size), deviation, seed)


def start_of(subject: Subject, size: tuple[int, int]) -> Pixels:
    """The subject's own seeded noise of `size`: on its device, grey where only luminance is painted."""
    settings = subject.settings
    return seen(noise(size, settings.seed).to(subject.content.device), settings)


def relative(network: VGG, terms: Sequence[Term], pixels: Pixels) -> tuple[Term, ...]:
    """The terms with weights that divide each by its value at no activations at all, and sum to 1 for that.

    With the l2 distance weight·value is then ‖F − P‖²/‖P‖² or ‖G − A‖²/‖A‖² over the number of terms: layers
    weigh alike whatever the size of their activations. `pixels` is of the size that is to be rebuilt.
    """
    nothing = _at_nothing(network, terms, pixels)
    factors = [1 / (max(nothing[term.name], LEAST) * term.weight * len(terms)) for term in terms]
    return tuple(term.weighted_by(factor) for term, factor in zip(terms, factors, strict=True))


def content_of(network: VGG, photograph: Pixels, layers: Sequence[str]) -> tuple[Term, ...]:
    """Relative content terms of `layers`: ‖F − P‖²/‖P‖² over the number of layers."""
    return relative(network, content_terms(network, photograph, ContentSettings(layers=tuple(layers))), photograph)


def gram_of(network: VGG, painting: Pixels, layers: Sequence[str]) -> tuple[Term, ...]:
    """Relative style terms of `layers` with Gram matrices: ‖G − A‖²/‖A‖² over the number of layers."""
    return relative(network, style_terms(network, [painting], StyleSettings(layers=tuple(layers))), painting)


def relative_errors(network: VGG, terms: Sequence[Term], pixels: Pixels) -> dict[str, float]:
    """How far each layer's activations, or their statistic, are from the target: 0 there, 1 for none at all.

    √(value/value at no activations), which with the l2 distance is ‖F − P‖/‖P‖ or ‖G − A‖/‖A‖, F and G being
    those of `pixels`, 1 3 H W. By layer; of several terms on one layer the root of the mean of the squares. Terms
    on the picture itself (tv, box) have none.
    """
    wanted = [term for term in terms if term.kind in OF_FEATURES and term.weight]
    if not wanted:
        return {}
    pixels = pixels.to(network.get_buffer("mean").device)
    nothing = _at_nothing(network, wanted, pixels)
    with torch.no_grad():
        activations = network(pixels, Objective(tuple(wanted)).layers)
        values = {term.name: float(term.measure(activations[term.layer])) for term in wanted}
    squares: dict[str, list[float]] = {}
    for term in wanted:
        squares.setdefault(term.layer, []).append(values[term.name] / max(nothing[term.name], LEAST))
    return {layer: math.sqrt(sum(each) / len(each)) for layer, each in squares.items()}


def held_out_layers(network: VGG, asked: Sequence[str], pictures: Sequence[Tensor]) -> tuple[str, ...]:
    """Every ReLU that nothing was asked of, as far as weights and sizes reach, in order from the input.

    Where a block has none left, its second convolution before the ReLU: near to what was asked, but not the
    same. A block with a single convolution, as the last one of the embedded network, may have none. Layers that
    are too deep for one of the `pictures`, each 1 3 H W, are left out.
    """
    least = min(side for pixels in pictures for side in pixels.shape[2:])
    taken = set(network.resolve(asked))
    free = [name for name in _within_weights(network) if name not in taken and network.table[name].stride <= least]
    found: list[str] = []
    for block in range(1, 6):
        layers = [name for name in free if name.startswith(f"relu{block}_")]
        found += layers or [name for name in free if name == f"conv{block}_2"]
    return tuple(found)


def small(subject: Subject, long_side: int, layers: Sequence[str]) -> Subject:
    """The subject at about `long_side`, not so small that a narrow picture's deepest layer would have no position."""
    strides = [subject.network.table[name].stride for name in subject.network.resolve(layers)]
    least = max(*strides, least_side(subject.network, subject.settings))
    ratio = max(subject.size) / min(subject.size)
    return subject.shrunk(max(long_side, math.ceil(least * ratio)))


def root_mean_square(values: Iterable[float]) -> float:
    """√(mean of v²); 0 of none."""
    squares = [value**2 for value in values]
    return math.sqrt(sum(squares) / len(squares)) if squares else 0.0


def _within_weights(network: VGG) -> list[str]:
    """The layers of the network from the input, as far as its weights reach."""
    there = dict(network.named_buffers())
    names = list(network.table)
    missing = [name for name in names if name.startswith("conv") and f"{name}_weight" not in there]
    return names[: names.index(missing[0])] if missing else names


def _at_nothing(network: VGG, terms: Sequence[Term], pixels: Tensor) -> dict[str, float]:
    """Each term's value where there are no activations."""
    with torch.no_grad():
        activations = network(pixels, tuple(dict.fromkeys(term.layer for term in terms)))
        return {term.name: float(term.measure(torch.zeros_like(activations[term.layer]))) for term in terms}


def _total(network: VGG, objective: Objective, pixels: Tensor) -> float:
    with torch.no_grad():
        return float(objective.total(objective.values(network(pixels, objective.layers))))


def _finished(pixels: Tensor) -> Tensor:
    return pixels.detach().float().clamp(0, 1).cpu().clone()
