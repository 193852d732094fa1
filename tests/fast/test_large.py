"""Painting in strips: the same picture as without, however the strips fall."""

from __future__ import annotations

import copy

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import feedforward
from gramarye.fast import large
from gramarye.fast.any_style import AnyStyle, Manner
from gramarye.fast.large import RunningMoments
from gramarye.fast.painter import Painter
from networks import picture

STYLES = ("swirl", "woodcut", "mosaic")


@pytest.fixture(scope="module")
def many() -> Painter:
    """A painter whose parameters are all other than at the beginning."""
    painter, generator = Painter(STYLES, width=16, blocks=2, last=8, coarse=12), torch.Generator().manual_seed(0)
    with torch.no_grad():
        for parameter in painter.parameters():
            parameter.add_(0.1 * torch.randn(parameter.shape, generator=generator))
    return painter.eval()


@pytest.fixture(scope="module")
def anything() -> AnyStyle:
    return feedforward.anything()


def rough(height: int, width: int, seed: int) -> torch.Tensor:
    """A picture with fine detail, in which no strip is like the next."""
    noise = torch.rand(1, 3, height, width, generator=torch.Generator().manual_seed(seed))
    return 0.7 * picture(height, width, seed) + 0.3 * noise


@settings(max_examples=20, deadline=None)
@given(height=st.integers(5, 70), width=st.integers(5, 50), rows=st.integers(1, 20), share=st.floats(0, 1))
def test_many_styles_in_strips(many: Painter, height: int, width: int, rows: int, share: float) -> None:
    """In float64, for in a map of few positions rounding may be enlarged by every normalisation."""
    photograph, mix = rough(height, width, rows).double(), torch.tensor([[share, 1 - share, 0.0]]).double()
    painter = copy.deepcopy(many).double()
    with torch.no_grad():
        whole = painter(photograph, mix)
    torch.testing.assert_close(large.paint(painter, photograph, mix, rows=rows), whole, rtol=0, atol=1e-4)


@settings(max_examples=12, deadline=None)
@given(height=st.integers(16, 260), width=st.integers(16, 60), rows=st.integers(1, 100), alpha=st.floats(0, 1))
def test_any_style_in_strips(anything: AnyStyle, height: int, width: int, rows: int, alpha: float) -> None:
    photograph, manner = rough(height, width, rows), anything.remember(rough(64, 40, 4))
    with torch.no_grad():
        whole = anything(photograph, manner, alpha)
    torch.testing.assert_close(large.paint(anything, photograph, manner, alpha, rows=rows), whole, rtol=0, atol=1e-4)


def test_each_picture_of_a_batch(many: Painter, anything: AnyStyle) -> None:
    photographs = torch.cat([rough(40, 36, seed) for seed in (1, 2)])
    mix = torch.eye(3)[[0, 2]]
    manners = [anything.remember(rough(48, 40, seed)) for seed in (3, 4)]
    for painter, told in ((many, mix), (anything, Manner.batch(manners)), (anything, manners[0])):
        with torch.no_grad():
            whole = painter(photographs, told)
        torch.testing.assert_close(large.paint(painter, photographs, told, rows=8), whole, rtol=0, atol=1e-4)


def test_small_pictures_are_left_to_the_painter(many: Painter, monkeypatch: pytest.MonkeyPatch) -> None:
    photograph, mix = rough(24, 20, 1), torch.eye(3)[:1]
    with torch.no_grad():
        whole = many(photograph, mix)
    assert torch.equal(large.paint(many, photograph, mix), whole)
    monkeypatch.setattr(large, "LARGE", 24 * 20 - 1)
    monkeypatch.setattr(large, "STRIP", {"cpu": 1000})
    in_strips = large.paint(many, photograph, mix)
    assert not torch.equal(in_strips, whole)  # another order of summation
    torch.testing.assert_close(in_strips, whole, rtol=0, atol=1e-4)


def test_no_gradient_is_kept(many: Painter) -> None:
    for rows in (None, 2):
        assert not large.paint(many, rough(24, 20, 1), torch.eye(3)[:1], rows=rows).requires_grad


def test_in_half_precision(many: Painter) -> None:
    """Under an autocast the maps are kept in its precision, as the painter keeps them."""
    photograph, mix = rough(64, 52, 1), torch.eye(3)[:1]
    with torch.no_grad():
        exact = many(photograph, mix)
        with torch.autocast("cpu", torch.bfloat16):
            whole = many(photograph, mix)
            in_strips = large.paint(many, photograph, mix, rows=3)
    assert in_strips.dtype == torch.float32
    assert float((in_strips - exact).abs().mean()) < 1.5 * float((whole - exact).abs().mean()) + 1e-4


@given(sizes=st.lists(st.integers(1, 9), min_size=1, max_size=6), shift=st.floats(-1e3, 1e3), seed=st.integers(0, 99))
@settings(deadline=None)
def test_moments_of_strips_are_those_of_the_whole(sizes: list[int], shift: float, seed: int) -> None:
    strips = [torch.randn(1, 4, size, 5, generator=torch.Generator().manual_seed(seed + size)) for size in sizes]
    moments, whole = RunningMoments(), torch.cat(strips, 2) + shift
    for strip in whole.split(sizes, 2):
        moments.add(strip)
    mean, variance = moments.found()
    flat = whole.double().flatten(2)[0]
    torch.testing.assert_close(mean, flat.mean(1), rtol=1e-5, atol=1e-5)
    torch.testing.assert_close(variance, flat.var(1, correction=0), rtol=1e-3, atol=1e-4)
