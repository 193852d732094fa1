"""A painter that starts from another paints as that one does, and can be trained."""

from __future__ import annotations

import pytest
import torch

from gramarye.errors import SettingsError
from gramarye.fast import any_style
from gramarye.fast.any_style import AnyStyle
from gramarye.fast.painter import Painter
from gramarye.fast.starting import started
from gramarye.fast.stored import FastNetwork
from networks import picture

SIZES = {"width": 16, "blocks": 1, "last": 8, "coarse": 12}
NAMES, PAINTINGS = ("sea", "wood"), [picture(64, 72, seed) for seed in (1, 2)]


def disturbed(painter: Painter | AnyStyle) -> Painter | AnyStyle:
    """With parameters that are all other than at the beginning, and frozen as those of a file."""
    torch.manual_seed(0)
    with torch.no_grad():
        for parameter in painter.parameters():
            parameter.add_(0.05 * torch.randn(parameter.shape))
    return painter.eval().requires_grad_(requires_grad=False)


def many() -> FastNetwork:
    return FastNetwork("many", disturbed(Painter(("wood", "sky", "sea"), **SIZES)), {}, ("wood", "sky", "sea"))


@pytest.fixture(scope="module")
def anything() -> FastNetwork:
    painter = AnyStyle(any_style.encoder())
    painter.measure(PAINTINGS)
    return FastNetwork("any", disturbed(painter), {})


@pytest.mark.parametrize("which", [0, 1], ids=NAMES)
def test_of_many_styles_from_any(which: int, anything: FastNetwork) -> None:
    photograph, known = picture(50, 61, 3), anything.painter
    assert isinstance(known, AnyStyle)
    made = started(anything, "many", NAMES, PAINTINGS)
    assert isinstance(made, Painter)
    assert made.styles == NAMES
    painted = made(photograph, torch.eye(2)[which : which + 1])
    torch.testing.assert_close(painted, known(photograph, known.remember(PAINTINGS[which])), rtol=1e-4, atol=1e-4)
    assert all(parameter.requires_grad for parameter in made.parameters())


def test_of_some_of_many(anything: FastNetwork) -> None:
    photograph, known = picture(50, 61, 3), many()
    made = started(known, "many", NAMES, PAINTINGS)
    assert made.sizes == SIZES
    for name, mix in zip(NAMES, torch.eye(2), strict=True):
        theirs = known.painter(photograph, torch.eye(3)[[known.styles.index(name)]])
        torch.testing.assert_close(made(photograph, mix[None]), theirs)


def test_of_any_style_from_any(anything: FastNetwork) -> None:
    photograph, manner = picture(50, 61, 3), anything.painter.remember(PAINTINGS[0])
    before = anything.painter(photograph, manner)
    made = started(anything, "any", NAMES, PAINTINGS)
    torch.testing.assert_close(made(photograph, manner), before)
    assert all(parameter.requires_grad for parameter in made.parameters())


def test_what_cannot_be_started() -> None:
    with pytest.raises(SettingsError, match=r"starts from another of any style; got fast-many"):
        started(many(), "any", NAMES, PAINTINGS)
    with pytest.raises(SettingsError, match=r"fast-many has learned wood, sky, sea; got sand. Start from any"):
        started(many(), "many", ("sea", "sand"), PAINTINGS)
