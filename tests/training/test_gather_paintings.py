"""Paintings out of a game's files: pieces back in their places, and nothing but paintings."""

from __future__ import annotations

import io
import runpy
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

SCRIPT = Path(__file__).resolve().parents[2] / "training" / "gather_paintings.py"
BOARD = """QtObject {{ property var levels : [
    {{ "pixmapfile" : "image/bg.svg", "type" : "SHAPE_BACKGROUND_IMAGE", "width": 90, "height": 60 }}, {} ] }}"""
PIECE = '{{ "pixmapfile" : "image/{}", "x" : "{}", "y" : "{}" }}'


def resource(files: dict[str, bytes], *, deflated: bool = False) -> bytes:
    """A Qt resource, version 3: data, names, then the tree, a folder and its files."""
    data, names, tree = b"", b"", b""
    for place, name in enumerate(("", *files)):
        if place:
            packed = files[name]
            if deflated:
                packed = struct.pack(">I", len(packed)) + zlib.compress(packed)
            tree += struct.pack(">IHHHIQ", len(names), int(deflated), 0, 0, len(data), 0)
            data += struct.pack(">I", len(packed)) + packed
        else:
            tree += struct.pack(">IHIIQ", 0, 2, len(files), 1, 0)
        names += struct.pack(">HI", len(name), 0) + name.encode("utf-16-be")
    return b"qres" + struct.pack(">4I", 3, 20 + len(data) + len(names), 20, 20 + len(data)) + data + names + tree


def webp(pixels: np.ndarray) -> bytes:
    """An array as a picture without loss."""
    Image.fromarray(pixels).save(found := io.BytesIO(), "WEBP", lossless=True, exact=True)
    return found.getvalue()


@pytest.mark.parametrize("deflated", [False, True])
def test_pieces_are_put_together(tmp_path: Path, deflated: bool) -> None:
    """A painting in two pieces, one of which reaches into the other; a sculpture; a painting by its name, a tower."""
    painting = np.random.default_rng(1).integers(0, 256, (40, 60, 3), dtype=np.uint8)
    opaque = np.dstack([painting, np.full((40, 60), 255, np.uint8)])
    left, right = opaque[:, :36].copy(), opaque[:, 24:].copy()
    left[:20, 30:, 3] = 0  # the notch into which the other one reaches
    right[20:, :12, 3] = 0
    both = ", ".join(PIECE.format(f"sea_{place}.webp", x, 0.5) for place, x in (("a1", 33 / 90), ("b1", 57 / 90)))
    pieces = {"sea_a1.webp": webp(left), "sea_b1.webp": webp(right), "Michelangelo_Pieta_a1.webp": webp(opaque)}
    boards = {
        "board1_0.qml": BOARD.format(both).encode(),
        "board2_0.qml": BOARD.format(PIECE.format("Michelangelo_Pieta_a1.webp", 0.5, 0.5)).encode(),
    }
    other = {"Gogh4_background.webp": webp(painting), "TourEiffel_background.webp": webp(painting)}
    (tmp_path / "paintings.rcc").write_bytes(resource(boards | pieces, deflated=deflated))
    (tmp_path / "details.rcc").write_bytes(resource(other, deflated=deflated))

    found = dict(runpy.run_path(str(SCRIPT))["gathered"](tmp_path))

    assert list(found) == ["sea", "Gogh4"]
    assert all(np.array_equal(np.asarray(each), painting) for each in found.values())
