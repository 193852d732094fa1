"""Regions: the masks of a photograph and of its paintings together."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
import torch
from PIL import Image

import gramarye
from gramarye import images, regions, transfer, weights
from gramarye.errors import SettingsError
from gramarye.presets import preset
from networks import picture, random_weights

PHOTOGRAPH = images.load(picture(64, 80, 1))
PAINTINGS = [images.load(picture(72, 64, 2)), images.load(picture(64, 64, 3))]
SMALL = preset("default").with_(size=64, steps=12, **{"scales.smallest": 32, "scales.count": 2, "scales.shares": ""})


def halves(width: int, height: int, left: str = "red", right: str = "blue") -> Image.Image:
    """A mask of two halves, side by side."""
    mask = Image.new("RGB", (width, height), left)
    mask.paste(right, (width // 2, 0, width, height))
    return mask


def read(style_masks: Sequence[Any], weights_of_content: dict[str, float] | None = None) -> regions.Masks:
    count = max(1, len(style_masks))
    found = regions.read(PHOTOGRAPH, PAINTINGS[:count], halves(80, 64), style_masks, weights_of_content or {})
    assert found is not None
    return found


def test_regions_have_the_sizes_of_their_pictures_and_soft_edges() -> None:
    found = read([halves(64, 72)], {"blue": 3}).at(torch.zeros(1, 3, 160, 200), [torch.zeros(1, 3, 36, 32)])
    assert found.picture.shape == (1, 2, 160, 200)
    assert found.paintings[0].shape == (1, 2, 36, 32)
    assert torch.allclose(found.picture.sum(1), torch.ones(1, 160, 200), atol=1e-5)
    assert dict(zip(found.labels, found.content_weights, strict=True)) == {"red": 1.0, "blue": 3.0}
    red = found.picture[0, found.labels.index("red"), 80]
    assert red[0] == pytest.approx(1)
    assert 0.1 < float(red[99]) < 0.9
    assert bool((red.diff() <= 1e-6).all())


def test_different_paintings_for_different_regions() -> None:
    found = read(["red", "blue"]).at(torch.zeros(1, 3, 64, 80), [torch.zeros(1, 3, 20, 20)] * 2)
    assert [mask.mean((0, 2, 3)).tolist() for mask in found.paintings] in ([[1, 0], [0, 1]], [[0, 1], [1, 0]])


def test_without_masks_there_are_no_regions() -> None:
    assert regions.read(PHOTOGRAPH, PAINTINGS, None, [], {}) is None


def test_content_weights_alone_tell_regions_apart() -> None:
    found = read([], {"#ff0000": 5})
    assert found.content_weights == {"red": 5.0}
    assert found.styles[0].layers == dict.fromkeys(found.content.labels)


def test_masks_that_do_not_belong_together_are_refused() -> None:
    with pytest.raises(SettingsError, match="mask of the photograph; got masks of the paintings alone"):
        regions.read(PHOTOGRAPH, PAINTINGS, None, [halves(64, 72)], {})
    with pytest.raises(SettingsError, match="one for each painting, in their order; got 1 for 2"):
        regions.read(PHOTOGRAPH, PAINTINGS, halves(80, 64), [halves(64, 72)], {})
    with pytest.raises(SettingsError, match="got 0 for 1"):
        regions.read(PHOTOGRAPH, PAINTINGS[:1], halves(80, 64), [], {})


def test_a_region_that_no_painting_has_is_refused_with_those_there_are() -> None:
    with pytest.raises(SettingsError, match=r"'red', which none has.*here are: .*cyan"):
        read([halves(64, 72, "cyan", "blue")])
    grey = Image.new("L", (80, 64), 255)
    with pytest.raises(SettingsError, match=r"'face', which none has. Did you mean 'faces'\? there are: faces"):
        regions.read(PHOTOGRAPH, PAINTINGS[:1], {"face": grey}, [{"faces": None}], {})


@pytest.mark.parametrize(("given", "message"), [({"rde": 2}, "mean 'red'"), ({"red": -1}, "≥ 0; got -1")])
def test_content_weights_must_fit(given: dict[str, float], message: str) -> None:
    with pytest.raises(SettingsError, match=message):
        read([halves(64, 72)], given)


@pytest.fixture
def _random_network(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(weights, "load", lambda *_: random_weights())


@pytest.mark.usefixtures("_random_network")
def test_each_half_takes_the_colours_of_its_half_of_the_painting() -> None:
    style = torch.cat([0.2 * picture(64, 32, 3), 0.8 + 0.2 * picture(64, 32, 2)], dim=3)
    masks = {"content_mask": halves(80, 64), "style_masks": [halves(64, 64, "blue", "red")]}
    result = gramarye.stylize(PHOTOGRAPH, style, SMALL, **masks)
    assert float(result.pixels[..., :30].mean()) > 0.6
    assert float(result.pixels[..., -30:].mean()) < 0.4
    measured = gramarye.measure(result.pixels, PHOTOGRAPH, style, SMALL, **masks)
    assert [term["name"] for term in measured.terms] == [term["name"] for term in result.terms]


@pytest.mark.usefixtures("_random_network")
def test_a_region_used_in_vain_is_remarked() -> None:
    mask = halves(64, 72)
    mask.paste("cyan", (0, 0, 20, 20))
    painting = transfer.prepare(PHOTOGRAPH, PAINTINGS[0], SMALL, content_mask=halves(80, 64), style_masks=[mask])
    assert "cyan" in painting.styles[0].notes[0]


@pytest.mark.usefixtures("_random_network")
def test_each_half_takes_the_colours_of_its_own_painting() -> None:
    light, dark = 0.8 + 0.2 * picture(64, 64, 2), 0.2 * picture(64, 64, 3)
    masks = {"content_mask": halves(80, 64), "style_masks": ["red", "blue"]}
    result = gramarye.stylize(PHOTOGRAPH, [light, dark], SMALL, **masks)
    assert float(result.pixels[..., :30].mean()) > 0.6
    assert float(result.pixels[..., -30:].mean()) < 0.4
    assert result.recipe["style_masks"] == [{"regions": {"red": None}}, {"regions": {"blue": None}}]
    measured = gramarye.measure(result.pixels, PHOTOGRAPH, [light, dark], SMALL, **masks)
    assert [term["name"] for term in measured.terms] == [term["name"] for term in result.terms]
