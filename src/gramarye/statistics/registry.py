"""Every style statistic by name: how an activation is summarised, and how two summaries are compared."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from torch import Tensor

from gramarye.statistics import kernels, moments, neighbours, transport
from gramarye.statistics.gram import covariance_matrix, gram_and_mean, gram_distance, gram_matrix
from gramarye.statistics.positions import Activation, Guide

Summary = tuple[Tensor, ...]


def _as_it_is(summary: Summary) -> Summary:
    return summary


@dataclass(frozen=True)
class Statistic:
    """One style statistic, three pure functions.

    `summarise(activation, guide=None, *, seed=0)` gives a Summary of an activation `batch N rows columns`; a
    guide `1 1 rows columns` says how much each position counts. `fix(summary)` turns the painting's into a
    target: what can be computed once. `compare(summary, target, *, distance, normalization, channels)` is a scalar
    ≥ 0, zero where the summary is the target's. `linear` summaries of several paintings are mixed by averaging
    them; of the others the distances are. `through(summary, matrix)`, where there is such a thing, is the summary of
    activations that were multiplied by an N N matrix at every position, from the summary of what they were before.
    """

    summarise: Callable[..., Summary]
    compare: Callable[..., Tensor]
    fix: Callable[..., Summary] = _as_it_is
    linear: bool = False
    through: Callable[[Summary, Tensor], Summary] | None = None

    def calibrated(
        self, activation: Activation, matrix: Tensor | None, guide: Guide | None = None, *, seed: int = 0
    ) -> Summary:
        """The summary of an activation that is multiplied by `matrix`, if there is one: then `through` is needed."""
        summary = self.summarise(activation, guide, seed=seed)
        if matrix is None:
            return summary
        assert self.through is not None
        return self.through(summary, matrix)


def _gram(activation: Activation, guide: Guide | None = None, *, seed: int = 0) -> Summary:
    return (gram_matrix(activation, guide),)


def _covariance(activation: Activation, guide: Guide | None = None, *, seed: int = 0) -> Summary:
    return (covariance_matrix(activation, guide),)


def _gram_and_mean(activation: Activation, guide: Guide | None = None, *, seed: int = 0) -> Summary:
    return gram_and_mean(activation, guide)


def _moments(activation: Activation, guide: Guide | None = None, *, seed: int = 0) -> Summary:
    return moments.mean_and_deviation(activation, guide)


def _through(summary: Summary, matrix: Tensor) -> Summary:
    """C·G·Cᵀ for the Gram matrix or the covariance G, and C·μ for the mean if there is one."""
    gram, *means = summary
    matrix = matrix.to(gram)
    return (matrix @ gram @ matrix.mT, *(mean @ matrix.mT for mean in means))


def _gram_distance(found: Summary, target: Summary, **known: Any) -> Tensor:
    return gram_distance(found[0], target[0], **known)


STATISTICS: dict[str, Statistic] = {
    "gram": Statistic(_gram, _gram_distance, linear=True, through=_through),
    "covariance": Statistic(_covariance, _gram_distance, linear=True, through=_through),
    "moments": Statistic(_moments, moments.moments_distance, linear=True),
    "mmd-poly": Statistic(_gram_and_mean, kernels.polynomial_distance, linear=True, through=_through),
    "mmd-gauss": Statistic(kernels.gaussian_sample, kernels.gaussian_distance, kernels.gaussian_target),
    "w2": Statistic(transport.gaussian_of, transport.wasserstein_distance, transport.gaussian_root),
    "sliced-w": Statistic(transport.projections, transport.sliced_distance, transport.sorted_projections),
    "nearest": Statistic(neighbours.neighbour_sample, neighbours.neighbour_distance, neighbours.neighbour_target),
}
