"""Optimal transport between the activation vectors of two pictures: Gaussian, and along directions."""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np
import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

from gramarye.statistics.distances import of_squared, total_of
from gramarye.statistics.gram import Gram, Mean, centred, gram_and_mean
from gramarye.statistics.positions import Activation, Guide, sampled, wide

RIDGE = 1e-4  # added to the covariances' diagonal: Crowson, style-transfer-pytorch
SORTED = 2**18  # values sorted in one layer and evaluation: what keeps sorting cheaper than convolving

Projections = Float[Tensor, "batch directions count"]


def gaussian_of(activation: Activation, guide: Guide | None = None, *, seed: int = 0) -> tuple[Mean, Gram]:
    """The Gaussian with the picture's mean and covariance: μ, batch N, and C + 10⁻⁴·I, batch N N."""
    gram, mean = gram_and_mean(activation, guide)
    return mean, centred(gram, mean) + RIDGE * torch.eye(gram.shape[-1], dtype=gram.dtype, device=gram.device)


def gaussian_root(gaussian: tuple[Mean, Gram]) -> tuple[Mean, Gram, Gram]:
    """The painting's Gaussian and the root of its covariance, in float64."""
    mean, covariance = gaussian
    values, vectors = torch.linalg.eigh(_exact(covariance))
    root = (vectors * values.clamp_min(0).sqrt()[:, None, :]) @ vectors.transpose(1, 2)
    return mean, covariance, root


def wasserstein_distance(
    found: tuple[Mean, Gram],
    target: tuple[Mean, Gram, Gram],
    *,
    distance: str = "l2",
    normalization: str = "gatys",
    channels: int | None = None,
) -> Float[Tensor, ""]:
    """The 2-Wasserstein distance of two Gaussians, a scalar; l2 is its square over N.

    W² = 1/N·(‖μ − μ'‖² + tr(C + A − 2·(A^½·C·A^½)^½))

    Olkin and Pukelsheim 1982; as a style loss Crowson, style-transfer-pytorch. Differs from hers by exact
    roots: the trace is Σ √λ over the eigenvalues of A^½·C·A^½, whose gradient needs no differences of eigenvalues,
    instead of Newton–Schulz steps, which stop short for small eigenvalues. In float64, because
    √λ doubles the digits that are lost. `normalization` does not matter.
    """
    mean, covariance = found
    other_mean, other, root = target
    n = channels or mean.shape[-1]
    eigenvalues = torch.linalg.eigvalsh(root @ _exact(covariance) @ root).clamp_min(RIDGE**2)
    traces = _exact(covariance + other).diagonal(dim1=1, dim2=2).sum() - 2 * eigenvalues.sqrt().sum()
    squared = (mean - other_mean).square().sum() + traces.to(mean)
    return of_squared(squared / n, distance)


def _exact(matrix: Tensor) -> Tensor:
    """Float64, on the processor where the accelerator has none."""
    return (matrix.cpu() if matrix.device.type == "mps" else matrix).double()


def projections(activation: Activation, guide: Guide | None = None, *, seed: int = 0) -> tuple[Projections]:
    """The positions along N orthonormal seeded directions, batch N M', or those of the guide's region.

    At most SORTED values. Where M positions along N directions would be more, the positions are dealt out at
    random to groups, and each group is projected on its own share of the directions: so every position is
    seen, instead of a few along all.
    """
    channels = activation.shape[1]
    positions = sampled(activation, guide, activation.shape[2] * activation.shape[3], seed)
    count = positions.shape[1]
    groups = min(channels, math.ceil(count * channels / SORTED))
    size = min(count // groups, max(1, SORTED // channels))
    precision = torch.promote_types(positions.dtype, torch.float32)
    shares = torch.tensor_split(_directions(channels, seed).to(positions.device, precision), groups, dim=1)
    dealt = torch.split(positions, size, dim=1)[:groups]
    parts = [wide(group) @ share for group, share in zip(dealt, shares, strict=True)]
    return (torch.cat(parts, dim=2).transpose(1, 2).contiguous(),)


def sorted_projections(found: tuple[Projections]) -> tuple[Projections]:
    """The painting's projections in ascending order."""
    return (found[0].gather(2, _order(found[0])),)


def sliced_distance(
    found: tuple[Projections],
    target: tuple[Float[Tensor, "batch directions others"]],
    *,
    distance: str = "l2",
    normalization: str = "gatys",
    channels: int | None = None,
) -> Float[Tensor, ""]:
    """The sliced Wasserstein distance: along each direction, the k-th smallest value against the k-th; a scalar.

    SW = 1/(D·M)·Σ_vk h(√(D/N)·(sort(v·F)_k − sort(v·A)_k)), h(d) = d², |d| or huber(d)

    for D directions v and M positions. A painting with another number of positions is read at the picture's
    quantiles, between two values linearly. D is N but for the embedded network, where √(D/N) makes the distances
    those of VGG-19. Heitz et al. 2021, "A Sliced Wasserstein Loss for Neural Texture Synthesis". Differs from
    it in that the directions stay the same from evaluation to evaluation, as L-BFGS needs, and in `projections`.
    `normalization` does not matter.
    """
    values, wanted = found[0], target[0]
    if wanted.shape[2] != values.shape[2]:
        wanted = F.interpolate(wanted, values.shape[2], mode="linear", align_corners=False)
    matched = torch.empty_like(wanted).scatter_(2, _order(values), wanted)
    scale = (values.shape[1] / (channels or values.shape[1])) ** 0.5
    return total_of((values - matched) * scale, distance) / values.numel()


def _order(values: Projections) -> Tensor:
    """The indices that sort the last dimension; NumPy's vectorised sort takes a quarter of torch's time."""
    if values.device.type == "cpu":
        return torch.from_numpy(np.argsort(values.detach().numpy(), axis=-1))
    return values.detach().argsort(dim=-1)


@lru_cache(maxsize=16)
def _directions(channels: int, seed: int) -> Float[Tensor, "channels channels"]:
    """A random orthonormal basis, one direction a column."""
    generator = torch.Generator().manual_seed(seed)
    normal = torch.randn(channels, channels, generator=generator, dtype=torch.float64)
    basis: Tensor = torch.linalg.qr(normal)[0]
    return basis
