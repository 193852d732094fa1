"""Each paper's formula, written out in another way, against gramarye.statistics."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.linalg
import scipy.signal
import scipy.stats
import torch
import torch.nn.functional as F
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from gramarye import statistics
from gramarye.statistics import STATISTICS

SHAPES = st.tuples(st.integers(1, 5), st.integers(1, 5), st.integers(2, 6))
SEEDS = st.integers(0, 1000)


def activation(shape: tuple[int, int, int], seed: int) -> Tensor:
    return torch.randn(1, *shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def vectors(found: Tensor) -> np.ndarray:
    """One row a position."""
    return found[0].flatten(1).T.numpy()


def measured(name: str, found: Tensor, target: Tensor, **known: object) -> float:
    statistic = STATISTICS[name]
    return float(statistic.compare(statistic.summarise(found), statistic.fix(statistic.summarise(target)), **known))


def near(value: float) -> object:
    return pytest.approx(value, rel=1e-5, abs=2e-8)


@given(SHAPES, SEEDS)
def test_gram_normalisations(shape: tuple[int, int, int], seed: int) -> None:
    one, other = activation(shape, seed), activation(shape, seed + 1)
    n, m = shape[0], shape[1] * shape[2]
    g, a = (vectors(each).T @ vectors(each) for each in (one, other))
    written = {
        ("gatys", "l2"): ((g - a) ** 2).sum() / (4 * n**2 * m**2),
        ("hw", "l2"): ((g / m - a / m) ** 2).mean(),
        ("chw", "l2"): ((g / (n * m) - a / (n * m)) ** 2).mean(),
        ("gatys", "l1"): np.abs(g / m - a / m).mean() / 2,
        ("hw", "l1"): np.abs(g / m - a / m).mean(),
        ("chw", "l1"): np.abs(g / (n * m) - a / (n * m)).mean(),
    }
    for (normalization, distance), value in written.items():
        assert measured("gram", one, other, normalization=normalization, distance=distance) == near(value)


@given(SHAPES, SEEDS)
def test_covariance(shape: tuple[int, int, int], seed: int) -> None:
    one, other = activation(shape, seed), activation(shape, seed + 1)
    c, d = (np.atleast_2d(np.cov(vectors(each), rowvar=False, bias=True)) for each in (one, other))
    torch.testing.assert_close(statistics.covariance_matrix(one)[0].numpy(), c)
    assert measured("covariance", one, other, normalization="hw") == near(((c - d) ** 2).mean())


@given(SHAPES, SEEDS)
def test_moments(shape: tuple[int, int, int], seed: int) -> None:
    """Mean squared errors of means and standard deviations, as AdaIN's style loss has them."""
    one, other = activation(shape, seed), activation(shape, seed + 1)
    means = [vectors(each).mean(0) for each in (one, other)]
    deviations = [np.sqrt(vectors(each).var(0) + 1e-5) for each in (one, other)]
    written = ((means[0] - means[1]) ** 2).mean() + ((deviations[0] - deviations[1]) ** 2).mean()
    assert measured("moments", one, other) == near(written)


@given(SHAPES, SEEDS)
def test_polynomial_mmd_over_all_pairs(shape: tuple[int, int, int], seed: int) -> None:
    one, other = activation(shape, seed), activation((shape[0], 3, 4), seed + 1)
    x, y = vectors(one), vectors(other)
    c = (y**2).sum(1).mean()
    xx, xy, yy = (((a @ b.T + c) ** 2).mean() for a, b in ((x, x), (x, y), (y, y)))
    squared = xx - 2 * xy + yy
    assert measured("mmd-poly", one, other) == near(squared / (4 * shape[0] ** 2))
    assert measured("mmd-poly", one, other, distance="l1") == near((squared / (4 * shape[0] ** 2)) ** 0.5)


@given(SHAPES, SEEDS)
def test_gaussian_mmd_over_all_pairs(shape: tuple[int, int, int], seed: int) -> None:
    one, other = activation(shape, seed), activation((shape[0], 3, 4), seed + 1)
    x, y = vectors(one), vectors(other)

    def squares(a: np.ndarray, b: np.ndarray) -> np.ndarray:
        return ((a[:, None] - b[None]) ** 2).sum(2)

    bandwidth = squares(y, y).mean()
    xx, xy, yy = (np.exp(-squares(a, b) / (2 * bandwidth)).mean() for a, b in ((x, x), (x, y), (y, y)))
    assert measured("mmd-gauss", one, other) == near(xx - 2 * xy + yy)


