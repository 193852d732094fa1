"""The painter of any painting: AdaIN as the paper has it, its taps, and what an untrained one does."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from feedforward import anything
from gramarye.fast import any_style
from gramarye.fast.any_style import AnyStyle, Manner, moments
from networks import picture


@pytest.fixture(scope="module")
def painter() -> AnyStyle:
    return anything()


@given(seed=st.integers(0, 100), channels=st.integers(1, 8))
@settings(max_examples=20, deadline=None)
def test_features_take_the_moments_of_the_painting(seed: int, channels: int) -> None:
    generator = torch.Generator().manual_seed(seed)
    found, style = (torch.randn(1, channels, 5, 7, generator=generator) * 3 + 1 for _ in range(2))
    (mean, deviation), (wanted, spread) = moments(found, 1e-6), moments(style, 1e-6)
    paper = spread * (found - mean) / deviation + wanted  # Huang and Belongie 2017, eq. 8
    torch.testing.assert_close(moments(paper, 1e-6)[0], wanted, atol=1e-4, rtol=1e-4)
    torch.testing.assert_close(moments(paper, 1e-6)[1], spread, atol=1e-4, rtol=1e-4)


def test_taps_are_adain_of_the_photographs_features(painter: AnyStyle) -> None:
    photograph, painting = picture(48, 56, 3), picture(64, 40, 4)
    manner = painter.remember(painting)
    found, style = (painter.encoder(each, ("relu3_1",))["relu3_1"] for each in (photograph, painting))
    flat = found.flatten(2), style.flatten(2)
    (mean, wanted), (deviation, spread) = ([f(each) for each in flat] for f in (_mean, _deviation))
    paper = spread * (found - mean) / deviation + wanted
    size, own = painter.get_buffer("relu3_1_size"), moments(found, any_style.EPSILON)
    for alpha in (1.0, 0.5):
        wanted = painter._moments_of_t("relu3_1", own, manner, alpha)
        t = alpha * paper + (1 - alpha) * found
        torch.testing.assert_close(any_style._moved(found, own, wanted), t / size, atol=1e-4, rtol=1e-4)


def _mean(flat: torch.Tensor) -> torch.Tensor:
    return flat.mean(2)[:, :, None, None]


def _deviation(flat: torch.Tensor) -> torch.Tensor:
    return flat.std(2, correction=0)[:, :, None, None].clamp_min(any_style.EPSILON)


@pytest.mark.parametrize("size", [(48, 56), (50, 61), (33, 47)])
def test_pictures_of_any_size(painter: AnyStyle, size: tuple[int, int]) -> None:
    photograph = picture(*size, 3)
    assert painter(photograph, painter.remember(picture(64, 40, 4))).shape == photograph.shape


def test_untrained_it_takes_over_the_colours() -> None:
    plain = AnyStyle(any_style.encoder())
    photograph, painting = picture(48, 56, 3), picture(64, 40, 4)
    with torch.no_grad():
        painted = plain(photograph, plain.remember(painting))
    for ours, theirs in zip(moments(painted, 1e-6), moments(painting, 0.02), strict=True):
        torch.testing.assert_close(ours, theirs, atol=1e-4, rtol=1e-3)
    with torch.no_grad():
        torch.testing.assert_close(plain(photograph, plain.remember(painting), alpha=0.0), photograph)


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


def test_blocks_are_told_of_the_painting_by_gain_and_offset() -> None:
    torch.manual_seed(0)
    block, found, known = any_style.Block(8), torch.randn(2, 8, 5, 6), torch.randn(2, any_style.KNOWN)
    with torch.no_grad():
        assert torch.equal(block(found, known), found)  # not trained, it changes nothing
        for layer in (block.second, block.told):
            torch.nn.init.normal_(layer.weight, std=0.1)
        gain, offset = (known @ block.told.weight.T + block.told.bias).split(8, 1)
        inner = (1 + gain)[:, :, None, None] * block.first(found) + offset[:, :, None, None]
        torch.testing.assert_close(block(found, known), found + block.second(inner.relu()))


def test_a_photograph_by_itself_is_told_at_alpha_0(painter: AnyStyle) -> None:
    photograph = picture(48, 56, 3)
    with torch.no_grad():
        itself = painter(photograph, painter.remember(photograph), 1.0)
        torch.testing.assert_close(painter(photograph, painter.remember(picture(64, 40, 4)), 0.0), itself)
