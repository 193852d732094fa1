"""The papers' formulas, written out with loops and einsum, against gramarye.statistics."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from gramarye import statistics

SHAPES = st.tuples(st.integers(1, 6), st.integers(1, 7), st.integers(1, 7))


def activation(shape: tuple[int, int, int], seed: int, dtype: torch.dtype = torch.float64) -> torch.Tensor:
    return torch.randn(1, *shape, generator=torch.Generator().manual_seed(seed), dtype=dtype)


@given(SHAPES, st.integers(0, 1000))
def test_gram_is_gatys_equation_3_per_position(shape: tuple[int, int, int], seed: int) -> None:
    found = activation(shape, seed)
    channels, rows, columns = shape
    written = torch.zeros(channels, channels, dtype=torch.float64)
    for i in range(channels):
        for j in range(channels):
            written[i, j] = (found[0, i] * found[0, j]).sum()
    torch.testing.assert_close(statistics.gram_matrix(found)[0] * rows * columns, written)


@given(SHAPES, st.integers(0, 1000))
def test_style_distance_is_gatys_equation_4(shape: tuple[int, int, int], seed: int) -> None:
    """E = 1/(4·N²·M²)·Σ(G − A)² with G, A summed over positions, for pictures of the same size."""
    one, other = activation(shape, seed), activation(shape, seed + 1)
    n, m = shape[0], shape[1] * shape[2]
    g, a = (torch.einsum("bikl,bjkl->ij", each, each) for each in (one, other))
    written = ((g - a) ** 2).sum() / (4 * n**2 * m**2)
    found = statistics.gram_distance(statistics.gram_matrix(one), statistics.gram_matrix(other))
    torch.testing.assert_close(found, written)


@given(SHAPES, st.integers(0, 1000))
def test_style_distance_is_the_tutorials(shape: tuple[int, int, int], seed: int) -> None:
    """mse(G/(b·c·h·w), A/(b·c·h·w)), the PyTorch tutorial's."""
    one, other = activation(shape, seed), activation(shape, seed + 1)
    count = one.numel()
    g, a = (each.view(shape[0], -1) @ each.view(shape[0], -1).T / count for each in (one, other))
    found = statistics.gram_distance(statistics.gram_matrix(one), statistics.gram_matrix(other), normalization="chw")
    torch.testing.assert_close(found, torch.nn.functional.mse_loss(g, a))


@given(SHAPES, st.integers(0, 1000))
def test_content_distance(shape: tuple[int, int, int], seed: int) -> None:
    one, other = activation(shape, seed), activation(shape, seed + 1)
    squared = ((one - other) ** 2).sum()
    torch.testing.assert_close(statistics.content_distance(one, other), squared / 2)
    mean = statistics.content_distance(one, other, reduction="mean")
    torch.testing.assert_close(mean, torch.nn.functional.mse_loss(one, other))


def test_channels_stand_for_the_published_network() -> None:
    """Doubling every channel of a narrow network doubles the squared sums; N is then given."""
    one, other = activation((4, 5, 6), 0), activation((4, 5, 6), 1)
    grams = [statistics.gram_matrix(each) for each in (one, other)]
    narrow = statistics.gram_distance(*grams, channels=8)
    torch.testing.assert_close(narrow * 4, statistics.gram_distance(*grams))
    mean = statistics.content_distance(one, other, reduction="mean", channels=8)
    torch.testing.assert_close(mean * 2, statistics.content_distance(one, other, reduction="mean"))


@pytest.mark.parametrize("exponent", [1.0, 1.3, 2.0])
def test_total_variation_written_out(exponent: float) -> None:
    image = torch.rand(1, 3, 4, 5, dtype=torch.float64)
    written = 0.0
    for channel in range(3):
        for row in range(4):
            for column in range(5):
                here = image[0, channel, row, column]
                if row < 3:
                    written += abs(image[0, channel, row + 1, column] - here) ** exponent
                if column < 4:
                    written += abs(image[0, channel, row, column + 1] - here) ** exponent
    found = statistics.total_variation(image, exponent)
    torch.testing.assert_close(found, written / 20, rtol=1e-6, atol=0)


