"""Training a painter: it learns, and goes on where it was."""

from __future__ import annotations

import statistics
from pathlib import Path

import pytest
import torch

from gramarye import images, preset
from gramarye.errors import ImageError
from gramarye.fast.losses import Losses
from gramarye.fast.painter import Painter
from gramarye.fast.photographs import Photographs, files_in
from gramarye.fast.training import Training, alone
from gramarye.vgg import VGG
from networks import picture, random_weights


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for seed in range(8):
        images.save(picture(48, 60, seed), tmp_path / f"{seed}.png")
    return tmp_path


def training(folder: Path, steps: int) -> Training:
    torch.manual_seed(0)
    painter = Painter(("one", "other"), width=16, blocks=1, last=8, coarse=12)
    losses = Losses(VGG(random_weights()), preset("default"))
    photographs = Photographs(files_in(folder), torch.Generator().manual_seed(0))
    paintings = [picture(48, 48, seed) for seed in (20, 21)]
    return Training(painter, losses, photographs, paintings, alone(2), steps, batch=2, crop=32)


def test_it_learns(folder: Path) -> None:
    totals = [step.total for step in training(folder, 200).steps()]
    assert statistics.fmean(totals[-30:]) < 0.8 * statistics.fmean(totals[:30])


def test_going_on_from_a_state_is_as_if_nothing_had_been(folder: Path) -> None:
    whole = training(folder, 6)
    list(whole.steps())
    first = training(folder, 6)
    steps = first.steps()
    for _ in range(3):
        next(steps)
    second = training(folder, 6)
    second.restore(first.state())
    list(second.steps())
    for one, other in zip(whole.painter.parameters(), second.painter.parameters(), strict=True):
        torch.testing.assert_close(one, other)


def test_crops_are_of_one_size_and_depend_on_the_generator_alone(folder: Path) -> None:
    files = files_in(folder)
    one, same, other = (Photographs(files, torch.Generator().manual_seed(seed)).batch(3, 32) for seed in (1, 1, 2))
    assert one.shape == (3, 3, 32, 32)
    assert float(one.min()) >= 0
    assert float(one.max()) <= 1
    assert torch.equal(one, same)
    assert not torch.equal(one, other)


@pytest.mark.parametrize("count", [0, 7])
def test_a_folder_with_too_few_photographs_is_refused(tmp_path: Path, count: int) -> None:
    for seed in range(count):
        images.save(picture(48, 60, seed), tmp_path / f"{seed}.png")
    with pytest.raises(ImageError, match=f"at least 8 photographs; got {count} in"):
        files_in(tmp_path)
