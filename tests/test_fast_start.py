"""init=fast: a painting that begins with what a feed-forward network paints in one pass."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from feedforward import write_both
from gramarye import demo, images, starts, stylize
from gramarye.errors import WeightsError
from gramarye.fast import stored
from gramarye.fast.paint import painter_for
from gramarye.images import Picture
from gramarye.presets import preset
from gramarye.regions import Regions
from gramarye.settings import Settings
from gramarye.transfer import prepare
from networks import picture

PHOTOGRAPH = picture(48, 60, 1)
OTHER = images.load(picture(64, 72, 2))
FAST = Settings().with_(init="fast", precision="float32")
SMALL = preset("fast").with_(size=64, steps=2, precision="float32", **{"network.name": "vgg19-lite"})


@pytest.fixture(scope="module", autouse=True)
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The package's networks, for all tests here."""
    made = write_both(tmp_path_factory.mktemp("networks"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(stored, "FOLDER", made)
        yield made


def bundled(name: str) -> Picture:
    return images.load(demo.path_of(name))


def one(style: object, **more: object) -> torch.Tensor:
    return painter_for(style, precision="float32", **more)(PHOTOGRAPH)


def start(styles: list[Picture], settings: Settings = FAST) -> torch.Tensor:
    painters = starts.painters_for(settings, styles)
    return starts.start(settings, PHOTOGRAPH, [style.pixels for style in styles], painters=painters)


def test_the_network_that_knows_the_painting_begins() -> None:
    assert torch.equal(start([bundled("swirl")]), one("swirl", network="many"))
    assert torch.equal(start([OTHER]), one(OTHER, network="any"))
    mixed = FAST.with_(**{"style.mix": (1, 3)})
    assert torch.equal(start([bundled("swirl"), bundled("cubist")], mixed), one(["swirl", "cubist"], mix=(1, 3)))


def test_a_painting_in_other_colours_is_another_painting() -> None:
    swirl = bundled("swirl")
    colored = replace(swirl, pixels=swirl.pixels.flip(1))
    assert torch.equal(start([colored]), one(colored, network="any"))


def test_strength_and_luminance_hold_for_it_too() -> None:
    painted = one("swirl")
    half = start([bundled("swirl")], FAST.with_(strength=0.5))
    torch.testing.assert_close(half, PHOTOGRAPH + 0.5 * (painted - PHOTOGRAPH))
    found = start([bundled("swirl")], FAST.with_(color="luminance"))
    assert torch.equal(found[:, 0], found[:, 2])


def test_each_region_is_painted_after_its_own_painting() -> None:
    left = torch.zeros(1, 1, 48, 60)
    left[..., :30] = 1
    ones, zeros = torch.ones(1, 1, 32, 32), torch.zeros(1, 1, 32, 32)
    given = (torch.cat([ones, zeros], 1), torch.cat([zeros, ones], 1))
    styles, pixels = [bundled("swirl"), OTHER], [torch.zeros(1, 3, 32, 32)] * 2
    regions = Regions(("a", "b"), torch.cat([left, torch.zeros_like(left)], 1), given, (1, 1))
    painters = starts.painters_for(FAST, styles, apart=True)
    found = starts.start(FAST, PHOTOGRAPH, pixels, regions, painters=painters)
    torch.testing.assert_close(found[..., :30], one("swirl")[..., :30])
    assert torch.equal(found[..., 30:], PHOTOGRAPH[..., 30:])
    regions = replace(regions, picture=torch.cat([left, 1 - left], 1))
    found = starts.start(FAST, PHOTOGRAPH, pixels, regions, painters=painters)
    torch.testing.assert_close(found[..., 30:], one(OTHER)[..., 30:])


def test_a_painting_goes_on_from_it() -> None:
    painting = prepare(PHOTOGRAPH, demo.path_of("swirl"), SMALL)
    assert painting.seconds > 0  # what was painted already
    begun = painting.pixels.clone()
    torch.testing.assert_close(begun, painter_for("swirl", precision="float32")(painting.photograph_at((51, 64))))
    result = stylize(PHOTOGRAPH, demo.path_of("swirl"), SMALL)
    assert [step.index for step in result.history] == [1, 2]
    assert result.recipe["settings"]["init"] == "fast"
    assert not torch.equal(result.pixels, begun)
    assert torch.equal(result.pixels, stylize(PHOTOGRAPH, demo.path_of("swirl"), SMALL).pixels)


def test_the_recipe_names_the_networks_that_began(folder: Path, tmp_path: Path) -> None:
    known = {name: images.sha256_of(folder / f"{name}.safetensors") for name in ("fast-many", "fast-any")}

    def told(style: object, settings: Settings = SMALL, **more: Any) -> Any:
        return prepare(PHOTOGRAPH, style, settings, **more).recipe()["start_networks"]

    assert known == stored.bundled_sha256()
    swirl = demo.path_of("swirl")
    assert told(swirl) == {"fast-many": known["fast-many"]}
    assert told(OTHER) == told([swirl, OTHER]) == {"fast-any": known["fast-any"]}
    assert told(swirl, SMALL.with_(init="content")) == {}
    mask = torch.zeros(1, 3, 48, 60)
    mask[:, 0, :, :30] = mask[:, 2, :, 30:] = 1
    assert told([swirl, OTHER], content_mask=mask, style_masks=["red", "blue"]) == known


@pytest.mark.parametrize("color", ["style", "luminance", "histogram", "pca", "cholesky", "after"])
def test_every_way_with_colours(color: str) -> None:
    result = stylize(PHOTOGRAPH, demo.path_of("swirl"), SMALL.with_(color=color, steps=1))
    assert result.pixels.shape == (1, 3, 51, 64)


def test_networks_that_are_missing_are_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stored, "FOLDER", tmp_path)
    with pytest.raises(WeightsError, match="part of the package"):
        prepare(PHOTOGRAPH, demo.path_of("swirl"), SMALL)
