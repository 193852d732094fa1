"""The feed-forward painter: sizes, styles and their mixing."""

from __future__ import annotations

import itertools

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from gramarye.fast.painter import KNOWN, Normalisation, Painter, doubled, halved, moments
from networks import picture

STYLES = ("swirl", "woodcut", "mosaic")


def trained(seed: int = 0) -> Painter:
    """A painter whose parameters are all other than at the beginning."""
    painter, generator = Painter(STYLES, width=16, blocks=2, last=8, coarse=12), torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for parameter in painter.parameters():
            parameter.add_(0.1 * torch.randn(parameter.shape, generator=generator))
    return painter.requires_grad_(requires_grad=False)


def of(style: int) -> torch.Tensor:
    return torch.eye(len(STYLES))[style : style + 1]


def test_an_untrained_painter_gives_the_photograph_in_the_paintings_colours() -> None:
    painter, photograph, paintings = Painter(STYLES), picture(40, 52, 1), [picture(30, 41, seed) for seed in (2, 3, 4)]
    painter.measure(paintings)
    with torch.no_grad():
        for style, painting in enumerate(paintings):
            (mean, deviation), (wanted, spread) = moments(photograph), moments(painting)
            plain = (photograph.flatten(2) - mean[..., None]) / deviation[..., None]
            expected = (plain * spread[..., None] + wanted[..., None]).view_as(photograph)
            torch.testing.assert_close(painter(photograph, of(style)), expected, rtol=1e-3, atol=1e-3)


def test_what_is_painted_has_the_moments_that_the_style_asks() -> None:
    painter, photograph = trained(), picture(24, 28, 1)
    torch.nn.init.zeros_(painter.of_painting.told.weight)
    torch.nn.init.zeros_(painter.of_painting.told.bias)
    for style in range(len(STYLES)):
        mean, deviation = moments(painter(photograph, of(style)))
        torch.testing.assert_close(mean.flatten(), painter.of_painting.offset[style], rtol=1e-3, atol=1e-4)
        torch.testing.assert_close(deviation.flatten(), painter.of_painting.gain[style].abs(), rtol=1e-2, atol=1e-3)


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
    """But for what the normalisations are told of the photograph."""
    painter, photograph = trained(), picture(24, 28, 1) - 0.5
    painted, louder = painter(photograph, of(0)), painter(contrast * photograph, of(0))
    assert float((louder - painted).norm()) > 1e-3 * float(painted.norm())
    torch.nn.init.zeros_(painter.know.weight)
    painted, louder = painter(photograph, of(0)), painter(contrast * photograph, of(0))
    assert float((louder - painted).norm()) < 0.1 * float((painted - painted.mean()).norm())


def test_a_normalisation_is_as_its_formula_says() -> None:
    torch.manual_seed(0)
    layer, found, known = Normalisation(5, 3), 3 * torch.randn(2, 5, 6, 7) + 1, torch.randn(2, KNOWN)
    mix = torch.tensor([[0.3, 0.7, 0.0], [0.0, 0.0, 1.0]])
    with torch.no_grad():
        for parameter in layer.parameters():
            torch.nn.init.normal_(parameter)
        gain, offset = (known @ layer.told.weight.T + layer.told.bias).split(5, 1)
        plain = (found - found.mean((2, 3), keepdim=True)) / found.std((2, 3), correction=0, keepdim=True)
        gain = (mix @ layer.gain) * (1 + gain)
        offset = mix @ layer.offset + offset
        expected = gain[:, :, None, None] * plain + offset[:, :, None, None]
        torch.testing.assert_close(layer(found, mix, known), expected, rtol=1e-4, atol=1e-4)


@given(rows=st.integers(1, 9), columns=st.integers(1, 9))
def test_half_the_size_and_back(rows: int, columns: int) -> None:
    """An odd row or column is a cell by itself; a map that is even in cells of two by two comes back."""
    found = torch.arange(float(rows * columns)).reshape(1, 1, rows, columns)
    assert halved(found).shape[2:] == (-(-rows // 2), -(-columns // 2))
    assert torch.equal(halved(doubled(found)), found)
