"""Maps as pictures: every channel in its cell, one scale for all three pictures, files that are small."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from gramarye.studio import sprites

from .exhibits import decoded


@given(st.integers(1, 64))
def test_the_grid_holds_all_and_no_row_is_empty(count: int) -> None:
    columns, rows = sprites.grid_of(count)
    assert columns * (rows - 1) < count <= columns * rows
    assert columns * sprites.side_of(count) <= sprites.SHEET


def test_every_channel_is_in_its_cell() -> None:
    levels = torch.linspace(0.1, 1, 10)[:, None, None].expand(10, 40, 32)
    made = sprites.sheet(levels)
    assert (made.cell, made.size) == ((32, 40), (128, 120))
    shown = decoded(made.data)
    assert shown.shape == (1, 3, 120, 128)
    for k in range(12):
        row, column = divmod(k, 4)
        cell = shown[0, :, row * 40 + 8 : row * 40 + 32, column * 32 + 8 : column * 32 + 24]
        assert float((cell - (levels[k, 0, 0] if k < 10 else 0)).abs().max()) < 0.04


def test_a_channel_has_one_scale_in_all_pictures() -> None:
    loud, faint = 4 * torch.ones(2, 5, 5), torch.ones(2, 5, 5)
    loud[1], faint[1] = 1, 2  # the second channel is louder in the other picture
    loud[:, 0], faint[:, 0] = 0, 0
    found = sprites.scaled({"photograph": faint, "painting": loud})
    assert found["painting"][0, 1:].mean() == pytest.approx(1)
    assert found["photograph"][0, 1:].mean() == pytest.approx(0.25, abs=0.01)
    assert found["photograph"][1, 1:].mean() == pytest.approx(1)
    assert found["painting"][1, 1:].mean() == pytest.approx(0.5, abs=0.01)


@given(st.integers(0, 10_000), st.floats(-3, 3), st.floats(0, 1e6))
def test_brightness_keeps_the_order_and_stays_in_range(seed: int, offset: float, gain: float) -> None:
    maps = gain * (torch.randn(2, 6, 7, generator=torch.Generator().manual_seed(seed)) + offset)
    found = sprites.scaled({"one": maps, "other": -maps})["one"]
    assert float(found.min()) >= 0
    assert float(found.max()) <= 1
    for k in range(2):
        order = maps[k].flatten().argsort()
        assert bool((found[k].flatten()[order].diff() >= 0).all())


def test_zero_is_black_where_nothing_is_negative_and_silence_is_black() -> None:
    maps = torch.zeros(2, 8, 8)
    maps[0, 4:] = 0.5
    found = sprites.scaled({"one": maps + torch.tensor([0.5, 0])[:, None, None]})["one"]
    assert found[0, 0, 0] == pytest.approx(0.5)  # not stretched from the channel's own smallest value
    assert not found[1].any()
    assert not sprites.positive({"one": -maps})["one"].any()


def test_signed_maps_are_blue_and_orange_around_the_wall() -> None:
    values = torch.tensor([[-2.0, -1, 0, 1, 9]]).repeat_interleave(16, 1).repeat(16, 1)
    shown = decoded(sprites.signed(values, 2.0))[0, :, 8, 8::16]
    assert torch.allclose(shown[:, 0], torch.tensor(sprites.BLUE), atol=0.06)
    assert torch.allclose(shown[:, 2], torch.tensor(sprites.WALL), atol=0.06)
    assert torch.allclose(shown[:, 4], torch.tensor(sprites.ORANGE), atol=0.06)
    assert shown[2, 1] > shown[0, 1]  # bluer than red
    assert shown[0, 3] > shown[2, 3]


def test_small_maps_become_squares() -> None:
    maps = torch.arange(6.0).view(1, 2, 3)
    found = sprites.enlarged(maps, 7)
    assert found.shape == (1, 6, 9)
    assert bool((found[0, :3, 3:6] == 1).all())
    assert sprites.enlarged(found, 9) is not maps
    assert sprites.enlarged(found, 9).shape == found.shape


def test_a_sheet_of_noise_is_not_larger_than_allowed() -> None:
    noise = torch.rand(64, 56, 56, generator=torch.Generator().manual_seed(0))
    made = sprites.sheet(noise)
    assert len(made.data) <= sprites.LARGEST
    assert decoded(made.data).shape[2:] == (8 * made.cell[1], 8 * made.cell[0]) == made.size[::-1]
    smooth = torch.linspace(0, 1, 56).expand(64, 56, 56)
    assert len(sprites.sheet(smooth).data) < 20_000
    shown = decoded(sprites.sheet(smooth).data)[0, 0, 20, :56]
    assert float((shown - smooth[0, 0]).abs().max()) < 0.06  # in the best quality
