"""The first picture."""

from __future__ import annotations

import pytest
import torch

from gramarye import starts
from gramarye.errors import SettingsError
from gramarye.regions import Regions
from gramarye.settings import Settings
from networks import picture

PHOTOGRAPH, PAINTING = picture(48, 40, 1), picture(32, 64, 2)


def start(**knobs: object) -> torch.Tensor:
    return starts.start(Settings().with_(**knobs), PHOTOGRAPH, [PAINTING])


def test_plain_starts() -> None:
    assert torch.equal(start(init="content"), PHOTOGRAPH)
    assert float(start(init="black").max()) == 0
    assert torch.equal(start(init="grey"), torch.full_like(PHOTOGRAPH, 0.5))


def test_noise_has_the_deviation_of_the_knob_and_is_not_rounded() -> None:
    assert float(start(init="noise", noise=0.1).std()) == pytest.approx(0.1, rel=0.05)
    faint = start(init="noise", noise=0.001)
    assert float(faint.std()) == pytest.approx(0.001, rel=0.05)
    assert len(faint.unique()) > 1000
    assert not torch.equal(start(init="noise", seed=1), start(init="noise", seed=2))


def test_the_painting_fills_the_picture_without_being_distorted() -> None:
    stripes = (torch.arange(64) // 8 % 2).float().expand(1, 3, 32, 64)
    found = starts.filling(stripes, PHOTOGRAPH)
    assert found.shape == PHOTOGRAPH.shape
    crossings = int((found[0, 0, 10] > 0.5).diff().sum())
    assert crossings == pytest.approx(40 / 12, abs=1)  # stripes of 8 px, enlarged by 48/32
    assert start(init="style").shape == PHOTOGRAPH.shape
    settings = Settings().with_(init="style", **{"style.mix": "1,2"})
    assert float(starts.start(settings, PHOTOGRAPH, [PAINTING, torch.zeros_like(PAINTING)]).max()) == 0


def test_matched_takes_the_mix_of_the_paintings_colours() -> None:
    dark, light = torch.full((1, 3, 32, 32), 0.2), torch.full((1, 3, 32, 32), 0.8)
    assert float(starts.matched(PHOTOGRAPH, [dark, light]).mean()) == pytest.approx(0.5, abs=0.01)
    assert float(starts.matched(PHOTOGRAPH, [dark, light], (3, 1)).mean()) == pytest.approx(0.35, abs=0.01)


def test_matched_region_by_region() -> None:
    dark, light = torch.full((1, 3, 32, 32), 0.2), torch.full((1, 3, 32, 32), 0.8)
    left = torch.zeros(1, 1, 48, 40)
    left[..., :20] = 1
    ones, zeros = torch.ones(1, 1, 32, 32), torch.zeros(1, 1, 32, 32)
    given = (torch.cat([ones, zeros], 1), torch.cat([zeros, ones], 1))
    regions = Regions(("a", "b"), torch.cat([left, torch.zeros_like(left)], 1), given, (1, 1))
    found = starts.matched(PHOTOGRAPH, [dark, light], regions=regions)
    assert float(found[..., :20].mean()) == pytest.approx(0.2, abs=0.01)
    assert torch.equal(found[..., 20:], PHOTOGRAPH[..., 20:])


def test_a_picture_of_ones_own() -> None:
    own = picture(96, 80, 7)
    settings = Settings().with_(init="file")
    assert starts.start(settings, PHOTOGRAPH, [PAINTING], own=own).shape == PHOTOGRAPH.shape
    with pytest.raises(SettingsError, match="init=file needs a picture to start from"):
        starts.start(settings, PHOTOGRAPH, [PAINTING])


def test_below_a_strength_of_1_the_start_is_nearer_the_photograph() -> None:
    assert torch.equal(start(init="black", strength=0), PHOTOGRAPH)
    assert torch.allclose(start(init="black", strength=0.25), 0.75 * PHOTOGRAPH)
    assert torch.equal(start(strength=2), start(strength=1))


def test_the_start_is_grey_where_luminance_is_painted() -> None:
    found = start(init="noise", color="luminance")
    assert torch.equal(found[:, 0], found[:, 2])