@given(SHAPES, SEEDS)
def test_wasserstein_of_gaussians(shape: tuple[int, int, int], seed: int) -> None:
    one, other = activation(shape, seed), activation((shape[0], 3, 4), seed + 1)
    n = shape[0]
    x, y = vectors(one), vectors(other)
    c, a = (np.atleast_2d(np.cov(each, rowvar=False, bias=True)) + 1e-4 * np.eye(n) for each in (x, y))
    root = scipy.linalg.sqrtm(a).real
    cross = scipy.linalg.sqrtm(root @ c @ root).real
    written = ((x.mean(0) - y.mean(0)) ** 2).sum() + np.trace(c + a - 2 * cross)
    assert measured("w2", one, other) == pytest.approx(written / n, rel=1e-5, abs=1e-7)


def test_wasserstein_of_one_channel() -> None:
    """(μ − μ')² + (σ − σ')²."""
    one, other = activation((1, 5, 8), 0), 3 + 2 * activation((1, 6, 7), 1)
    x, y = vectors(one), vectors(other)
    written = (x.mean() - y.mean()) ** 2 + (np.sqrt(x.var() + 1e-4) - np.sqrt(y.var() + 1e-4)) ** 2
    assert measured("w2", one, other) == near(written)


@given(SHAPES, SEEDS)
def test_sliced_wasserstein_direction_by_direction(shape: tuple[int, int, int], seed: int) -> None:
    """With as many positions: SciPy's one-dimensional distance, and sorted squares, along the seeded basis."""
    one, other = activation(shape, seed), activation(shape, seed + 1)
    generator = torch.Generator().manual_seed(0)
    normal = torch.randn(shape[0], shape[0], generator=generator, dtype=torch.float64)
    basis, _ = np.linalg.qr(normal.numpy())
    pairs = [(vectors(one) @ direction, vectors(other) @ direction) for direction in basis.T]
    first = np.mean([scipy.stats.wasserstein_distance(x, y) for x, y in pairs])
    squares = np.mean([((np.sort(x) - np.sort(y)) ** 2).mean() for x, y in pairs])
    assert measured("sliced-w", one, other, distance="l1") == near(first)
    assert measured("sliced-w", one, other) == near(squares)


def test_sliced_wasserstein_of_different_sizes() -> None:
    """Many positions against fewer of the same distribution's quantiles, and a shift of it: ‖shift‖²/N."""
    quantiles = torch.linspace(0.0005, 0.9995, 1000, dtype=torch.float64)
    many = torch.special.ndtri(quantiles).view(1, 1, 20, 50)
    few = torch.special.ndtri(torch.linspace(0.0025, 0.9975, 200, dtype=torch.float64)).view(1, 1, 10, 20)
    assert measured("sliced-w", many, few) < 1e-3
    assert measured("sliced-w", many + 3, few) == pytest.approx(9, rel=1e-2)
    shift = torch.tensor([1.0, -2, 3], dtype=torch.float64).view(1, 3, 1, 1)
    one = activation((3, 6, 6), 0)
    assert measured("sliced-w", one + shift, one) == near(14 / 3)


@given(SHAPES, SEEDS)
def test_nearest_neighbours_one_by_one(shape: tuple[int, int, int], seed: int) -> None:
    one, other = activation((shape[0] + 1, *shape[1:]), seed), activation((shape[0] + 1, 3, 4), seed + 1)
    x, y = vectors(one), vectors(other)
    total = 0.0
    for here, centred in zip(x, x - x.mean(0), strict=True):
        others = y - y.mean(0)
        cosines = others @ centred / np.linalg.norm(others, axis=1) / np.linalg.norm(centred)
        total += ((here - y[cosines.argmax()]) ** 2).sum()
    assert measured("nearest", one, other) == near(total / x.size)


@given(SHAPES, SEEDS)
def test_content_distances(shape: tuple[int, int, int], seed: int) -> None:
    one, other = activation(shape, seed), 3 * activation(shape, seed + 1)
    loss = statistics.content_distance
    torch.testing.assert_close(loss(one, other, distance="l1", reduction="mean"), F.l1_loss(one, other))
    torch.testing.assert_close(loss(one, other, distance="l1"), F.l1_loss(one, other, reduction="sum"))
    torch.testing.assert_close(loss(one, other, distance="huber"), F.huber_loss(one, other, reduction="sum"))
    torch.testing.assert_close(loss(one, other, distance="huber", reduction="mean"), 2 * F.huber_loss(one, other))


