"""Where inputs came from."""

from __future__ import annotations

from pathlib import Path

from gramarye import images
from gramarye.origins import origin
from networks import picture


def test_a_file_has_its_place_and_hash_and_pixels_have_none(tmp_path: Path) -> None:
    path = tmp_path / "one.png"
    images.save(picture(32, 40, 1), path)
    for source in (path, str(path)):
        found = origin(source, images.load(source))
        assert found == {"name": "one.png", "path": str(path), "sha256": images.sha256_of(path)}
    pixels = picture(32, 40, 1)
    assert origin(pixels, images.load(pixels)) == {"name": "<tensor>", "path": None, "sha256": None}
