"""The optimiser of convolutions: its steps are orthogonal, of Adam's size, and go down."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from gramarye.fast.muon import LIKE_ADAM, Muon, orthogonal


@pytest.mark.parametrize("shape", [(8, 40), (40, 8), (16, 16)])
def test_what_is_orthogonal_has_singular_values_near_one_and_the_same_singular_vectors(shape: tuple[int, int]) -> None:
    left, sizes, right = torch.linalg.svd(
        torch.randn(shape, generator=torch.Generator().manual_seed(0)), full_matrices=False
    )
    sizes = sizes.clamp_min(0.2 * sizes.max())
    found = left.T @ orthogonal(left @ torch.diag(sizes) @ right) @ right.T
    torch.testing.assert_close(found - torch.diag(found.diag()), torch.zeros_like(found), rtol=0, atol=1e-4)
    assert 0.6 < float(found.diag().min()) <= float(found.diag().max()) < 1.3


def test_a_matrix_of_zeros_stays_one() -> None:
    assert torch.equal(orthogonal(torch.zeros(3, 5)), torch.zeros(3, 5))


def test_a_step_has_the_size_of_the_rate_however_long_the_gradient() -> None:
    for length in (1e-6, 1.0, 1e6):
        weight = nn.Parameter(torch.zeros(16, 8, 3, 3))
        weight.grad = length * torch.randn(weight.shape, generator=torch.Generator().manual_seed(0))
        Muon([weight], lr=0.01).step()
        # an orthogonal matrix of 16 × 72 has a root mean square of 1/√72
        torch.testing.assert_close(float(weight.detach().square().mean().sqrt()), 0.01 * LIKE_ADAM, rtol=0.15, atol=0)


def test_it_finds_the_least_of_a_badly_scaled_problem() -> None:
    generator = torch.Generator().manual_seed(0)
    wanted, scales = torch.randn(8, 8, generator=generator), torch.logspace(0, -1, 8)
    weight = nn.Parameter(torch.zeros(8, 8))
    optimizer = Muon([weight], lr=0.3)
    for step in range(300):
        optimizer.param_groups[0]["lr"] = 0.3 * (1 - step / 300)
        optimizer.zero_grad()
        ((weight - wanted) * scales).square().sum().backward()
        optimizer.step()
    assert float((weight.detach() - wanted).norm() / wanted.norm()) < 0.05


def test_parameters_without_a_gradient_stay() -> None:
    weight = nn.Parameter(torch.ones(4, 4))
    Muon([weight], lr=1.0).step()
    assert torch.equal(weight.detach(), torch.ones(4, 4))
