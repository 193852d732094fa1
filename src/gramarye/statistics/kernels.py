"""Maximum mean discrepancy of the activation vectors of two pictures, with a polynomial and a Gaussian kernel.

Li et al. 2017, "Demystifying Neural Style Transfer": matching Gram matrices is to minimise
MMD² = E k(x, x') + E k(y, y') − 2·E k(x, y) with k(x, y) = (xᵀy)², x and y being positions of picture and painting.
"""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor

from gramarye.statistics.distances import of_squared
from gramarye.statistics.gram import Gram, Mean, entry_scale
from gramarye.statistics.positions import Activation, Guide, Positions, sampled, wide

SAMPLE = 1024  # positions of each picture: an evaluation costs its square

Others = Float[Tensor, "batch others channels"]
Fixed = tuple[Others, Float[Tensor, " batch"], Float[Tensor, " batch"]]


def polynomial_distance(
    found: tuple[Gram, Mean],
    target: tuple[Gram, Mean],
    *,
    distance: str = "l2",
    normalization: str = "gatys",
    channels: int | None = None,
) -> Float[Tensor, ""]:
    """MMD with the kernel k(x, y) = (xᵀy + c)², of Gram matrices per position and means; a scalar.

    MMD² = ‖G − A‖² + 2c·‖μ − μ'‖², times s²/N² of `gram_distance`; `distance` applies to its root.

    c = tr A, the mean squared length of the painting's activation vectors: then Gram matrices and means weigh
    alike in every layer, and louder activations change nothing but the unit. With c = 0 it is `gram`. Differs
    from Li et al. 2017, whose polynomial kernel has c = 0, by c.
    """
    n = channels or found[0].shape[-1]
    offset = target[0].diagonal(dim1=1, dim2=2).sum(-1)
    grams = (found[0] - target[0]).square().sum((1, 2))
    means = (found[1] - target[1]).square().sum(1)
    squared = (grams + 2 * offset * means).sum() * entry_scale(normalization, n) ** 2 / n**2
    return of_squared(squared, distance)


def gaussian_sample(activation: Activation, guide: Guide | None = None, *, seed: int = 0) -> tuple[Positions]:
    """At most SAMPLE seeded positions, batch M' N in float32, or those of the guide's region."""
    return (wide(sampled(activation, guide, SAMPLE, seed)),)


def gaussian_target(sample: tuple[Positions]) -> Fixed:
    """The painting's sample, its bandwidth σ² and E k(y, y'), which an evaluation need not compute again.

    σ² is the mean of ‖y − y'‖² over all pairs, as in Li et al. 2017: twice the variance of the sample.
    """
    points = sample[0]
    bandwidth = 2 * points.var(1, correction=0).sum(1).clamp_min(1e-12)
    y = _scaled(points, points, bandwidth)
    return points, bandwidth, _kernel(y, y)


def gaussian_distance(
    found: tuple[Positions],
    target: Fixed,
    *,
    distance: str = "l2",
    normalization: str = "gatys",
    channels: int | None = None,
) -> Float[Tensor, ""]:
    """MMD with the kernel k(x, y) = exp(−‖x − y‖²/(2σ²)), a scalar: l2 is MMD², from 0 to 2.

    The expectations run over all pairs, each position with itself too, so that MMD² is never negative.
    Has no unit: `normalization` and `channels` do not matter.
    """
    points, bandwidth, within = target
    x, y = (_scaled(each, points, bandwidth) for each in (found[0], points))
    return of_squared((_kernel(x, x) + within - 2 * _kernel(x, y)).sum(), distance)


def _scaled(points: Positions, target: Others, bandwidth: Float[Tensor, " batch"]) -> Positions:
    """(x − ȳ)/σ: distances do not change by the shift, and lose fewer digits."""
    return (points - target.mean(1, keepdim=True)) / bandwidth.sqrt()[:, None, None]


def _kernel(x: Positions, y: Others) -> Float[Tensor, " batch"]:
    """The mean of exp(−½·‖x − y‖²) over all pairs.

    The exponent is the inner product of (x, −½‖x‖², 1) and (y, 1, −½‖y‖²): one product instead of four passes
    over all pairs. Rounding may have made it positive, which far from a dead target could be anything.
    """
    x_length, y_length = (each.square().sum(2, keepdim=True) / -2 for each in (x, y))
    left = torch.cat([x, x_length, torch.ones_like(x_length)], dim=2)
    right = torch.cat([y, torch.ones_like(y_length), y_length], dim=2)
    return (left @ right.transpose(1, 2)).clamp_max(0).exp().mean((1, 2))
