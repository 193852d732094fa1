"""What a term is due to: which places and channels of its layer, and whether that can be believed."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import torch
from jaxtyping import Float
from torch import Tensor

from gramarye.objective import Term
from gramarye.vgg import Activation

TENTH = 0.1
TRIALS = 30
FADES = tuple(0.5**k for k in range(10))  # how far a tenth may fade: wholly, half, a quarter … a 512th


@dataclass(frozen=True)
class Blame:
    """What one term is due to: `places` 1 1 rows columns and `channels`, as `blame` defines them."""

    term: str
    kind: str
    layer: str
    places: Tensor = field(repr=False)
    channels: Tensor = field(repr=False)


@dataclass(frozen=True)
class Deletion:
    """Does a term fall further when the most blamed tenth of the places fades than when a random tenth does?

    `blamed` and the `random` ones, one a trial, are by which part of itself the term falls; `wins` counts the random
    tenths that it fell less with, `p` is the chance that a fair coin shows heads at least so often. `edited` of
    `places` faded.
    """

    term: str
    layer: str
    edited: int
    places: int
    blamed: float
    random: tuple[float, ...]
    wins: int
    p: float

    @property
    def mean(self) -> float:
        """By how much the term falls with a random tenth, on average."""
        return math.fsum(self.random) / len(self.random)


def blame(term: Term, activation: Activation) -> Blame:
    """Which places p and channels c a term of some value L is due to; `activation` F is 1 N rows columns.

    style      b_p = ½·(F_p·∂L/∂F_p − mean_q F_q·∂L/∂F_q) / L: by which part of itself the term falls, to first order,
               as the place counts less and the others more instead (see `faded`). A place below 0 has what is
               lacking elsewhere: without it the term would be larger. They sum to 0. b_c = F_c·∂L/∂F_c / L
               likewise, as the channel grows weaker.
    content    b_p = ‖∂L/∂F_p‖² / Σ_q ‖∂L/∂F_q‖², and b_c alike: under the squared distance exactly the place's share
               of the term, which it loses when it is as in the photograph. They sum to 1.

    Activation times gradient: Shrikumar et al. 2017, "Learning Important Features Through Propagating Activation
    Differences", section 3. Differs from it by the mean, because statistics are means over the places. Nobody is
    blamed where nothing is left.
    """
    found = activation.detach().clone().requires_grad_()
    with torch.enable_grad():
        value = term.measure(found)
        (gradient,) = torch.autograd.grad(value, found)
    if term.kind == "content":
        each = gradient.double().square()
        each = each / each.sum().clamp_min(torch.finfo(each.dtype).tiny)
        places = each.sum(1, keepdim=True)
    else:
        each = gradient.double() * found.detach().double() / max(float(value.detach()), torch.finfo(torch.float64).tiny)
        places = each.sum(1, keepdim=True)
        places = (places - places.mean()) / 2
    channels = each.sum((0, 2, 3))
    return Blame(term.name, term.kind, term.layer, places.float().cpu(), channels.float().cpu())


def deletion(
    term: Term,
    activation: Activation,
    places: Float[Tensor, "1 1 rows columns"],
    generator: torch.Generator,
    trials: int = TRIALS,
) -> Deletion:
    """Let the tenth of the places with most blame fade, and so many random tenths, and compare how the term falls.

    Each tenth fades as far as helps the term most: wholly, half, a quarter … (FADES); if nothing helps, by nothing.
    Near the target a whole tenth cannot be missed: without it any statistic is further off, whoever is left out. That p
    is small means that the blamed tenth lowers the term more than most random ones do. At least one place fades.
    """
    count = places.numel()
    edited = max(1, round(TENTH * count))
    with torch.no_grad():
        before = float(term.measure(activation))

        def fall(where: Tensor) -> float:
            after = min(float(term.measure(faded(activation, where, by))) for by in FADES)
            return max(0.0, before - after) / (before or 1.0)

        blamed = fall(places.flatten().topk(edited).indices)
        random = tuple(fall(torch.randperm(count, generator=generator)[:edited]) for _ in range(trials))
    wins = sum(blamed > other for other in random)
    return Deletion(term.name, term.layer, edited, count, blamed, random, wins, chance(wins, trials))


def faded(activation: Activation, where: Tensor, by: float) -> Activation:
    """The activations, the flat places `where` counting 1 − `by` of what they did, all others more instead.

    F_p·√(w_p·M/Σw), w being 1 − `by` there and 1 elsewhere: the Gram matrix per position, a mean over the M places, is
    then the weighted mean.
    """
    rows, columns = activation.shape[2:]
    weights = activation.new_ones(rows * columns)
    weights[where.to(weights.device)] = 1 - by
    total = weights.sum()
    if not total:
        return activation
    return activation * (weights * (rows * columns) / total).sqrt().view(1, 1, rows, columns)


def chance(wins: int, trials: int) -> float:
    """The probability of at least so many heads in so many throws of a fair coin: Σ_{k≥wins} C(n, k) / 2ⁿ."""
    return math.fsum(math.comb(trials, heads) / 2**trials for heads in range(wins, trials + 1))