@pytest.mark.parametrize("distance", statistics.DISTANCES)
@pytest.mark.parametrize("reduction", ["sum", "mean"])
def test_content_weights_position_by_position(distance: str, reduction: str) -> None:
    one, other = activation((3, 4, 5), 0), activation((3, 4, 5), 1)
    weights = torch.rand(1, 1, 4, 5, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    loss = statistics.content_distance
    known = {"distance": distance, "reduction": reduction}
    written = 0.0
    for row in range(4):
        for column in range(5):
            at = (..., slice(row, row + 1), slice(column, column + 1))
            written += weights[0, 0, row, column] * loss(one[at], other[at], **known)
    written = written / 20 if reduction == "mean" else written
    torch.testing.assert_close(loss(one, other, weights=weights, **known), written)
    torch.testing.assert_close(loss(one, other, weights=torch.ones_like(weights), **known), loss(one, other, **known))


@given(st.integers(2, 6), st.integers(2, 6), st.sampled_from([1.0, 1.5, 2.0, 2.5]), SEEDS)
def test_isotropic_total_variation(height: int, width: int, exponent: float, seed: int) -> None:
    """The Keras example's is the sum with p = 2.5: (dx² + dy²)^1.25."""
    image = activation((3, height, width), seed)
    x = image[0].numpy()
    total = 0.0
    for channel in range(3):
        for i in range(height - 1):
            for j in range(width - 1):
                down, right = x[channel, i + 1, j] - x[channel, i, j], x[channel, i, j + 1] - x[channel, i, j]
                total += (down**2 + right**2) ** (exponent / 2)
    found = statistics.total_variation(image, exponent, kind="isotropic", reduction="sum")
    assert float(found) == pytest.approx(total, rel=1e-6)
    mean = statistics.total_variation(image, exponent, kind="isotropic")
    assert float(mean) == pytest.approx(total / (height * width), rel=1e-6)


@given(st.integers(1, 6), st.integers(1, 6), SEEDS)
def test_nine_point_total_variation(height: int, width: int, seed: int) -> None:
    """Crowson's: means of squared differences, straight ones times 2/3 and diagonal ones 1/6, by convolution."""
    image = activation((3, height, width), seed)
    edges = np.pad(image[0].numpy(), ((0, 0), (1, 1), (1, 1)), mode="edge")
    straight = [np.diff(edges[:, 1:-1], axis=2)[:, :, 1:], np.diff(edges[:, :, 1:-1], axis=1)[:, 1:]]
    diagonal = [
        scipy.signal.correlate(edges, kernel[None], mode="valid")
        for kernel in (np.diag([-1, 1]), np.diag([-1, 1])[::-1])
    ]
    crowson = sum(2 / 3 * (each**2).mean() for each in straight) + sum((each**2).mean() / 6 for each in diagonal)
    found = statistics.total_variation(image, kind="nine-point")
    assert float(found) == pytest.approx(3 * crowson, rel=1e-6, abs=1e-12)


@pytest.mark.parametrize("kind", ["anisotropic", "isotropic", "nine-point"])
@pytest.mark.parametrize("exponent", [1.0, 1.5, 2.0, 2.5])
def test_total_variation_of_every_kind(kind: str, exponent: float) -> None:
    """Zero for a flat picture with a finite gradient there; gradient as finite differences; sum is H·W means."""
    flat = torch.full((1, 3, 4, 5), 0.3, dtype=torch.float64).requires_grad_()
    value = statistics.total_variation(flat, exponent, kind=kind)
    assert float(value.detach()) == pytest.approx(0, abs=1e-12)
    assert torch.isfinite(torch.autograd.grad(value, flat)[0]).all()
    image = activation((3, 4, 5), 2)
    total = statistics.total_variation(image, exponent, kind=kind, reduction="sum")
    torch.testing.assert_close(total, 20 * statistics.total_variation(image, exponent, kind=kind))
    measure = lambda x: statistics.total_variation(x, exponent, kind=kind)  # noqa: E731
    assert torch.autograd.gradcheck(measure, image.requires_grad_())