def test_total_variation_of_a_flat_picture_is_zero() -> None:
    flat = torch.full((1, 3, 8, 8), 0.3, dtype=torch.float64)
    for exponent in (1.0, 1.3, 2.0):
        assert float(statistics.total_variation(flat, exponent)) == pytest.approx(0, abs=1e-15)


def test_out_of_range_counts_only_what_leaves() -> None:
    image = torch.tensor([[-0.5, 0.2], [0.9, 1.25]], dtype=torch.float64).expand(1, 3, 2, 2)
    assert float(statistics.out_of_range(image)) == pytest.approx(3 * (0.25 + 0.0625) / 4)
    assert float(statistics.out_of_range(image.clamp(0, 1))) == 0


def test_chroma_written_out() -> None:
    image = activation((3, 4, 5), 3)
    red, green, blue = image[0]
    luma = 0.299 * red + 0.587 * green + 0.114 * blue
    assert torch.allclose(statistics.chroma(image)[0], torch.stack([red - luma, blue - luma]), rtol=0, atol=1e-14)


def losses() -> dict[str, object]:
    target = activation((3, 4, 5), 7)
    gram = statistics.gram_matrix(target)
    return {
        "gatys": lambda x: statistics.gram_distance(statistics.gram_matrix(x), gram),
        "chw": lambda x: statistics.gram_distance(statistics.gram_matrix(x), gram, normalization="chw"),
        "content sum": lambda x: statistics.content_distance(x, target),
        "content mean": lambda x: statistics.content_distance(x, target, reduction="mean"),
        "tv 2": statistics.total_variation,
        "tv 1.5": lambda x: statistics.total_variation(x, 1.5),
        "box": lambda x: statistics.out_of_range(2 * x),
    }


@pytest.mark.parametrize("name", losses())
def test_contract_of_every_loss(name: str) -> None:
    """Never negative, finite gradient, gradient as finite differences in float64."""
    loss = losses()[name]
    for seed in range(5):
        found = activation((3, 4, 5), seed).requires_grad_()
        value = loss(found)
        assert float(value.detach()) >= 0
        (gradient,) = torch.autograd.grad(value, found)
        assert torch.isfinite(gradient).all()
    assert torch.autograd.gradcheck(loss, activation((3, 4, 5), 11).requires_grad_())


@pytest.mark.parametrize("name", ["gatys", "chw", "content sum", "content mean"])
def test_zero_at_the_target(name: str) -> None:
    assert float(losses()[name](activation((3, 4, 5), 7))) == pytest.approx(0, abs=1e-20)


@given(SHAPES, st.integers(0, 1000))
def test_fast_gram_gradient_equals_autograds(shape: tuple[int, int, int], seed: int) -> None:
    """The hand-written float32 backward pass against float64 through autograd."""
    exact = activation(shape, seed).requires_grad_()
    fast = exact.detach().float().requires_grad_()
    target = statistics.gram_matrix(activation(shape, seed + 1))
    statistics.gram_distance(statistics.gram_matrix(exact), target).backward()
    statistics.gram_distance(statistics.gram_matrix(fast), target.float()).backward()
    torch.testing.assert_close(fast.grad.double(), exact.grad, rtol=1e-3, atol=1e-4)


@given(st.integers(0, 1000))
def test_matched_colours_have_the_paintings_moments(seed: int) -> None:
    """Where nothing is clipped, mean and covariance are the reference's."""
    generator = torch.Generator().manual_seed(seed)
    mixing = 0.04 * torch.eye(3) + 0.02 * torch.rand(3, 3, generator=generator)
    noise = torch.randn(3, 400, generator=generator)
    image = (0.5 + mixing @ noise).view(1, 3, 20, 20)
    other = (0.45 + 0.03 * torch.randn(1, 3, 18, 25, generator=generator)).clamp(0, 1)
    matched = statistics.match_color_moments(image, other)
    torch.testing.assert_close(matched.flatten(2).mean(2), other.flatten(2).mean(2), atol=2e-3, rtol=0)
    found, wanted = torch.cov(matched.flatten(2)[0]), torch.cov(other.flatten(2)[0])
    torch.testing.assert_close(found, wanted, atol=1e-4, rtol=0)
    assert matched.min() >= 0
    assert matched.max() <= 1
