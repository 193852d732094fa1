"""What every style statistic promises under every distance."""

from __future__ import annotations

import itertools
from collections.abc import Callable

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from gramarye import settings, statistics
from gramarye.statistics import STATISTICS, transport

EVERY = list(itertools.product(STATISTICS, statistics.DISTANCES))
MEANS = ("gram", "covariance", "moments", "mmd-poly", "w2")  # each a mean over the positions
ISOMETRIC = ("gram", "covariance", "mmd-poly", "mmd-gauss", "w2", "nearest")
every = pytest.mark.parametrize(("name", "distance"), EVERY)


def activation(seed: int, shape: tuple[int, int, int] = (3, 4, 5), dtype: torch.dtype = torch.float64) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(1, *shape, generator=generator, dtype=torch.float64).to(dtype)


def loss(
    name: str, target: Tensor, guide: Tensor | None = None, *, to: Tensor | None = None, **known: object
) -> Callable[[Tensor], Tensor]:
    """The distance from `target`, under guides for the picture (`guide`) and the painting (`to`)."""
    statistic = STATISTICS[name]
    fixed = statistic.fix(statistic.summarise(target, to))
    return lambda found: statistic.compare(statistic.summarise(found, guide), fixed, **known)


def gradient(measure: Callable[[Tensor], Tensor], at: Tensor) -> Tensor:
    leaf = at.detach().clone().requires_grad_()
    return torch.autograd.grad(measure(leaf), leaf)[0]


def test_every_name_of_the_settings_is_there() -> None:
    assert tuple(STATISTICS) == settings.STATISTICS
    assert statistics.DISTANCES == settings.DISTANCES


@pytest.mark.parametrize("guide", [None, torch.rand(1, 1, 4, 5, generator=torch.Generator().manual_seed(2))])
@pytest.mark.parametrize("name", [name for name, each in STATISTICS.items() if each.through])
def test_through_a_matrix(name: str, guide: Tensor | None) -> None:
    """The summary of activations times a matrix follows from theirs."""
    statistic, matrix = STATISTICS[name], activation(3, (1, 3, 3))[0, 0]
    written = statistic.summarise(torch.einsum("ij,bjkl->bikl", matrix, activation(0)), guide)
    found = statistic.through(statistic.summarise(activation(0), guide), matrix)
    torch.testing.assert_close(found, written)


@every
@pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
def test_zero_at_the_target_and_never_negative(name: str, distance: str, dtype: torch.dtype) -> None:
    measure = loss(name, activation(0, dtype=dtype), distance=distance)
    values = [float(measure(activation(seed, dtype=dtype))) for seed in range(1, 6)]
    assert min(values) > 0
    assert 0 <= float(measure(activation(0, dtype=dtype))) < 2e-3 * min(values)


@every
def test_gradient_is_finite_everywhere(name: str, distance: str) -> None:
    """At the target, at dead and at constant activations, in both precisions and from a dead target."""
    for dtype in (torch.float64, torch.float32):
        target = activation(0, dtype=dtype)
        for goal in (target, torch.zeros_like(target)):
            measure = loss(name, goal, distance=distance)
            for at in (goal, torch.zeros_like(target), torch.ones_like(target), 1e3 * activation(1, dtype=dtype)):
                assert torch.isfinite(measure(at))
                assert torch.isfinite(gradient(measure, at)).all()


@every
def test_gradient_as_finite_differences(name: str, distance: str) -> None:
    for shape in ((3, 2, 3), (3, 2, 2)):  # the painting's: of the same size, and of another
        measure = loss(name, activation(7, shape), distance=distance)
        assert torch.autograd.gradcheck(measure, (2 * activation(11, (3, 2, 3))).requires_grad_())


@every
def test_fast_gradient_equals_the_exact_one(name: str, distance: str) -> None:
    """The float32 backward passes, some written by hand, against autograd in float64."""
    target, at = activation(0, (4, 9, 11)), activation(1, (4, 9, 11))
    exact = gradient(loss(name, target, distance=distance), at)
    fast = gradient(loss(name, target.float(), distance=distance), at.float())
    torch.testing.assert_close(fast.double(), exact, rtol=2e-3, atol=2e-4 * float(exact.abs().max()))


@every
def test_half_precision_is_near(name: str, distance: str) -> None:
    target, at = (activation(seed, (4, 16, 16)).relu() for seed in (0, 1))
    exact = float(loss(name, target, distance=distance)(2 * at))
    half = float(loss(name, target.bfloat16(), distance=distance)(2 * at.bfloat16()))
    assert half == pytest.approx(exact, rel=0.03)


@every
def test_the_same_again(name: str, distance: str) -> None:
    values = [loss(name, activation(0), distance=distance)(activation(1)) for _ in range(2)]
    assert torch.equal(*values)


@every
def test_a_guide_of_ones_is_none(name: str, distance: str) -> None:
    ones = 2 * torch.ones(1, 1, 4, 5, dtype=torch.float64)
    plain = loss(name, activation(0), distance=distance)(activation(1))
    guided = loss(name, activation(0), ones, to=ones, distance=distance)(activation(1))
    torch.testing.assert_close(guided, plain)


