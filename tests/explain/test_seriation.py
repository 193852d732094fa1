"""The order of channels: what is alike stands together."""

from __future__ import annotations

from itertools import pairwise

import torch
from hypothesis import given
from hypothesis import strategies as st

from gramarye.explain.seriation import binned, cosines, seriated

SEEDS = st.integers(0, 10_000)


def random(*shape: int, seed: int) -> torch.Tensor:
    return torch.rand(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


@given(count=st.integers(1, 30), seed=SEEDS)
def test_points_on_a_line_come_back_in_their_order(count, seed) -> None:
    points = random(count, seed=seed)
    similarity = torch.exp(-3 * (points[:, None] - points[None, :]).abs())
    ordered = points[seriated(similarity)]
    steps = ordered.diff()
    assert bool((steps >= 0).all()) or bool((steps <= 0).all())


@given(sizes=st.lists(st.integers(1, 6), min_size=1, max_size=5), seed=SEEDS)
def test_groups_stand_together(sizes, seed) -> None:
    group = torch.repeat_interleave(torch.arange(len(sizes)), torch.tensor(sizes))
    group = group[torch.randperm(len(group), generator=torch.Generator().manual_seed(seed))]
    similarity = 0.5 * (group[:, None] == group[None, :]) + 0.1 * random(len(group), len(group), seed=seed)
    ordered = group[seriated((similarity + similarity.T) / 2)].tolist()
    changes = sum(one != other for one, other in pairwise(ordered))
    assert changes == len(sizes) - 1
    assert sorted(ordered) == sorted(group.tolist())


def test_cosines_do_not_depend_on_loudness_and_silent_channels_have_none() -> None:
    activations = random(5, 40, seed=1)
    activations[3] = 0
    loud = activations * torch.tensor([1.0, 10, 100, 1, 0.1])[:, None]
    gram = loud @ loud.T
    found = cosines(gram)
    expected = torch.corrcoef(torch.cat([activations, -activations], 1).index_select(0, torch.tensor([0, 1, 2, 4])))
    torch.testing.assert_close(found[[0, 1, 2, 4]][:, [0, 1, 2, 4]], expected)  # cosines are correlations about 0
    assert not found[3].any()


def test_bins_average_blocks_and_small_matrices_stay_as_they_are() -> None:
    matrix = random(12, 12, seed=2)
    found = binned(matrix, 4)
    assert found.shape == (1, 1, 4, 4)
    torch.testing.assert_close(found[0, 0, 1, 2], matrix[3:6, 6:9].mean())
    assert torch.equal(binned(matrix)[0, 0], matrix)
