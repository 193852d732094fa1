"""Masks: plain colours, grey pictures, and what is refused."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from PIL import Image, ImageDraw, ImageFilter

from gramarye import images, masks
from gramarye.errors import ImageError
from networks import picture

PHOTOGRAPH = images.load(picture(96, 128, 1))


def disk(size: tuple[int, int] = (128, 96), ground: str = "white", ink: str = "black") -> Image.Image:
    """A disk with a smooth edge on a ground, in two colours."""
    large = Image.new("RGB", (4 * size[0], 4 * size[1]), ground)
    draw = ImageDraw.Draw(large)
    draw.ellipse([size[0], size[1], 3 * size[0], 3 * size[1]], fill=ink)
    return large.resize(size, Image.Resampling.LANCZOS)


def test_each_plain_colour_is_a_region_and_edge_colours_belong_to_the_nearer() -> None:
    mask = masks.read(disk(), PHOTOGRAPH)
    assert set(mask.labels) == {"white", "black"}
    weights = mask.at((96, 128), mask.labels)
    assert torch.equal(weights.sum(1), torch.ones(1, 96, 128))
    assert float(mask.at((96, 128), ("black",))[0, 0, 48, 64]) == 1
    assert float(mask.at((96, 128), ("black",))[0, 0, 2, 2]) == 0


def test_blurred_masks_and_jpeg_have_no_further_regions(tmp_path: Path) -> None:
    path = tmp_path / "mask.jpg"
    disk(ground="#3060a0", ink="orange").filter(ImageFilter.GaussianBlur(2)).save(path, quality=60)
    mask = masks.read(path, PHOTOGRAPH)
    assert len(mask.labels) == 2
    assert mask.origin == {"name": "mask.jpg", "path": str(path), "sha256": images.sha256_of(path)}


def test_colours_are_named_plainly_or_by_hex_and_as_in_the_photographs_mask() -> None:
    content = masks.read(disk(ground="#3060a0", ink="red"), PHOTOGRAPH)
    assert set(content.labels) == {"#3060a0", "red"}
    style = masks.read(disk(ground="#3364a4", ink="#fa0505"), PHOTOGRAPH, content)
    assert set(style.labels) == {"#3060a0", "red"}


def test_grey_pictures_are_weights_and_where_they_overlap_they_share() -> None:
    half, whole = Image.new("L", (128, 96), 128), Image.new("L", (128, 96), 255)
    mask = masks.read({"sea": half}, PHOTOGRAPH)
    assert float(mask.at((24, 32), ("sea",)).mean()) == pytest.approx(128 / 255)
    both = masks.read({"sea": half, "sky": whole}, PHOTOGRAPH).at((96, 128), ("sea", "sky"))
    assert torch.allclose(both.sum(1), torch.ones(1, 96, 128))
    assert float(both[0, 0, 0, 0]) == pytest.approx(128 / (128 + 255), rel=1e-4)


def test_grey_pictures_may_be_named_in_text_and_a_name_alone_is_the_whole(tmp_path: Path) -> None:
    disk().save(tmp_path / "a.png")
    text = f"sea={tmp_path / 'a.png'}, sky={tmp_path / 'a.png'}"
    content = masks.read(text, PHOTOGRAPH)
    assert content.labels == ("sea", "sky")
    assert content.origin["regions"]["sky"]["name"] == "a.png"
    assert masks.read(text.split(","), PHOTOGRAPH).labels == ("sea", "sky")
    style = masks.read("sky", PHOTOGRAPH, content)
    assert style.origin == {"regions": {"sky": None}}
    weights = style.at((5, 6), ("sea", "sky"))
    assert weights.shape == (1, 2, 5, 6)
    assert weights.mean((0, 2, 3)).tolist() == [0, 1]


def test_other_resolutions_are_resized_other_shapes_refused() -> None:
    assert masks.read(disk((256, 192)), PHOTOGRAPH).at((48, 64), ("black",)).shape == (1, 1, 48, 64)
    masks.read(disk((129, 96)), PHOTOGRAPH)
    with pytest.raises(ImageError, match=r"shape of its picture; got .*96 × 96.*128 × 96"):
        masks.read(disk((96, 96)), PHOTOGRAPH)


def test_a_photograph_is_no_mask() -> None:
    with pytest.raises(ImageError, match="plain colours"):
        masks.read(torch.rand(1, 3, 96, 128), PHOTOGRAPH)
    with pytest.raises(ImageError, match="plain colours"):
        masks.read(picture(96, 128, 5), PHOTOGRAPH)


def test_an_empty_region_is_refused() -> None:
    black = Image.new("L", (128, 96), 0)
    with pytest.raises(ImageError, match="'sea' must not be empty"):
        masks.read({"sea": black, "sky": disk()}, PHOTOGRAPH)


def test_transparent_parts_are_black() -> None:
    cut_out = Image.new("RGBA", (128, 96), (255, 255, 255, 0))
    cut_out.paste((255, 255, 255, 255), (30, 30, 60, 60))
    assert set(masks.read(cut_out, PHOTOGRAPH).labels) == {"white", "black"}
