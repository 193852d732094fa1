"""The painter of any painting: AdaIN as the paper has it, its taps, and what an untrained one does."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from feedforward import anything
from gramarye.fast import any_style
from gramarye.fast.any_style import AnyStyle, Manner
from gramarye.fast.painter import KNOWN, LEAST, moments
from networks import picture


@pytest.fixture(scope="module")
def painter() -> AnyStyle:
    return anything()


def test_a_layer_takes_the_moments_that_it_is_told(painter: AnyStyle) -> None:
    """Huang and Belongie 2017, eq. 8: σ(s)·(f − μ(f))/σ(f) + μ(s), with σ(s) and μ(s) as the layer makes them of s."""
    manner, known = painter.remember(picture(64, 40, 4)), torch.zeros(1, KNOWN)
    layer, found = painter.after_enter, torch.randn(1, 64, 9, 7, generator=torch.Generator().manual_seed(0)) * 3 + 1
    with torch.no_grad():
        code = painter.code(picture(16, 16, 1), manner)
        spread, mean = code @ layer.gain, code @ layer.offset
        flat = found.flatten(2)
        paper = spread[..., None] * (flat - flat.mean(2, keepdim=True)) / flat.std(2, correction=0, keepdim=True)
        expected = (paper + mean[..., None]).view_as(found)
        torch.testing.assert_close(layer(found, code, known), expected, rtol=1e-4, atol=1e-4)


def test_what_is_known_of_a_painting_are_its_moments(painter: AnyStyle) -> None:
    painting = picture(64, 40, 4)
    manner = painter.remember(painting)
    assert tuple(manner.moments) == any_style.TAPS
    found = painter.encoder(painting, ("relu3_1",))["relu3_1"].flatten(2)
    mean, deviation = manner.moments["relu3_1"]
    torch.testing.assert_close(mean, found.mean(2))
    torch.testing.assert_close(deviation, found.std(2, correction=0).clamp_min(LEAST))
    pairs = [torch.cat((mean, deviation.log()), 1) for mean, deviation in manner.moments.values()]
    assert torch.equal(manner.numbers, torch.cat(pairs, 1))


def test_paintings_are_scaled_by_what_is_usual(painter: AnyStyle) -> None:
    paintings = [picture(64, 72, seed) for seed in (1, 2, 3)]
    plain = AnyStyle(any_style.encoder())
    plain.measure(paintings)
    numbers = torch.cat([plain.remember(each).numbers for each in paintings])
    scaled = (numbers - plain.get_buffer("usual")) / plain.get_buffer("spread")
    torch.testing.assert_close(scaled.mean(0), torch.zeros(len(scaled[0])), rtol=0, atol=1e-4)
    assert float(scaled.std(0, correction=0).max()) < 1 + 1e-4


@pytest.mark.parametrize("size", [(48, 56), (50, 61), (33, 47)])
def test_pictures_of_any_size(painter: AnyStyle, size: tuple[int, int]) -> None:
    photograph = picture(*size, 3)
    assert painter(photograph, painter.remember(picture(64, 40, 4))).shape == photograph.shape


def test_untrained_it_takes_over_the_colours() -> None:
    plain = AnyStyle(any_style.encoder())
    photograph, painting = picture(48, 56, 3), picture(64, 40, 4)
    with torch.no_grad():
        painted = plain(photograph, plain.remember(painting))
        for ours, theirs in zip(moments(painted), moments(painting), strict=True):
            torch.testing.assert_close(ours, theirs, atol=1e-4, rtol=1e-3)
        unchanged = plain(photograph, plain.remember(painting), alpha=0.0)
    torch.testing.assert_close(unchanged, photograph, atol=1e-3, rtol=0)


def test_a_batch_is_painted_as_one_by_one(painter: AnyStyle) -> None:
    photographs = [picture(48, 56, seed) for seed in (3, 5)]
    manners = [painter.remember(picture(64, 40, seed)) for seed in (4, 6)]
    with torch.no_grad():
        together = painter(torch.cat(photographs), Manner.batch(manners))
        alone = torch.cat([painter(*pair) for pair in zip(photographs, manners, strict=True)])
    torch.testing.assert_close(together, alone, atol=1e-4, rtol=1e-4)


@given(share=st.floats(0, 1))
@settings(max_examples=10, deadline=None)
def test_manners_are_mixed_by_their_shares(painter: AnyStyle, share: float) -> None:
    first, second = (painter.remember(picture(64, 40, seed)) for seed in (4, 6))
    mixed = Manner.mixed([first, second], [2 * share, 2 * (1 - share)])
    for tap, pair in mixed.moments.items():
        for which, found in enumerate(pair):
            wanted = share * first.moments[tap][which] + (1 - share) * second.moments[tap][which]
            torch.testing.assert_close(found, wanted)


def test_only_the_decoder_learns(painter: AnyStyle) -> None:
    names = {name for name, _ in painter.named_parameters()}
    assert names
    assert not any(name.startswith("encoder") for name in names)


def test_a_photograph_by_itself_is_told_at_alpha_0(painter: AnyStyle) -> None:
    photograph = picture(48, 56, 3)
    with torch.no_grad():
        itself = painter(photograph, painter.remember(photograph), 1.0)
        torch.testing.assert_close(painter(photograph, painter.remember(picture(64, 40, 4)), 0.0), itself)
