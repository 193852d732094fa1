"""Statistics of activations and distances between them: pure functions with the papers' formulas.

Notation of Gatys et al. 2015: a layer has N channels and M positions; F is its N×M matrix of activations
of the picture, P of the photograph; G and A are the Gram matrices of the picture and of the painting.
`channels` is the N of the formula: by default the tensor's own, but the embedded network, whose calibrated
activations have fewer channels and the same distances, passes VGG-19's.

`STATISTICS` has every style statistic by name; `DISTANCES` names what differences cost.
"""

from __future__ import annotations

from gramarye.statistics.distances import DISTANCES, content_distance, of_squared, total_of
from gramarye.statistics.gram import (
    Gram,
    covariance_matrix,
    gram_and_mean,
    gram_distance,
    gram_matrix,
)
from gramarye.statistics.kernels import gaussian_distance, gaussian_sample, gaussian_target, polynomial_distance
from gramarye.statistics.moments import mean_and_deviation, moments_distance
from gramarye.statistics.neighbours import neighbour_distance, neighbour_sample, neighbour_target
from gramarye.statistics.pixels import (
    chroma,
    match_color_moments,
    out_of_range,
    temporal_distance,
    total_variation,
)
from gramarye.statistics.positions import Activation, Guide
from gramarye.statistics.registry import STATISTICS, Statistic, Summary
from gramarye.statistics.transport import (
    gaussian_of,
    gaussian_root,
    projections,
    sliced_distance,
    sorted_projections,
    wasserstein_distance,
)

__all__ = [
    "DISTANCES",
    "STATISTICS",
    "Activation",
    "Gram",
    "Guide",
    "Statistic",
    "Summary",
    "chroma",
    "content_distance",
    "covariance_matrix",
    "gaussian_distance",
    "gaussian_of",
    "gaussian_root",
    "gaussian_sample",
    "gaussian_target",
    "gram_and_mean",
    "gram_distance",
    "gram_matrix",
    "match_color_moments",
    "mean_and_deviation",
    "moments_distance",
    "neighbour_distance",
    "neighbour_sample",
    "neighbour_target",
    "of_squared",
    "out_of_range",
    "polynomial_distance",
    "projections",
    "sliced_distance",
    "sorted_projections",
    "temporal_distance",
    "total_of",
    "total_variation",
    "wasserstein_distance",
]
