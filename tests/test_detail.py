"""Maps of the photograph's details."""

from __future__ import annotations

import torch

from gramarye import detail
from networks import picture


def half_detailed(height: int = 64, width: int = 96) -> torch.Tensor:
    """Stripes on the left, nothing on the right."""
    image = torch.full((1, 3, height, width), 0.5)
    image[..., : width // 2] = (torch.arange(width // 2) // 4 % 2).float()
    return image


def test_edges_are_where_the_luminance_changes() -> None:
    found = detail.edges(half_detailed())
    assert found.shape == (1, 1, 64, 96)
    assert 0 <= float(found.min()) <= float(found.max()) <= 1
    assert float(found[..., 8:40].min()) > 0.5
    assert float(found[..., 56:].max()) < 0.05


def test_a_plain_photograph_has_none() -> None:
    assert float(detail.edges(torch.full((1, 3, 32, 40), 0.3)).max()) == 0


def test_lost_is_what_the_painting_has_not_and_never_the_plain_parts() -> None:
    photograph = half_detailed()
    painted = photograph.clone()
    painted[..., :32, :] = picture(32, 96, 1)
    found = detail.lost(photograph, painted)
    assert float(found[..., 4:24, 8:40].mean()) > 0.5
    assert float(found[..., 44:, 8:40].max()) < 0.1
    assert float(found[..., 56:].max()) < 0.1


def test_nothing_is_lost_of_a_copy() -> None:
    photograph = picture(48, 40, 2)
    assert float(detail.kept(photograph, photograph).min()) > 0.98
