"""The feed-forward painter: sizes, styles and their mixing."""

from __future__ import annotations

import itertools

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from gramarye.fast.painter import Painter
from networks import picture

STYLES = ("swirl", "woodcut", "mosaic")


def trained(seed: int = 0) -> Painter:
    """A painter whose parameters are all other than at the beginning."""
    painter, generator = Painter(STYLES, width=16, blocks=2, last=8), torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for parameter in painter.parameters():
            parameter.add_(0.1 * torch.randn(parameter.shape, generator=generator))
    return painter.requires_grad_(requires_grad=False)


def of(style: int) -> torch.Tensor:
    return torch.eye(len(STYLES))[style : style + 1]


def test_an_untrained_painter_leaves_the_photograph_as_it_is() -> None:
    photograph = picture(40, 52, 1)
    assert torch.equal(Painter(STYLES)(photograph, of(0)), photograph)


@settings(max_examples=25, deadline=None)
@given(height=st.integers(8, 41), width=st.integers(8, 41))
def test_every_size_comes_back_as_it_was(height: int, width: int) -> None:
    photograph = picture(height, width, 1)
    painted = trained()(photograph, of(1))
    assert painted.shape == photograph.shape
    assert bool(torch.isfinite(painted).all())


def test_each_picture_of_a_batch_has_its_own_style() -> None:
    painter, photographs = trained(), torch.cat([picture(24, 28, seed) for seed in (1, 2)])
    together = painter(photographs, torch.cat([of(0), of(2)]))
    for place, style in enumerate((0, 2)):
        alone = painter(photographs[place : place + 1], of(style))
        torch.testing.assert_close(together[place : place + 1], alone, rtol=1e-4, atol=1e-5)
    assert float((together[0] - painter(photographs[:1], of(1))[0]).abs().max()) > 0.01


def test_mixing_goes_from_one_style_to_the_other_without_a_jump() -> None:
    painter, photograph = trained(), picture(24, 28, 1)
    ends = [painter(photograph, of(style)) for style in (0, 1)]
    way = [painter(photograph, torch.lerp(of(0), of(1), share)) for share in torch.linspace(0, 1, 9)]
    torch.testing.assert_close(way[0], ends[0])
    torch.testing.assert_close(way[-1], ends[1])
    jumps = [float((one - other).norm()) for one, other in itertools.pairwise(way)]
    assert max(jumps) < 0.5 * float((ends[0] - ends[1]).norm())


@pytest.mark.parametrize("contrast", [0.5, 2.0])
def test_normalisation_forgets_the_contrast_of_what_it_is_given(contrast: float) -> None:
    painter, photograph = trained(), picture(24, 28, 1) - 0.5
    added = painter(photograph, of(0)) - photograph
    scaled = painter(contrast * photograph, of(0)) - contrast * photograph
    assert float((scaled - added).norm()) < 0.1 * float(added.norm())
