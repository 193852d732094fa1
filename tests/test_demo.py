"""What is bundled for the demo is there, small enough, and fit to be used."""

from __future__ import annotations

from gramarye import demo, images


def test_photograph_and_styles_are_bundled() -> None:
    assert min(images.load(demo.photograph()).pixels.shape[2:]) >= 500
    assert len(demo.styles()) >= 4
    for path in demo.styles():
        assert path.stat().st_size <= 250_000
        assert 512 <= max(images.load(path).pixels.shape[2:]) <= 768
