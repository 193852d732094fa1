"""Recipes inside pictures: written, read back, missing, damaged."""

from __future__ import annotations

import json
import zlib
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from bad_pictures import BAD_PICTURES, ENCODINGS, encoded, file, noise, png, png_chunk
from gramarye import images, recipe
from gramarye.errors import ImageError
from gramarye.images import load, read_recipe, save
from pictures import painting, saved

slow_start = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=12,
)

recipes = st.dictionaries(st.text(), json_values, max_size=4)


@slow_start
@given(recipes, st.sampled_from(sorted(images.WRITABLE)))
def test_a_recipe_comes_back(
    tmp_path_factory: pytest.TempPathFactory, contents: dict[str, object], suffix: str
) -> None:
    path = tmp_path_factory.getbasetemp() / f"recipe{suffix}"
    save(painting(32, 32), path, recipe=contents)
    assert read_recipe(path) == contents
    load(path)


AWKWARD = {
    "ключ": "日本 🎨",
    "q": "\"'<>&\n\t\\",
    "o": 'tiff:Orientation="6" <tiff:Orientation>6<',
    "": None,
    "s": "\ud800",
}


@pytest.mark.parametrize("suffix", sorted(images.WRITABLE))
def test_an_awkward_recipe_comes_back_and_turns_nothing(suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"out{suffix}"
    save(painting(), path, recipe=AWKWARD)
    assert read_recipe(path) == AWKWARD
    assert load(path).pixels.shape == (1, 3, 40, 50)
    assert load(path).notes == ()


@pytest.mark.parametrize("suffix", [".png", ".webp", ".tif"])
def test_a_long_recipe_comes_back(suffix: str, tmp_path: Path) -> None:
    history = {"history": [[i, i / 7] for i in range(60_000)]}
    save(painting(), tmp_path / f"out{suffix}", recipe=history)
    assert read_recipe(tmp_path / f"out{suffix}") == history
    load(tmp_path / f"out{suffix}")


def test_a_jpeg_holds_almost_64_kb(tmp_path: Path) -> None:
    long = {"history": "x" * 65_000}
    save(painting(), tmp_path / "out.jpg", recipe=long)
    assert read_recipe(tmp_path / "out.jpg") == long


def test_a_recipe_survives_xmp_rewritten_by_others() -> None:
    text = recipe.to_text(AWKWARD)
    for packet in (
        "<x gramarye:recipe='" + text.replace("&", "&amp;").replace("<", "&lt;").replace("'", "&#39;") + "'/>",
        "<gramarye:recipe>" + text.replace("&", "&amp;").replace("<", "&lt;") + "</gramarye:recipe>",
    ):
        assert recipe.from_text(recipe.from_xmp(packet.encode()) or "", "a test") == AWKWARD


@pytest.mark.parametrize("text", ["", "{", "[1]", "null", '"text"', "[" * 100_000, '{"a": ' + "9" * 5000 + "}"])
def test_a_damaged_recipe_is_refused(text: str, tmp_path: Path) -> None:
    chunk = png_chunk(b"iTXt", b"gramarye\0\0\0\0\0" + text.encode())
    path = file("out.png", png(40, 40, zlib.compress(bytes(40 * 121)), chunk))(tmp_path)
    with pytest.raises(ImageError, match="recipe") as caught:
        read_recipe(path)
    assert "\n" not in str(caught.value)
    packet = recipe.to_xmp(text)
    if len(packet) < recipe.JPEG_XMP_LIMIT:
        jpeg = saved(Image.fromarray(noise()), tmp_path / "out.jpg", xmp=packet)
        with pytest.raises(ImageError, match="recipe"):
            read_recipe(jpeg)


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_a_picture_without_recipe_says_so(encoding: str, tmp_path: Path) -> None:
    with pytest.raises(ImageError, match="must have a recipe"):
        read_recipe(file("plain", encoded(encoding))(tmp_path))


@pytest.mark.parametrize("name", ["empty.png", "missing", "folder", "pipe", "text.jpg", "png-cut-header"])
def test_a_recipe_is_not_read_from_what_is_no_picture(name: str, tmp_path: Path) -> None:
    with pytest.raises(ImageError):
        read_recipe(dict(BAD_PICTURES)[name](tmp_path))


def test_foreign_xmp_is_no_recipe(tmp_path: Path) -> None:
    path = saved(Image.fromarray(noise()), tmp_path / "foreign.jpg", xmp=b"\xff\xfe<x:xmpmeta/>")
    with pytest.raises(ImageError, match="must have a recipe"):
        read_recipe(path)


def test_the_recipe_is_plain_json_in_the_file(tmp_path: Path) -> None:
    save(painting(), tmp_path / "out.png", recipe={"seed": 3})
    assert json.dumps({"seed": 3}, separators=(",", ":")).encode() in (tmp_path / "out.png").read_bytes()