@every
def test_a_guide_confines(name: str, distance: str) -> None:
    """Only what is inside counts, as if the rest had been cut off; outside there is no gradient."""
    guide = torch.zeros(1, 1, 6, 5, dtype=torch.float64)
    guide[:, :, :3] = 0.7
    target, at = activation(0, (3, 6, 5)), activation(1, (3, 6, 5))
    measure = loss(name, target, guide, to=guide, distance=distance)
    cut = loss(name, target[:, :, :3], distance=distance)
    torch.testing.assert_close(measure(at), cut(at[:, :, :3]))
    pull = gradient(measure, at)
    assert float(pull[:, :, 3:].abs().max()) == 0
    torch.testing.assert_close(pull[:, :, :3], gradient(cut, at[:, :, :3]))


@pytest.mark.parametrize("name", MEANS)
def test_a_guide_weighs(name: str) -> None:
    """A position of weight 2 counts as if it were there twice."""
    once = activation(1, (3, 1, 4))
    twice = torch.cat([once, once[:, :, :, :2]], dim=3)
    guide = torch.tensor([2.0, 2, 1, 1], dtype=torch.float64).view(1, 1, 1, 4)
    target = activation(0)
    torch.testing.assert_close(loss(name, target, guide)(once), loss(name, target)(twice))


@pytest.mark.parametrize("name", STATISTICS)
def test_the_pictures_size_does_not_matter(name: str) -> None:
    """A picture laid out four times as large from the same positions is as far from the painting."""
    target, at = activation(0, (3, 12, 12)), activation(1, (3, 12, 12)) + 0.5
    measure = loss(name, target)
    small, large = float(measure(at)), float(measure(at.repeat(1, 1, 2, 2)))
    assert large == pytest.approx(small, rel=0.02 if name == "sliced-w" else 1e-9)
    assert float(measure(target.repeat(1, 1, 2, 2))) < (2e-3 if name == "sliced-w" else 1e-9) * small


@pytest.mark.parametrize("name", STATISTICS)
def test_the_order_of_positions_does_not_matter(name: str) -> None:
    """A style has no places: shuffling the positions changes nothing where all of them are taken."""
    at = activation(1)
    shuffled = at.flatten(2)[:, :, torch.randperm(20, generator=torch.Generator().manual_seed(0))].view_as(at)
    measure = loss(name, activation(0))
    torch.testing.assert_close(measure(shuffled), measure(at))


@pytest.mark.parametrize("name", ISOMETRIC)
@pytest.mark.parametrize("normalization", ["gatys", "hw", "chw"])
def test_fewer_channels_with_the_same_distances_measure_the_same(name: str, normalization: str) -> None:
    """A network whose vectors are those of a wider one, turned into fewer channels, says what the wider one says."""
    turn, _ = torch.linalg.qr(activation(3, (8, 4, 1)).view(8, 4))
    narrow = [activation(seed, (4, 5, 6)) for seed in (0, 1)]
    broad = [torch.einsum("ij,bjkl->bikl", turn, each) for each in narrow]
    found = loss(name, narrow[0], normalization=normalization, channels=8)(narrow[1])
    torch.testing.assert_close(found, loss(name, broad[0], normalization=normalization)(broad[1]))


@given(st.integers(0, 10_000), st.floats(0.01, 30))
def test_huber_continues_l2_and_stays_below(seed: int, scale: float) -> None:
    differences = scale * activation(seed)
    l2, l1, huber = (statistics.total_of(differences, distance) for distance in ("l2", "l1", "huber"))
    assert huber <= l2 * (1 + 1e-12)
    assert huber <= 2 * l1 * (1 + 1e-12)
    twice = 2 * torch.nn.functional.huber_loss(differences, torch.zeros_like(differences), reduction="sum", delta=1.0)
    torch.testing.assert_close(huber, twice)


@given(st.floats(0, 100))
def test_distances_of_one_squared_number(squared: float) -> None:
    given_ = torch.tensor(squared, dtype=torch.float64)
    root = squared**0.5
    written = {"l2": squared, "l1": root, "huber": squared if root <= 1 else 2 * root - 1}
    for distance, wanted in written.items():
        assert float(statistics.of_squared(given_, distance)) == pytest.approx(wanted, abs=1e-7)


@pytest.mark.parametrize("name", ["mmd-gauss", "nearest", "sliced-w"])
def test_large_pictures_are_sampled_by_seed(name: str) -> None:
    statistic = STATISTICS[name]
    large = activation(0, (8, 200, 190), torch.float32)
    one, again, other = (statistic.summarise(large, seed=seed)[0] for seed in (0, 0, 1))
    assert torch.equal(one, again)
    assert not torch.equal(one, other)
    assert one.numel() <= max(transport.SORTED, 2048 * 8)


def test_projections_see_every_position() -> None:
    """Positions beyond the budget are dealt out to groups: none is left without a gradient but a few left over."""
    large = activation(0, (16, 256, 250), torch.float32)
    assert large.numel() > 3 * transport.SORTED
    pull = gradient(loss("sliced-w", activation(1, (16, 50, 50), torch.float32)), large)
    assert float((pull.abs().sum(1) > 0).float().mean()) > 0.999
